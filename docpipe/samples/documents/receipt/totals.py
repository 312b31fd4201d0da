"""The totals of a receipt: subtotal, discount, service, tax, rounding, tip, total.

In: the paper and the receipt's data. Out: lines on the paper; discount, service, rounding and counts are no values.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.canvas.text_style import TextStyle
from docpipe.samples.content.locale_style import percent_decimals
from docpipe.samples.content.receipt_data import ReceiptData
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper
from docpipe.samples.truth import RichTextRun

NET_WORDS = ("excl", "before", "net", " ht", "imponib", "sin iva", "sebelum")  # in labels of totals without tax
COUNTRIES_WITH_ROUNDING = ("MY", "SG", "ID")


@dataclass(frozen=True)
class _TotalsBlock:
    """How this receipt prints its totals. `prints_zeros`: lines are there even where they say nothing."""

    paper: ReceiptPaper
    receipt: ReceiptData
    indent: float
    label_suffix: str
    prints_zeros: bool

    def print(self, label: str, amount: RichTextRun, style: TextStyle | None = None) -> None:
        """A label and its amount, indented unless it has a style of its own."""
        paper = self.paper
        indent = self.indent if style is None else 0.0
        printed_amount = paper.with_currency(amount, paper.context.locale.symbol_position)
        paper.print_label_and_value(paper.in_case(label) + self.label_suffix, printed_amount, style, indent)

    def print_key(self, key: str, amount: RichTextRun) -> None:
        """An amount below one of the synonyms of a label."""
        self.print(self.paper.context.label(key), amount)


def print_totals(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    """As many of the totals as this receipt prints."""
    rng = paper.context.rng
    label_suffix = rng.pick(("", "", ":", " :", "....."))
    indent, prints_zeros = rng.pick((0.0, 0.0, 0.0, 0.1, 0.25, 0.4)), rng.chance(0.15)
    block = _TotalsBlock(paper, receipt, indent, label_suffix, prints_zeros)
    count_first = rng.chance(0.6)
    if count_first:
        _print_item_count(block)
    _print_before_tax(block)
    _print_tax(block)
    _print_after_tax(block)
    if rng.chance(0.3):
        paper.print_separator()
    _print_total(block)
    if not count_first:
        _print_item_count(block)
    if rng.chance(0.4):
        paper.print_separator()


def _print_item_count(block: _TotalsBlock) -> None:
    """How many items there are, or the sum of their quantities."""
    paper, rng, items = block.paper, block.paper.context.rng, block.receipt.items
    if rng.chance(0.3):
        quantity = sum(int(item.quantity) if item.quantity == int(item.quantity) else 1 for item in items)
        count = rng.pick((str(len(items)), str(quantity), f"{quantity}.00"))
        label = paper.in_case(paper.context.label("r_count"))
        if rng.chance(0.5):
            paper.print_label_and_value(label + block.label_suffix, count, indent=block.indent)
        else:
            paper.print_line(f"{label}{rng.pick((': ', ' ', ' = '))}{count}")


def _print_before_tax(block: _TotalsBlock) -> None:
    receipt, rng, locale = block.receipt, block.paper.context.rng, block.paper.context.locale
    has_parts = bool(receipt.discount or receipt.service_charge or receipt.rounding or receipt.tip)
    if has_parts or (receipt.tax and not receipt.prices_include_tax) or rng.chance(0.35):
        block.print(_subtotal_label(block), locale.number_field("subtotal", receipt.subtotal))
    if receipt.discount or (block.prints_zeros and rng.chance(0.5)):
        block.print_key("r_discount", locale.format_number(-receipt.discount))
    if receipt.service_charge or (block.prints_zeros and rng.chance(0.4)):
        block.print_key("r_service", locale.format_number(receipt.service_charge))
    if receipt.tax_rate and receipt.prices_include_tax and rng.chance(0.15):
        net = receipt.subtotal - receipt.discount + receipt.service_charge - receipt.tax
        block.print_key("r_net", locale.format_number(net))  # no subtotal, for the items are printed with tax


def _subtotal_label(block: _TotalsBlock) -> str:
    """No label that speaks of a net total where the prices contain the tax."""
    context = block.paper.context
    gross_labels = [
        label for label in context.words("r_subtotal") if not any(word in label.casefold() for word in NET_WORDS)
    ]
    if block.receipt.prices_include_tax and block.receipt.tax and gross_labels:
        return context.rng.pick(gross_labels)
    return context.label("r_subtotal")


def _print_tax(block: _TotalsBlock) -> None:
    receipt, rng, locale = block.receipt, block.paper.context.rng, block.paper.context.locale
    if receipt.tax_rate and (not receipt.prices_include_tax or rng.chance(0.3)):
        block.print(_tax_label(block), locale.number_field("tax", receipt.tax))


def _tax_label(block: _TotalsBlock) -> str:
    context, receipt = block.paper.context, block.receipt
    key = "r_incl" if receipt.prices_include_tax and context.rng.chance(0.5) else "r_tax"
    rate = context.locale.format_number(receipt.tax_rate, percent_decimals(receipt.tax_rate))
    return context.label(key).replace("{tax}", context.locale.tax_name).replace("{rate}", f"{rate}%")


def _print_after_tax(block: _TotalsBlock) -> None:
    """A total before rounding and tip, which is the total only where neither changes it; rounding; tip."""
    receipt, rng, locale = block.receipt, block.paper.context.rng, block.paper.context.locale
    if receipt.tax_rate and receipt.adds_up and rng.chance(0.2):
        gross = receipt.total - receipt.rounding - receipt.tip
        is_total = gross == receipt.total
        block.print_key("r_gross", locale.number_field("total", gross) if is_total else locale.format_number(gross))
    if receipt.rounding or (block.prints_zeros and locale.country in COUNTRIES_WITH_ROUNDING):
        block.print_key("r_rounding", locale.format_number(receipt.rounding))
    if receipt.tip:
        block.print_key("r_tip", locale.number_field("tip", receipt.tip))


def _print_total(block: _TotalsBlock) -> None:
    """The total, mostly in larger print; now and then without a label, or twice."""
    paper, context, rng = block.paper, block.paper.context, block.paper.context.rng
    bold = context.typography.bold
    style = bold.scaled(rng.pick((1.0, 1.0, 1.2, 1.5, 1.9)))
    total = context.locale.number_field("total", block.receipt.total)
    with_currency = paper.with_currency(total, context.locale.symbol_position)
    form = rng.random()
    if form < 0.04:
        large = bold.scaled(rng.pick((1.5, 1.9, 2.3)))
        paper.print_line(with_currency, rng.pick(("right", "right", "centre")), large)
    elif form < 0.12:
        label = paper.in_case(context.label("r_total")).rstrip(": ")
        line = [label, rng.pick((": ", "  ", " ")), *with_currency]
        paper.print_line(line, rng.pick(("left", "right", "centre")), style)
    else:
        block.print(context.label("r_total"), total, style)
    if rng.chance(0.2):
        block.print_key("r_total", total)
