"""A row's own arithmetic proposes what its cells are, where they are cut short, misplaced or missing.

In: the choice so far and the pages. Out: the options again. Where one product alone is printed on the lines of a row
(`2 x 1 262,00 = 2 524,00`) and the cells do not say so, its numbers become the likeliest options of the three cells.
Nothing that was chosen for them is lost: each of their figures is part of the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from docpipe.decide.joint import Assignment, JointChoice, OptionTable
from docpipe.decide.lists.line_numbers import (
    NumberReading,
    PrintedProduct,
    Words,
    left_to_right,
    number_readings,
    printed_products,
    words_of_line,
)
from docpipe.decide.lists.open_rows import OpenRow, WordsOfCells
from docpipe.decide.options import KindParser, Option, ScoredOption
from docpipe.document_index import DocumentIndex
from docpipe.text_search import PageIndex

# Of a cell that the only product on its lines gives another value: more likely right than not, and no certainty, since
# arithmetic may hold by chance. The cell's other options share what is left, so that the product's comes first.
PRODUCT_SCORE = 0.6
MIN_OWN_CELLS = 2  # of the three: those whose number, or a part of it, was proposed for this very cell
MAX_ROW_LINES = 2  # of print that hold a row's figures


def add_row_products(
    choice: JointChoice, assignment: Assignment, parser: KindParser, document: DocumentIndex
) -> OptionTable | None:
    """The options with the numbers of printed products first; None when no open row has one."""
    cells = WordsOfCells(choice, assignment, document)
    table = {path: list(scored) for path, scored in choice.table.items()}
    is_changed = False
    for row in cells.open_rows():
        if product := _only_product(row, parser, cells):
            for path, reading in zip(row.cells, product.readings, strict=True):
                table[path] = _with_first(reading, table.get(path, [ScoredOption(None, 1.0)]), row.page, cells)
            _free(product, row, table, cells)
            is_changed = True
    return table if is_changed else None


def _only_product(row: OpenRow, parser: KindParser, cells: WordsOfCells) -> PrintedProduct | None:
    """The one product that the row's lines have; of several the one that has most of what was proposed, then the one of
    most words. None where that leaves different ones: in `3 2 Sunrise 6.00` either may be the price."""
    lines = {words_of_line(row.page, word) for word in row.chosen}
    if len(lines) > MAX_ROW_LINES:
        return None
    quantities, unit_prices, amounts = (
        [
            reading
            for line in lines
            for reading in number_readings(row.page, line, partial(parser.parse, path))
            if not reading.words & row.taken
        ]
        for path in row.cells
    )
    products = printed_products(quantities, unit_prices, amounts, needed=row.chosen, multiplies=row.multiplies)
    ranks = {
        product: (_own_cells(product, row), len(product.words))
        for product in products
        if _is_likely(product, row, cells)
    }
    best = [product for product, rank in ranks.items() if rank == max(ranks.values())]
    numbers = {tuple(reading.number for reading in product.readings) for product in best}
    return best[0] if len(numbers) == 1 else None


def _is_likely(product: PrintedProduct, row: OpenRow, cells: WordsOfCells) -> bool:
    """Whether two of its numbers were proposed for their cells, in part at least, and the third is of this row: it was
    proposed for another cell, or stands in a column with cells of its own. On one line they stand in the order of the
    other rows."""
    order = left_to_right(row.page, [reading.first for reading in product.readings])
    if order is not None and row.order is not None and order != row.order:
        return False
    return _own_cells(product, row) >= MIN_OWN_CELLS and all(
        reading.figures(row.page) <= row.in_row or cells.is_in_column(path, reading.first, reading.last, row.page)
        for path, reading in zip(row.cells, product.readings, strict=True)
    )


def _own_cells(product: PrintedProduct, row: OpenRow) -> int:
    return sum(
        bool(reading.words & proposed) for reading, proposed in zip(product.readings, row.proposed_of, strict=True)
    )


def _with_first(
    reading: NumberReading, scored: Sequence[ScoredOption], page: PageIndex, cells: WordsOfCells
) -> list[ScoredOption]:
    """The options of a cell with the reading before the others, where it is not. It has the score of what was proposed
    for this cell within it; where that is less than its own, or not all of it was proposed, it is not the network's
    word."""
    first = scored[0].option
    if first is not None and first.value == reading.number:
        return [*scored]
    inside = [
        (score, option)
        for option, score in scored
        if option is not None and (words := cells.words(option, page)) and words <= reading.words
    ]
    score, best = max(inside, key=lambda pair: pair[0], default=(0.0, None))
    covered: Words = frozenset().union(*(cells.words(option, page) for _, option in inside))
    signals = dict(best.signals) if best is not None else {}
    if score < PRODUCT_SCORE or not reading.figures(page) <= covered:
        score, signals = PRODUCT_SCORE, {**signals, "product": 1.0}
    quote = page.quote(reading.first, reading.last)
    option = Option(reading.number, reading.text, score, quote, reading.parsed, signals, is_unproposed=best is None)
    others = [
        ScoredOption(other, (1.0 - PRODUCT_SCORE) * other_score)
        for other, other_score in scored
        if other is None or other.value != reading.number
    ]
    return [ScoredOption(option, score), *others]


def _free(product: PrintedProduct, row: OpenRow, table: dict[str, list[ScoredOption]], cells: WordsOfCells) -> None:
    """Words of the product are no longer what another cell of the row has in vain: `524,00-` as its tax rate."""
    for path in cells.paths_of(row.name):
        if path not in row.cells:
            table[path] = [
                scored
                for scored in table[path]
                if scored.option is None
                or scored.option.value is not None
                or not cells.words(scored.option, row.page) & product.words
            ]
