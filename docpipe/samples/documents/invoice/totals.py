"""The end of a bill: totals and payment.

In: a sheet and a bill. Out: rows of labels and values, drawn right, left, boxed, as running text, side by side, or
in the last rows of the table above.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from docpipe.samples.canvas.canvas import Align, FieldText, TextRun
from docpipe.samples.canvas.strokes import RectangleStroke
from docpipe.samples.canvas.table import Table, TableColumn, make_table_style, plain_text
from docpipe.samples.content.invoice_data import InvoiceData, round_money
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.letterhead import DrawingContext, account_line

TotalRow = tuple[Sequence[TextRun], FieldText | str, bool]  # label, amount, emphasised
CASH_DISCOUNT_RATE = Decimal("0.02")
MAX_SIDE_BY_SIDE = 6  # totals that stand side by side


def rate_decimals(rate: Decimal, more: int) -> int:
    """Decimals a rate is printed with: as many as it needs, at least `more`."""
    exponent = rate.normalize().as_tuple().exponent
    return max(more, -exponent if isinstance(exponent, int) else 0, 0)


def split_placeholders(text: str) -> list[str]:
    """`VAT {rate} on {net}` -> `VAT `, `{rate}`, ` on `, `{net}`."""
    return [part for part in re.split(r"(\{\w+\})", text) if part]


def total_rows(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    """The rows of the totals block, in the order in which they are printed."""
    rng, locale = context.rng, context.locale
    rows = _rows_before_net(context, invoice)
    net = locale.amount_field("net_total", invoice.net_total)
    gross = locale.amount_field("gross_total", invoice.gross_total)
    if not invoice.prepaid_amount:
        gross = gross.with_more_paths("amount_due")
    single = not invoice.is_taxed and rng.chance(0.6)
    if single:
        gross = gross.with_more_paths("net_total")
    elif not invoice.prices_include_tax or rng.chance(0.7):
        rows.append(((context.label("net_total"),), net, False))
    if not single:
        rows += _tax_rows(context, invoice)
    if rng.chance(0.07):
        rows.append(((rng.pick(word_lists(locale.language)["zero_rows"]),), locale.format_number(Decimal(0)), False))
    rows.append(((context.label("gross_total"),), gross, True))
    if invoice.prices_include_tax and len(rows) > 1 and rng.chance(0.5):
        rows = [rows[-1], *rows[:-1]]
    return rows + _payment_rows(context, invoice, gross)


def _rows_before_net(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    rng, locale = context.rng, context.locale
    rows: list[TotalRow] = []
    if invoice.allowance:
        rows.append(((context.label("subtotal_goods"),), locale.format_number(invoice.lines_total), False))
        key = "discount_total" if invoice.allowance < 0 else "shipping"
        rows.append(((context.label(key),), locale.format_number(invoice.allowance), False))
    elif rng.chance(0.05):
        options = list(word_lists(locale.language)["zero_rows"])
        rows += [
            ((label,), locale.format_number(Decimal(0)), False)
            for label in rng.pick_several(options, rng.pick((1, 1, 2)))
        ]
    return rows


def _payment_rows(context: DrawingContext, invoice: InvoiceData, gross: FieldText) -> list[TotalRow]:
    """What is paid, what is due, what would be taken off for quick payment."""
    rng, locale = context.rng, context.locale
    rows: list[TotalRow] = []
    if invoice.prepaid_amount:
        sign = -1 if rng.chance(0.45) else 1
        paid = FieldText(
            locale.format_number(sign * invoice.prepaid_amount),
            ("prepaid_amount",),
            locale.amount_field("", invoice.prepaid_amount).normalised,
        )
        rows.append(((context.label("prepaid"),), paid, False))
        rows.append(((context.label("amount_due"),), locale.amount_field("amount_due", invoice.amount_due), True))
    elif rng.chance(0.2):
        rows.append(((context.label("amount_due"),), gross, True))
    if rng.chance(0.05):
        less = round_money(invoice.gross_total * CASH_DISCOUNT_RATE, locale.decimals)
        rows.append(((context.phrase("cash_discount"),), locale.format_number(less), False))
    return rows


def _tax_rows(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    """One row per rate, or one for all, or both."""
    rng, locale = context.rng, context.locale
    rows: list[TotalRow] = []
    more, blank = rng.pick((0, 0, 0, 1, 2)), rng.pick((" ", " ", ""))
    total = locale.amount_field("tax_total", invoice.tax_total)
    if len(invoice.tax_breakdown) > 1 and rng.chance(0.35):
        return [((context.label("tax_total"),), total, False)]
    pattern = context.label("tax_line").replace("{tax}", locale.tax_name)
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        if rate == 0 and rng.chance(0.7):
            continue
        path = f"tax_breakdown[{number}]"
        amount = locale.amount_field(f"{path}.tax", tax)
        if len(invoice.tax_breakdown) == 1:
            amount = amount.with_more_paths("tax_total")
        known: dict[str, TextRun] = {
            "{rate}": locale.rate_field(f"{path}.rate", rate, rate_decimals(rate, more), blank),
            "{net}": locale.amount_field(f"{path}.net", net),
        }
        label = [known.get(part, part) for part in split_placeholders(pattern)]
        if len(invoice.tax_breakdown) == 1 and rng.chance(0.15):
            label = [context.label("tax_total")]
            amount = total
        rows.append((label, amount, False))
    if len(invoice.tax_breakdown) > 1 and rng.chance(0.5):
        rows.append(((context.label("tax_total"),), total, False))
    return rows


def draw_totals(context: DrawingContext, invoice: InvoiceData, y: float, table: Table | None) -> tuple[float, float]:
    """The totals with their first baseline a line below `y`. Gives the y below and the left edge of what was drawn."""
    rows, kind = total_rows(context, invoice), context.rng.random()
    if kind < 0.07:
        return _draw_run_on(context, rows, y), context.margin
    if kind < 0.15 and len(rows) <= MAX_SIDE_BY_SIDE:
        return _draw_side_by_side(context, rows, y), context.margin
    if kind < 0.27 and table is not None:
        left, width = table.place("amount")
        if left > context.margin + context.inner_width * 0.5:
            return _draw_under_amounts(context, rows, y, left, left + width), context.margin
    return _draw_block(context, rows, y)


def _draw_block(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> tuple[float, float]:
    """Labels in one column, amounts in the next."""
    rng, typography, canvas, locale = context.rng, context.typography, context.canvas, context.locale
    width = context.inner_width * rng.pick((0.35, 0.42, 0.5, 0.6))
    left, right = context.right - width, context.right - rng.pick((0.0, 2.0, 4.0))
    if rng.chance(0.15):
        left, right = context.margin, context.margin + width
    step = typography.line_height * rng.pick((1.0, 1.15, 1.4))
    boxed, ruled, big = rng.chance(0.15), rng.chance(0.4), rng.pick((1.0, 1.0, 1.15, 1.4))
    labels_right, colon = rng.chance(0.25), rng.pick(("", "", ":"))
    top, y = y, y + step
    strong_ink = (typography.accented if rng.chance(0.3) else typography.bold).scaled(big)
    amounts = [locale.with_currency(amount, locale.symbol_position) for _, amount, _ in rows]
    room = max(strong_ink.width(plain_text(amount)) for amount in amounts) + typography.text.size * rng.pick(
        (1, 1.5, 3)
    )
    for (label, _, strong), amount in zip(rows, amounts, strict=True):
        text_style = strong_ink if strong else typography.text
        y += step * (big - 1.0) * 0.7 if strong else 0.0
        if strong and ruled:
            canvas.draw_horizontal_line(left, right, y - text_style.size * 1.05, 0.6)
        printed = [*label, colon]
        fitted = text_style.fitted_to(plain_text(printed), right - left - room)
        edge, align = (right - room, "right") if labels_right else (left, "left")
        canvas.write(edge, y, printed, fitted, align)  # type: ignore[arg-type]
        canvas.write(right, y, amount, text_style, "right")
        y += step * (big if strong else 1.0)
    if boxed:
        canvas.draw(RectangleStroke(left - 5, top + 1, right - left + 10, y - top - step * 0.5))
    return y, left - 10


def _draw_run_on(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> float:
    """`Total net: 496.00 €`, each sum right behind its label."""
    rng, typography, locale = context.rng, context.typography, context.locale
    joint, align = rng.pick((": ", " ", ": ", " = ")), rng.pick(("left", "left", "right"))
    x = context.margin if align == "left" else context.right
    for label, amount, strong in rows:
        y += typography.line_height * (1.3 if strong else 1.1)
        line = [*label, joint, *locale.with_currency(amount, locale.symbol_position)]
        context.canvas.write(x, y, line, typography.bold if strong else typography.text, align)  # type: ignore[arg-type]
    return y + typography.line_height


def _draw_side_by_side(context: DrawingContext, rows: Sequence[TotalRow], y: float) -> float:
    """A table of one row: every label is the heading above its sum."""
    locale = context.locale
    align: Align = context.rng.pick(("left", "right", "centre"))
    share = context.inner_width / len(rows)
    style = make_table_style(context.rng)
    columns = [TableColumn(str(number), "", share, align) for number in range(len(rows))]
    table = Table(context.canvas, columns, (context.margin, context.inner_width), context.typography, style)
    small = context.typography.small
    y = table.draw_row(
        y + context.typography.line_height,
        {str(number): row[0] for number, row in enumerate(rows)},
        small,
        goes_on=True,
    )
    amounts = {str(number): locale.with_currency(row[1], locale.symbol_position) for number, row in enumerate(rows)}
    return (
        table.draw_bottom_line(
            table.draw_row(y, amounts, context.rng.pick((context.typography.text, context.typography.bold)))
        )
        + context.typography.line_height
    )


def _draw_under_amounts(
    context: DrawingContext, rows: Sequence[TotalRow], y: float, left: float, right: float
) -> float:
    """The sums under the column of amounts, between `left` and `right`, the labels before them."""
    rng, typography, canvas, locale = context.rng, context.typography, context.canvas, context.locale
    labels_right, ruled, places = rng.chance(0.7), rng.chance(0.6), rng.pick(("", "", locale.symbol_position))
    for label, amount, strong in rows:
        y += typography.line_height * 1.25
        text_style = typography.bold if strong else typography.text
        money = locale.with_currency(amount, places)
        room = max(left, right - context.inner_width * 0.2)
        edge = min(room, right - text_style.width(plain_text(money))) - 8
        fitted = text_style.fitted_to(plain_text(label), edge - context.margin)
        canvas.write(edge if labels_right else context.margin, y, label, fitted, "right" if labels_right else "left")
        canvas.write(right, y, money, text_style, "right")
        if ruled:
            canvas.draw_horizontal_line(context.margin, context.right, y + typography.line_height * 0.32, 0.4)
    return y + typography.line_height


def draw_bank_details(context: DrawingContext, invoice: InvoiceData, y: float) -> float:
    """Where to pay."""
    rng, typography = context.rng, context.typography
    lines: list[list[TextRun]] = [
        [f"{context.label('bank')}: {invoice.seller.bank}"],
        [*account_line(context, invoice.seller)],
        [f"{rng.pick(('BIC', 'BIC/SWIFT', 'SWIFT'))}: {invoice.seller.bic}"],
        [f"{context.label('account_holder')}: ", FieldText(invoice.seller.name, ("seller_name",), invoice.seller.name)],
    ]
    chosen = [line for number, line in enumerate(lines) if number == 1 or rng.chance(0.6)]
    if rng.chance(0.3):
        flat = [piece for line in chosen for piece in (*line, "  ")]
        return context.canvas.write_paragraph((context.margin, y), context.inner_width, flat, typography.text)
    for line in chosen:
        context.canvas.write(context.margin, y, line, typography.text)
        y += typography.line_height
    return y
