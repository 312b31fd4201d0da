"""What was bought: the items of a receipt in the layouts that cash registers know.

In: the paper and the receipt's data. Out: lines on the paper; codes, modifiers and discounts below an item are no
values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from docpipe.samples.content.receipt_data import ReceiptData, ReceiptItem
from docpipe.samples.documents.receipt.receipt_paper import PositionedText, ReceiptPaper
from docpipe.samples.truth import FieldText, RichTextRun, field_text

LAYOUTS = (
    *("simple", "simple", "counted", "counted", "name above", "name above", "columns", "columns", "code first"),
    *("quantity above", "bare"),
)
DESCRIPTION_SHARE = 0.66  # of the width, that a description may take beside its amount
MIN_DESCRIPTION_LENGTH = 4  # characters: no description is cut off below it


def print_items(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    rng = paper.context.rng
    layout = rng.pick(LAYOUTS)
    with_tax_codes = rng.chance(0.3)
    if layout in ("columns", "code first"):  # no room for currency symbols
        paper.context.locale = replace(paper.context.locale, line_symbol_position="")
    if rng.chance(0.7 if layout == "columns" else 0.3):
        _print_column_labels(paper, layout)
    printer = _ItemPrinter(
        paper,
        layout,
        capitals=paper.all_capitals or rng.chance(0.4),
        with_tax_codes=with_tax_codes,
        code_position=rng.pick(("",) * 7 + ("above", "below")),
    )
    for number, item in enumerate(receipt.items):
        printer.print_item(item, f"items[{number}]")
    paper.print_separator()


def _print_column_labels(paper: ReceiptPaper, layout: str) -> None:
    context = paper.context
    description, amount = paper.in_case(context.label("r_desc")), paper.in_case(context.label("r_amount"))
    if layout == "columns":
        paper.print_columns(
            [
                PositionedText(0.0, "left", description),
                PositionedText(0.56, "right", paper.in_case(context.label("r_qty"))),
                PositionedText(0.78, "right", paper.in_case(context.label("r_price"))),
                PositionedText(1.0, "right", amount),
            ]
        )
    elif layout == "counted":
        paper.print_label_and_value(f"{paper.in_case(context.label('r_qty'))} {description}", amount)
    else:
        paper.print_label_and_value(description, amount)
    paper.print_separator()


@dataclass(frozen=True)
class _ItemPrinter:
    """Prints all items of a receipt in one layout; the barcode stands above or below an item, or is not printed."""

    paper: ReceiptPaper
    layout: str
    capitals: bool
    with_tax_codes: bool
    code_position: str

    def print_item(self, item: ReceiptItem, path: str) -> None:
        """An item with its code, its modifiers and its discount, or an add-on, set in below its item."""
        paper = self.paper
        if item.is_add_on:
            amount = self._amount(item, path, with_tax_code=False)
            paper.print_label_and_value(self._description(item, path, 0.5), amount, indent=0.1)
            return
        if self.code_position == "above":
            paper.print_line(item.code)
        self._print_in_layout(item, path)
        if self.code_position == "below":
            paper.print_columns([PositionedText(0.06, "left", item.code)])
        for modifier in item.modifiers:
            paper.print_columns([PositionedText(0.1, "left", modifier.upper() if self.capitals else modifier)])
        if item.discount:
            label = paper.in_case(paper.context.label("r_item_off"))
            paper.print_label_and_value(label, paper.context.locale.format_number(-item.discount), indent=0.08)

    def _print_in_layout(self, item: ReceiptItem, path: str) -> None:
        layouts: dict[str, Callable[[ReceiptItem, str], None]] = {
            "simple": self._print_simple,
            "counted": self._print_counted,
            "name above": self._print_name_above,
            "columns": self._print_columns,
            "code first": self._print_code_first,
            "quantity above": self._print_quantity_above,
            "bare": self._print_bare,
        }
        layouts[self.layout](item, path)

    def _description(self, item: ReceiptItem, path: str, share: float = 1.0) -> FieldText:
        """Cut off where it is wider than its share of the line."""
        text = item.description.upper() if self.capitals else item.description
        width = self.paper.context.inner_width * share
        while len(text) > MIN_DESCRIPTION_LENGTH and self.paper.text_style.width(text) > width:
            text = text[:-1].rstrip()
        return field_text(f"{path}.description", text)

    def _quantity(self, item: ReceiptItem, path: str) -> FieldText:
        return self.paper.context.locale.number_field(f"{path}.quantity", item.quantity, item.quantity_decimals)

    def _price(self, item: ReceiptItem, path: str) -> FieldText:
        return self.paper.context.locale.number_field(f"{path}.unit_price", item.unit_price)

    def _amount(self, item: ReceiptItem, path: str, *, with_tax_code: bool = True) -> list[RichTextRun]:
        locale = self.paper.context.locale
        amount = locale.number_field(f"{path}.amount", item.amount)
        runs = self.paper.with_currency(amount, locale.line_symbol_position)
        if with_tax_code and self.with_tax_codes:
            runs.append(self.paper.tax_code_gap + item.tax_code)
        return runs

    def _print_bare(self, item: ReceiptItem, path: str) -> None:
        description = self._description(item, path, DESCRIPTION_SHARE)
        self.paper.print_label_and_value(description, self._amount(item, path))

    def _print_simple(self, item: ReceiptItem, path: str) -> None:
        """`Coffee 5.00`, and `2 x 2.50` below it where there are more than one."""
        self._print_bare(item, path)
        if item.quantity != 1:
            times = [" kg ", "@ "] if item.quantity_decimals else [" x "]
            line: list[RichTextRun] = [self._quantity(item, path), *times, self._price(item, path)]
            self.paper.print_columns([PositionedText(0.08, "left", line)])

    def _print_counted(self, item: ReceiptItem, path: str) -> None:
        """`2x Coffee 5.00`; half of the items without the sign, as their codes happen to be."""
        times = "x " if len(item.code) % 2 else "  "
        line: list[RichTextRun] = [
            self._quantity(item, path),
            times,
            self._description(item, path, DESCRIPTION_SHARE - 0.08),
        ]
        self.paper.print_label_and_value(line, self._amount(item, path))

    def _print_name_above(self, item: ReceiptItem, path: str) -> None:
        self.paper.print_line(self._description(item, path))
        line: list[RichTextRun] = [self._quantity(item, path), " x ", self._price(item, path)]
        if len(item.code) > 6:
            line.insert(0, item.code[:6] + " ")
        self.paper.print_label_and_value(line, self._amount(item, path), indent=0.06)

    def _print_columns(self, item: ReceiptItem, path: str) -> None:
        """Description, quantity, price, amount; a long description has a line of its own."""
        description = self._description(item, path)
        columns = [
            PositionedText(0.56, "right", self._quantity(item, path)),
            PositionedText(0.78, "right", self._price(item, path)),
            PositionedText(1.0, "right", self._amount(item, path)),
        ]
        if self.paper.text_style.width(description.text) < self.paper.context.inner_width * 0.46:
            columns.insert(0, PositionedText(0.0, "left", description))
        else:
            self.paper.print_line(description)
        self.paper.print_columns(columns)

    def _print_code_first(self, item: ReceiptItem, path: str) -> None:
        self.paper.print_columns(
            [
                PositionedText(0.0, "left", item.code[:8]),
                PositionedText(0.5, "right", self._quantity(item, path)),
                PositionedText(0.72, "right", self._price(item, path)),
                PositionedText(1.0, "right", self._amount(item, path)),
            ]
        )
        self.paper.print_line(self._description(item, path))

    def _print_quantity_above(self, item: ReceiptItem, path: str) -> None:
        self.paper.print_line([self._quantity(item, path), " x ", self._price(item, path)])
        self._print_bare(item, path)
