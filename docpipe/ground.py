"""Every candidate is found on the page, or says that it is not there.

In: an answer and the words of the document it was read from. Out: the answer with evidence that was checked against
these words. A candidate that is printed nowhere keeps no evidence, and a value without evidence is never accepted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from docpipe.data import Answer, Candidate, Evidence, Match
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.text_normalisation import cuts_a_number, cuts_a_word, is_mostly_digits, match_of, squeeze
from docpipe.text_search import Occurrence

# The further places where the same text stands count for less and less: one to three is the usual range.
FULL_SUPPORT = 4
# Of the page's height: a row of a table, which may wrap to two or three lines of about .012; so near to its row a cell
# is found even where it is glued to its unit (`20pcs`) and stands alone elsewhere.
ROW_REACH = 0.02
# A cell may be said once, in the headings above the first row (`Price in EUR`, `hours`), but not in the letterhead.
HEADINGS_REACH = 0.06
_LOOSENESS: dict[Match, int] = {"exact": 0, "normalised": 1, "fuzzy": 2}


class _Position(NamedTuple):
    """A height of a page, as a fraction of it from the top."""

    page: int
    height: float


def ground(answer: Answer, document: DocumentIndex) -> Answer:
    """Verify the evidence that candidates bring, and look for the others."""

    @cache
    def occurrences_of(text: str) -> Sequence[Occurrence]:
        return tuple(document.find(text))

    @cache
    def count(text: str) -> int:
        return _times_printed(" ".join(text.split()), document.printed)

    verified = [_verified(candidate, document) for candidate in answer.candidates]
    occurrences_by_path = {
        candidate.path: occurrences_of(candidate.text) for candidate in verified if not candidate.evidence
    }
    selector = _OccurrenceSelector(document, _row_positions(verified, occurrences_by_path))
    order = {path: number for number, path in enumerate(dict.fromkeys(candidate.path for candidate in verified))}
    grounded: list[Candidate] = []
    for candidate in sorted(verified, key=lambda candidate: not FieldPath.parse(candidate.path).row):  # rows first
        evidence, times = candidate.evidence, count(candidate.text)
        if not evidence and (occurrences := occurrences_of(candidate.text)):
            evidence, times = selector.choose(candidate, occurrences), len(occurrences)
        if FieldPath.parse(candidate.path).row:
            selector.row_evidence.add(evidence)
        support = min(times, FULL_SUPPORT) / FULL_SUPPORT
        grounded.append(replace(candidate, evidence=evidence, signals={**candidate.signals, "support": support}))
    grounded.sort(key=lambda candidate: order[candidate.path])
    return replace(answer, candidates=tuple(grounded))


def _times_printed(text: str, printed: str) -> int:
    """How often a text is printed as it is written, counted up to FULL_SUPPORT. To look for each of a long document's
    thousands of values on each of its pages, loosely, would take minutes."""
    times, start = 0, printed.find(text) if text else -1
    while start >= 0 and times < FULL_SUPPORT:
        times += not cuts_a_word(printed, start, start + len(text))
        start = printed.find(text, start + 1)
    return times


def _verified(candidate: Candidate, document: DocumentIndex) -> Candidate:
    """The candidate with its evidence if those words really stand there and say what it says, else without."""
    if not candidate.evidence:
        return candidate
    quotes: list[Evidence] = []
    for quote in candidate.evidence:
        page = document.pages.get(quote.page)
        inside = page.words_in(quote.box) if page else []
        if page is None or not inside:
            return replace(candidate, evidence=())
        printed = [page.words[word].text for word in inside]
        match = match_of(quote.text, " ".join(printed))
        if match is None and _leaves_out(quote.text.split(), printed):
            match = "exact"
        if match is None:
            return replace(candidate, evidence=())
        quotes.append(replace(quote, match=match))
    match = match_of(candidate.text, " ".join(quote.text for quote in quotes))
    if match is None:
        return replace(candidate, evidence=())
    loosest = max([match, *(quote.match for quote in quotes)], key=lambda grade: _LOOSENESS[grade])
    return replace(candidate, evidence=tuple(replace(quote, match=loosest) for quote in quotes))


def _leaves_out(quoted: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the quote is the print without some of its words (another column's) or a part of one word, but never a
    part of a number."""
    remaining_words = iter(printed)
    if all(word in remaining_words for word in quoted):
        return True
    printed_text, quoted_text = " ".join(printed), " ".join(quoted)
    starts = (match.start() for match in re.finditer(re.escape(quoted_text), printed_text)) if quoted_text else ()
    return any(not cuts_a_number(printed_text, start, start + len(quoted_text)) for start in starts)


def _row_positions(
    candidates: Sequence[Candidate], occurrences_by_path: Mapping[str, Sequence[Occurrence]]
) -> dict[str, _Position]:
    """Where each row of a list stands: the middle one of the cells that brought their evidence; in a row without them,
    of its cells that stand in one place only, texts before numbers. `occurrences_by_path`:
    where the others are printed."""
    from_evidence: dict[str, list[_Position]] = defaultdict(list)
    from_texts: dict[str, list[_Position]] = defaultdict(list)
    from_numbers: dict[str, list[_Position]] = defaultdict(list)
    for candidate in candidates:
        row = FieldPath.parse(candidate.path).row
        occurrences = occurrences_by_path.get(candidate.path, ())
        if row and candidate.evidence:
            from_evidence[row].append(_position(candidate.evidence))
        elif row and len(occurrences) == 1:
            from_occurrences = from_numbers if is_mostly_digits(squeeze(candidate.text)) else from_texts
            from_occurrences[row].append(_position(occurrences[0].evidence))
    positions = {**from_numbers, **from_texts, **from_evidence}
    return {row: sorted(of_row)[len(of_row) // 2] for row, of_row in positions.items()}


class _OccurrenceSelector:
    """Chooses the occurrence of a text that is meant; `rows` says where the rows of lists stand."""

    def __init__(self, document: DocumentIndex, rows: Mapping[str, _Position]) -> None:
        self._document, self._rows = document, rows
        self.row_evidence: set[tuple[Evidence, ...]] = set()  # of cells that were placed already

    def choose(self, candidate: Candidate, occurrences: Sequence[Occurrence]) -> tuple[Evidence, ...]:
        """For a cell of a list the occurrence on its row's line, else the nearest of the best that is not above the
        list; for any other field the first of the best that is no cell of a list."""
        equally_good = [occurrence for occurrence in occurrences if occurrence.quality == occurrences[0].quality]
        row = FieldPath.parse(candidate.path).row
        if not row:
            unused = (
                occurrence.evidence for occurrence in equally_good if occurrence.evidence not in self.row_evidence
            )
            return next(unused, occurrences[0].evidence)
        if row not in self._rows:
            return occurrences[0].evidence
        page, height = self._rows[row]
        same_number = self._document.pages[page].same_number(candidate.text)
        on_page = [*(occurrence for occurrence in occurrences if occurrence.page == page), *same_number]
        in_row = [
            occurrence for occurrence in on_page if abs(_position(occurrence.evidence).height - height) <= ROW_REACH
        ]
        first = self._first_row(FieldPath.parse(row).list_path)
        top = _Position(first.page, first.height - HEADINGS_REACH)
        below = [occurrence for occurrence in equally_good if _position(occurrence.evidence) >= top]
        candidates = in_row or [occurrence for occurrence in below if occurrence.page == page] or below
        nearest = min(
            candidates, key=lambda occurrence: abs(_position(occurrence.evidence).height - height), default=None
        )
        return nearest.evidence if nearest else ()

    def _first_row(self, list_path: str | None) -> _Position:
        return min(position for row, position in self._rows.items() if FieldPath.parse(row).list_path == list_path)


def _position(evidence: Sequence[Evidence]) -> _Position:
    """The middle of its first box."""
    first = evidence[0]
    return _Position(first.page, (first.box.top + first.box.bottom) / 2)
