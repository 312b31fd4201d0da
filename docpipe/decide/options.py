"""What could stand in each field: candidates become typed options, the same value once, best first.

In: grounded candidates, the schema's kinds, the document's conventions. Out: Options per path.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from docpipe.data import Answer, Candidate, Evidence, Page
from docpipe.schema import Schema
from docpipe.schema_ports import Ambiguous, Conventions, Kind, Parsed
from docpipe.text_search import PageIndex

# Options kept per field. The right value is among the first five of a pointer network in all but one in a hundred
# of the fields where it is a candidate at all; the search grows with this number.
OPTIONS_MAX = 6
# An option below this share of the best one's score does not replace it for being parsable alone.
PARSABLE_MIN = 0.02
# Words of a span that are tried for trimming; a longer span is a sentence or an address, which has nothing to trim.
TRIM_WORDS_MAX = 8
NO_DATE = "not_a_date"
# A date that stands on the line that was chosen, but was not chosen itself.
BESIDE = 0.5
# The extractor says nothing of absence: what its best candidates leave, but never certainty of either.
ABSENT_FLOOR = 0.02
# What a text may mean instead (`13.875`, whose mark may group; `1200`, whose point was lost). A row whose quantity
# times price is its amount settles it (a hint, a factor of 9), or a sum; nothing else does.
OTHER_MEANING = 0.4
SURE = 0.999  # no sum of scores is certainty


@dataclass(frozen=True, slots=True)
class Option:
    """One value that a field could have. `score` joins all candidates with this value; `support` counts them."""

    value: object
    raw: str
    score: float
    evidence: tuple[Evidence, ...]
    parsed: Parsed
    signals: Mapping[str, float] = field(default_factory=dict)
    elsewhere: bool = False  # not the extractor's: found among the page's amounts because it makes a rule hold


class KindReader:
    """Parses texts under one document's conventions, each text once."""

    def __init__(self, schema: Schema, conventions: Conventions) -> None:
        self.schema = schema
        self.conventions = conventions
        self._seen: dict[tuple[str, str], Parsed] = {}

    def kind(self, path: str) -> Kind:
        return self.schema.spec(path).kind

    def parse(self, path: str, text: str) -> Parsed:
        spec = self.schema.spec(path)
        key = (spec.path, text)
        if key not in self._seen:
            self._seen[key] = spec.kind.parse(text, self.conventions)
        return self._seen[key]


def lines(pages: Iterable[Page]) -> Iterator[str]:
    """The text lines of the document."""
    return (line for page in pages for line in page.lines)


def options(answer: Answer, reader: KindReader, indexes: Mapping[int, PageIndex]) -> dict[str, list[Option]]:
    """For each path that has a candidate: its distinct values, best first, at most OPTIONS_MAX."""
    by_path: dict[str, list[Option]] = defaultdict(list)
    for candidate in answer.candidates:
        if candidate.text.strip() and candidate.score > 0:
            by_path[candidate.path].append(_option(candidate, reader, indexes))
    return {
        path: _distinct(reader.kind(path), _widened(path, found, reader, indexes)) for path, found in by_path.items()
    }


def _widened(path: str, found: list[Option], reader: KindReader, indexes: Mapping[int, PageIndex]) -> list[Option]:
    """With what the extractor did not say, but its words do."""
    return _with_other_meanings(_with_date_beside(path, found, reader, indexes), reader.kind(path), reader.conventions)


def absent_scores(answer: Answer) -> dict[str, float]:
    """How likely each field is not on the document: what the extractor says, else what its candidates leave."""
    proposed: dict[str, float] = defaultdict(float)
    for candidate in answer.candidates:
        proposed[candidate.path] += candidate.score
    left = {path: max(ABSENT_FLOOR, 1.0 - score) for path, score in proposed.items()}
    return {**left, **answer.absent}


def _option(candidate: Candidate, reader: KindReader, indexes: Mapping[int, PageIndex]) -> Option:
    text, evidence, parsed = _trimmed(candidate, reader, indexes)
    return Option(parsed.value, text, min(1.0, candidate.score), evidence, parsed, candidate.signals)


def _trimmed(
    candidate: Candidate, reader: KindReader, indexes: Mapping[int, PageIndex]
) -> tuple[str, tuple[Evidence, ...], Parsed]:
    """The candidate without the words that its kind has no use for: `02/02/16 10:35` -> `02/02/16` for a date."""
    path = candidate.path
    whole = reader.parse(path, candidate.text)
    is_typed = reader.kind(path).column != "text"
    span = _word_span(candidate, indexes)
    if span is None or not (is_typed or whole.value is None):
        return candidate.text, candidate.evidence, whole
    index, first, last = span
    runs = [(start, end, index.text(start, end)) for start, end in _runs(first, last)]
    if whole.value is None:  # the longest run that parses stands for the whole
        readable = (parsed for _, _, text in reversed(runs) if (parsed := reader.parse(path, text)).value is not None)
        whole = next(readable, whole)
    for start, end, text in runs:
        parsed = reader.parse(path, text)
        if parsed.value is not None and (parsed.value, parsed.issue) == (whole.value, whole.issue):
            return text, index.quote(start, end, candidate.evidence[0].match), parsed
    return candidate.text, candidate.evidence, whole


def _word_span(candidate: Candidate, indexes: Mapping[int, PageIndex]) -> tuple[PageIndex, int, int] | None:
    """The neighbouring words that a short candidate consists of, if it consists of whole words on one line."""
    if len(candidate.evidence) != 1 or candidate.evidence[0].page not in indexes:
        return None
    quote = candidate.evidence[0]
    index = indexes[quote.page]
    inside = index.words_in(quote.box)
    neighbours = inside and inside == list(range(inside[0], inside[-1] + 1))
    if not neighbours or not 1 < len(inside) <= TRIM_WORDS_MAX:
        return None
    if index.text(inside[0], inside[-1]) != " ".join(quote.text.split()):
        return None
    return index, inside[0], inside[-1]


def _with_other_meanings(found: list[Option], kind: Kind, conventions: Conventions) -> list[Option]:
    """The options, and what those of them mean that may mean something else."""
    if not isinstance(kind, Ambiguous):
        return found
    others = []
    for option in found:
        parsed = kind.otherwise(option.raw, conventions) if option.value is not None else None
        # what is printed elsewhere too has its own score: a second meaning does not add to it
        if parsed is not None and not any(kind.same(known.value, parsed.value) for known in found):
            others.append(replace(option, value=parsed.value, parsed=parsed, score=option.score * OTHER_MEANING))
    return found + others


def _with_date_beside(
    path: str, found: list[Option], reader: KindReader, indexes: Mapping[int, PageIndex]
) -> list[Option]:
    """The options of a date field; when the best is no date at all, with the one date on the lines that they point at.

    Nothing is added when these lines hold several dates, or one whose order is open.
    """
    best = max(found, key=lambda option: option.score)
    if best.parsed.issue != NO_DATE or not best.evidence:
        return found
    pointed_at = {line for option in found for quote in option.evidence for line in _lines_of(quote, indexes)}
    dates = {}
    for page, first, last in pointed_at:
        parsed = reader.parse(path, indexes[page].text(first, last))
        if parsed.issue != NO_DATE:
            dates[page, first, last] = parsed
    if len({parsed.value for parsed in dates.values()}) != 1:
        return found
    (page, first, last), parsed = min(dates.items(), key=lambda pair: pair[0])
    if parsed.value is None:
        return found
    for start, end in [*_runs(first, last), (first, last)]:
        text = indexes[page].text(start, end)
        if (again := reader.parse(path, text)).value == parsed.value:
            return [*found, Option(again.value, text, BESIDE * best.score, indexes[page].quote(start, end), again)]
    return found


def _lines_of(quote: Evidence, indexes: Mapping[int, PageIndex]) -> Iterator[tuple[int, int, int]]:
    """Page, first and last word of the lines on which a quote stands."""
    if quote.page not in indexes:
        return
    words = indexes[quote.page].words
    for place in indexes[quote.page].words_in(quote.box):
        first = last = place
        while first > 0 and words[first - 1].line == words[place].line:
            first -= 1
        while last + 1 < len(words) and words[last + 1].line == words[place].line:
            last += 1
        yield quote.page, first, last


def _runs(first: int, last: int) -> Iterator[tuple[int, int]]:
    """All shorter runs of words, the shortest first: the fewest words that say the same are the value."""
    for size in range(1, last - first + 1):
        for start in range(first, last - size + 2):
            yield start, start + size - 1


def _distinct(kind: Kind, found: Sequence[Option]) -> list[Option]:
    """Options with the same value become one; those that do not parse give way to those that do."""
    ranked = sorted(found, key=lambda option: -option.score)
    parsable = [option for option in ranked if option.value is not None]
    if parsable and parsable[0].score >= PARSABLE_MIN * ranked[0].score:
        ranked = parsable
    merged: list[Option] = []
    for option in ranked:
        twin = next((place for place, other in enumerate(merged) if _same(kind, other, option)), None)
        if twin is None:
            merged.append(option)
        else:
            merged[twin] = _joined(merged[twin], option)
    return sorted(merged, key=lambda option: -option.score)[:OPTIONS_MAX]


def _same(kind: Kind, left: Option, right: Option) -> bool:
    if left.value is None or right.value is None:
        return left.value is right.value and left.raw == right.raw
    return kind.same(left.value, right.value)


def _joined(best: Option, other: Option) -> Option:
    """One value read in two places (or as two spans): the scores add up; evidence comes from the one that has some."""
    kept = best if best.evidence or not other.evidence else other
    return replace(kept, score=min(SURE, best.score + other.score))
