"""The payment on a receipt: cash and change or a card, lines for a tip, a summary of the tax.

In: the paper and the receipt's data. Out: lines on the paper; of them only method, total and tax are values.
"""

from __future__ import annotations

from decimal import Decimal

from docpipe.samples.content.locale_style import percent_decimals
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.receipt.receipt_paper import PositionedText, ReceiptPaper
from docpipe.samples.truth import RichTextRun, field_text

SUGGESTED_TIPS = ((15, 18, 20), (18, 20, 22), (15, 20, 25))  # percent


def print_payment(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    context, rng = paper.context, paper.context.rng
    if rng.chance(0.85):
        if receipt.cash_tendered is None:
            _print_card_payment(paper, receipt)
        else:
            _print_cash_payment(paper, receipt, receipt.cash_tendered)
    if context.locale.country == "US" and not receipt.tip and rng.chance(0.2):
        _print_tip_lines(paper, receipt)
    if receipt.tax_rate and rng.chance(0.35):
        _print_tax_summary(paper, receipt)


def _print_cash_payment(paper: ReceiptPaper, receipt: ReceiptData, tendered: Decimal) -> None:
    """What the customer gave, and the change."""
    rng, locale = paper.context.rng, paper.context.locale
    _print_method(paper, "r_cash", locale.format_number(tendered))
    if tendered != receipt.total or rng.chance(0.6):
        sign = -1 if rng.chance(0.12) else 1
        change = locale.format_number(sign * (tendered - receipt.total))
        label = paper.in_case(paper.context.label("r_change"))
        paper.print_label_and_value(label, paper.with_currency(change, locale.symbol_position))


def _print_card_payment(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """The total, and half of the time the slip of the card terminal, perhaps with the total once more."""
    context, rng, locale = paper.context, paper.context.rng, paper.context.locale
    total = locale.number_field("total", receipt.total)
    _print_method(paper, "r_card", total)
    if rng.chance(0.5):
        _print_card_slip(paper)
        if rng.chance(0.3):
            label = paper.in_case(context.label("r_sale"))
            paper.print_label_and_value(label, paper.with_currency(total, locale.symbol_position))


def _print_method(paper: ReceiptPaper, key: str, amount: RichTextRun) -> None:
    method = field_text("payment_method", paper.in_case(paper.context.label(key)))
    paper.print_label_and_value(method, paper.with_currency(amount, paper.context.locale.symbol_position))


def _print_card_slip(paper: ReceiptPaper) -> None:
    rng = paper.context.rng
    lines = (
        f"{'*' * 12}{rng.from_pattern('####')}",
        f"Auth {rng.from_pattern('######')}",
        f"TID: {rng.from_pattern('########')}",
        "APPROVED",
        f"REF {rng.from_pattern('############')}",
        "CHIP READ",
        f"AID: A0000000{rng.from_pattern('######')}",
        f"MID {rng.from_pattern('#########')}",
    )
    for line in rng.pick_several(lines, 3):
        paper.print_line(line)


def _print_tip_lines(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Blanks that the guest did not fill in, and what a tip would be: no value among them."""
    context, rng = paper.context, paper.context.rng
    if rng.chance(0.7):
        blank = "_" * rng.pick((8, 12, 14))
        paper.skip_lines()
        for label in (context.label("r_tip"), rng.pick(("Total", "TOTAL", "Total Due"))):
            paper.print_label_and_value(f"{label}:", blank)
            paper.skip_lines(0.3)
    if rng.chance(0.4):
        for percent in rng.pick(SUGGESTED_TIPS):
            tip = context.locale.format_number(receipt.total * Decimal(percent) / 100)
            paper.print_line(f"{percent}% {rng.pick(('=', 'is', 'Tip ='))} {context.locale.currency_symbol}{tip}")


def _print_tax_summary(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Rate, net and tax in columns; the net is no total of the receipt."""
    locale, rng = paper.context.locale, paper.context.rng
    lists = word_lists(locale.language if locale.language != "id" else "en")
    net_label, tax_label = rng.pick(lists["breakdown_net"]), rng.pick(lists["breakdown_tax"])
    paper.skip_lines()
    in_english = locale.language in ("en", "id")
    paper.print_columns(
        [
            PositionedText(0.0, "left", f"{locale.tax_name} Summary" if in_english else locale.tax_name),
            PositionedText(0.66, "right", net_label),
            PositionedText(1.0, "right", tax_label),
        ]
    )
    tax_code = rng.pick(("SR", "S", "A", "B", "1", ""))
    rate = locale.format_number(receipt.tax_rate, percent_decimals(receipt.tax_rate))
    net = receipt.total - receipt.tax - receipt.rounding - receipt.tip
    paper.print_columns(
        [
            PositionedText(0.0, "left", f"{tax_code} {rate}%".strip()),
            PositionedText(0.62, "right", locale.format_number(net)),
            PositionedText(1.0, "right", locale.number_field("tax", receipt.tax)),
        ]
    )
    if tax_code == "SR":
        zero = locale.format_number(Decimal(0))
        paper.print_columns(
            [
                PositionedText(0.0, "left", "ZR 0%"),
                PositionedText(0.62, "right", zero),
                PositionedText(1.0, "right", zero),
            ]
        )
    paper.skip_lines(0.3)
