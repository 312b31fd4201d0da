"""Blocks of text side by side.

In: the rows of a page, each a list of phrases from left to right. Out: lines: the rows as they are, except where two
blocks stand side by side (a seller's and a buyer's address); there the left block comes first, then the right one.

The rule: blocks leave a wide strip free between them (GUTTER) and have at least two rows each; most of their rows begin
at the same place and have a word in them, and the left one is not a list of labels with colons. They end at a row of a
table or with an amount. All else is a table, a price list or label and value: read row by row.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from docpipe.data import Word

GUTTER = 2.5  # heights of a line: a label stands nearer to its value, a block further from the next
APART = 1.6  # heights of a line: a larger free step down ends what stands side by side
PARAGRAPH = 0.9  # heights of a line: the left block goes on below the end of the right one with smaller steps
ALIGNED = 1.0  # heights of a line: left edges that differ by less are one edge
MOST = 0.6  # of the rows of a block; a phone number or an indented row among them is normal
LETTERS = 4  # a row with fewer holds no word
TABLE_CELLS = 4  # phrases: a row with so many is a table's
LATE_START = 3  # rows: the heading of one block may stand so much above the other block
AMOUNT = re.compile(r"\d[.,]\d\d(?!\d)")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words of one row without a wide gap between them; the page's slope is taken out, the unit is its height."""

    words: tuple[Word, ...]
    left: float
    right: float
    top: float
    bottom: float

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


Row = list[Phrase]


@dataclass(slots=True)
class _Side:
    """One of two blocks while it grows. `edge` is where its rows should begin."""

    edge: float
    height: float
    aligned: int = 0
    worded: int = 0
    rows: list[Row] = field(default_factory=list)

    def takes(self, row: Row) -> bool:
        """Whether the row begins where this block's rows do; no phrases on this side are no objection."""
        if not row:
            return True
        self.rows.append(row)
        aligned = abs(row[0].left - self.edge) <= ALIGNED * self.height
        self.aligned += aligned
        self.worded += sum(char.isalpha() for phrase in row for char in phrase.text) >= LETTERS
        return aligned

    def is_block(self) -> bool:
        return min(self.aligned, self.worded) >= max(2, MOST * len(self.rows))

    def is_labels(self) -> bool:
        return sum(row[-1].text.endswith(":") for row in self.rows) >= MOST * len(self.rows)


@dataclass(frozen=True, slots=True)
class _Band:
    """Rows from `start` up to `end` that are two blocks, parted at `middle`."""

    start: int
    end: int
    middle: float

    def parted(self, rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
        sides = [_split(row, self.middle) for row in rows[self.start : self.end]]
        return [left for left, _ in sides if left], [right for _, right in sides if right]


def in_columns(rows: Sequence[Row], height: float) -> list[Row]:
    """`height` is that of a usual line. Every phrase comes back exactly once."""
    lines: list[Row] = []
    at = 0
    while at < len(rows):
        band = _longest_band(rows, at, height)
        if band is None:
            lines.append(rows[at])
            at += 1
            continue
        left, right = band.parted(rows)
        lines += in_columns(left, height) + in_columns(right, height)
        at = band.end
    return lines


def _longest_band(rows: Sequence[Row], start: int, height: float) -> _Band | None:
    bands = [
        _grown(rows, start, (row[0].left, left.right, right.left), height)
        for row in rows[start : start + LATE_START]
        for left, right in pairwise(row)
    ]
    return max((band for band in bands if band is not None), key=lambda band: band.end, default=None)


def _grown(rows: Sequence[Row], start: int, edges: tuple[float, float, float], height: float) -> _Band | None:
    """The band from row `start` on, around a strip whose sides are given after the left block's edge."""
    left_edge, low, high = edges
    left, right = _Side(left_edge, height), _Side(high, height)
    end, doubts = start, 0
    for number in range(start, len(rows)):
        row = rows[number]
        sides = _split(row, (low + high) / 2)
        low = max([low, *(phrase.right for phrase in sides[0])])
        high = min([high, *(phrase.left for phrase in sides[1])])
        step = _step_down(rows, number) if number > start else 0.0
        if high - low < GUTTER * height or _is_table(row) or step > APART * height:
            break
        fits = [left.takes(sides[0]), right.takes(sides[1])]
        doubts = 0 if all(fits) else doubts + 1
        if doubts == 2:
            break
        belongs = all(fits) and (bool(sides[1]) or step <= PARAGRAPH * height)
        if belongs and left.is_block() and right.is_block() and not left.is_labels():
            end, middle = number + 1, (low + high) / 2
    return _Band(start, end, middle) if end > start else None


def _step_down(rows: Sequence[Row], number: int) -> float:
    """The free space between a row and the one above."""
    return min(phrase.top for phrase in rows[number]) - max(phrase.bottom for phrase in rows[number - 1])


def _split(row: Row, middle: float) -> tuple[Row, Row]:
    left = [phrase for phrase in row if (phrase.left + phrase.right) / 2 < middle]
    return left, row[len(left) :]


def _is_table(row: Row) -> bool:
    return len(row) >= TABLE_CELLS or any(AMOUNT.search(phrase.text) for phrase in row)
