"""The numbers on a line of print, each with its place, and which of them multiply.

In: a page, one of its lines, and how a column's kind reads a text. Out: `NumberReading`s, which overlap where several
words may be one number or several (`2 365,40`), and `PrintedProduct`s: three of them at different places.
Pure functions: nothing here knows what was proposed for a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from docpipe.decide.marks_beside import are_near
from docpipe.schema_ports import Parsed
from docpipe.text_search import PageIndex

MAX_NUMBER_WORDS = 4  # of one number: `- 1 262,00 €`, `3 x 2.4 m`
MAX_READINGS = 16  # of one column on the lines of a row; a longer line is a paragraph and has no products
IGNORES_TEXT = "text_ignored"  # the issue of a number that words beside it may change

Words = frozenset[int]  # the numbers of words on a page


@dataclass(frozen=True)
class NumberReading:
    """The words from `first` to `last` (inclusive) of a page, read as one number."""

    first: int
    last: int
    text: str
    parsed: Parsed
    number: Decimal

    @cached_property
    def words(self) -> Words:
        return frozenset(range(self.first, self.last + 1))

    def figures(self, page: PageIndex) -> Words:
        """Its words without signs and units."""
        return figures_in(page, self.words)


@dataclass(frozen=True, slots=True)
class PrintedProduct:
    """Quantity times unit price is the amount. No word is part of two of them."""

    quantity: NumberReading
    unit_price: NumberReading
    amount: NumberReading

    @property
    def readings(self) -> tuple[NumberReading, NumberReading, NumberReading]:
        return self.quantity, self.unit_price, self.amount

    @property
    def words(self) -> Words:
        return self.quantity.words | self.unit_price.words | self.amount.words


def words_of_line(page: PageIndex, word: int) -> range:
    """The words of the line that a word stands on; they follow each other in reading order."""
    first = last = word
    while first > 0 and page.words[first - 1].line == page.words[word].line:
        first -= 1
    while last + 1 < len(page.words) and page.words[last + 1].line == page.words[word].line:
        last += 1
    return range(first, last + 1)


def number_readings(page: PageIndex, line: range, parse: Callable[[str], Parsed]) -> list[NumberReading]:
    """What a kind reads as a number other than zero in neighbouring words, percentages aside; of runs with one value
    that lie in each other the shortest."""
    found = [reading for first in line for reading in _readings_from(page, first, line.stop, parse)]
    return [
        reading for reading in found
        if not any(other.number == reading.number and other.words < reading.words for other in found)
    ]  # fmt: skip


def printed_products(
    quantities: Sequence[NumberReading],
    unit_prices: Sequence[NumberReading],
    amounts: Sequence[NumberReading],
    *,
    needed: Words,
    multiplies: Callable[[Decimal, Decimal, Decimal], bool],
) -> Iterator[PrintedProduct]:
    """All products of readings at three different places that take up the words `needed`. `multiplies`: whether
    quantity times price is the amount, as exactly as the figures are printed."""
    if max(len(quantities), len(unit_prices), len(amounts)) > MAX_READINGS:
        return
    for quantity in quantities:
        for unit_price in unit_prices:
            factors = quantity.words | unit_price.words
            if quantity.words & unit_price.words:
                continue
            for amount in amounts:
                is_apart = not factors & amount.words and needed <= factors | amount.words
                if is_apart and multiplies(quantity.number, unit_price.number, amount.number):
                    yield PrintedProduct(quantity, unit_price, amount)


def figures_in(page: PageIndex, words: Iterable[int]) -> Words:
    """Those of the words that are (a part of) a number: `262,00`, `½`."""
    return frozenset(word for word in words if _has_figure(page.words[word].text))


def left_to_right(page: PageIndex, words: Sequence[int]) -> Sequence[int] | None:
    """The places of the words in the sequence, as they follow each other on their line; None where it is not one."""
    if len({page.words[word].line for word in words}) != 1:
        return None
    return tuple(sorted(range(len(words)), key=lambda place: words[place]))


def _has_figure(text: str) -> bool:
    return any(map(str.isnumeric, text))


def _readings_from(page: PageIndex, first: int, stop: int, parse: Callable[[str], Parsed]) -> Iterator[NumberReading]:
    """Of the runs that begin with one word."""
    for last in range(first, min(first + MAX_NUMBER_WORDS, stop)):
        if last > first and not are_near(page, last - 1, last):
            return
        text = page.text(first, last)
        behind = page.words[last + 1].text if last + 1 < stop else ""
        if not _has_figure(text) or "%" in text or behind.startswith("%"):
            continue
        parsed = parse(text)
        if isinstance(parsed.value, Decimal) and parsed.value and parsed.issue != IGNORES_TEXT:
            yield NumberReading(first, last, text, parsed, parsed.value)
