"""The rows of an invoice's totals: net, tax by rate, gross, what is paid and what is due.

In: the drawing context and the invoice's data. Out: `TotalRow`s in the order in which they are printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.content.invoice_data import InvoiceData, round_money
from docpipe.samples.documents.common.drawing_context import DrawingContext, fill_with_runs
from docpipe.samples.truth import FieldText, RichText, RichTextRun

CASH_DISCOUNT_RATE = Decimal("0.02")


@dataclass(frozen=True)
class TotalRow:
    """`emphasised` rows are printed bold, perhaps larger."""

    label: RichText
    amount: RichTextRun
    emphasised: bool = False


def total_rows(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    rng, locale = context.rng, context.locale
    rows = _rows_before_net(context, invoice)
    net = locale.number_field("net_total", invoice.net_total)
    gross = locale.number_field("gross_total", invoice.gross_total)
    if not invoice.prepaid_amount:
        gross = gross.with_more_paths("amount_due")
    gross_is_net = not invoice.is_taxed and rng.chance(0.6)
    if gross_is_net:
        gross = gross.with_more_paths("net_total")
    elif not invoice.prices_include_tax or rng.chance(0.7):
        rows.append(TotalRow(context.label("net_total"), net))
    if not gross_is_net:
        rows += _tax_rows(context, invoice)
    if rng.chance(0.07):
        rows.append(TotalRow(rng.pick(context.words("zero_rows")), locale.format_number(Decimal(0))))
    rows.append(TotalRow(context.label("gross_total"), gross, emphasised=True))
    if invoice.prices_include_tax and len(rows) > 1 and rng.chance(0.5):
        rows = [rows[-1], *rows[:-1]]
    return rows + _payment_rows(context, invoice, gross)


def _rows_before_net(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    """The total of the lines and what is taken off or added to it, or rows of nothing."""
    rng, locale = context.rng, context.locale
    if invoice.allowance:
        lines_total = TotalRow(context.label("subtotal_goods"), locale.format_number(invoice.lines_total))
        label = context.label("discount_total" if invoice.allowance < 0 else "shipping")
        return [lines_total, TotalRow(label, locale.format_number(invoice.allowance))]
    if rng.chance(0.05):
        labels = rng.pick_several(context.words("zero_rows"), rng.pick((1, 1, 2)))
        return [TotalRow(label, locale.format_number(Decimal(0))) for label in labels]
    return []


def _tax_rows(context: DrawingContext, invoice: InvoiceData) -> list[TotalRow]:
    """One row for each rate, or one for all, or both."""
    rng, locale = context.rng, context.locale
    rows: list[TotalRow] = []
    min_decimals, percent_gap = rng.pick((0, 0, 0, 1, 2)), rng.pick((" ", " ", ""))
    total = locale.number_field("tax_total", invoice.tax_total)
    one_rate = len(invoice.tax_breakdown) == 1
    if not one_rate and rng.chance(0.35):
        return [TotalRow(context.label("tax_total"), total)]
    template = context.label("tax_line").replace("{tax}", locale.tax_name)
    for number, (rate, net, tax) in enumerate(invoice.tax_breakdown):
        if rate == 0 and rng.chance(0.7):
            continue
        path = f"tax_breakdown[{number}]"
        amount = locale.number_field(f"{path}.tax", tax)
        if one_rate:
            amount = amount.with_more_paths("tax_total")
        fields: dict[str, RichTextRun] = {
            "{rate}": locale.percent_field(f"{path}.rate", rate, min_decimals, percent_gap),
            "{net}": locale.number_field(f"{path}.net", net),
        }
        row = TotalRow(fill_with_runs(template, fields), amount)
        if one_rate and rng.chance(0.15):
            row = TotalRow(context.label("tax_total"), total)
        rows.append(row)
    if not one_rate and rng.chance(0.5):
        rows.append(TotalRow(context.label("tax_total"), total))
    return rows


def _payment_rows(context: DrawingContext, invoice: InvoiceData, gross: FieldText) -> list[TotalRow]:
    """What is paid, what is due, what would be taken off for quick payment."""
    rng, locale = context.rng, context.locale
    rows: list[TotalRow] = []
    if invoice.prepaid_amount:
        sign = -1 if rng.chance(0.45) else 1
        prepaid = locale.number_field("prepaid_amount", invoice.prepaid_amount)
        printed = prepaid.with_text(locale.format_number(sign * invoice.prepaid_amount))
        rows.append(TotalRow(context.label("prepaid"), printed))
        amount_due = locale.number_field("amount_due", invoice.amount_due)
        rows.append(TotalRow(context.label("amount_due"), amount_due, emphasised=True))
    elif rng.chance(0.2):
        rows.append(TotalRow(context.label("amount_due"), gross, emphasised=True))
    if rng.chance(0.05):
        discount = round_money(invoice.gross_total * CASH_DISCOUNT_RATE, locale.decimals)
        rows.append(TotalRow(context.phrase("cash_discount"), locale.format_number(discount)))
    return rows


def amounts_with_currency(context: DrawingContext, rows: Sequence[TotalRow]) -> list[list[RichTextRun]]:
    return [context.locale.with_currency(row.amount, context.locale.symbol_position) for row in rows]
