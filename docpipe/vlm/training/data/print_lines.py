"""The geometry of printed tables: lines by their height on the page, columns by what stands above each other.

In: words with boxes, and for each row the words that could be its cells. Out: lines of words; for each column the one
choice of cells that agrees with all the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from rapidfuzz.fuzz import ratio

from docpipe.data import Word
from docpipe.vlm.training.data.align_labels import MIN_SIMILARITY, match_key

MAX_ALTERNATIVES = 64  # of a column or of a table; more are not searched
SAME_LINE = 0.5  # of the usual height of a word: how far middles of one line may lie apart
NAME_DISTANCE = 2.5  # heights of a word between the row's numbers and the beginning of its name
MIN_NAME_LETTERS = 3  # of a word that may begin a name


@dataclass(frozen=True, slots=True)
class PrintedWord:
    """A word and where it is in the document; `middle` and `height` are in heights of a page, pages counted."""

    page: int
    index: int
    word: Word

    @property
    def key(self) -> tuple[int, int]:
        return self.page, self.index

    @property
    def middle(self) -> float:
        return self.page + (self.word.box.top + self.word.box.bottom) / 2

    @property
    def height(self) -> float:
        return self.word.box.bottom - self.word.box.top


PrintedLine = tuple[PrintedWord, ...]  # from left to right
PrintedCell = tuple[PrintedWord, ...]
PrintedColumn = tuple[PrintedCell, ...]  # one cell a row


def printed_lines(pages: Sequence[Sequence[Word]]) -> list[PrintedLine]:
    """All words by printed line, down the pages; a line of the reader may be only a part of one."""
    lines: list[list[PrintedWord]] = []
    for number, words in enumerate(pages):
        printed = sorted((PrintedWord(number, i, w) for i, w in enumerate(words)), key=lambda word: word.middle)
        usual_height = median(word.height for word in printed) if printed else 0.0
        for word in printed:
            last = lines[-1] if lines and lines[-1][0].page == number else None
            if last is None or word.middle - fmean(other.middle for other in last) > SAME_LINE * usual_height:
                lines.append([])
            lines[-1].append(word)
    return [tuple(sorted(line, key=lambda word: word.word.box.left)) for line in lines]


def agreeing_columns(
    rows: Sequence[Mapping[str, Sequence[PrintedCell]]], left_of: Sequence[tuple[str, str]]
) -> dict[str, PrintedColumn]:
    """Column -> one cell a row, where only one choice stands above each other, shares no word with another column and
    keeps `left_of`. As many columns as can be had together; what differs between equal solutions is left out."""
    names = {name for row in rows for name in row}
    alternatives = {name: _columns([row.get(name, ()) for row in rows]) for name in names}
    possible = sorted(name for name, columns in alternatives.items() if columns)
    for size in range(len(possible), 0, -1):
        tables = [
            table
            for names_together in combinations(possible, size)
            for table in _tables({name: alternatives[name] for name in names_together}, left_of)
        ]
        if tables:
            first, *others = [table for table in tables if _is_quantity_before_unit(table)] or tables
            return {name: cells for name, cells in first.items() if all(other.get(name) == cells for other in others)}
    return {}


def _columns(candidates: Sequence[Sequence[PrintedCell]]) -> list[PrintedColumn]:
    """Every choice of one candidate a row of which all share some place across the page; [] where they are too many."""
    columns: list[PrintedColumn] = [()]
    for cells in candidates:
        columns = [(*column, cell) for column in columns for cell in cells if is_stacked((*column, cell))]
        if len(columns) > MAX_ALTERNATIVES:
            return []
    return columns


def is_stacked(cells: Sequence[PrintedCell]) -> bool:
    """Whether the cells stand above each other."""
    left = max(cell[0].word.box.left for cell in cells)
    return left < min(max(word.word.box.right for word in cell) for cell in cells)


def _tables(
    alternatives: Mapping[str, Sequence[PrintedColumn]], left_of: Sequence[tuple[str, str]]
) -> Iterator[dict[str, PrintedColumn]]:
    """Every way to choose for all columns together."""
    tables: list[dict[str, PrintedColumn]] = [{}]
    for name, columns in alternatives.items():
        tables = [
            {**table, name: column}
            for table in tables
            for column in columns
            if not any(_shares_word(column, other) for other in table.values())
        ]
        if len(tables) > MAX_ALTERNATIVES:
            return
    for table in tables:
        pairs = [(table[left], table[right]) for left, right in left_of if left in table and right in table]
        if all(left[0][0].word.box.left < right[0][0].word.box.left for left, right in pairs):
            yield table


def _shares_word(column: PrintedColumn, other: PrintedColumn) -> bool:
    keys = {word.key for cell in column for word in cell}
    return any(word.key in keys for cell in other for word in cell)


def _is_quantity_before_unit(table: Mapping[str, PrintedColumn]) -> bool:
    """Of `1 Article 20,00 1 pc` the second 1 is the quantity: nothing stands between it and the unit."""
    if "quantity" not in table or "unit" not in table:
        return False
    pairs = zip(table["quantity"], table["unit"], strict=True)
    return all(unit[0].index == quantity[-1].index + 1 for quantity, unit in pairs)


def has_name_near(lines: Sequence[PrintedLine], number: int, name: str) -> bool:
    """Whether a word on this line or on the one above or below begins the name."""
    target, first = match_key(name), lines[number][0]
    for line in lines[max(0, number - 1) : number + 2]:
        for word in line:
            text = match_key(word.word.text)
            is_far = abs(word.middle - first.middle) > NAME_DISTANCE * first.height
            if len(text) < min(MIN_NAME_LETTERS, len(target)) or is_far:
                continue
            if target and ratio(text, target[: len(text)]) >= MIN_SIMILARITY:
                return True
    return False
