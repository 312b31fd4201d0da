"""Which columns a table of line items has, in which order, under which labels, how wide.

In: the drawing context, the invoice's data, the style of its rows. Out: columns whose widths fit what is printed in
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.table import TableColumn
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.invoice.line_item_rows import RowCells, RowStyle, cell_width

USUAL_POSITIONS = {
    "pos": 0.0,
    "row_date": 1.0,
    "code": 1.4,
    "description": 2.2,
    "other_code": 3.0,
    "quantity": 4.0,
    "unit": 4.5,
    "list_price": 5.3,
    "unit_price": 6.0,
    "net_price": 6.6,
    "base": 6.3,
    "discount": 6.5,
    "tax_rate": 7.4,
    "tax_amount": 8.0,
    "amount": 9.0,
    "amount_gross": 9.6,
    "tax_code": 9.8,
}
FIRST, LAST = -9.0, 20.0  # positions before and behind all others
DROPPABLE = ("other_code", "row_date", "tax_code", "tax_amount", "list_price", "base", "code", "pos")  # in this order
TEXT_COLUMNS = ("description", "code", "other_code", "unit", "row_date", "pos")
MONEY_COLUMNS = ("unit_price", "net_price", "list_price", "amount", "amount_gross", "tax_amount")
MIN_DESCRIPTION_SHARE = 0.22  # of the width of the table
MIN_COLUMN_WIDTH = 8.0  # points


def choose_columns(context: DrawingContext, invoice: InvoiceData, row_style: RowStyle) -> list[TableColumn]:
    """Columns without widths yet."""
    rng = context.rng
    keys = _keys(context, invoice, row_style)
    positions = _positions(context, keys)
    number_align: Align = rng.pick(("right", "right", "right", "right", "right", "right", "right", "centre", "left"))
    text_align: Align = rng.pick(("left", "left", "left", "centre"))
    labels = ColumnLabels(context, invoice, keys)
    columns = []
    for key in sorted(keys, key=lambda key: positions[key]):
        align = "left" if key in ("description", "code") else text_align if key in TEXT_COLUMNS else number_align
        if key == "quantity" and rng.chance(0.2):
            align = rng.pick(("centre", "left"))
        columns.append(TableColumn(key, labels.label(key), 1.0, align))
    return columns


def _keys(context: DrawingContext, invoice: InvoiceData, row_style: RowStyle) -> list[str]:
    """Each column is there or not, whatever the others do."""
    chance = context.rng.chance
    keys = ["description", "amount"] if row_style.name_position == "column" else ["amount"]
    if chance(0.88) or row_style.shared_cell in ("product", "times"):
        keys.append("quantity")
        if row_style.shared_cell not in ("unit", "priced unit") and chance(0.4):
            keys.append("unit")
    if row_style.shared_cell != "product" and (chance(0.86) or row_style.shared_cell == "priced unit"):
        reduced = row_style.discount_position == "column" and chance(0.35)
        keys += ["list_price", "net_price"] if reduced else ["unit_price"]
        if row_style.price_base_quantity > 1 and row_style.shared_cell != "base":
            keys.append("base")
    if row_style.discount_position == "column":
        keys.append("discount")
    if invoice.is_taxed:
        if not row_style.rate_in_note and chance(0.6 if len(invoice.tax_breakdown) > 1 else 0.42):
            keys.append("tax_rate")
        if chance(0.1):
            keys.append("tax_amount")
        if not invoice.prices_include_tax and chance(0.15):
            keys.append("amount_gross")
        if chance(0.06):
            keys.append("tax_code")
    without_values = {"pos": 0.42, "code": 0.35 if "description" in keys else 0.8, "other_code": 0.1, "row_date": 0.08}
    return keys + [key for key, share in without_values.items() if chance(share)]


def _positions(context: DrawingContext, keys: Sequence[str]) -> dict[str, float]:
    """Columns stand near their usual positions; how near differs from document to document."""
    rng = context.rng
    deviation = rng.pick((0.0, 0.5, 1.2, 2.5))
    positions = {key: USUAL_POSITIONS[key] + deviation * (2 * rng.random() - 1) for key in keys}
    positions["pos"] = FIRST
    positions["amount"] = max(positions.values()) + 0.1 if rng.chance(0.8) else USUAL_POSITIONS["amount"]
    if rng.chance(0.2):
        positions["quantity"], positions["unit"] = -2.0, rng.pick((-2.5, -1.5, -1.5))
    elif rng.chance(0.16):
        beside_price = positions.get("unit_price", USUAL_POSITIONS["unit_price"]) + 0.05
        positions["quantity"], positions["unit"] = beside_price, rng.pick((3.0, 7.0))
    if rng.chance(0.15):
        positions["tax_rate"] = LAST
    if rng.chance(0.6):
        positions["amount_gross"] = 15.0
    return positions


class ColumnLabels:
    """The labels of one table: wording by column, one style for all."""

    def __init__(self, context: DrawingContext, invoice: InvoiceData, keys: Sequence[str]) -> None:
        rng = context.rng
        self._context = context
        self._capitals, self._two_lines = rng.chance(0.15), rng.chance(0.15)
        self._bilingual = rng.chance(0.05) and context.locale.language != "en"
        symbol, code = context.locale.currency_symbol, context.locale.currency
        self._currency = rng.pick((f" ({symbol})", f" {symbol}", f" {code}", f" in {code}")) if rng.chance(0.1) else ""
        if "amount_gross" in keys:
            self._amount_key = "amount_net"
        else:
            self._amount_key = "amount_gross" if invoice.prices_include_tax and rng.chance(0.5) else "amount"

    def label(self, key: str) -> str:
        context, english = self._context, word_lists("en")
        text = context.label(self._amount_key if key == "amount" else key)
        if self._currency and key in MONEY_COLUMNS and context.locale.currency_symbol not in text:
            text += self._currency
        if self._two_lines:
            text = text.replace(" ", "\n", 1)
        if self._bilingual and key in english:
            text += f"\n{context.rng.pick(english[key]).replace('{sign}', '').replace('{code}', '')}"
        return text.upper() if self._capitals else text


def fit_columns(
    context: DrawingContext, columns: Sequence[TableColumn], rows: Sequence[RowCells], gap: float, *, has_header: bool
) -> list[TableColumn]:
    """Columns as wide as their contents, the description the rest; some are dropped where there is no room."""
    needed = {column.key: _needed_width(context, column, rows, has_header=has_header) + gap + 1.0 for column in columns}
    remaining = list(columns)
    droppable = iter(DROPPABLE)
    min_width = context.inner_width * MIN_DESCRIPTION_SHARE if "description" in needed else 0.0
    while (rest := context.inner_width - _width_of_others(needed, remaining)) < min_width:
        dropped = next(droppable, None)
        if dropped is None:
            break
        remaining = [column for column in remaining if column.key != dropped]
    rest = max(rest, min_width)
    slack = context.rng.pick((0.0, 0.0, 0.3, 0.6)) * max(rest - min_width * 1.5, 0.0)
    other_count = max(len(remaining) - 1, 1)
    widths = {key: width + slack / other_count for key, width in needed.items()} | {"description": rest - slack}
    return [replace(column, weight=widths[column.key]) for column in remaining]


def _width_of_others(needed: Mapping[str, float], columns: Sequence[TableColumn]) -> float:
    return sum(needed[column.key] for column in columns if column.key != "description")


def _needed_width(context: DrawingContext, column: TableColumn, rows: Sequence[RowCells], *, has_header: bool) -> float:
    """The widest cell, and the longest word of the label."""
    typography = context.typography
    label_words = column.label.split() if has_header else []
    label_width = max((typography.bold.width(word) for word in label_words), default=0.0)
    widths = (cell_width(cells[column.key], typography.text) for cells in rows if column.key in cells)
    return max(label_width, *widths, MIN_COLUMN_WIDTH)
