"""The line items of an invoice over one or more pages.

In: a `Plan` with the sheet and the bill, and the y where the body begins. Out: the table drawn, with groups, sums
carried over and texts between the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import FieldText, TextRun, field_text
from docpipe.samples.canvas.table import RichText, StackedCell, Table, make_table_style
from docpipe.samples.content.invoice_data import InvoiceData
from docpipe.samples.documents.invoice.columns import choose_columns, fit_columns
from docpipe.samples.documents.invoice.letterhead import DrawingContext, draw_footer
from docpipe.samples.documents.invoice.rows import (
    RowCells,
    make_row_style,
    row_cells,
    rows_below,
    select_columns,
    small_print,
)

MIN_GROUPED_ROWS = 3  # rows of a table that is parted into groups


@dataclass
class InvoiceLayout:
    """Choices that hold for the whole invoice. `bottom` is the y that items must not pass, `table` the table of the
    page that was drawn last."""

    context: DrawingContext
    invoice: InvoiceData
    title: FieldText
    has_footer: bool
    footer_columns: int
    bank_in_footer: bool
    page_number_format: str
    date_as_in_letters: bool  # the date stands alone at the right, as in letters
    bottom: float = 0.0
    table: Table | None = None


@dataclass
class LineItemTable:
    """The table while it is drawn: where it is, what the rows so far add up to."""

    layout: InvoiceLayout
    table: Table
    y: float
    has_header: bool
    carries_totals: bool
    carried_total: Decimal = Decimal(0)
    group_total: Decimal = Decimal(0)

    def fits(self, tall: float) -> bool:
        return self.y + tall <= self.layout.bottom - (
            self.layout.context.typography.line_height * 1.5 if self.carries_totals else 0.0
        )

    def draw_full_width_row(self, label: str, amount: Decimal | None = None) -> None:
        """A line over the whole width, on the next page if there is no room."""
        context = self.layout.context
        text_style = context.typography.bold if context.rng.chance(0.6) else context.typography.italic
        if not self.fits(context.typography.line_height * 4):
            _continue_on_next_page(self)
        answer = None if amount is None else context.locale.format_number(amount)
        self.y = self.table.draw_full_width_row(self.y, label, text_style, answer)


@dataclass(frozen=True)
class LineItemRows:
    """A line item: its own cells and those of the rows that belong below it, and its name, which may stand on lines of
    its own (`named` as in `Habits`)."""

    rows: list[RowCells]
    name_position: str
    name_cell: RichText | StackedCell

    @property
    def name_lines(self) -> int:
        return 2 * len(self.name_cell.parts) if isinstance(self.name_cell, StackedCell) else 2


def draw_line_items(layout: InvoiceLayout, y: float) -> float:
    context, rng = layout.context, layout.context.rng
    rows, body = _begin(layout, y)
    groups, sums = _group_starts(layout), rng.chance(0.6)
    if rng.chance(0.07):
        body.draw_full_width_row(small_print(context, "table_intro"))
    for number, item in enumerate(layout.invoice.lines):
        if number in groups:
            if number and sums:
                body.draw_full_width_row(_group_label(context, "group_total", groups.index(number)), body.group_total)
            body.group_total = Decimal(0)
            body.draw_full_width_row(_group_label(context, "group_heading", groups.index(number) + 1))
        _draw_row(body, rows[number])
        body.carried_total += item.amount
        body.group_total += item.amount
    if groups and sums:
        body.draw_full_width_row(_group_label(context, "group_total", len(groups)), body.group_total)
    layout.table = body.table
    return body.table.draw_bottom_line(body.y)


def _begin(layout: InvoiceLayout, y: float) -> tuple[list[LineItemRows], LineItemTable]:
    """The cells of all items and the table with its headings."""
    context, invoice, rng = layout.context, layout.invoice, layout.context.rng
    habits, style, headed = make_row_style(context, invoice), make_table_style(rng), not rng.chance(0.05)
    rows = []
    for number, item in enumerate(invoice.lines):
        cells = row_cells(context, invoice, habits, number)
        rows.append([cells, *rows_below(context, habits, item, cells)])
    columns = choose_columns(context, invoice, habits)
    columns = fit_columns(context, columns, [cells for row in rows for cells in row], style.column_gap, headed=headed)
    keys = {column.key for column in columns}
    table = Table(context.canvas, columns, (context.margin, context.inner_width), context.typography, style)
    body = LineItemTable(layout, table, y, headed, carries_totals=rng.chance(0.4))
    if headed:
        body.y = table.draw_header(y)
    return [
        LineItemRows([select_columns(cells, keys) for cells in row], habits.name_position, row[0]["description"])
        for row in rows
    ], body


def _draw_row(body: LineItemTable, row: LineItemRows) -> None:
    table, text_style = body.table, body.layout.context.typography.text
    tall = sum(table.row_height(cells) for cells in row.rows)
    if not body.fits(
        tall + (row.name_lines * body.layout.context.typography.line_height if row.name_position != "column" else 0.0)
    ):
        _continue_on_next_page(body)
        table = body.table
    beside = next((column.key for column in table.columns if column.key != "pos"), table.columns[0].key)
    if row.name_position == "above":
        body.y = table.draw_cell_to_right_edge(body.y, beside, row.name_cell, text_style)
    for cells in row.rows:
        body.y = table.draw_row(body.y, cells, goes_on=cells is not row.rows[-1] or row.name_position == "below")
    if row.name_position == "below":
        body.y = table.draw_cell_to_right_edge(body.y, beside, row.name_cell, text_style)


def _group_starts(layout: InvoiceLayout) -> list[int]:
    """The numbers of the items before which a group begins; mostly there are no groups."""
    count, rng = len(layout.invoice.lines), layout.context.rng
    if count < MIN_GROUPED_ROWS or not rng.chance(0.16):
        return []
    share = rng.pick((0.15, 0.3, 0.5))
    return [0, *(number for number in range(1, count) if rng.chance(share))]


def _group_label(context: DrawingContext, key: str, number: int) -> str:
    """`Section 2`, `Delivery note 48213 of 3 May 2021`."""
    return context.phrase(key, n=str(number), date=context.locale.format_date(context.issue_date))


def _continue_on_next_page(body: LineItemTable) -> None:
    """Ends the page, perhaps with a sum carried over, and begins the next with the headings."""
    layout, context, rng = body.layout, body.layout.context, body.layout.context.rng
    y = body.table.draw_bottom_line(body.y)
    if body.carries_totals:
        _draw_carried_total(layout, y, context.phrase("carry", n=str(context.canvas.page_number)), body.carried_total)
    finish_page(layout)
    y = context.margin + context.typography.line_height
    if rng.chance(0.6):
        line: list[TextRun] = [layout.title, " ", field_text("invoice_number", layout.invoice.number)]
        if rng.chance(0.5):
            line += ["  ", context.locale.date_field("issue_date", layout.invoice.issue_date)]
        context.canvas.write(context.margin, y, line, context.typography.text)
        y += context.typography.line_height * 2
    table = body.table
    body.table = Table(
        context.canvas, table.columns, (context.margin, context.inner_width), context.typography, table.style
    )
    body.y = body.table.draw_header(y) if body.has_header else y
    if body.carries_totals:
        _draw_carried_total(
            layout, body.y, context.phrase("brought", n=str(context.canvas.page_number - 1)), body.carried_total
        )
        body.y += context.typography.line_height * 1.3


def _draw_carried_total(layout: InvoiceLayout, y: float, label: str, amount: Decimal) -> None:
    context = layout.context
    base = y + context.typography.line_height
    context.canvas.write(context.right - context.inner_width * 0.3, base, label, context.typography.italic, "right")
    context.canvas.write(context.right, base, context.locale.format_number(amount), context.typography.italic, "right")


def finish_page(layout: InvoiceLayout) -> None:
    """Footer and page number, then the next page."""
    context, canvas = layout.context, layout.context.canvas
    if layout.has_footer:
        draw_footer(context, layout.invoice.seller, columns=layout.footer_columns, bank=layout.bank_in_footer)
    if context.rng.chance(0.6) or canvas.page_number > 1:
        text = layout.page_number_format.format(n=canvas.page_number, m=max(canvas.page_number, 1))
        align = context.rng.pick(("left", "right", "centre"))
        x = {"left": context.margin, "right": context.right, "centre": canvas.width / 2}[align]
        canvas.write(x, canvas.height - context.margin * 0.45, text, context.typography.small, align)  # type: ignore[arg-type]
    canvas.next_page()
