"""What stands in the cells of a line item: the values of its row, and the numbers and notes that are no values.

In: the drawing context, the invoice's data and the row style of one document. Out: for each line its cells, and the
rows that belong below it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.table import StackedCell, TableCell
from docpipe.samples.canvas.text_style import StyledText, TextStyle
from docpipe.samples.content.invoice_data import HUNDRED, InvoiceData, InvoiceLine, round_money
from docpipe.samples.documents.common.drawing_context import DrawingContext
from docpipe.samples.truth import RichTextRun, field_text, plain_text

RowCells = dict[str, TableCell]
CODE_PATTERNS = (
    *("%####", "??-%##", "%##.###", "?%#####", "%############", "??##-?", "###-##", "GW?%##", "%####-##", "?##"),
    "%##",
)
OTHER_CODE_PATTERNS = (*CODE_PATTERNS, "40######%####", "50######%####")
NOTE_KINDS = ("detail", "detail", "article", "article", "blurb", "blurb", "row_text")


@dataclass(frozen=True)
class RowStyle:
    """How all rows of one document are written.

    `shared_cell` says which values share a cell: "unit" (2 pcs), "times" (5 x), "product" (2 x 3,50), "priced unit"
    (160,00 €/h), "base" (32,76 / 100), or none (""). `name_position` says where the name stands: in its column, or on
    lines of its own above or below the figures. `discount_position` says where a discount of a row stands: in a column,
    in a note, in one row below ("less") or in two ("rows"). `price_base_quantity` is the quantity that the printed
    price is for (BT-149 of EN 16931). `percent_gap` stands before a percent sign; `numbering` shows the first position.
    """

    shared_cell: str
    name_position: str
    discount_position: str
    price_base_quantity: int
    rate_decimals: int  # at least
    rate_in_note: bool
    percent_gap: str
    numbering: str
    code_pattern: str
    other_code_pattern: str
    bold_name: bool
    small_notes: bool
    note_above_share: float  # of the rows have a note above the name
    note_below_share: float  # and below it
    note_kinds: tuple[str, ...]
    tax_category: str


def make_row_style(context: DrawingContext, invoice: InvoiceData) -> RowStyle:
    rng = context.rng
    has_discounts = any(line.discount_percent for line in invoice.lines)
    has_notes = rng.chance(0.55)
    has_base = rng.chance(0.08)
    name_position = rng.pick(("column", "column", "column", "column", "column", "column", "above", "below"))
    discount_positions = (
        ("column", "column", "column", "note", "rows", "less") if name_position == "column" else ("column", "note")
    )
    shared_cells = ("", "", "", "", "", "unit", "unit", "times", "product", "priced unit")
    return RowStyle(
        shared_cell=rng.pick(("", "base")) if has_base else rng.pick(shared_cells),
        name_position=name_position,
        discount_position=rng.pick(discount_positions) if has_discounts else "",
        price_base_quantity=rng.pick((10, 100, 100, 1000)) if has_base else 1,
        rate_decimals=rng.pick((0, 0, 0, 1, 2)),
        rate_in_note=invoice.is_taxed and rng.chance(0.14),
        percent_gap=rng.pick((" ", "", " ")),
        numbering=rng.pick(("1", "1", "1", "10", "01", "001", "1.", "1.1")),
        code_pattern=rng.pick(CODE_PATTERNS),
        other_code_pattern=rng.pick(OTHER_CODE_PATTERNS),
        bold_name=rng.chance(0.25),
        small_notes=rng.chance(0.55),
        note_above_share=rng.pick((0.0, 0.0, 0.0, 0.6, 1.0)) if has_notes else 0.0,
        note_below_share=rng.pick((0.2, 0.5, 0.8, 1.0)) if has_notes else 0.0,
        note_kinds=tuple(rng.pick_several(NOTE_KINDS, rng.pick((1, 1, 2, 3)))),
        tax_category=context.label("tax_category"),
    )


def row_cells(context: DrawingContext, invoice: InvoiceData, style: RowStyle, number: int) -> RowCells:
    """Every cell that the row may have, by the key of its column."""
    rng, locale, line = context.rng, context.locale, invoice.lines[number]
    path = f"line_items[{number}]"
    tax = round_money(line.amount * line.tax_rate / HUNDRED)
    amount = locale.number_field(f"{path}.amount", line.amount)
    cells: RowCells = {
        "pos": _position_number(style.numbering, number),
        "code": rng.from_pattern(style.code_pattern),
        "other_code": rng.from_pattern(style.other_code_pattern),
        "row_date": locale.format_date(invoice.issue_date),
        "description": _description(context, style, line, path),
        "unit": field_text(f"{path}.unit", line.unit),
        "base": str(style.price_base_quantity),
        "list_price": locale.format_number(line.unit_price * style.price_base_quantity, line.price_decimals),
        "amount": locale.with_currency(amount, locale.line_symbol_position),
        "tax_rate": locale.percent_field(f"{path}.tax_rate", line.tax_rate, style.rate_decimals, style.percent_gap),
        "tax_amount": locale.format_number(tax),
        "amount_gross": locale.format_number(line.amount + tax),
        "tax_code": style.tax_category,
    }
    if line.discount_percent:
        cells["discount"] = _discount(context, style, line)
    return cells | _quantity_and_price(context, style, line, path)


def _quantity_and_price(context: DrawingContext, style: RowStyle, line: InvoiceLine, path: str) -> RowCells:
    """Quantity, unit and price, each alone or together in one cell."""
    locale, base = context.locale, style.price_base_quantity
    quantity = locale.number_field(f"{path}.quantity", line.quantity, line.quantity_decimals)
    unit = field_text(f"{path}.unit", line.unit)
    price = locale.number_field(f"{path}.unit_price", line.unit_price * base, line.price_decimals)
    net = round_money(line.unit_price * base * (HUNDRED - line.discount_percent) / HUNDRED)
    cells: RowCells = {
        "quantity": quantity,
        "unit_price": locale.with_currency(price, locale.line_symbol_position),
        "net_price": [locale.number_field(f"{path}.unit_price", net) if line.discount_percent else price],
    }
    if style.shared_cell == "unit":
        cells["quantity"] = [quantity, " " if style.percent_gap else "", unit]
    elif style.shared_cell == "times":
        cells["quantity"] = [quantity, " x"]
    elif style.shared_cell == "product":
        cells["quantity"] = [quantity, " x ", price]
    elif style.shared_cell == "base":
        base_unit: list[RichTextRun] = [" ", unit] if style.rate_decimals else []
        cells["unit_price"] = [price, " / " if style.percent_gap else "/", str(base), *base_unit]
    elif style.shared_cell == "priced unit":
        cells["unit_price"] = [price, f" {locale.currency_symbol}/" if style.percent_gap else "/", unit]
    return cells


def _position_number(numbering: str, number: int) -> str:
    if numbering in ("01", "001"):
        return f"{number + 1:0{len(numbering)}d}"
    whole_numbers = {"1": f"{number + 1}", "10": f"{10 * (number + 1)}", "1.": f"{number + 1}."}
    return whole_numbers.get(numbering, f"{1 + number // 9}.{1 + number % 9}")


def _discount(context: DrawingContext, style: RowStyle, line: InvoiceLine) -> str:
    """In percent, now and then without the sign."""
    if style.rate_decimals == 2:
        return context.locale.format_number(line.discount_percent, 2)
    return _discount_percent(context, style, line)


def _discount_percent(context: DrawingContext, style: RowStyle, line: InvoiceLine) -> str:
    return context.locale.format_number(line.discount_percent, style.rate_decimals) + f"{style.percent_gap}%"


def _description(context: DrawingContext, style: RowStyle, line: InvoiceLine, path: str) -> StackedCell:
    """The name of the goods, perhaps between notes in the same column."""
    rng, typography = context.rng, context.typography
    name = field_text(f"{path}.description", line.description)
    name_style = typography.bold if style.bold_name else typography.text
    note_style = typography.small if style.small_notes or style.bold_name else typography.text
    parts = [StyledText(name, name_style)]
    if rng.chance(style.note_above_share):
        parts.insert(0, StyledText(small_print(context, "article"), note_style))
    if rng.chance(style.note_below_share):
        parts += [StyledText(small_print(context, kind), note_style) for kind in style.note_kinds]
    if line.discount_percent and style.discount_position == "note":
        label = context.label("row_discount").replace("{rate}", _discount_percent(context, style, line))
        taken_off = context.locale.format_number(line.amount - _undiscounted_amount(line))
        parts.append(StyledText([label, rng.pick((": ", "  ")), taken_off], note_style))
    if style.rate_in_note:
        position = rng.pick((1, len(parts)))
        parts.insert(position, StyledText(_rate_note(context, style, line, path), note_style))
    return StackedCell(tuple(parts))


def _rate_note(context: DrawingContext, style: RowStyle, line: InvoiceLine, path: str) -> list[RichTextRun]:
    """`MwSt: 19 %` or `20% VAT` in the column of the name."""
    locale = context.locale
    rate = locale.percent_field(f"{path}.tax_rate", line.tax_rate, style.rate_decimals, style.percent_gap)
    return [f"{locale.tax_name}: ", rate] if style.percent_gap else [rate, f" {locale.tax_name}"]


def small_print(context: DrawingContext, kind: str) -> str:
    """A line of small print: an article number, a date, a sentence. Nothing in it is a value."""
    if kind == "row_text":
        return f"{context.phrase('qualifiers')}, {context.phrase('qualifiers')}"
    return context.phrase(
        kind,
        gtin=context.rng.from_pattern("40######%####"),
        date=context.locale.format_date(context.issue_date),
        code3=context.locale.currency,
        n=context.rng.from_pattern("%"),
    )


def _undiscounted_amount(line: InvoiceLine) -> Decimal:
    return round_money(line.quantity * line.unit_price)


def discount_rows(context: DrawingContext, style: RowStyle, line: InvoiceLine, cells: RowCells) -> list[RowCells]:
    """The rows below that of a line with a discount: what is taken off, and the amount that is left. In the second
    case the row above, whose `cells` are given, gets the amount without the discount."""
    if not line.discount_percent or style.discount_position not in ("rows", "less"):
        return []
    locale, undiscounted = context.locale, _undiscounted_amount(line)
    label = context.label("row_discount").replace("{rate}", _discount_percent(context, style, line))
    discount: RowCells = {"description": label, "amount": locale.format_number(line.amount - undiscounted)}
    if style.discount_position == "less":
        return [discount]
    amount_left = cells["amount"]
    cells["amount"] = locale.format_number(undiscounted)
    return [discount, {"description": context.label("row_net"), "amount": amount_left}]


def select_columns(cells: Mapping[str, TableCell], keys: Collection[str]) -> RowCells:
    return {key: cell for key, cell in cells.items() if key in keys}


def cell_width(cell: TableCell, style: TextStyle) -> float:
    """The width of a cell printed in one line."""
    if isinstance(cell, StackedCell):
        return max(part.style.width(plain_text(part.text)) for part in cell.parts)
    return style.width(plain_text(cell))
