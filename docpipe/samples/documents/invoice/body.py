"""The line items of an invoice over one or more pages.

In: a `Plan` with the sheet and the bill, and the y where the body begins. Out: the table drawn, with groups, sums
carried over and texts between the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import Piece, Value, value
from docpipe.samples.canvas.table import Cell, Stack, Table, make_table_style
from docpipe.samples.content.invoice_data import Bill
from docpipe.samples.documents.invoice.columns import choose_columns, fit_columns
from docpipe.samples.documents.invoice.letterhead import Sheet, draw_footer
from docpipe.samples.documents.invoice.rows import Cells, make_habits, note, only, row_cells, rows_below

LEAST_GROUPED = 3  # rows of a table that is parted into groups


@dataclass
class Plan:
    """Choices that hold for the whole invoice. `bottom` is the y that items must not pass, `table` the table of the
    page that was drawn last."""

    sheet: Sheet
    bill: Bill
    title: Value
    footer: bool
    footer_columns: int
    bank_in_footer: bool
    page_words: str
    letter_date: bool  # the date stands alone at the right, as in letters
    bottom: float = 0.0
    table: Table | None = None


@dataclass
class Body:
    """The table while it is drawn: where it is, what the rows so far add up to."""

    plan: Plan
    table: Table
    y: float
    headed: bool
    carries: bool
    carried: Decimal = Decimal(0)
    group_sum: Decimal = Decimal(0)

    def fits(self, tall: float) -> bool:
        return self.y + tall <= self.plan.bottom - (self.plan.sheet.look.line * 1.5 if self.carries else 0.0)

    def across(self, label: str, amount: Decimal | None = None) -> None:
        """A line over the whole width, on the next page if there is no room."""
        sheet = self.plan.sheet
        ink = sheet.look.bold if sheet.dice.chance(0.6) else sheet.look.italic
        if not self.fits(sheet.look.line * 4):
            _turn_page(self)
        said = None if amount is None else sheet.manner.plain(amount)
        self.y = self.table.across(self.y, label, ink, said)


@dataclass(frozen=True)
class Row:
    """A line item: its own cells and those of the rows that belong below it, and its name, which may stand on lines of
    its own (`named` as in `Habits`)."""

    cells: list[Cells]
    named: str
    name: Cell | Stack

    @property
    def name_lines(self) -> int:
        return 2 * len(self.name.parts) if isinstance(self.name, Stack) else 2


def draw_items(plan: Plan, y: float) -> float:
    sheet, dice = plan.sheet, plan.sheet.dice
    rows, body = _begin(plan, y)
    groups, sums = _groups(plan), dice.chance(0.6)
    if dice.chance(0.07):
        body.across(note(sheet, "table_intro"))
    for number, item in enumerate(plan.bill.items):
        if number in groups:
            if number and sums:
                body.across(_numbered(sheet, "group_total", groups.index(number)), body.group_sum)
            body.group_sum = Decimal(0)
            body.across(_numbered(sheet, "group_heading", groups.index(number) + 1))
        _draw_row(body, rows[number])
        body.carried += item.amount
        body.group_sum += item.amount
    if groups and sums:
        body.across(_numbered(sheet, "group_total", len(groups)), body.group_sum)
    plan.table = body.table
    return body.table.close(body.y)


def _begin(plan: Plan, y: float) -> tuple[list[Row], Body]:
    """The cells of all items and the table with its headings."""
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    habits, style, headed = make_habits(sheet, bill), make_table_style(dice), not dice.chance(0.05)
    rows = []
    for number, item in enumerate(bill.items):
        cells = row_cells(sheet, bill, habits, number)
        rows.append([cells, *rows_below(sheet, habits, item, cells)])
    columns = choose_columns(sheet, bill, habits)
    columns = fit_columns(sheet, columns, [cells for row in rows for cells in row], style.gap, headed=headed)
    keys = {column.key for column in columns}
    table = Table(sheet.pen, columns, (sheet.margin, sheet.inner), sheet.look, style)
    body = Body(plan, table, y, headed, carries=dice.chance(0.4))
    if headed:
        body.y = table.head(y)
    return [Row([only(cells, keys) for cells in row], habits.named, row[0]["description"]) for row in rows], body


def _draw_row(body: Body, row: Row) -> None:
    table, ink = body.table, body.plan.sheet.look.text
    tall = sum(table.row_height(cells) for cells in row.cells)
    if not body.fits(tall + (row.name_lines * body.plan.sheet.look.line if row.named != "column" else 0.0)):
        _turn_page(body)
        table = body.table
    beside = next((column.key for column in table.columns if column.key != "pos"), table.columns[0].key)
    if row.named == "above":
        body.y = table.along(body.y, beside, row.name, ink)
    for cells in row.cells:
        body.y = table.row(body.y, cells, goes_on=cells is not row.cells[-1] or row.named == "below")
    if row.named == "below":
        body.y = table.along(body.y, beside, row.name, ink)


def _groups(plan: Plan) -> list[int]:
    """The numbers of the items before which a group begins; mostly there are no groups."""
    count, dice = len(plan.bill.items), plan.sheet.dice
    if count < LEAST_GROUPED or not dice.chance(0.16):
        return []
    share = dice.pick((0.15, 0.3, 0.5))
    return [0, *(number for number in range(1, count) if dice.chance(share))]


def _numbered(sheet: Sheet, key: str, number: int) -> str:
    """`Section 2`, `Delivery note 48213 of 3 May 2021`."""
    return sheet.phrase(key, n=str(number), date=sheet.manner.date(sheet.day))


def _turn_page(body: Body) -> None:
    """Ends the page, perhaps with a sum carried over, and begins the next with the headings."""
    plan, sheet, dice = body.plan, body.plan.sheet, body.plan.sheet.dice
    y = body.table.close(body.y)
    if body.carries:
        _carry_line(plan, y, sheet.phrase("carry", n=str(sheet.pen.page_number)), body.carried)
    finish_page(plan)
    y = sheet.margin + sheet.look.line
    if dice.chance(0.6):
        line: list[Piece] = [plan.title, " ", value("invoice_number", plan.bill.number)]
        if dice.chance(0.5):
            line += ["  ", sheet.manner.day("issue_date", plan.bill.issued)]
        sheet.pen.write(sheet.margin, y, line, sheet.look.text)
        y += sheet.look.line * 2
    table = body.table
    body.table = Table(sheet.pen, table.columns, (sheet.margin, sheet.inner), sheet.look, table.style)
    body.y = body.table.head(y) if body.headed else y
    if body.carries:
        _carry_line(plan, body.y, sheet.phrase("brought", n=str(sheet.pen.page_number - 1)), body.carried)
        body.y += sheet.look.line * 1.3


def _carry_line(plan: Plan, y: float, label: str, amount: Decimal) -> None:
    sheet = plan.sheet
    base = y + sheet.look.line
    sheet.pen.write(sheet.right - sheet.inner * 0.3, base, label, sheet.look.italic, "right")
    sheet.pen.write(sheet.right, base, sheet.manner.plain(amount), sheet.look.italic, "right")


def finish_page(plan: Plan) -> None:
    """Footer and page number, then the next page."""
    sheet, pen = plan.sheet, plan.sheet.pen
    if plan.footer:
        draw_footer(sheet, plan.bill.seller, columns=plan.footer_columns, bank=plan.bank_in_footer)
    if sheet.dice.chance(0.6) or pen.page_number > 1:
        text = plan.page_words.format(n=pen.page_number, m=max(pen.page_number, 1))
        align = sheet.dice.pick(("left", "right", "centre"))
        x = {"left": sheet.margin, "right": sheet.right, "centre": pen.width / 2}[align]
        pen.write(x, pen.height - sheet.margin * 0.45, text, sheet.look.small, align)  # type: ignore[arg-type]
    pen.next_page()
