"""The totals of an invoice, drawn in a block, as running text, side by side, or under the table's amounts.

In: the drawing context, the invoice's data and the table above. Out: the rows of `total_rows` drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from docpipe.samples.canvas.canvas import Align
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.canvas.table import ColumnExtent, Table, TableColumn
from docpipe.samples.canvas.table_style import make_table_style
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.invoice.total_rows import TotalRow, amounts_with_currency, total_rows
from docpipe.samples.truth import plain_text, text_runs

MAX_SIDE_BY_SIDE = 6  # totals that stand beside each other


class BlockEdges(NamedTuple):
    """The y below a block, and its left edge."""

    below: float
    left: float


def draw_totals(context: DrawingContext, invoice: InvoiceData, y: float, table: Table | None) -> BlockEdges:
    """The totals with their first baseline a line below `y`."""
    rows, form = total_rows(context, invoice), context.rng.random()
    if form < 0.07:
        return BlockEdges(_draw_run_on(context, rows, y), context.margin)
    if form < 0.15 and len(rows) <= MAX_SIDE_BY_SIDE:
        return BlockEdges(_draw_side_by_side(context, rows, y), context.margin)
    if form < 0.27 and table is not None:
        amounts = table.column_extent("amount")
        if amounts.left > context.margin + context.inner_width * 0.5:
            return BlockEdges(_draw_under_amounts(context, rows, y, amounts), context.margin)
    return _draw_block(context, rows, y)


def _draw_block(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> BlockEdges:
    """Labels in one column, amounts in the next."""
    rng, typography, canvas = context.rng, context.typography, context.canvas
    width = context.inner_width * rng.pick((0.35, 0.42, 0.5, 0.6))
    left, right = context.right - width, context.right - rng.pick((0.0, 2.0, 4.0))
    if rng.chance(0.15):
        left, right = context.margin, context.margin + width
    step = typography.line_height * rng.pick((1.0, 1.15, 1.4))
    boxed, with_line, scale = rng.chance(0.15), rng.chance(0.4), rng.pick((1.0, 1.0, 1.15, 1.4))
    labels_right, colon = rng.chance(0.25), rng.pick(("", "", ":"))
    top, y = y, y + step
    emphasised_style = (typography.accented if rng.chance(0.3) else typography.bold).scaled(scale)
    amounts = amounts_with_currency(context, rows)
    widest = max(emphasised_style.width(plain_text(amount)) for amount in amounts)
    amount_width = widest + typography.text.size * rng.pick((1, 1.5, 3))
    label_align: Align = "right" if labels_right else "left"
    label_x = right - amount_width if labels_right else left
    for row, amount in zip(rows, amounts, strict=True):
        style = emphasised_style if row.emphasised else typography.text
        y += step * (scale - 1.0) * 0.7 if row.emphasised else 0.0
        if row.emphasised and with_line:
            canvas.draw_horizontal_line(left, right, y - style.size * 1.05, 0.6)
        label = [*text_runs(row.label), colon]
        canvas.write(label_x, y, label, style.fitted_to(plain_text(label), right - left - amount_width), label_align)
        canvas.write(right, y, amount, style, "right")
        y += step * (scale if row.emphasised else 1.0)
    if boxed:
        canvas.draw(RectangleStroke(left - 5, top + 1, right - left + 10, y - top - step * 0.5))
    return BlockEdges(y, left - 10)


def _draw_run_on(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> float:
    """`Total net: 496.00 €`, each amount right behind its label."""
    rng, typography = context.rng, context.typography
    separator = rng.pick((": ", " ", ": ", " = "))
    align: Align = rng.pick(("left", "left", "right"))
    x = context.margin if align == "left" else context.right
    for row, amount in zip(rows, amounts_with_currency(context, rows), strict=True):
        y += typography.line_height * (1.3 if row.emphasised else 1.1)
        line = [*text_runs(row.label), separator, *amount]
        context.canvas.write(x, y, line, typography.bold if row.emphasised else typography.text, align)
    return y + typography.line_height


def _draw_side_by_side(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> float:
    """A table of one row: every label is the heading above its amount."""
    typography = context.typography
    align: Align = context.rng.pick(("left", "right", "centre"))
    width = context.inner_width / len(rows)
    table_style = make_table_style(context.rng)
    columns = [TableColumn(str(number), "", width, align) for number in range(len(rows))]
    table = Table(context.canvas, columns, context.extent, typography, table_style)
    labels = {str(number): row.label for number, row in enumerate(rows)}
    amounts = {str(number): amount for number, amount in enumerate(amounts_with_currency(context, rows))}
    y = table.draw_row(y + context.line_height, labels, typography.small, goes_on=True)
    y = table.draw_row(y, amounts, context.rng.pick((typography.text, typography.bold)))
    return table.draw_bottom_line(y) + context.line_height


def _draw_under_amounts(context: DrawingContext, rows: Sequence[TotalRow], y: float, column: ColumnExtent) -> float:
    """The amounts in the column of amounts of the table above, the labels before them."""
    rng, typography, canvas, locale = context.rng, context.typography, context.canvas, context.locale
    labels_right, with_lines = rng.chance(0.7), rng.chance(0.6)
    symbol_position = rng.pick(("", "", locale.symbol_position))
    right = column.left + column.width
    for row in rows:
        y += context.line_height * 1.25
        style = typography.bold if row.emphasised else typography.text
        amount = locale.with_currency(row.amount, symbol_position)
        amount_left = min(max(column.left, right - context.inner_width * 0.2), right - style.width(plain_text(amount)))
        label_right = amount_left - 8
        label_style = style.fitted_to(plain_text(row.label), label_right - context.margin)
        if labels_right:
            canvas.write(label_right, y, row.label, label_style, "right")
        else:
            canvas.write(context.margin, y, row.label, label_style)
        canvas.write(right, y, amount, style, "right")
        if with_lines:
            canvas.draw_horizontal_line(context.margin, context.right, y + context.line_height * 0.32, 0.4)
    return y + context.line_height
