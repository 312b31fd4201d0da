"""Which columns a table of line items has, in which order, under which headings, how wide.

In: a sheet, a bill, the habits of its rows. Out: columns whose widths fit what is printed in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.table import TableColumn
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.letterhead import DrawingContext
from docpipe.samples.documents.invoice.rows import RowCells, RowStyle, cell_width

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
DROPPABLE = ("other_code", "row_date", "tax_code", "tax_amount", "list_price", "base", "code", "pos")  # dropped in turn
TEXT_COLUMNS = ("description", "code", "other_code", "unit", "row_date", "pos")
MONEY_COLUMNS = ("unit_price", "net_price", "list_price", "amount", "amount_gross", "tax_amount")
MIN_DESCRIPTION_SHARE = 0.22  # of the width of the table


def choose_columns(context: DrawingContext, invoice: InvoiceData, habits: RowStyle) -> list[TableColumn]:
    """Columns without widths yet."""
    rng = context.rng
    keys = _keys(context, invoice, habits)
    places = _positions(context, keys)
    number_align: Align = rng.pick(("right", "right", "right", "right", "right", "right", "right", "centre", "left"))
    text_align: Align = rng.pick(("left", "left", "left", "centre"))
    label = ColumnLabels(context, invoice, keys)
    columns = []
    for key in sorted(keys, key=lambda key: places[key]):
        align = "left" if key in ("description", "code") else text_align if key in TEXT_COLUMNS else number_align
        if key == "quantity" and rng.chance(0.2):
            align = rng.pick(("centre", "left"))
        columns.append(TableColumn(key, label.label(key), 1.0, align))
    return columns


def _keys(context: DrawingContext, invoice: InvoiceData, habits: RowStyle) -> list[str]:
    """Each column is there or not, whatever the others do."""
    rng, chance = context.rng, context.rng.chance
    keys = ["description", "amount"] if habits.name_position == "column" else ["amount"]
    if chance(0.88) or habits.shared_cell in ("product", "times"):
        keys.append("quantity")
        if habits.shared_cell not in ("unit", "priced unit") and chance(0.4):
            keys.append("unit")
    if habits.shared_cell != "product" and (chance(0.86) or habits.shared_cell == "priced unit"):
        reduced = habits.discount_position == "column" and chance(0.35)
        keys += ["list_price", "net_price"] if reduced else ["unit_price"]
        keys += ["base"] if habits.price_base_quantity > 1 and habits.shared_cell != "base" else []
    if habits.discount_position == "column":
        keys.append("discount")
    if invoice.is_taxed:
        keys += (
            ["tax_rate"] if not habits.rate_in_note and chance(0.6 if len(invoice.tax_breakdown) > 1 else 0.42) else []
        )
        keys += ["tax_amount"] if chance(0.1) else []
        keys += ["amount_gross"] if not invoice.prices_include_tax and chance(0.15) else []
        keys += ["tax_code"] if chance(0.06) else []
    decoys = (("pos", 0.42), ("code", 0.35 if "description" in keys else 0.8), ("other_code", 0.1), ("row_date", 0.08))
    return keys + [key for key, share in decoys if rng.chance(share)]


def _positions(context: DrawingContext, keys: Sequence[str]) -> dict[str, float]:
    """Columns stand near their usual places; how near differs from document to document."""
    rng = context.rng
    stray = rng.pick((0.0, 0.5, 1.2, 2.5))
    places = {key: USUAL_POSITIONS[key] + stray * (2 * rng.random() - 1) for key in keys}
    places["pos"] = -9.0
    places["amount"] = max(places.values()) + 0.1 if rng.chance(0.8) else 9.0
    if rng.chance(0.2):
        places["quantity"], places["unit"] = -2.0, rng.pick((-2.5, -1.5, -1.5))
    elif rng.chance(0.16):
        places["quantity"], places["unit"] = places.get("unit_price", 6.0) + 0.05, rng.pick((3.0, 7.0))
    if rng.chance(0.15):
        places["tax_rate"] = 20.0
    if rng.chance(0.6):
        places["amount_gross"] = 15.0
    return places


class ColumnLabels:
    """The headings of one table: wording by column, one taste for all."""

    def __init__(self, context: DrawingContext, invoice: InvoiceData, keys: Sequence[str]) -> None:
        rng = context.rng
        self._sheet = context
        self._upper, self._two_lines = rng.chance(0.15), rng.chance(0.15)
        self._bilingual = rng.chance(0.05) and context.locale.language != "en"
        sign, code = context.locale.currency_symbol, context.locale.currency
        self._currency = rng.pick((f" ({sign})", f" {sign}", f" {code}", f" in {code}")) if rng.chance(0.1) else ""
        if "amount_gross" in keys:
            self._amount_key = "amount_net"
        else:
            self._amount_key = "amount_gross" if invoice.prices_include_tax and rng.chance(0.5) else "amount"

    def label(self, key: str) -> str:
        context = self._sheet
        text = context.label(self._amount_key if key == "amount" else key)
        if self._currency and key in MONEY_COLUMNS and context.locale.currency_symbol not in text:
            text += self._currency
        if self._two_lines:
            text = text.replace(" ", "\n", 1)
        if self._bilingual and key in word_lists("en"):
            text += f"\n{context.rng.pick(word_lists('en')[key]).replace('{sign}', '').replace('{code}', '')}"
        return text.upper() if self._upper else text


def fit_columns(
    context: DrawingContext, columns: Sequence[TableColumn], rows: Sequence[RowCells], gap: float, *, headed: bool
) -> list[TableColumn]:
    """Columns as wide as their contents, the description the rest; decoys go where there is no room for them."""
    rng = context.rng
    needs = {column.key: _needed_width(context, column, rows, headed=headed) + gap + 1.0 for column in columns}
    kept = list(columns)
    dropped = iter(DROPPABLE)
    least = context.inner_width * MIN_DESCRIPTION_SHARE if "description" in needs else 0.0
    while (room := context.inner_width - _width_of_others(needs, kept)) < least:
        key = next(dropped, None)
        if key is None:
            break
        kept = [column for column in kept if column.key != key]
    room = max(room, least)
    spread = rng.pick((0.0, 0.0, 0.3, 0.6)) * max(room - least * 1.5, 0.0)
    others = max(len(kept) - 1, 1)
    return [
        replace(column, weight=room - spread if column.key == "description" else needs[column.key] + spread / others)
        for column in kept
    ]


def _width_of_others(needs: dict[str, float], columns: Sequence[TableColumn]) -> float:
    return sum(needs[column.key] for column in columns if column.key != "description")


def _needed_width(context: DrawingContext, column: TableColumn, rows: Sequence[RowCells], *, headed: bool) -> float:
    """The widest cell, and the longest word of the heading."""
    typography = context.typography
    words_of_label = column.label.split() if headed else []
    need = max((typography.bold.width(word) for word in words_of_label), default=0.0)
    return max(need, *(cell_width(cells[column.key], typography.text) for cells in rows if column.key in cells), 8.0)
