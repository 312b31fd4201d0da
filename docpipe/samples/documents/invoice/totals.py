"""The end of a bill: totals and payment.

In: a sheet and a bill. Out: rows of labels and values, drawn right, left, boxed, as running text, side by side, or
in the last rows of the table above.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from docpipe.samples.canvas.canvas import Align, Piece, Value
from docpipe.samples.canvas.strokes import Frame
from docpipe.samples.canvas.table import Column, Table, make_table_style, text_of
from docpipe.samples.content.invoice_data import Bill, cents
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.letterhead import Sheet, account_of

Row = tuple[Sequence[Piece], Value | str, bool]  # label, amount, emphasised
CASH_DISCOUNT = Decimal("0.02")
MOST_BESIDE = 6  # totals that stand side by side


def rate_places(rate: Decimal, more: int) -> int:
    """Decimals a rate is printed with: as many as it needs, at least `more`."""
    exponent = rate.normalize().as_tuple().exponent
    return max(more, -exponent if isinstance(exponent, int) else 0, 0)


def cut(text: str) -> list[str]:
    """`VAT {rate} on {net}` -> `VAT `, `{rate}`, ` on `, `{net}`."""
    return [part for part in re.split(r"(\{\w+\})", text) if part]


def total_rows(sheet: Sheet, bill: Bill) -> list[Row]:
    """The rows of the totals block, in the order in which they are printed."""
    dice, manner = sheet.dice, sheet.manner
    rows = _rows_before_net(sheet, bill)
    net = manner.amount("net_total", bill.net)
    gross = manner.amount("gross_total", bill.gross)
    if not bill.prepaid:
        gross = gross.also("amount_due")
    single = not bill.taxed and dice.chance(0.6)
    if single:
        gross = gross.also("net_total")
    elif not bill.inclusive or dice.chance(0.7):
        rows.append(((sheet.word("net_total"),), net, False))
    if not single:
        rows += _tax_rows(sheet, bill)
    if dice.chance(0.07):
        rows.append(((dice.pick(words(manner.language)["zero_rows"]),), manner.plain(Decimal(0)), False))
    rows.append(((sheet.word("gross_total"),), gross, True))
    if bill.inclusive and len(rows) > 1 and dice.chance(0.5):
        rows = [rows[-1], *rows[:-1]]
    return rows + _rows_of_payment(sheet, bill, gross)


def _rows_before_net(sheet: Sheet, bill: Bill) -> list[Row]:
    dice, manner = sheet.dice, sheet.manner
    rows: list[Row] = []
    if bill.allowance:
        rows.append(((sheet.word("subtotal_goods"),), manner.plain(bill.goods_total), False))
        key = "discount_total" if bill.allowance < 0 else "shipping"
        rows.append(((sheet.word(key),), manner.plain(bill.allowance), False))
    elif dice.chance(0.05):
        options = list(words(manner.language)["zero_rows"])
        rows += [((label,), manner.plain(Decimal(0)), False) for label in dice.some(options, dice.pick((1, 1, 2)))]
    return rows


def _rows_of_payment(sheet: Sheet, bill: Bill, gross: Value) -> list[Row]:
    """What is paid, what is due, what would be taken off for quick payment."""
    dice, manner = sheet.dice, sheet.manner
    rows: list[Row] = []
    if bill.prepaid:
        sign = -1 if dice.chance(0.45) else 1
        paid = Value(manner.plain(sign * bill.prepaid), ("prepaid_amount",), manner.amount("", bill.prepaid).norm)
        rows.append(((sheet.word("prepaid"),), paid, False))
        rows.append(((sheet.word("amount_due"),), manner.amount("amount_due", bill.payable), True))
    elif dice.chance(0.2):
        rows.append(((sheet.word("amount_due"),), gross, True))
    if dice.chance(0.05):
        less = cents(bill.gross * CASH_DISCOUNT, manner.places)
        rows.append(((sheet.phrase("cash_discount"),), manner.plain(less), False))
    return rows


def _tax_rows(sheet: Sheet, bill: Bill) -> list[Row]:
    """One row per rate, or one for all, or both."""
    dice, manner = sheet.dice, sheet.manner
    rows: list[Row] = []
    more, blank = dice.pick((0, 0, 0, 1, 2)), dice.pick((" ", " ", ""))
    total = manner.amount("tax_total", bill.tax)
    if len(bill.groups) > 1 and dice.chance(0.35):
        return [((sheet.word("tax_total"),), total, False)]
    pattern = sheet.word("tax_line").replace("{tax}", manner.tax)
    for number, (rate, net, tax) in enumerate(bill.groups):
        if rate == 0 and dice.chance(0.7):
            continue
        path = f"tax_breakdown[{number}]"
        amount = manner.amount(f"{path}.tax", tax)
        if len(bill.groups) == 1:
            amount = amount.also("tax_total")
        known: dict[str, Piece] = {
            "{rate}": manner.rate(f"{path}.rate", rate, rate_places(rate, more), blank),
            "{net}": manner.amount(f"{path}.net", net),
        }
        label = [known.get(part, part) for part in cut(pattern)]
        if len(bill.groups) == 1 and dice.chance(0.15):
            label = [sheet.word("tax_total")]
            amount = total
        rows.append((label, amount, False))
    if len(bill.groups) > 1 and dice.chance(0.5):
        rows.append(((sheet.word("tax_total"),), total, False))
    return rows


def draw_totals(sheet: Sheet, bill: Bill, y: float, table: Table | None) -> tuple[float, float]:
    """The totals with their first baseline a line below `y`. Gives the y below and the left edge of what was drawn."""
    rows, kind = total_rows(sheet, bill), sheet.dice.random()
    if kind < 0.07:
        return _draw_running(sheet, rows, y), sheet.margin
    if kind < 0.15 and len(rows) <= MOST_BESIDE:
        return _draw_beside(sheet, rows, y), sheet.margin
    if kind < 0.27 and table is not None:
        left, width = table.place("amount")
        if left > sheet.margin + sheet.inner * 0.5:
            return _draw_under(sheet, rows, y, left, left + width), sheet.margin
    return _draw_block(sheet, rows, y)


def _draw_block(sheet: Sheet, rows: Sequence[Row], y: float) -> tuple[float, float]:
    """Labels in one column, amounts in the next."""
    dice, look, pen, manner = sheet.dice, sheet.look, sheet.pen, sheet.manner
    width = sheet.inner * dice.pick((0.35, 0.42, 0.5, 0.6))
    left, right = sheet.right - width, sheet.right - dice.pick((0.0, 2.0, 4.0))
    if dice.chance(0.15):
        left, right = sheet.margin, sheet.margin + width
    step = look.line * dice.pick((1.0, 1.15, 1.4))
    boxed, ruled, big = dice.chance(0.15), dice.chance(0.4), dice.pick((1.0, 1.0, 1.15, 1.4))
    labels_right, colon = dice.chance(0.25), dice.pick(("", "", ":"))
    top, y = y, y + step
    strong_ink = (look.accented if dice.chance(0.3) else look.bold).sized(big)
    amounts = [manner.money(amount, manner.sign_place) for _, amount, _ in rows]
    room = max(strong_ink.width(text_of(amount)) for amount in amounts) + look.text.size * dice.pick((1, 1.5, 3))
    for (label, _, strong), amount in zip(rows, amounts, strict=True):
        ink = strong_ink if strong else look.text
        y += step * (big - 1.0) * 0.7 if strong else 0.0
        if strong and ruled:
            pen.rule(left, right, y - ink.size * 1.05, 0.6)
        printed = [*label, colon]
        fitted = ink.fitted(text_of(printed), right - left - room)
        edge, align = (right - room, "right") if labels_right else (left, "left")
        pen.write(edge, y, printed, fitted, align)  # type: ignore[arg-type]
        pen.write(right, y, amount, ink, "right")
        y += step * (big if strong else 1.0)
    if boxed:
        pen.mark(Frame(left - 5, top + 1, right - left + 10, y - top - step * 0.5))
    return y, left - 10


def _draw_running(sheet: Sheet, rows: Sequence[Row], y: float) -> float:
    """`Total net: 496.00 €`, each sum right behind its label."""
    dice, look, manner = sheet.dice, sheet.look, sheet.manner
    joint, align = dice.pick((": ", " ", ": ", " = ")), dice.pick(("left", "left", "right"))
    x = sheet.margin if align == "left" else sheet.right
    for label, amount, strong in rows:
        y += look.line * (1.3 if strong else 1.1)
        line = [*label, joint, *manner.money(amount, manner.sign_place)]
        sheet.pen.write(x, y, line, look.bold if strong else look.text, align)  # type: ignore[arg-type]
    return y + look.line


def _draw_beside(sheet: Sheet, rows: Sequence[Row], y: float) -> float:
    """A table of one row: every label is the heading above its sum."""
    manner = sheet.manner
    align: Align = sheet.dice.pick(("left", "right", "centre"))
    share = sheet.inner / len(rows)
    style = make_table_style(sheet.dice)
    columns = [Column(str(number), "", share, align) for number in range(len(rows))]
    table = Table(sheet.pen, columns, (sheet.margin, sheet.inner), sheet.look, style)
    small = sheet.look.small
    y = table.row(y + sheet.look.line, {str(number): row[0] for number, row in enumerate(rows)}, small, goes_on=True)
    amounts = {str(number): manner.money(row[1], manner.sign_place) for number, row in enumerate(rows)}
    return table.close(table.row(y, amounts, sheet.dice.pick((sheet.look.text, sheet.look.bold)))) + sheet.look.line


def _draw_under(sheet: Sheet, rows: Sequence[Row], y: float, left: float, right: float) -> float:
    """The sums under the column of amounts, between `left` and `right`, the labels before them."""
    dice, look, pen, manner = sheet.dice, sheet.look, sheet.pen, sheet.manner
    labels_right, ruled, places = dice.chance(0.7), dice.chance(0.6), dice.pick(("", "", manner.sign_place))
    for label, amount, strong in rows:
        y += look.line * 1.25
        ink = look.bold if strong else look.text
        money = manner.money(amount, places)
        room = max(left, right - sheet.inner * 0.2)
        edge = min(room, right - ink.width(text_of(money))) - 8
        fitted = ink.fitted(text_of(label), edge - sheet.margin)
        pen.write(edge if labels_right else sheet.margin, y, label, fitted, "right" if labels_right else "left")
        pen.write(right, y, money, ink, "right")
        if ruled:
            pen.rule(sheet.margin, sheet.right, y + look.line * 0.32, 0.4)
    return y + look.line


def draw_bank(sheet: Sheet, bill: Bill, y: float) -> float:
    """Where to pay."""
    dice, look = sheet.dice, sheet.look
    lines: list[list[Piece]] = [
        [f"{sheet.word('bank')}: {bill.seller.bank}"],
        [*account_of(sheet, bill.seller)],
        [f"{dice.pick(('BIC', 'BIC/SWIFT', 'SWIFT'))}: {bill.seller.bic}"],
        [f"{sheet.word('account_holder')}: ", Value(bill.seller.name, ("seller_name",), bill.seller.name)],
    ]
    chosen = [line for number, line in enumerate(lines) if number == 1 or dice.chance(0.6)]
    if dice.chance(0.3):
        flat = [piece for line in chosen for piece in (*line, "  ")]
        return sheet.pen.paragraph((sheet.margin, y), sheet.inner, flat, look.text)
    for line in chosen:
        sheet.pen.write(sheet.margin, y, line, look.text)
        y += look.line
    return y
