"""The names of a table's rows: texts of one or more lines beside the numbers of their rows.

In: the printed lines, which of them are the rows', and the names of the truth. Out: the words of every row's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from rapidfuzz.fuzz import ratio

from docpipe.vlm.training.data.align_labels import MIN_SIMILARITY, match_key
from docpipe.vlm.training.data.print_lines import (
    NAME_DISTANCE,
    PrintedCell,
    PrintedColumn,
    PrintedLine,
    PrintedWord,
    is_stacked,
)

MAX_BLANK = 1.2  # heights of a word: blanks inside a text are narrower
LEFT_MARGIN = 0.005  # of the page's width: how far the lines of a text may begin to the left of the first
MAX_LENGTH_RATIO = 1.3  # of the printed text to the name


@dataclass(frozen=True, slots=True)
class _NameMatch:
    words: PrintedCell
    similarity: float  # 0-100
    line: int


def find_names(
    lines: Sequence[PrintedLine],
    row_lines: Sequence[int],
    names: Sequence[str],
    cells_of_rows: Sequence[Sequence[PrintedCell]],
) -> PrintedColumn:
    """The words of every row's name, `row_lines` being the rows' lines and `cells_of_rows` the cells on them; () unless
    all are found. A name may go on below, between its own left edge and the next column."""
    column = []
    for row, name in enumerate(names):
        matches = list(_matches(lines, row_lines, row, name, cells_of_rows[row]))
        if not matches:
            return ()
        column.append(_best(matches, row_lines[row]).words)
    return tuple(column) if column and is_stacked(column) else ()


def _best(matches: Sequence[_NameMatch], own_line: int) -> _NameMatch:
    """Of equally similar ones that on the row's own line, then the first."""
    return min(matches, key=lambda match: (-match.similarity, match.line != own_line, match.line))


def _matches(
    lines: Sequence[PrintedLine], row_lines: Sequence[int], row: int, name: str, cells: Sequence[PrintedCell]
) -> Iterator[_NameMatch]:
    """Texts near the row's line, between the middles to the rows before and after."""
    end_line = row_lines[row + 1] if row + 1 < len(row_lines) else len(lines)
    first_line = row_lines[row - 1] + 1 if row else 0
    lowest, highest = _middle(lines, row_lines, row, row - 1), _middle(lines, row_lines, row, row + 1)
    own = lines[row_lines[row]][0]
    for number in range(first_line, end_line):
        middle = lines[number][0].middle
        if abs(middle - own.middle) <= NAME_DISTANCE * own.height and lowest < middle < highest:
            for words, similarity in _texts_from(lines[number:end_line], match_key(name), cells):
                yield _NameMatch(words, similarity, number)


def _middle(lines: Sequence[PrintedLine], row_lines: Sequence[int], row: int, other: int) -> float:
    """Half way to the row before or after; infinitely far without one."""
    if not 0 <= other < len(row_lines):
        return float("inf") if other > row else float("-inf")
    return (lines[row_lines[row]][0].middle + lines[row_lines[other]][0].middle) / 2


def _texts_from(
    lines: Sequence[PrintedLine], target: str, cells: Sequence[PrintedCell]
) -> Iterator[tuple[PrintedCell, float]]:
    """Texts that begin on the first of these lines and are like the target, with their similarity."""
    cell_words = {word.key for cell in cells for word in cell}
    for number, start in enumerate(lines[0]):
        if start.key in cell_words or not target or not match_key(start.word.text):
            continue
        edges = [cell[0].word.box.left for cell in cells if cell[0].word.box.left > start.word.box.left]
        for left in {start.word.box.left, _text_left(lines[0], number)}:
            block = [
                word
                for line in lines
                for word in (line[number:] if line is lines[0] else line)
                if word.page == start.page and word.key not in cell_words
                if left - LEFT_MARGIN <= word.word.box.left < min(edges, default=1.0)
            ]
            count, similarity = _most_similar(target, block)
            if similarity:
                yield tuple(block[:count]), similarity


def _most_similar(target: str, block: Sequence[PrintedWord]) -> tuple[int, float]:
    """How many words from the first are most like the target (the fewest of equals), and their similarity."""
    text, best, best_count = "", 0.0, 0
    for count, word in enumerate(block, 1):
        text += match_key(word.word.text)
        if len(text) > MAX_LENGTH_RATIO * len(target):
            break
        similarity = ratio(target, text, score_cutoff=MIN_SIMILARITY)
        if similarity > best:
            best, best_count = similarity, count
    return best_count, best


def _text_left(line: PrintedLine, number: int) -> float:
    """The left edge of the text that this word is part of: an article's code may stand before its name."""
    blank = MAX_BLANK * median(word.height for word in line)
    while number and line[number].word.box.left - line[number - 1].word.box.right < blank:
        number -= 1
    return line[number].word.box.left
