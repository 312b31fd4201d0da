"""Lines of print whose amount stands in the column of a list's amounts, though no row has it.

In: where the amounts of the rows stand, which words belong to which field, the words of the pages. Out: `AmountLine`s
in the order of print. Only geometry: what the lines mean is for sums to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import NamedTuple

from docpipe.data import Evidence, Word
from docpipe.text_search import PageIndex

# Widths of a character by which the right edges of two amounts of a column may differ: a closing minus is one, and
# photographs are askew. The nearest amount above or below is the one that counts.
MAX_CHARACTERS_ASIDE = 1.5
MIN_LETTERS = 3  # left of an amount: with fewer the line says nothing of what it is for


class WordPlace(NamedTuple):
    """A word of the document: its page, and its number on the page in reading order."""

    page: int
    word: int


@dataclass(frozen=True, slots=True)
class TakenWords:
    """The words that fields stand on. `rows`: each with the row that it belongs to (`line_items[2]`), or "" where it is
    of a single field. `ending`: those of numbers outside of the table (totals, taxes); below the rows the first such
    line ends it. `filled`: the rows that have their amount."""

    rows: Mapping[WordPlace, str]
    ending: Set[WordPlace]
    filled: Set[str]


@dataclass(frozen=True, slots=True)
class AmountLine:
    """A line: the numbers of its first word and of its amount among the words of the page. `row`: the row that its
    other words belong to, which lacks its amount; "" where they belong to nothing. `is_below`: below all rows."""

    page: int
    first: int
    amount: int
    height: float  # of the amount's middle on the page, 0-1 from the top
    row: str = ""
    is_below: bool = False


class _PrintLine(NamedTuple):
    """A line of print: the numbers of its words on the page, and the middle of its last word from the top."""

    words: Sequence[int]
    height: float


def amount_lines(column: Sequence[Evidence], taken: TakenWords, pages: Mapping[int, PageIndex]) -> Iterator[AmountLine]:
    """`column`: the quotes of the amounts of the rows. Looked at are the lines between rows, those directly above the
    first row of a page, and those below the last row, down to the totals."""
    by_page: dict[int, list[int]] = {}
    for quote in column:
        numbers = [word for word in _words(quote, pages) if _has_digit(pages[quote.page].words[word])]
        if numbers:
            by_page.setdefault(quote.page, []).append(numbers[-1])
    for page_number in sorted(by_page):
        page = _TablePage(page_number, pages[page_number], by_page[page_number], taken)
        yield from page.lines(is_last=page_number == max(by_page))


def words_left(line: AmountLine, page: PageIndex) -> str:
    """What is printed left of the amount."""
    return page.text(line.first, line.amount - 1) if line.amount > line.first else ""


def has_letters(text: str) -> bool:
    return sum(character.isalpha() for character in text) >= MIN_LETTERS


def stands_in_column(word: Word, cells: Sequence[Word]) -> bool:
    """Whether a number ends where the numbers of a column end, the nearest one above or below."""
    if not cells or not _has_digit(word):
        return False
    nearest = min(cells, key=lambda cell: abs(_middle(cell) - _middle(word)))
    character = max(_character(word), _character(nearest))
    return abs(word.box.right - nearest.box.right) <= MAX_CHARACTERS_ASIDE * character


@dataclass(frozen=True)
class _TablePage:
    """One page of a table; `cells` are the words of the amounts that its rows have there."""

    number: int
    page: PageIndex
    cells: Sequence[int]
    taken: TakenWords

    def lines(self, *, is_last: bool) -> Iterator[AmountLine]:
        heights = [_middle(self.page.words[word]) for word in self.cells]
        first, last = min(heights), max(heights)
        printed = sorted(self._printed(), key=lambda line: line.height)
        above = [self._amount_line(line) for line in reversed(printed) if line.height < first]
        yield from reversed([line for line in takewhile(lambda found: found is not None, above) if line is not None])
        for line in printed:
            if line.height > last and is_last and self._ends_table(line):
                return
            found = self._amount_line(line, is_below=is_last and line.height > last) if line.height >= first else None
            if found is not None:
                yield found

    def _printed(self) -> Iterator[_PrintLine]:
        for _, words in groupby(range(len(self.page.words)), key=lambda word: self.page.words[word].line):
            numbers = list(words)
            yield _PrintLine(numbers, _middle(self.page.words[numbers[-1]]))

    def _ends_table(self, line: _PrintLine) -> bool:
        return any(WordPlace(self.number, word) in self.taken.ending for word in line.words)

    def _amount_line(self, line: _PrintLine, *, is_below: bool = False) -> AmountLine | None:
        """The line, if its last amount stands in the column, and its words belong to nothing or to a row that lacks
        its amount."""
        rows = {row for word in line.words if (row := self.taken.rows.get(WordPlace(self.number, word))) is not None}
        row = next(iter(rows), "")
        if len(rows) > 1 or (rows and (not row or row in self.taken.filled)):
            return None
        amount = next((word for word in reversed(line.words) if self._is_in_column(word)), None)
        if amount is None or WordPlace(self.number, amount) in self.taken.rows:
            return None
        found = AmountLine(self.number, line.words[0], amount, line.height, row, is_below)
        return found if has_letters(words_left(found, self.page)) else None

    def _is_in_column(self, number: int) -> bool:
        return stands_in_column(self.page.words[number], [self.page.words[cell] for cell in self.cells])


def _words(quote: Evidence, pages: Mapping[int, PageIndex]) -> list[int]:
    return pages[quote.page].words_in(quote.box) if quote.page in pages else []


def _has_digit(word: Word) -> bool:
    return any(character.isdigit() for character in word.text)


def _middle(word: Word) -> float:
    return (word.box.top + word.box.bottom) / 2


def _character(word: Word) -> float:
    """The mean width of its characters."""
    return (word.box.right - word.box.left) / len(word.text)
