"""What stands beside what on printed pages: lines by their height on the page, columns by what stands above each other.

In: words with boxes, and for each row the places that could be its cells. Out: lines of places; for each column the
one choice of cells that agrees with all the others; the words of each row's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean, median

from rapidfuzz.fuzz import ratio

from docpipe.data import Word
from docpipe.vlm.training.data.align_labels import NAME_LIKENESS, plain

MOST_CHOICES = 64  # of a column or of a table; more are hopeless
SAME_LINE = 0.5  # of the usual height of a word: how far middles of one line may lie apart
NEAR = 2.5  # heights of a word between the row's numbers and the beginning of its name
JOINED = 1.2  # heights of a word: blanks inside a text are narrower
MARGIN = 0.005  # of the page's width: how far the lines of a text may begin to the left of the first
LONGEST_TITLE = 1.3  # times the length of the name


@dataclass(frozen=True, slots=True)
class Place:
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


Line = tuple[Place, ...]  # from left to right
Cell = tuple[Place, ...]
Choice = tuple[Cell, ...]  # one cell a row


def lines_of(pages: Sequence[Sequence[Word]]) -> list[Line]:
    """All words by printed line, down the pages; a line of the reader may be only a part of one."""
    lines: list[list[Place]] = []
    for number, words in enumerate(pages):
        places = sorted((Place(number, i, w) for i, w in enumerate(words)), key=lambda place: place.middle)
        usual = median(place.height for place in places) if places else 0.0
        for place in places:
            last = lines[-1] if lines and lines[-1][0].page == number else None
            if last is None or place.middle - fmean(other.middle for other in last) > SAME_LINE * usual:
                lines.append([])
            lines[-1].append(place)
    return [tuple(sorted(line, key=lambda place: place.word.box.left)) for line in lines]


def agreeing_columns(
    rows: Sequence[Mapping[str, Sequence[Cell]]], leftwards: Sequence[tuple[str, str]]
) -> dict[str, Choice]:
    """Column -> one cell a row, where only one choice stands above each other, shares no word with another column and
    keeps `leftwards`. As many columns as can be had together; what differs between equal solutions is left out."""
    choices = {column: _choices([row.get(column, ()) for row in rows]) for column in {c for row in rows for c in row}}
    open_ = sorted(column for column, found in choices.items() if found)
    for size in range(len(open_), 0, -1):
        solutions = [
            solution
            for columns in combinations(open_, size)
            for solution in _solutions({column: choices[column] for column in columns}, leftwards)
        ]
        if solutions:
            counted = [solution for solution in solutions if _before_units(solution)] or solutions
            first, *others = counted
            return {c: cells for c, cells in first.items() if all(other.get(c) == cells for other in others)}
    return {}


def _choices(candidates: Sequence[Sequence[Cell]]) -> list[Choice]:
    """Every choice of one candidate a row of which all share some place across the page; [] where they are too many."""
    choices: list[Choice] = [()]
    for cells in candidates:
        choices = [(*choice, cell) for choice in choices for cell in cells if stacked((*choice, cell))]
        if len(choices) > MOST_CHOICES:
            return []
    return choices


def stacked(cells: Sequence[Cell]) -> bool:
    """Whether the cells stand above each other."""
    left = max(cell[0].word.box.left for cell in cells)
    return left < min(max(place.word.box.right for place in cell) for cell in cells)


def _solutions(
    choices: Mapping[str, Sequence[Choice]], leftwards: Sequence[tuple[str, str]]
) -> Iterator[dict[str, Choice]]:
    """Every way to choose for all columns together."""
    solutions: list[dict[str, Choice]] = [{}]
    for column, options in choices.items():
        solutions = [
            {**solution, column: option}
            for solution in solutions
            for option in options
            if not any(_shares(option, other) for other in solution.values())
        ]
        if len(solutions) > MOST_CHOICES:
            return
    for solution in solutions:
        pairs = [(solution[a], solution[b]) for a, b in leftwards if a in solution and b in solution]
        if all(left[0][0].word.box.left < right[0][0].word.box.left for left, right in pairs):
            yield solution


def _shares(one: Choice, other: Choice) -> bool:
    keys = {place.key for cell in one for place in cell}
    return any(place.key in keys for cell in other for place in cell)


def _before_units(solution: Mapping[str, Choice]) -> bool:
    """Of `1 Article 20,00 1 pc` the second 1 is the quantity: nothing stands between it and the unit."""
    if "quantity" not in solution or "unit" not in solution:
        return False
    pairs = zip(solution["quantity"], solution["unit"], strict=True)
    return all(unit[0].index == count[-1].index + 1 for count, unit in pairs)


def title_near(lines: Sequence[Line], at: int, name: str) -> bool:
    """Whether a word on this line or on the one above or below begins the name."""
    target, here = plain(name), lines[at][0]
    for line in lines[max(0, at - 1) : at + 2]:
        for place in line:
            text = plain(place.word.text)
            if len(text) < min(3, len(target)) or abs(place.middle - here.middle) > NEAR * here.height:
                continue
            if target and ratio(text, target[: len(text)]) >= NAME_LIKENESS:
                return True
    return False


def find_titles(
    lines: Sequence[Line], chosen: Sequence[int], names: Sequence[str], taken: Sequence[Sequence[Cell]]
) -> Choice:
    """The words of every row's name, `chosen` being the rows' lines and `taken` the cells found on them; () unless all
    are found. A name may go on below, between its own left edge and the next column."""
    titles = []
    for row, name in enumerate(names):
        until = chosen[row + 1] if row + 1 < len(chosen) else len(lines)
        after = chosen[row - 1] + 1 if row else 0
        limits = [_middle(lines, chosen, row, row - 1), _middle(lines, chosen, row, row + 1)]
        found = []
        for at in range(after, until):
            near = abs(lines[at][0].middle - lines[chosen[row]][0].middle) <= NEAR * lines[chosen[row]][0].height
            if near and limits[0] < lines[at][0].middle < limits[1]:
                found += [(*title, at) for title in _titles_from(lines[at:until], plain(name), taken[row])]
        if not found:
            return ()
        titles.append(min(found, key=lambda title: (-title[0], title[2] != chosen[row], title[2]))[1])
    return tuple(titles) if titles and stacked(titles) else ()


def _middle(lines: Sequence[Line], chosen: Sequence[int], row: int, other: int) -> float:
    """Half way to the row before or after; without one, as far as you like."""
    if not 0 <= other < len(chosen):
        return float("inf") if other > row else float("-inf")
    return (lines[chosen[row]][0].middle + lines[chosen[other]][0].middle) / 2


def _titles_from(lines: Sequence[Line], target: str, taken: Sequence[Cell]) -> Iterator[tuple[float, Cell]]:
    """Texts that begin on the first of these lines and are like the target, with their likeness."""
    own = {place.key for cell in taken for place in cell}
    for number, start in enumerate(lines[0]):
        if start.key in own or not target or not plain(start.word.text):
            continue
        edges = [cell[0].word.box.left for cell in taken if cell[0].word.box.left > start.word.box.left]
        for left in {start.word.box.left, _text_left(lines[0], number)}:
            block = [
                place
                for line in lines
                for place in (line[number:] if line is lines[0] else line)
                if place.page == start.page and place.key not in own
                if left - MARGIN <= place.word.box.left < min(edges, default=1.0)
            ]
            likeness, count = _most_like(target, block)
            if likeness:
                yield likeness, tuple(block[:count])


def _most_like(target: str, block: Sequence[Place]) -> tuple[float, int]:
    """How many words from the first are most like the target, and how like they are."""
    text, best = "", (0.0, 0)
    for count, place in enumerate(block, 1):
        text += plain(place.word.text)
        if len(text) > LONGEST_TITLE * len(target):
            break
        best = max(best, (ratio(target, text, score_cutoff=NAME_LIKENESS), -count))
    return best[0], -best[1]


def _text_left(line: Line, number: int) -> float:
    """The left edge of the text that this word is part of: an article's code may stand before its name."""
    blank = JOINED * median(place.height for place in line)
    while number and line[number].word.box.left - line[number - 1].word.box.right < blank:
        number -= 1
    return line[number].word.box.left
