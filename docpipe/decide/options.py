"""What could stand in each field: candidates become typed options, the same value once, best first.

In: grounded candidates, the schema's kinds, the document's conventions. Out: Options per path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from docpipe.data import Answer, Candidate, Evidence
from docpipe.decide.marks_beside import with_marks_beside
from docpipe.decide.own_column import has_wide_gap, in_own_column
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import Ambiguous, Conventions, Kind, Parsed, group_of
from docpipe.text_search import PageIndex

# Options kept per field. The right value is among the first five of a pointer network in all but one in a hundred
# of the fields where it is a candidate at all; the search grows with this number.
MAX_OPTIONS = 6
# An option below this share of the best one's score does not replace it for being parsable alone.
MIN_PARSABLE_SHARE = 0.02
# Words of a span that are tried for trimming; a longer span is a sentence or an address, which has nothing to trim.
MAX_TRIMMED_WORDS = 8
NO_DATE = "not_a_date"
PART_OF_TEXT = "text_ignored"  # the issue of a value that is made of a part of the text that was chosen for it
GAP_IN_TEXT = "gap_in_text"
# A date that stands on the line that was chosen, but was not chosen itself: this share of the best score.
DATE_BESIDE_SHARE = 0.5
# The extractor says nothing of absence: what its best candidates leave, but never certainty of either.
MIN_ABSENT_SCORE = 0.02
# What a text may mean instead (`13.875`, whose mark may group; `1200`, whose point was lost). A row whose quantity
# times price is its amount settles it (a hint, a factor of 9), or a sum; nothing else does.
OTHER_MEANING_SHARE = 0.4
MAX_JOINED_SCORE = 0.999  # no sum of scores is certainty
# Marks of values that are not the network's word: no record of a calibration has them, so nothing is proven of such
# values and none is accepted. They stand in the results as signals.
UNCALIBRATED_SIGNALS = frozenset({"caption", "line", "product", "settled", "witness"})


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a field could have. `score` joins all candidates with this value.

    `is_unproposed`: not the extractor's, but one of the page's amounts, because it makes a rule hold.
    """

    value: object
    raw: str
    score: float
    evidence: tuple[Evidence, ...]
    parsed: Parsed
    signals: Mapping[str, float] = field(default_factory=dict)
    is_unproposed: bool = False

    @property
    def is_calibrated(self) -> bool:
        """Whether a confidence in it was proven on records: it is the network's word."""
        return UNCALIBRATED_SIGNALS.isdisjoint(self.signals)


class ScoredOption(NamedTuple):
    """An option of a field with its score; None is that the field is absent."""

    option: Option | None
    score: float


class KindParser:
    """Parses texts under one document's conventions, each text once."""

    def __init__(self, schema: Schema, conventions: Conventions) -> None:
        self.schema = schema
        self.conventions = conventions
        self._parsed: dict[tuple[str, str], Parsed] = {}

    def kind(self, path: str) -> Kind:
        return self.schema.spec(path).kind

    def parse(self, path: str, text: str) -> Parsed:
        spec = self.schema.spec(path)
        key = (spec.path, text)
        if key not in self._parsed:
            self._parsed[key] = spec.kind.parse(text, self.conventions)
        return self._parsed[key]


class _WordRange(NamedTuple):
    """Words of one page, from the first to the last (inclusive)."""

    page: int
    first: int
    last: int

    def shorter(self) -> Iterator[_WordRange]:
        """All shorter runs of these words, the shortest first: the fewest words that say the same are the value."""
        for size in range(1, self.last - self.first + 1):
            for start in range(self.first, self.last - size + 2):
                yield _WordRange(self.page, start, start + size - 1)

    def text(self, page: PageIndex) -> str:
        return page.text(self.first, self.last)


def options(answer: Answer, parser: KindParser, document: DocumentIndex) -> dict[str, list[Option]]:
    """For each path that has a candidate: its distinct values, best first, at most MAX_OPTIONS."""
    by_path: dict[str, list[Option]] = defaultdict(list)
    for candidate in answer.candidates:
        if candidate.text.strip() and candidate.score > 0:
            path, kind = candidate.path, parser.kind(candidate.path)
            marked = with_marks_beside(candidate, kind, partial(parser.parse, path), document)
            by_path[path].append(_option_in_own_column(marked, parser, document))
    return {path: _distinct(parser.kind(path), _widened(path, proposed, parser, document))
            for path, proposed in by_path.items()}  # fmt: skip


def absent_scores(answer: Answer) -> dict[str, float]:
    """How likely each field is not on the document: what the extractor says, else what its candidates leave."""
    proposed: dict[str, float] = defaultdict(float)
    for candidate in answer.candidates:
        proposed[candidate.path] += candidate.score
    remainder = {path: max(MIN_ABSENT_SCORE, 1.0 - score) for path, score in proposed.items()}
    return {**remainder, **answer.absent}


def _option_in_own_column(candidate: Candidate, parser: KindParser, document: DocumentIndex) -> Option:
    """The candidate without the words of a neighbour column, which makes it doubtful, as do such words in a cell."""
    kind = parser.kind(candidate.path)
    own = in_own_column(candidate, kind, document)
    option = _option(own, parser, document)
    is_cell_of_text = FieldPath.parse(candidate.path).is_cell and group_of(kind) == "text"
    if option.parsed.issue is not None:
        return option
    if is_cell_of_text and has_wide_gap(candidate, document):
        message = f"words of {option.value!r} stand as far apart as columns do: some may be of another one"
        return replace(option, parsed=Parsed(option.value, GAP_IN_TEXT, message))
    if own is candidate:
        return option
    message = f"{' '.join(candidate.text.split())!r} was read as {option.value}, without the column beside it"
    return replace(option, parsed=Parsed(option.value, PART_OF_TEXT, message))


def _option(candidate: Candidate, parser: KindParser, document: DocumentIndex) -> Option:
    """The candidate without the words that its kind has no use for: `02/02/16 10:35` -> `02/02/16` for a date."""
    path = candidate.path
    parsed_whole = parser.parse(path, candidate.text)
    untrimmed = Option(
        parsed_whole.value,
        candidate.text,
        min(1.0, candidate.score),
        candidate.evidence,
        parsed_whole,
        candidate.signals,
    )
    is_typed = parser.kind(path).column != "text"
    words = _word_range(candidate, document)
    if words is None or parsed_whole.is_something_else or not (is_typed or parsed_whole.value is None):
        return untrimmed
    page = document.pages[words.page]
    runs = [(shorter, shorter.text(page)) for shorter in words.shorter()]
    doubt: Parsed | None = None
    if parsed_whole.value is None:  # the longest run that parses stands for the whole, and is doubtful
        readable = (parsed for _, text in reversed(runs) if (parsed := parser.parse(path, text)).value is not None)
        parsed_whole = next(readable, parsed_whole)
        message = f"{candidate.text!r} was read as {parsed_whole.value}, without the rest"
        doubt = Parsed(parsed_whole.value, PART_OF_TEXT, message) if parsed_whole.value is not None else None
    for run, text in runs:
        parsed = parser.parse(path, text)
        if parsed.value is not None and (parsed.value, parsed.issue) == (parsed_whole.value, parsed_whole.issue):
            quote = page.quote(run.first, run.last, candidate.evidence[0].match)
            return replace(untrimmed, value=parsed.value, raw=text, evidence=quote, parsed=doubt or parsed)
    return replace(untrimmed, value=parsed_whole.value, parsed=doubt or parsed_whole)


def _word_range(candidate: Candidate, document: DocumentIndex) -> _WordRange | None:
    """The neighbouring words that a short candidate consists of, if it consists of whole words on one line."""
    if len(candidate.evidence) != 1 or candidate.evidence[0].page not in document.pages:
        return None
    quote = candidate.evidence[0]
    page = document.pages[quote.page]
    inside = page.words_in(quote.box)
    neighbours = inside and inside == list(range(inside[0], inside[-1] + 1))
    if not neighbours or not 1 < len(inside) <= MAX_TRIMMED_WORDS:
        return None
    words = _WordRange(quote.page, inside[0], inside[-1])
    return words if words.text(page) == " ".join(quote.text.split()) else None


def _widened(path: str, proposed: list[Option], parser: KindParser, document: DocumentIndex) -> list[Option]:
    """With what the extractor did not say, but its words do."""
    with_date = _with_date_beside(path, proposed, parser, document)
    return _with_other_meanings(with_date, parser.kind(path), parser.conventions)


def _with_other_meanings(proposed: list[Option], kind: Kind, conventions: Conventions) -> list[Option]:
    """The options, and what those of them mean that may mean something else."""
    if not isinstance(kind, Ambiguous):
        return proposed
    others = []
    for option in proposed:
        parsed = kind.otherwise(option.raw, conventions) if option.value is not None else None
        # what is printed elsewhere too has its own score: a second meaning does not add to it
        if parsed is not None and not any(kind.same(known.value, parsed.value) for known in proposed):
            others.append(replace(option, value=parsed.value, parsed=parsed, score=option.score * OTHER_MEANING_SHARE))
    return proposed + others


def _with_date_beside(path: str, proposed: list[Option], parser: KindParser, document: DocumentIndex) -> list[Option]:
    """The options of a date field; when the best is no date at all, with the one date on the lines that they point at.

    Nothing is added when these lines hold several dates, or one whose order is open.
    """
    best = max(proposed, key=lambda option: option.score)
    if best.parsed.issue != NO_DATE or not best.evidence:
        return proposed
    lines = {line for option in proposed for quote in option.evidence for line in _lines_of(quote, document)}
    dates = {}
    for line in lines:
        parsed = parser.parse(path, line.text(document.pages[line.page]))
        if parsed.issue != NO_DATE:
            dates[line] = parsed
    if len({parsed.value for parsed in dates.values()}) != 1:
        return proposed
    line, parsed = min(dates.items(), key=lambda pair: pair[0])
    if parsed.value is None:
        return proposed
    page = document.pages[line.page]
    for run in [*line.shorter(), line]:
        text = run.text(page)
        if (parsed_run := parser.parse(path, text)).value == parsed.value:
            quote = page.quote(run.first, run.last)
            return [*proposed, Option(parsed_run.value, text, DATE_BESIDE_SHARE * best.score, quote, parsed_run)]
    return proposed


def _lines_of(quote: Evidence, document: DocumentIndex) -> Iterator[_WordRange]:
    """The whole lines on which a quote stands."""
    if quote.page not in document.pages:
        return
    page = document.pages[quote.page]
    for index in page.words_in(quote.box):
        first = last = index
        while first > 0 and page.words[first - 1].line == page.words[index].line:
            first -= 1
        while last + 1 < len(page.words) and page.words[last + 1].line == page.words[index].line:
            last += 1
        yield _WordRange(quote.page, first, last)


def _distinct(kind: Kind, proposed: Sequence[Option]) -> list[Option]:
    """Options with the same value become one; those that do not parse give way to those that do."""
    ranked = sorted(proposed, key=lambda option: -option.score)
    parsable = [option for option in ranked if option.value is not None]
    if parsable and parsable[0].score >= MIN_PARSABLE_SHARE * ranked[0].score:
        ranked = parsable
    merged: list[Option] = []
    for option in ranked:
        equal_index = next((index for index, other in enumerate(merged) if _same(kind, other, option)), None)
        if equal_index is None:
            merged.append(option)
        else:
            merged[equal_index] = _joined(merged[equal_index], option)
    return sorted(merged, key=lambda option: -option.score)[:MAX_OPTIONS]


def _same(kind: Kind, left: Option, right: Option) -> bool:
    if left.value is None or right.value is None:
        return left.value is right.value and left.raw == right.raw
    return kind.same(left.value, right.value)


def _joined(best: Option, other: Option) -> Option:
    """One value read in two places (or as two spans): the scores add up; evidence comes from the one that has some."""
    with_evidence = best if best.evidence or not other.evidence else other
    return replace(with_evidence, score=min(MAX_JOINED_SCORE, best.score + other.score))
