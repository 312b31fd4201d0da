"""An address that ran into the block of print beside it is cut to its own column, a cell that did is doubtful.

In: a candidate over several lines. Out: the candidate without the words of the neighbour column, where a strip of blank
goes through all of its lines: the address of the buyer and the one of the delivery, side by side. Of a cell with a wide
blank in a line nothing says on which side of it the column ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from docpipe.data import Box, Candidate, Evidence, Word
from docpipe.document_index import DocumentIndex
from docpipe.schema_ports import Kind, group_of
from docpipe.text_search import PageIndex

MIN_WIDTH = 2.5  # heights of a letter: as far apart as blocks stand that the reader takes for two (read/columns.py)
MIN_SPLIT_LINES = 2  # with words on both sides: a wide gap in one line alone may be a blank that was typed


@dataclass(frozen=True, slots=True)
class _Strip:
    """A vertical strip without print, in fractions of the page's width."""

    left: float
    right: float

    def shared(self, other: _Strip) -> _Strip:
        return _Strip(max(self.left, other.left), min(self.right, other.right))


def in_own_column(candidate: Candidate, kind: Kind, document: DocumentIndex) -> Candidate:
    """The same candidate where there is nothing to cut."""
    pages = {quote.page for quote in candidate.evidence}
    if group_of(kind) != "address" or len(candidate.evidence) < MIN_SPLIT_LINES or len(pages) != 1:
        return candidate
    page = document.pages.get(pages.pop())
    lines = _lines(candidate.evidence, page) if page is not None else None
    if page is None or not lines:
        return candidate
    strip = _strip(lines, page)
    if strip is None:
        return candidate
    own = [kept for line in lines if (kept := [word for word in line if word.box.right <= strip.left])]
    evidence = tuple(_quote(line, page.page.number, candidate.evidence[0]) for line in own)
    return replace(candidate, text="\n".join(quote.text for quote in evidence), evidence=evidence)


def has_wide_gap(candidate: Candidate, document: DocumentIndex) -> bool:
    """Whether words that follow each other, in a line of print or from one line to the next, stand as far apart from
    left to right as columns do."""
    pages = {quote.page for quote in candidate.evidence}
    page = document.pages.get(pages.pop()) if len(pages) == 1 else None
    words = [word for quote in candidate.evidence for word in _printed(quote, page)] if page is not None else []
    if page is None or not words:
        return False
    lines = _by_line(words)
    width = _min_width(lines, page)
    beside = (
        max(one[0].box.left, other[0].box.left) - min(one[-1].box.right, other[-1].box.right)
        for one, other in pairwise(lines)
    )
    return any(_gaps(line, width) for line in lines) or any(gap >= width for gap in beside)


def _lines(evidence: Sequence[Evidence], page: PageIndex) -> list[list[Word]] | None:
    """The lines of words that a value is made of, from left to right; None where a box holds other words than it."""
    words: list[Word] = []
    for quote in evidence:
        inside = [page.words[number] for number in page.words_in(quote.box)]
        if [part for word in inside for part in word.text.split()] != quote.text.split():
            return None
        words += inside
    return _by_line(words)


def _printed(quote: Evidence, page: PageIndex) -> list[Word]:
    """The words of a quote among those that its box holds; none where they do not follow each other there."""
    inside, texts = [page.words[number] for number in page.words_in(quote.box)], quote.text.split()
    runs = (inside[first : first + len(texts)] for first in range(len(inside) - len(texts) + 1))
    return next((run for run in runs if [word.text for word in run] == texts), [])


def _by_line(words: Sequence[Word]) -> list[list[Word]]:
    lines = [list(line) for _, line in groupby(words, key=lambda word: word.line)]
    return [sorted(line, key=lambda word: word.box.left) for line in lines]


def _strip(lines: Sequence[Sequence[Word]], page: PageIndex) -> _Strip | None:
    """The strip right of the column in which the value starts. Lines may have words on one side of it alone."""
    width = _min_width(lines, page)
    first_gaps = next((gaps for line in lines if (gaps := _gaps(line, width))), [])
    for first_gap in first_gaps:
        strip, split_lines = first_gap, 0
        for line in lines:
            blank = [_Strip(0.0, line[0].box.left), *_gaps(line), _Strip(line[-1].box.right, 1.0)]
            widest = max(blank, key=lambda gap: _width(gap.shared(strip)))
            strip = widest.shared(strip)
            split_lines += widest not in (blank[0], blank[-1])
        if _width(strip) >= width and split_lines >= MIN_SPLIT_LINES and lines[0][0].box.right <= strip.left:
            return strip
    return None


def _min_width(lines: Sequence[Sequence[Word]], page: PageIndex) -> float:
    """Of a gap between columns, in fractions of the page's width."""
    height = max(word.box.bottom - word.box.top for line in lines for word in line)  # of some a reader has none
    return MIN_WIDTH * height * page.page.height / page.page.width


def _gaps(line: Sequence[Word], width: float = 0.0) -> list[_Strip]:
    """Between neighbours, from left to right, each at least so wide."""
    gaps = [_Strip(left.box.right, right.box.left) for left, right in pairwise(line)]
    return [gap for gap in gaps if _width(gap) >= width]


def _width(strip: _Strip) -> float:
    return strip.right - strip.left


def _quote(line: Sequence[Word], page: int, like: Evidence) -> Evidence:
    box = line[0].box
    for word in line[1:]:
        box = Box.union(box, word.box)
    return replace(like, page=page, box=box, text=" ".join(word.text for word in line))
