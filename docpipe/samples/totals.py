"""The end of a bill: totals, tax breakdown, payment.

In: a sheet and a bill. Out: rows of labels and values, drawn right, left, boxed or as a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from docpipe.samples.bill import Bill
from docpipe.samples.letterhead import Sheet, account_of
from docpipe.samples.marks import Frame
from docpipe.samples.pen import Piece, Value
from docpipe.samples.table import Column, Table, make_table_style

Row = tuple[Sequence[Piece], Value | str, bool]  # label, amount, emphasised


def rate_places(rate: Decimal, more: int) -> int:
    """Decimals a rate is printed with: as many as it needs, at least `more`."""
    exponent = rate.normalize().as_tuple().exponent
    return max(more, -exponent if isinstance(exponent, int) else 0, 0)


def total_rows(sheet: Sheet, bill: Bill) -> list[Row]:
    """The rows of the totals block, in the order in which they are printed."""
    dice, manner = sheet.dice, sheet.manner
    rows: list[Row] = []
    if bill.allowance:
        rows.append(((sheet.word("subtotal_goods"),), manner.plain(bill.goods_total), False))
        rows.append(
            ((sheet.word("discount_total" if bill.allowance < 0 else "shipping"),), manner.plain(bill.allowance), False)
        )
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
    rows.append(((sheet.word("gross_total"),), gross, True))
    if bill.inclusive and len(rows) > 1 and dice.chance(0.5):
        rows = [rows[-1], *rows[:-1]]
    if bill.prepaid:
        sign = -1 if dice.chance(0.4) else 1
        paid = Value(manner.plain(sign * bill.prepaid), ("prepaid_amount",), manner.amount("", bill.prepaid).norm)
        rows.append(((sheet.word("prepaid"),), paid, False))
        rows.append(((sheet.word("amount_due"),), manner.amount("amount_due", bill.payable), True))
    elif dice.chance(0.12):
        rows.append(((sheet.word("amount_due"),), gross, True))
    return rows


def _tax_rows(sheet: Sheet, bill: Bill) -> list[Row]:
    """One row per rate, or one for all, or both."""
    dice, manner = sheet.dice, sheet.manner
    rows: list[Row] = []
    more, blank = dice.pick((0, 0, 0, 1, 2)), dice.pick((" ", " ", ""))
    total = manner.amount("tax_total", bill.tax)
    if len(bill.groups) > 1 and dice.chance(0.35):
        return [((sheet.word("tax_total"),), total, False)]
    for number, (rate, net, tax) in enumerate(bill.groups):
        if rate == 0 and dice.chance(0.7):
            continue
        path = f"tax_breakdown[{number}]"
        amount = manner.amount(f"{path}.tax", tax)
        if len(bill.groups) == 1:
            amount = amount.also("tax_total")
        parts = sheet.word("tax_line").replace("{tax}", manner.tax)
        label: list[Piece] = []
        for part in _cut(parts):
            if part == "{rate}":
                label.append(manner.rate(f"{path}.rate", rate, rate_places(rate, more), blank))
            elif part == "{net}":
                label.append(manner.amount(f"{path}.net", net))
            else:
                label.append(part)
        if len(bill.groups) == 1 and dice.chance(0.15):
            label = [sheet.word("tax_total")]
            amount = total
        rows.append((label, amount, False))
    if len(bill.groups) > 1 and dice.chance(0.5):
        rows.append(((sheet.word("tax_total"),), total, False))
    return rows


def _cut(text: str) -> list[str]:
    parts = text.replace("{rate}", "\0{rate}\0").replace("{net}", "\0{net}\0").split("\0")
    return [part for part in parts if part]


def draw_totals(sheet: Sheet, bill: Bill, y: float) -> float:
    """The totals block with its first baseline a line below `y`; gives the y below."""
    dice, look, pen, manner = sheet.dice, sheet.look, sheet.pen, sheet.manner
    rows = total_rows(sheet, bill)
    width = sheet.inner * dice.pick((0.35, 0.42, 0.5, 0.6))
    if dice.chance(0.85):
        left, right = sheet.right - width, sheet.right - dice.pick((0.0, 2.0, 4.0))
    else:
        left, right = sheet.margin, sheet.margin + width
    step = look.line * dice.pick((1.0, 1.15, 1.4))
    boxed, ruled, big = dice.chance(0.15), dice.chance(0.4), dice.pick((1.0, 1.0, 1.15, 1.4))
    labels_right, colon = dice.chance(0.25), dice.pick(("", "", ":"))
    top, y = y, y + step
    gap = look.text.size * dice.pick((8, 10, 7))
    for label, amount, strong in rows:
        ink = (look.accented if dice.chance(0.3) else look.bold).sized(big) if strong else look.text
        y += step * (big - 1.0) * 0.7 if strong else 0.0
        if strong and ruled:
            pen.rule(left, right, y - ink.size * 1.05, 0.6)
        printed = [*label, colon]
        if labels_right:
            pen.write(right - gap * big, y, printed, ink, "right")
        else:
            pen.write(left, y, printed, ink)
        pen.write(right, y, manner.money(amount, manner.sign_place), ink, "right")
        y += step * (big if strong else 1.0)
    if boxed:
        pen.mark(Frame(left - 5, top + 1, right - left + 10, y - top - step * 0.5))
    return y


def draw_breakdown(sheet: Sheet, bill: Bill, y: float) -> float:
    """A small table of rate, net and tax."""
    dice, look, manner = sheet.dice, sheet.look, sheet.manner
    if dice.chance(0.6):
        sheet.pen.write(sheet.margin, y + look.line, sheet.word("breakdown"), look.bold)
        y += look.line * 1.4
    columns = [
        Column("rate", sheet.word("breakdown_rate"), 1.0, dice.pick(("left", "right", "centre"))),
        Column("net", sheet.word("breakdown_net"), 1.4, "right"),
        Column("tax", sheet.word("breakdown_tax"), 1.4, "right"),
    ]
    if dice.chance(0.2):
        columns[1], columns[2] = columns[2], columns[1]
    gross = dice.chance(0.25)
    if gross:
        columns.append(Column("gross", sheet.word("gross_total"), 1.4, "right"))
    width = sheet.inner * dice.pick((0.4, 0.5, 0.6))
    table = Table(sheet.pen, columns, (sheet.margin, width), look, make_table_style(dice))
    y = table.head(y)
    more, blank = dice.pick((0, 0, 1, 2)), dice.pick((" ", ""))
    for number, (rate, net, tax) in enumerate(bill.groups):
        path = f"tax_breakdown[{number}]"
        printed = manner.rate(f"{path}.rate", rate, rate_places(rate, more), blank)
        cells: dict[str, Piece] = {
            "rate": printed,
            "net": manner.amount(f"{path}.net", net),
            "tax": manner.amount(f"{path}.tax", tax),
        }
        cells["gross"] = manner.plain(net + tax)
        y = table.row(y, cells)
    if dice.chance(0.3):
        cells = {
            "net": manner.amount("net_total", bill.net),
            "tax": manner.amount("tax_total", bill.tax),
            "gross": manner.plain(bill.net + bill.tax),
        }
        y = table.row(y, cells, look.bold)
    return table.close(y)


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
