"""The sums and the payment on a receipt.

In: a roll and a till. Out: lines on the roll; decoys (cash, change, rounding, tax summaries) carry no path.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import FieldText, field_text
from docpipe.samples.canvas.strokes import TextStyle
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom
from docpipe.samples.documents.invoice.totals import rate_decimals
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper

NET_WORDS = ("excl", "before", "net", " ht", "imponib", "sin iva", "sebelum")  # in labels of sums without tax


@dataclass
class _TotalsBlock:
    """How this till sets its sums: indentation, what follows a label, and the roll they go to."""

    paper: ReceiptPaper
    indent: float
    label_suffix: str
    prints_zeros: bool  # lines are printed even where nothing is to be said

    def print(self, label: str, amount: FieldText | str, text_style: TextStyle | None = None) -> None:
        paper = self.paper
        indent = self.indent if text_style is None else 0.0
        text, answer = (
            paper.in_case(label) + self.label_suffix,
            paper.with_currency(amount, paper.context.locale.symbol_position),
        )
        paper.print_label_and_value(text, answer, text_style, indent)

    def print_labelled(self, key: str, amount: FieldText | str) -> None:
        self.print(self.paper.context.label(key), amount)


def print_totals(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Subtotal, discount, service, tax, rounding, total: as much of it as this till prints."""
    rng = paper.context.rng
    colon = rng.pick(("", "", ":", " :", "....."))
    sums = _TotalsBlock(paper, rng.pick((0.0, 0.0, 0.0, 0.1, 0.25, 0.4)), colon, rng.chance(0.15))
    early = rng.chance(0.6)
    if early:
        _print_item_count(sums, receipt)
    _print_before_tax(sums, receipt)
    _print_tax(sums, receipt)
    _print_after_tax(sums, receipt)
    if rng.chance(0.3):
        paper.print_separator()
    _print_total(sums, receipt)
    if not early:
        _print_item_count(sums, receipt)
    if rng.chance(0.4):
        paper.print_separator()


def _print_item_count(sums: _TotalsBlock, receipt: ReceiptData) -> None:
    """How many articles, with or without their number as a sum of quantities."""
    rng = sums.paper.context.rng
    if rng.chance(0.3):
        number = sum(int(item.quantity) if item.quantity == int(item.quantity) else 1 for item in receipt.items)
        answer = rng.pick((str(len(receipt.items)), str(number), f"{number}.00"))
        label = sums.paper.in_case(sums.paper.context.label("r_count"))
        if rng.chance(0.5):
            sums.paper.print_label_and_value(label + sums.label_suffix, answer, None, sums.indent)
        else:
            sums.paper.print_line(f"{label}{rng.pick((': ', ' ', ' = '))}{answer}")


def _print_before_tax(sums: _TotalsBlock, receipt: ReceiptData) -> None:
    rng, locale = sums.paper.context.rng, sums.paper.context.locale
    parts = bool(
        receipt.discount
        or receipt.service_charge
        or receipt.rounding
        or receipt.tip
        or (receipt.tax and not receipt.prices_include_tax)
    )
    if parts or rng.chance(0.35):
        sums.print(_subtotal_label(sums.paper, receipt), locale.amount_field("subtotal", receipt.subtotal))
    if receipt.discount or (sums.prints_zeros and rng.chance(0.5)):
        sums.print_labelled("r_discount", locale.format_number(-receipt.discount))
    if receipt.service_charge or (sums.prints_zeros and rng.chance(0.4)):
        sums.print_labelled("r_service", locale.format_number(receipt.service_charge))
    if (
        receipt.tax_rate and receipt.prices_include_tax and rng.chance(0.15)
    ):  # the net of what is printed gross: no subtotal
        sums.print_labelled(
            "r_net", locale.format_number(receipt.subtotal - receipt.discount + receipt.service_charge - receipt.tax)
        )


def _subtotal_label(paper: ReceiptPaper, receipt: ReceiptData) -> str:
    """No label that speaks of a net sum where the prices contain the tax."""
    options = word_lists(paper.context.locale.language)["r_subtotal"]
    gross = [one for one in options if not any(part in one.casefold() for part in NET_WORDS)]
    if receipt.prices_include_tax and receipt.tax and gross:
        return paper.context.rng.pick(gross)
    return paper.context.label("r_subtotal")


def _print_tax(sums: _TotalsBlock, receipt: ReceiptData) -> None:
    rng, locale = sums.paper.context.rng, sums.paper.context.locale
    if (receipt.tax_rate and not receipt.prices_include_tax) or (receipt.tax_rate and rng.chance(0.3)):
        sums.print(_tax_label(sums.paper, receipt), locale.amount_field("tax", receipt.tax))


def _print_after_tax(sums: _TotalsBlock, receipt: ReceiptData) -> None:
    """A total before rounding and tip, which is the total only where neither changes it."""
    rng, locale = sums.paper.context.rng, sums.paper.context.locale
    if receipt.tax_rate and receipt.adds_up and rng.chance(0.2):
        gross = receipt.total - receipt.rounding - receipt.tip
        sums.print_labelled(
            "r_gross", locale.amount_field("total", gross) if gross == receipt.total else locale.format_number(gross)
        )
    if receipt.rounding or (sums.prints_zeros and locale.country in ("MY", "SG", "ID")):
        sums.print_labelled("r_rounding", locale.format_number(receipt.rounding))
    if receipt.tip:
        sums.print_labelled("r_tip", locale.amount_field("tip", receipt.tip))


def _print_total(sums: _TotalsBlock, receipt: ReceiptData) -> None:
    """The total, mostly in larger print; now and then without a label, or twice."""
    paper, context, rng = sums.paper, sums.paper.context, sums.paper.context.rng
    big = context.typography.bold.scaled(rng.pick((1.0, 1.0, 1.2, 1.5, 1.9)))
    total = context.locale.amount_field("total", receipt.total)
    kind = rng.random()
    if kind < 0.04:
        large = context.typography.bold.scaled(rng.pick((1.5, 1.9, 2.3)))
        paper.print_line(
            paper.with_currency(total, context.locale.symbol_position), rng.pick(("right", "right", "centre")), large
        )
    elif kind < 0.12:
        label = paper.in_case(context.label("r_total")).rstrip(": ")
        gap = rng.pick((": ", "  ", " "))
        paper.print_line(
            [label, gap, *paper.with_currency(total, context.locale.symbol_position)],
            rng.pick(("left", "right", "centre")),
            big,
        )
    else:
        sums.print(context.label("r_total"), total, big)
    if rng.chance(0.2):
        sums.print_labelled("r_total", total)


def _tax_label(paper: ReceiptPaper, receipt: ReceiptData) -> str:
    locale = paper.context.locale
    key = "r_incl" if receipt.prices_include_tax and paper.context.rng.chance(0.5) else "r_tax"
    rate = f"{locale.format_number(receipt.tax_rate, rate_decimals(receipt.tax_rate, 0))}%"
    return paper.context.label(key).replace("{tax}", locale.tax_name).replace("{rate}", rate)


def print_payment(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Cash and change, or a card slip; lines for a tip; tax summary."""
    context, rng, locale = paper.context, paper.context.rng, paper.context.locale
    if rng.chance(0.85):
        method = context.label("r_cash" if receipt.cash_tendered is not None else "r_card")
        paid = receipt.total if receipt.cash_tendered is None else receipt.cash_tendered
        answer = field_text("payment_method", paper.in_case(method))
        total = (
            locale.amount_field("total", receipt.total) if receipt.cash_tendered is None else locale.format_number(paid)
        )
        paper.print_label_and_value(answer, paper.with_currency(total, locale.symbol_position))
        if receipt.cash_tendered is not None and (receipt.cash_tendered != receipt.total or rng.chance(0.6)):
            sign = -1 if rng.chance(0.12) else 1
            change = locale.format_number(sign * (receipt.cash_tendered - receipt.total))
            paper.print_label_and_value(
                paper.in_case(context.label("r_change")), paper.with_currency(change, locale.symbol_position)
            )
        if receipt.cash_tendered is None and rng.chance(0.5):
            _print_card_slip(paper, rng)
            if rng.chance(0.3):
                again = paper.with_currency(locale.amount_field("total", receipt.total), locale.symbol_position)
                paper.print_label_and_value(paper.in_case(context.label("r_sale")), again)
    if locale.country == "US" and not receipt.tip and rng.chance(0.2):
        _print_tip_lines(paper, receipt)
    if receipt.tax_rate and rng.chance(0.35):
        _print_tax_summary(paper, receipt)


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
        for share in rng.pick(((15, 18, 20), (18, 20, 22), (15, 20, 25))):
            tip = context.locale.format_number(receipt.total * Decimal(share) / 100)
            paper.print_line(f"{share}% {rng.pick(('=', 'is', 'Tip ='))} {context.locale.currency_symbol}{tip}")


def _print_card_slip(paper: ReceiptPaper, rng: SeededRandom) -> None:
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


def _print_tax_summary(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """Rate, base and tax in columns: a base that is no total."""
    context, locale = paper.context, paper.context.locale
    base = receipt.total - receipt.tax - receipt.rounding - receipt.tip
    language = locale.language if locale.language != "id" else "en"
    net, tax = (context.rng.pick(word_lists(language)[key]) for key in ("breakdown_net", "breakdown_tax"))
    paper.skip_lines()
    paper.print_columns(
        [
            (0.0, "left", locale.tax_name if language != "en" else f"{locale.tax_name} Summary"),
            (0.66, "right", net),
            (1.0, "right", tax),
        ]
    )
    code = context.rng.pick(("SR", "S", "A", "B", "1", ""))
    rate = locale.format_number(receipt.tax_rate, rate_decimals(receipt.tax_rate, 0))
    paper.print_columns(
        [
            (0.0, "left", f"{code} {rate}%".strip()),
            (0.62, "right", locale.format_number(base)),
            (1.0, "right", locale.amount_field("tax", receipt.tax)),
        ]
    )
    if code == "SR":
        paper.print_columns(
            [
                (0.0, "left", "ZR 0%"),
                (0.62, "right", locale.format_number(Decimal(0))),
                (1.0, "right", locale.format_number(Decimal(0))),
            ]
        )
    paper.skip_lines(0.3)
