"""Rows whose product of quantity and unit price does not give their amount, with the words that they were read from.

In: the choice so far and the pages. Out: an `OpenRow` for each row whose product is broken or cannot be judged.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from docpipe.decide.joint import Assignment, JointChoice
from docpipe.decide.lists.line_numbers import Words, figures_in, left_to_right
from docpipe.decide.options import Option
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.rule_scope import cell_of
from docpipe.schema_ports import ProductRule
from docpipe.text_search import PageIndex

MAX_ROWS = 200  # open rows looked at per document: each takes some milliseconds
ROUNDING = Decimal("0.005")  # of an amount with cents


@dataclass(frozen=True)
class OpenRow:
    """A row whose product is open: its cells in the order quantity, unit price, amount, and words with figures on its
    page. `order`: how these columns follow each other from left to right in rows whose product holds; None where there
    are no such rows."""

    rule: ProductRule
    name: str  # `line_items[2]`
    cells: tuple[str, str, str]
    page: PageIndex
    chosen: Words  # for the three cells
    proposed_of: tuple[Words, ...]  # of all options of each
    in_row: Words  # of all options of all cells of the row
    taken: Words  # that other cells have a value from
    order: Sequence[int] | None

    def multiplies(self, quantity: Decimal, unit_price: Decimal, amount: Decimal) -> bool:
        """More exactly than the rule asks, which allows for prices that were rounded."""
        if abs(abs(quantity * unit_price) - abs(amount)) > ROUNDING:
            return False
        return self.rule.check(dict(zip(self.cells, (quantity, unit_price, amount), strict=True))) is True


class WordsOfCells:
    """Which words of the pages the cells of lists are read from."""

    def __init__(self, choice: JointChoice, assignment: Assignment, document: DocumentIndex) -> None:
        self._choice, self._assignment, self._document = choice, assignment, document
        self._paths_by_row: dict[str, list[str]] = defaultdict(list)
        self._paths_by_column: dict[str, list[str]] = defaultdict(list)
        for path in choice.table:
            parsed = FieldPath.parse(path)
            if parsed.row:
                self._paths_by_row[parsed.row].append(path)
                self._paths_by_column[parsed.template].append(path)

    def paths_of(self, row: str) -> Sequence[str]:
        """The cells of a row that have options."""
        return self._paths_by_row[row]

    def words(self, option: Option, page: PageIndex) -> Words:
        """The words with figures of an option on a page."""
        quotes = (quote for quote in option.evidence if quote.page == page.page.number)
        return figures_in(page, (word for quote in quotes for word in page.words_in(quote.box)))

    def is_in_column(self, path: str, first: int, last: int, page: PageIndex) -> bool:
        """Whether words from `first` to `last` stand above or below a cell of the column that `path` is of."""
        (place,) = page.quote(first, last)
        options = (self._chosen(other) for other in self._paths_by_column[FieldPath.parse(path).template])
        quotes = (quote for option in options if option is not None for quote in option.evidence)
        return any(
            quote.page == place.page and quote.box.left < place.box.right and place.box.left < quote.box.right
            for quote in quotes
        )

    def open_rows(self) -> list[OpenRow]:
        """The rows whose product is broken, or that lack one of its cells; at most MAX_ROWS."""
        rows: list[OpenRow] = []
        for number, application in enumerate(self._choice.applications):
            rule = application.rule
            if not application.is_row or not isinstance(rule, ProductRule) or len(rows) == MAX_ROWS:
                continue
            if self._choice.check(number, self._assignment) is not True:
                row = self._open_row(rule, FieldPath.parse(application.paths[0]).row)
                rows += [row] if row is not None else []
        return rows

    def _open_row(self, rule: ProductRule, name: str) -> OpenRow | None:
        """None where its cells are on no page, or on several."""
        cells = _cells(rule, name)
        chosen = [option for path in cells if (option := self._chosen(path)) is not None]
        pages = {quote.page for option in chosen for quote in option.evidence}
        if len(pages) != 1 or not pages <= self._document.pages.keys():
            return None
        page = self._document.pages[pages.pop()]
        proposed_of = tuple(self._of_all(self._options(path), page) for path in cells)
        in_row = self._of_all([option for path in self.paths_of(name) for option in self._options(path)], page)
        readers = self._readers[page.page.number]
        taken = frozenset(word for word, paths in readers.items() if not paths <= {*cells})
        order = self._orders.get(rule.amount)
        return OpenRow(rule, name, cells, page, self._of_all(chosen, page), proposed_of, in_row, taken, order)

    @cached_property
    def _readers(self) -> dict[int, dict[int, set[str]]]:
        """Page -> its words that cells have a value from -> those cells."""
        readers: dict[int, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path in (path for paths in self._paths_by_row.values() for path in paths):
            option = self._chosen(path)
            if option is None or option.value is None:
                continue
            for number in {quote.page for quote in option.evidence} & self._document.pages.keys():
                for word in self.words(option, self._document.pages[number]):
                    readers[number][word].add(path)
        return readers

    @cached_property
    def _orders(self) -> dict[str, Sequence[int]]:
        """Column of amounts -> the order that most rows have whose product holds on one line."""
        counts: dict[str, Counter[Sequence[int]]] = defaultdict(Counter)
        for number, application in enumerate(self._choice.applications):
            rule = application.rule
            if application.is_row and isinstance(rule, ProductRule) and self._choice.check(number, self._assignment):
                order = self._order(_cells(rule, FieldPath.parse(application.paths[0]).row))
                counts[rule.amount].update([order] if order is not None else [])
        return {column: counted.most_common(1)[0][0] for column, counted in counts.items() if counted}

    def _order(self, cells: Sequence[str]) -> Sequence[int] | None:
        options = [option for path in cells if (option := self._chosen(path)) is not None]
        quotes = [quote for option in options for quote in option.evidence]
        numbers = {quote.page for quote in quotes}
        if len(options) != len(cells) or len(quotes) != len(cells) or len(numbers) != 1:
            return None
        page = self._document.pages.get(numbers.pop())
        words = [page.words_in(quote.box) for quote in quotes] if page is not None else []
        return left_to_right(page, [of_cell[0] for of_cell in words]) if page is not None and all(words) else None

    def _chosen(self, path: str) -> Option | None:
        return self._choice.option(path, self._assignment) if path in self._choice.table else None

    def _options(self, path: str) -> list[Option]:
        return [option for option, _ in self._choice.table.get(path, ()) if option is not None]

    def _of_all(self, options: Iterable[Option], page: PageIndex) -> Words:
        return frozenset(word for option in options for word in self.words(option, page))


def _cells(rule: ProductRule, row: str) -> tuple[str, str, str]:
    return cell_of(rule.quantity, row), cell_of(rule.unit_price, row), cell_of(rule.amount, row)
