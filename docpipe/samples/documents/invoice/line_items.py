"""The line items of an invoice over one or more pages.

In: an `InvoiceLayout`, and the y where the table begins. Out: the table drawn, with groups, totals carried over and
texts between the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.table import StackedCell, Table, TableCell
from docpipe.samples.canvas.table_style import make_table_style
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.documents.invoice.layout import InvoiceLayout, next_page
from docpipe.samples.documents.invoice.line_item_columns import choose_columns, fit_columns
from docpipe.samples.documents.invoice.line_item_rows import (
    RowCells,
    discount_rows,
    make_row_style,
    row_cells,
    select_columns,
    small_print,
)
from docpipe.samples.truth import RichTextRun, field_text

MIN_GROUPED_ROWS = 3  # of a table that is parted into groups


@dataclass(frozen=True)
class LineItemRows:
    """A line item: its own row and those of its discount below it, and its name, which may stand on lines of its own
    (`name_position` as in `RowStyle`)."""

    rows: list[RowCells]
    name_position: str
    name: TableCell

    @property
    def name_line_count(self) -> int:
        return 2 * len(self.name.parts) if isinstance(self.name, StackedCell) else 2


@dataclass
class LineItemTable:
    """The table while it is drawn: where it is, and what the rows so far add up to."""

    layout: InvoiceLayout
    table: Table
    y: float
    has_header: bool
    carries_totals: bool
    carried_total: Decimal = Decimal(0)
    group_total: Decimal = Decimal(0)

    def fits(self, height: float) -> bool:
        reserved = self.layout.context.line_height * 1.5 if self.carries_totals else 0.0
        return self.y + height <= self.layout.bottom - reserved

    def draw_full_width_row(self, label: str, amount: Decimal | None = None) -> None:
        """A line over the whole width, on the next page if there is no room."""
        context = self.layout.context
        style = context.typography.bold if context.rng.chance(0.6) else context.typography.italic
        if not self.fits(context.line_height * 4):
            self._continue_on_next_page()
        printed_amount = None if amount is None else context.locale.format_number(amount)
        self.y = self.table.draw_full_width_row(self.y, label, style, printed_amount)

    def draw_item(self, item: LineItemRows) -> None:
        context = self.layout.context
        height = sum(self.table.row_height(cells) for cells in item.rows)
        name_height = item.name_line_count * context.line_height if item.name_position != "column" else 0.0
        if not self.fits(height + name_height):
            self._continue_on_next_page()
        columns, style = self.table.columns, context.typography.text
        name_column = next((column.key for column in columns if column.key != "pos"), columns[0].key)
        if item.name_position == "above":
            self.y = self.table.draw_cell_to_right_edge(self.y, name_column, item.name, style)
        for cells in item.rows:
            goes_on = cells is not item.rows[-1] or item.name_position == "below"
            self.y = self.table.draw_row(self.y, cells, goes_on=goes_on)
        if item.name_position == "below":
            self.y = self.table.draw_cell_to_right_edge(self.y, name_column, item.name, style)

    def _continue_on_next_page(self) -> None:
        """Ends the page, perhaps with a total carried over, and begins the next with the header."""
        layout, context = self.layout, self.layout.context
        self.y = self.table.draw_bottom_line(self.y)
        if self.carries_totals:
            self._draw_carried_total(context.phrase("carry", n=str(context.canvas.page_number)))
        self.y = next_page(layout)
        if context.rng.chance(0.6):
            line: list[RichTextRun] = [layout.title, " ", field_text("invoice_number", layout.invoice.number)]
            if context.rng.chance(0.5):
                line += ["  ", context.locale.date_field("issue_date", layout.invoice.issue_date)]
            context.canvas.write(context.margin, self.y, line, context.typography.text)
            self.y += context.line_height * 2
        self.table = Table(context.canvas, self.table.columns, context.extent, context.typography, self.table.style)
        if self.has_header:
            self.y = self.table.draw_header(self.y)
        if self.carries_totals:
            self._draw_carried_total(context.phrase("brought", n=str(context.canvas.page_number - 1)))
            self.y += context.line_height * 1.3

    def _draw_carried_total(self, label: str) -> None:
        context, italic = self.layout.context, self.layout.context.typography.italic
        baseline = self.y + context.line_height
        context.canvas.write(context.right - context.inner_width * 0.3, baseline, label, italic, "right")
        amount = context.locale.format_number(self.carried_total)
        context.canvas.write(context.right, baseline, amount, italic, "right")


def draw_line_items(layout: InvoiceLayout, y: float) -> float:
    """Draws the table with its top at `y`; gives the bottom."""
    context, rng = layout.context, layout.context.rng
    items, item_table = _begin_table(layout, y)
    group_starts, with_totals = _group_starts(layout), rng.chance(0.6)
    if rng.chance(0.07):
        item_table.draw_full_width_row(small_print(context, "table_intro"))
    for number, line in enumerate(layout.invoice.lines):
        if number in group_starts:
            group = group_starts.index(number)
            if number and with_totals:
                item_table.draw_full_width_row(_group_label(context, "group_total", group), item_table.group_total)
            item_table.group_total = Decimal(0)
            item_table.draw_full_width_row(_group_label(context, "group_heading", group + 1))
        item_table.draw_item(items[number])
        item_table.carried_total += line.amount
        item_table.group_total += line.amount
    if group_starts and with_totals:
        item_table.draw_full_width_row(_group_label(context, "group_total", len(group_starts)), item_table.group_total)
    layout.table = item_table.table
    return item_table.table.draw_bottom_line(item_table.y)


def _begin_table(layout: InvoiceLayout, y: float) -> tuple[list[LineItemRows], LineItemTable]:
    """The cells of all items, and the table with its header drawn."""
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    row_style, table_style, has_header = make_row_style(context, invoice), make_table_style(rng), not rng.chance(0.05)
    items = []
    for number, line in enumerate(invoice.lines):
        cells = row_cells(context, invoice, row_style, number)
        items.append([cells, *discount_rows(context, row_style, line, cells)])
    columns = choose_columns(context, invoice, row_style)
    every_row = [cells for rows in items for cells in rows]
    columns = fit_columns(context, columns, every_row, table_style.column_gap, has_header=has_header)
    keys = {column.key for column in columns}
    item_table = LineItemTable(
        layout,
        Table(context.canvas, columns, context.extent, context.typography, table_style),
        y,
        has_header,
        carries_totals=rng.chance(0.4),
    )
    if has_header:
        item_table.y = item_table.table.draw_header(y)
    return [
        LineItemRows([select_columns(cells, keys) for cells in rows], row_style.name_position, rows[0]["description"])
        for rows in items
    ], item_table


def _group_starts(layout: InvoiceLayout) -> list[int]:
    """The numbers of the lines before which a group begins; mostly there are no groups."""
    count, rng = len(layout.invoice.lines), layout.context.rng
    if count < MIN_GROUPED_ROWS or not rng.chance(0.16):
        return []
    share = rng.pick((0.15, 0.3, 0.5))
    return [0, *(number for number in range(1, count) if rng.chance(share))]


def _group_label(context: DrawingContext, key: str, number: int) -> str:
    """`Section 2`, `Delivery note 48213 of 3 May 2021`."""
    return context.phrase(key, n=str(number), date=context.locale.format_date(context.issue_date))
