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
MAX_STEP = 1.6  # heights of a line: a larger free step down ends what stands side by side
PARAGRAPH_STEP = 0.9  # heights of a line: the left block goes on below the end of the right one with smaller steps
EDGE_TOLERANCE = 1.0  # heights of a line: left edges that differ by less are one edge
MIN_SHARE = 0.6  # of the rows of a block; a phone number or an indented row among them is normal
MIN_LETTERS = 4  # a row with fewer holds no word
TABLE_PHRASES = 4  # phrases: a row with so many is a table's
MAX_LATE_ROWS = 3  # rows: the heading of one block may stand so much above the other block
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


PhraseRow = list[Phrase]


@dataclass(frozen=True, slots=True)
class _Gutter:
    """The free strip between two blocks, from `left` to `right`, and where the left block's rows begin."""

    block_edge: float
    left: float
    right: float


@dataclass(slots=True)
class _Block:
    """One of two blocks while it grows. `edge` is where its rows should begin; `height` is that of a usual line."""

    edge: float
    height: float
    aligned_rows: int = 0
    worded_rows: int = 0
    rows: list[PhraseRow] = field(default_factory=list)

    def add(self, row: PhraseRow) -> bool:
        """The row's phrases on this block's side. Returns whether the row fits: it begins where this block's rows do,
        or has no phrases here."""
        if not row:
            return True
        self.rows.append(row)
        aligned = abs(row[0].left - self.edge) <= EDGE_TOLERANCE * self.height
        self.aligned_rows += aligned
        self.worded_rows += sum(char.isalpha() for phrase in row for char in phrase.text) >= MIN_LETTERS
        return aligned

    def is_block(self) -> bool:
        return min(self.aligned_rows, self.worded_rows) >= max(2, MIN_SHARE * len(self.rows))

    def is_labels(self) -> bool:
        return sum(row[-1].text.endswith(":") for row in self.rows) >= MIN_SHARE * len(self.rows)


@dataclass(frozen=True, slots=True)
class _BlockPair:
    """Rows from `start` up to `end` that are two blocks, split at `middle`."""

    start: int
    end: int
    middle: float

    def split(self, rows: Sequence[PhraseRow]) -> tuple[list[PhraseRow], list[PhraseRow]]:
        sides = [_split(row, self.middle) for row in rows[self.start : self.end]]
        return [left for left, _ in sides if left], [right for _, right in sides if right]


def column_order(rows: Sequence[PhraseRow], height: float) -> list[PhraseRow]:
    """`height` is that of a usual line. Every phrase comes back exactly once."""
    lines: list[PhraseRow] = []
    start = 0
    while start < len(rows):
        pair = _longest_pair(rows, start, height)
        if pair is None:
            lines.append(rows[start])
            start += 1
            continue
        left, right = pair.split(rows)
        lines += column_order(left, height) + column_order(right, height)
        start = pair.end
    return lines


def _longest_pair(rows: Sequence[PhraseRow], start: int, height: float) -> _BlockPair | None:
    pairs = [
        _grow_pair(rows, start, _Gutter(row[0].left, left.right, right.left), height)
        for row in rows[start : start + MAX_LATE_ROWS]
        for left, right in pairwise(row)
    ]
    return max((pair for pair in pairs if pair is not None), key=lambda pair: pair.end, default=None)


def _grow_pair(rows: Sequence[PhraseRow], start: int, gutter: _Gutter, height: float) -> _BlockPair | None:
    """The longest pair from row `start` on, around a gutter that narrows with each row."""
    low, high = gutter.left, gutter.right
    left, right = _Block(gutter.block_edge, height), _Block(high, height)
    end, misfits = start, 0
    for number in range(start, len(rows)):
        row = rows[number]
        sides = _split(row, (low + high) / 2)
        low = max([low, *(phrase.right for phrase in sides[0])])
        high = min([high, *(phrase.left for phrase in sides[1])])
        step = _step_down(rows, number) if number > start else 0.0
        if high - low < GUTTER * height or _is_table(row) or step > MAX_STEP * height:
            break
        fits = [left.add(sides[0]), right.add(sides[1])]
        misfits = 0 if all(fits) else misfits + 1
        if misfits == 2:
            break
        continues = all(fits) and (bool(sides[1]) or step <= PARAGRAPH_STEP * height)
        if continues and left.is_block() and right.is_block() and not left.is_labels():
            end, middle = number + 1, (low + high) / 2
    return _BlockPair(start, end, middle) if end > start else None


def _step_down(rows: Sequence[PhraseRow], number: int) -> float:
    """The free space between a row and the one above."""
    return min(phrase.top for phrase in rows[number]) - max(phrase.bottom for phrase in rows[number - 1])


def _split(row: PhraseRow, middle: float) -> tuple[PhraseRow, PhraseRow]:
    left = [phrase for phrase in row if (phrase.left + phrase.right) / 2 < middle]
    return left, row[len(left) :]


def _is_table(row: PhraseRow) -> bool:
    return len(row) >= TABLE_PHRASES or any(AMOUNT.search(phrase.text) for phrase in row)
