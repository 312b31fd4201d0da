"""Every candidate is found on the page, or says that it is not there.

In: an answer and the pages it was read from. Out: the answer with evidence that was checked against the pages' words.
A candidate that is printed nowhere keeps no evidence, and a value without evidence is never accepted.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from functools import cache

from docpipe.data import Answer, Candidate, Evidence, Match, Page
from docpipe.paths import FieldPath
from docpipe.text_normalisation import is_mostly_digits, squeeze
from docpipe.text_search import Occurrence, PageIndex, cuts_a_number, cuts_a_word, find, says_the_same

# The further places where the same text stands count for less and less: one to three is the usual range.
SUPPORT_ENOUGH = 4
# Of the page's height: a row of a table, which may wrap to two or three lines of about .012; so near to its row a cell
# is found even where it is glued to its unit (`20pcs`) and stands alone elsewhere.
ROW_REACH = 0.02
# A cell may be said once, in the headings above the first row (`Price in EUR`, `hours`), but not in the letterhead.
HEADINGS_REACH = 0.06
_LOOSENESS: dict[Match, int] = {"exact": 0, "normalised": 1, "fuzzy": 2}


def ground(answer: Answer, pages: Sequence[Page]) -> Answer:
    """Verify the evidence that candidates bring, and look for the others."""
    indexes = {page.number: PageIndex(page) for page in pages}

    whole = "\n".join(index.printed for index in indexes.values())

    @cache
    def places(text: str) -> tuple[Occurrence, ...]:
        return tuple(find(text, list(indexes.values())))

    @cache
    def times(text: str) -> int:
        return _times_printed(" ".join(text.split()), whole)

    verified = [_verified(candidate, indexes) for candidate in answer.candidates]
    anchors = _row_anchors(verified, {c.path: places(c.text) for c in verified if not c.evidence})
    order = {path: place for place, path in enumerate(dict.fromkeys(one.path for one in verified))}
    taken_by_rows: set[tuple[Evidence, ...]] = set()
    grounded: list[Candidate] = []
    for candidate in sorted(verified, key=lambda one: not _row(one.path)):  # rows first
        evidence, often = candidate.evidence, times(candidate.text)
        if not evidence and (found := places(candidate.text)):
            evidence, often = _chosen(candidate, found, (anchors, indexes), taken_by_rows), len(found)
        if _row(candidate.path):
            taken_by_rows.add(evidence)
        support = min(often, SUPPORT_ENOUGH) / SUPPORT_ENOUGH
        grounded.append(replace(candidate, evidence=evidence, signals={**candidate.signals, "support": support}))
    grounded.sort(key=lambda one: order[one.path])
    return replace(answer, candidates=tuple(grounded))


def _times_printed(text: str, whole: str) -> int:
    """How often a text is printed as it is written, counted up to SUPPORT_ENOUGH. To look for each of a long document's
    thousands of values on each of its pages, loosely, would take minutes."""
    times, place = 0, whole.find(text) if text else -1
    while place >= 0 and times < SUPPORT_ENOUGH:
        times += not cuts_a_word(whole, place, place + len(text))
        place = whole.find(text, place + 1)
    return times


def _verified(candidate: Candidate, indexes: Mapping[int, PageIndex]) -> Candidate:
    """The candidate with its evidence if those words really stand there and say what it says, else without."""
    if not candidate.evidence:
        return candidate
    quotes: list[Evidence] = []
    for quote in candidate.evidence:
        index = indexes.get(quote.page)
        inside = index.words_in(quote.box) if index else []
        if index is None or not inside:
            return replace(candidate, evidence=())
        printed = [index.words[word].text for word in inside]
        match = says_the_same(quote.text, " ".join(printed))
        if match is None and _leaves_out(quote.text.split(), printed):
            match = "exact"
        if match is None:
            return replace(candidate, evidence=())
        quotes.append(replace(quote, match=match))
    match = says_the_same(candidate.text, " ".join(quote.text for quote in quotes))
    if match is None:
        return replace(candidate, evidence=())
    loosest = max([match, *(quote.match for quote in quotes)], key=lambda grade: _LOOSENESS[grade])
    return replace(candidate, evidence=tuple(replace(quote, match=loosest) for quote in quotes))


def _leaves_out(quoted: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the quote is the print without some of its words (another column's) or a part of one word, but never a
    part of a number."""
    rest = iter(printed)
    if all(word in rest for word in quoted):
        return True
    whole, part = " ".join(printed), " ".join(quoted)
    places = (found.start() for found in re.finditer(re.escape(part), whole)) if part else ()
    return any(not cuts_a_number(whole, place, place + len(part)) for place in places)


def _row_anchors(
    candidates: Sequence[Candidate], places: Mapping[str, Sequence[Occurrence]]
) -> dict[str, tuple[int, float]]:
    """Where each row of a list stands, (page, height): from the cells that brought their evidence; in a row without
    them, from its cells that stand in one place only, a text before a number."""
    brought: dict[str, list[tuple[int, float]]] = defaultdict(list)
    texts: dict[str, list[tuple[int, float]]] = defaultdict(list)
    numbers: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for candidate in candidates:
        row = _row(candidate.path)
        found = places.get(candidate.path, ())
        if row and candidate.evidence:
            brought[row].append(_place(candidate.evidence))
        elif row and len(found) == 1:
            sure = numbers if is_mostly_digits(squeeze(candidate.text)) else texts
            sure[row].append(_place(found[0].evidence))
    found_by_row = {**numbers, **texts, **brought}
    return {row: sorted(where)[len(where) // 2] for row, where in found_by_row.items()}


def _chosen(
    candidate: Candidate,
    found: Sequence[Occurrence],
    where: tuple[Mapping[str, tuple[int, float]], Mapping[int, PageIndex]],
    taken_by_rows: Set[tuple[Evidence, ...]],
) -> tuple[Evidence, ...]:
    """For a cell of a list the occurrence on its row's line, else the nearest of the best that is not above the list;
    for any other field the first of the best that is no cell of a list. `where`: the rows' anchors, the pages."""
    anchors, indexes = where
    equals = [one for one in found if one.quality == found[0].quality]
    row = _row(candidate.path)
    if not row:
        return next((one.evidence for one in equals if one.evidence not in taken_by_rows), found[0].evidence)
    if row not in anchors:
        return found[0].evidence
    page, height = anchors[row]
    anywhere = [*(one for one in found if one.page == page), *indexes[page].same_number(candidate.text)]
    in_row = [one for one in anywhere if abs(_place(one.evidence)[1] - height) <= ROW_REACH]
    list_path = FieldPath.parse(row).list_path
    first = min(place for other, place in anchors.items() if FieldPath.parse(other).list_path == list_path)
    below = [one for one in equals if _place(one.evidence) >= (first[0], first[1] - HEADINGS_REACH)]
    near = in_row or [one for one in below if one.page == page] or below
    return min(near, key=lambda one: abs(_place(one.evidence)[1] - height)).evidence if near else ()


def _row(path: str) -> str:
    """`line_items[2].amount` -> `line_items[2]`; empty for a field that is in no list."""
    return FieldPath.parse(path).row


def _place(evidence: Sequence[Evidence]) -> tuple[int, float]:
    first = evidence[0]
    return first.page, (first.box.top + first.box.bottom) / 2
