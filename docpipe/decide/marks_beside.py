"""Marks that stand beside a value as words of their own and change it: `274,89 € -`, `108.43 CR`, `3:33 PM`.

In: a candidate whose words are the value alone, as extractors point at it. Out: the candidate with the marks, where
they change what the value is; then they are also in its raw text and its evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from docpipe.data import Candidate
from docpipe.document_index import DocumentIndex
from docpipe.schema_ports import Kind, Marked, Parsed
from docpipe.text_search import PageIndex

MAX_MARKS = 2  # words on either side: a currency and a dash
MAX_GAP = 1.0  # heights of a word between a value and its mark; the dash of an empty neighbour cell is farther away


def with_marks_beside(
    candidate: Candidate, kind: Kind, parse: Callable[[str], Parsed], document: DocumentIndex
) -> Candidate:
    """`parse` reads a text as a value of this field."""
    if not isinstance(kind, Marked) or len(candidate.evidence) != 1 or candidate.evidence[0].page not in document.pages:
        return candidate
    quote = candidate.evidence[0]
    page = document.pages[quote.page]
    inside = page.words_in(quote.box)
    if not inside or inside != list(range(inside[0], inside[-1] + 1)):
        return candidate
    first, last = inside[0], inside[-1]
    while first > 0 and inside[0] - first < MAX_MARKS and _is_mark_beside(page, first - 1, first, first - 1, kind):
        first -= 1
    while (
        last + 1 < len(page.words)
        and last - inside[-1] < MAX_MARKS
        and _is_mark_beside(page, last, last + 1, last + 1, kind)
    ):
        last += 1
    value = parse(candidate.text).value
    for start, end in _ranges(first, last, inside[0], inside[-1]):
        if start != inside[0] and _joins_words(page, start, kind):
            continue
        text = page.text(start, end)
        parsed = parse(text)
        if parsed.value is not None and value is not None and parsed.value != value:
            return replace(candidate, text=text, evidence=page.quote(start, end, quote.match))
    return candidate


def _ranges(first: int, last: int, inner_first: int, inner_last: int) -> Iterator[tuple[int, int]]:
    """The ranges of words between the whole and the value alone, the shortest first."""
    ranges = [(start, end) for start in range(first, inner_first + 1) for end in range(inner_last, last + 1)]
    yield from sorted(ranges, key=lambda words: words[1] - words[0])[1:]


def _is_mark_beside(page: PageIndex, left: int, right: int, mark: int, kind: Marked) -> bool:
    """Whether the word `mark`, one of two neighbours, is a mark of the kind and near to the other."""
    return kind.is_mark(page.words[mark].text) and are_near(page, left, right)


def are_near(page: PageIndex, left: int, right: int) -> bool:
    """Whether two words stand on one line, no farther apart than words of one number are."""
    one, other = page.words[left], page.words[right]
    height = max(word.box.bottom - word.box.top for word in (one, other)) * page.page.height  # a dash has none
    return one.line == other.line and (other.box.left - one.box.right) * page.page.width <= MAX_GAP * height


def _joins_words(page: PageIndex, start: int, kind: Marked) -> bool:
    """Whether a mark only stands between the value and a word before it: `Total - 12.50`."""
    return start > 0 and are_near(page, start - 1, start) and not kind.is_mark(page.words[start - 1].text)
