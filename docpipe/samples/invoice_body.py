"""The body of an invoice: the line items over one or more pages, and what follows them.

In: a `Plan` with the sheet and the bill, and the y where the body begins. Out: items, totals, terms, footer drawn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from docpipe.samples import totals
from docpipe.samples.bill import Bill, Item
from docpipe.samples.letterhead import Sheet, draw_footer
from docpipe.samples.pen import Piece, Value, value
from docpipe.samples.table import Cell, Column, Table, TableStyle, make_table_style
from docpipe.samples.vocabulary import fill
from docpipe.samples.words import words


@dataclass
class Plan:
    """Choices that hold for the whole invoice. `bottom` is the y that items must not pass."""

    sheet: Sheet
    bill: Bill
    title: Value
    footer: bool
    footer_columns: int
    bank_in_footer: bool
    page_words: str
    letter_date: bool  # the date stands alone at the right, as in letters
    bottom: float = 0.0
    columns: list[Column] = field(default_factory=list)


def draw_items(plan: Plan, y: float) -> float:
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    plan.columns = _columns(plan)
    style = make_table_style(dice)
    table = Table(sheet.pen, plan.columns, (sheet.margin, sheet.inner), sheet.look, style)
    carries, details = dice.chance(0.4), dice.pick((0.0, 0.0, 0.0, 0.3, 0.8))
    rate_places, blank = dice.pick((0, 0, 0, 1, 2)), dice.pick((" ", "", " "))
    y = table.head(y)
    carried = Decimal(0)
    for number, item in enumerate(bill.items):
        cells = _cells(plan, number, item, rate_places, blank)
        detail = sheet.phrase("detail") if dice.chance(details) else ""
        need = table.row_height(cells) + (sheet.look.small.size * 1.2 if detail else 0.0)
        if y + need > plan.bottom - (sheet.look.line * 1.5 if carries else 0.0):
            y, table = _turn_page(plan, y, table, carried if carries else None)
        y = table.row(y, cells)
        if detail and style.row_rules == "none" and not style.zebra:
            sheet.pen.write(table.place("description")[0], y + sheet.look.small.size * 0.6, detail, sheet.look.small)
            y += sheet.look.small.size * 1.3
        carried += item.amount
    return table.close(y)


def _turn_page(plan: Plan, y: float, table: Table, carried: Decimal | None) -> tuple[float, Table]:
    """Ends the page, perhaps with a sum carried over, and begins the next with the headings."""
    sheet, dice = plan.sheet, plan.sheet.dice
    if carried is not None:
        label = sheet.phrase("carry", n=str(sheet.pen.page_number))
        _carry_line(plan, table.close(y), label, carried)
    else:
        table.close(y)
    finish_page(plan)
    y = sheet.margin + sheet.look.line
    if dice.chance(0.6):
        line: list[Piece] = [plan.title, " ", value("invoice_number", plan.bill.number)]
        if dice.chance(0.5):
            line += ["  ", sheet.manner.day("issue_date", plan.bill.issued)]
        sheet.pen.write(sheet.margin, y, line, sheet.look.text)
        y += sheet.look.line * 2
    style: TableStyle = table.style
    following = Table(sheet.pen, plan.columns, (sheet.margin, sheet.inner), sheet.look, style)
    y = following.head(y)
    if carried is not None:
        _carry_line(plan, y, sheet.phrase("brought", n=str(sheet.pen.page_number - 1)), carried)
        y += sheet.look.line * 1.3
    return y, following


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


def _columns(plan: Plan) -> list[Column]:
    """Which columns, in which order, under which headings."""
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    amount = Column("amount", sheet.word("amount"), 1.25, "right")
    columns = [Column("description", sheet.word("description"), dice.pick((3.0, 3.6, 4.4)))]
    right = dice.pick(("right", "right", "right", "centre", "left"))
    quantity = Column("quantity", sheet.word("quantity"), 0.9, right)  # type: ignore[arg-type]
    price = Column("unit_price", sheet.word("unit_price"), 1.2, "right")
    middle: list[Column] = []
    if dice.chance(0.92):
        if dice.chance(0.25):
            columns.insert(0, quantity)
        else:
            middle.append(quantity)
        if dice.chance(0.35):
            unit = Column("unit", sheet.word("unit"), 0.75, dice.pick(("left", "left", "centre")))
            place = columns if columns[0] is quantity else middle
            place.insert(place.index(quantity) + dice.pick((1, 1, 0)), unit)
        if dice.chance(0.9):
            middle.append(price)
            if dice.chance(0.1):
                middle.reverse()
    if any(item.discount for item in bill.items):
        middle.append(Column("discount", sheet.word("discount"), 0.8, "right"))
    if bill.taxed and dice.chance(0.55 if len(bill.groups) > 1 else 0.3):
        rate = Column("tax_rate", sheet.word("tax_rate"), 0.85, dice.pick(("right", "centre")))
        middle.insert(dice.pick((0, len(middle), len(middle))), rate)
        if dice.chance(0.15):
            middle.append(Column("tax_amount", sheet.word("tax_amount"), 1.0, "right"))
    if dice.chance(0.35):
        columns.insert(dice.pick((0, len(columns))), Column("code", sheet.word("code"), 1.35))
    if dice.chance(0.4):
        columns.insert(0, Column("pos", sheet.word("pos"), 0.55, dice.pick(("left", "right", "centre"))))
    return [*columns, *middle, amount]


def _cells(plan: Plan, number: int, item: Item, rate_places: int, blank: str) -> dict[str, Cell]:
    manner = plan.sheet.manner
    path = f"line_items[{number}]"
    names = {column.key for column in plan.columns}
    quantity = manner.quantity(f"{path}.quantity", item.quantity, item.quantity_places)
    unit = value(f"{path}.unit", item.unit)
    cells: dict[str, Cell] = {
        "pos": str((number + 1) * (10 if plan.bill.number[-1] in "05" else 1)),
        "code": item.code,
        "description": value(f"{path}.description", item.description),
        "quantity": quantity,
        "unit": unit,
        "unit_price": manner.money(
            manner.amount(f"{path}.unit_price", item.price, item.price_places), manner.line_sign_place
        ),
        "amount": manner.money(manner.amount(f"{path}.amount", item.amount), manner.line_sign_place),
        "tax_rate": manner.rate(f"{path}.tax_rate", item.rate, totals.rate_places(item.rate, rate_places), blank),
        "tax_amount": manner.plain(item.amount * item.rate / 100),
    }
    if item.discount:
        cells["discount"] = manner.plain(item.discount, rate_places) + (f"{blank}%" if rate_places < 2 else "")
    if "quantity" in names and "unit" not in names and _joins_units(plan):
        cells["quantity"] = [quantity, " ", unit]
    return {key: cell for key, cell in cells.items() if key in names}


def _joins_units(plan: Plan) -> bool:
    """A third of the invoices print the unit behind the quantity; the number decides, so that all rows agree."""
    return sum(map(ord, plan.bill.number)) % 3 == 0


def draw_end(plan: Plan, y: float) -> None:
    """Totals, breakdown, terms, bank, greetings."""
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    line = sheet.look.line
    if y + line * 9 > plan.bottom:
        finish_page(plan)
        y = sheet.margin + line
    top = y
    y = totals.draw_totals(sheet, bill, y + line * 0.5 * dice.random())
    if bill.taxed and dice.chance(0.5 if len(bill.groups) > 1 else 0.15):
        beside = dice.chance(0.3) and y - top > line * 4
        need = line * (5 + 2.5 * len(bill.groups))
        if y + need > plan.bottom:
            beside = False
            finish_page(plan)
            y = sheet.margin + line
        y = max(y, totals.draw_breakdown(sheet, bill, (top if beside else y) + line))
    parts = []
    if dice.chance(0.7):
        parts.append("terms")
    if not (plan.footer and plan.bank_in_footer and plan.footer_columns > 0) and dice.chance(0.7):
        parts.append("bank")
    parts += dice.some(("closing", "legal", "legal", "thanks"), dice.pick((0, 1, 2, 3)))
    if not bill.taxed:
        parts.append("reverse")
    dice.shuffle(parts)
    y += line * 1.5
    for part in parts:
        if y + line * 5 > plan.bottom:
            finish_page(plan)
            y = sheet.margin + line
        y = _draw_part(plan, part, y) + line * 0.8


def _draw_part(plan: Plan, part: str, y: float) -> float:
    sheet, bill, dice = plan.sheet, plan.bill, plan.sheet.dice
    if part == "bank":
        return totals.draw_bank(sheet, bill, y)
    if part == "terms":
        label = f"{sheet.word('terms_label')}{dice.pick((': ', ' ', ': '))}" if dice.chance(0.6) else ""
        return sheet.pen.paragraph(
            (sheet.margin, y), sheet.inner, [label, value("payment_terms", bill.terms)], sheet.look.text
        )
    language = sheet.manner.language
    key = "closing" if part == "thanks" else part
    text = fill(
        dice,
        dice.pick(words(language)[key]),
        language,
        bill.issued,
        person=bill.seller.person,
        phone=bill.seller.phone,
        city=bill.seller.city,
    )
    return sheet.pen.paragraph((sheet.margin, y), sheet.inner, text, dice.pick((sheet.look.text, sheet.look.small)))
