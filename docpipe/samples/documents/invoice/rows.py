"""What stands in the cells of a line item: the values of its row, and the numbers and notes that are no values.

In: a sheet, a bill and the habits of one document. Out: for each item its cells and the rows that belong below it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import FieldText, TextRun, field_text
from docpipe.samples.canvas.strokes import TextStyle
from docpipe.samples.canvas.table import RichText, StackedCell
from docpipe.samples.content.invoice_data import HUNDRED, InvoiceData, InvoiceLine, round_money
from docpipe.samples.documents.invoice.letterhead import DrawingContext
from docpipe.samples.documents.invoice.totals import rate_decimals

RowCells = dict[str, RichText | StackedCell]
CODE_PATTERNS = (
    "%####",
    "??-%##",
    "%##.###",
    "?%#####",
    "%############",
    "??##-?",
    "###-##",
    "GW?%##",
    "%####-##",
    "?##",
    "%##",
)
NOTE_KINDS = ("detail", "detail", "article", "article", "blurb", "blurb", "row_text")


@dataclass(frozen=True)
class RowStyle:
    """How all rows of one document are written.

    `shared` says which values share a cell: "unit" (2 pcs), "times" (5 x), "product" (2 x 3,50), "priced unit"
    (160,00 €/h), "base" (32,76 / 100), or none (""). `named` says where the name stands: in its column, or on lines of
    its own above or below the figures. `discount` says where a discount of a row stands: in a column, in a note or in
    rows below. `base` is the quantity that the printed price is for, `rate_noted` that the tax rate stands in a note.
    """

    shared_cell: str
    name_position: str
    discount_position: str
    price_base_quantity: int
    rate_decimals: int
    rate_in_note: bool
    percent_gap: str
    numbering: str
    code_patterns: tuple[str, str]
    bold_name: bool
    small_notes: bool
    note_above_share: float  # share of the rows with a note above the name
    note_below_share: float  # and below it
    note_kinds: tuple[str, ...]
    tax_category: str


def make_row_style(context: DrawingContext, invoice: InvoiceData) -> RowStyle:
    rng = context.rng
    discounted = any(item.discount_percent for item in invoice.lines)
    noted = rng.chance(0.55)
    based = rng.chance(0.08)
    named = rng.pick(("column", "column", "column", "column", "column", "column", "above", "below"))
    below = ("column", "column", "column", "note", "rows", "less") if named == "column" else ("column", "note")
    return RowStyle(
        shared_cell=rng.pick(("", "base"))
        if based
        else rng.pick(("", "", "", "", "", "unit", "unit", "times", "product", "priced unit")),
        name_position=named,
        discount_position=rng.pick(below) if discounted else "",
        price_base_quantity=rng.pick((10, 100, 100, 1000)) if based else 1,
        rate_decimals=rng.pick((0, 0, 0, 1, 2)),
        rate_in_note=invoice.is_taxed and rng.chance(0.14),
        percent_gap=rng.pick((" ", "", " ")),
        numbering=rng.pick(("1", "1", "1", "10", "01", "001", "1.", "1.1")),
        code_patterns=(rng.pick(CODE_PATTERNS), rng.pick((*CODE_PATTERNS, "40######%####", "50######%####"))),
        bold_name=rng.chance(0.25),
        small_notes=rng.chance(0.55),
        note_above_share=rng.pick((0.0, 0.0, 0.0, 0.6, 1.0)) if noted else 0.0,
        note_below_share=rng.pick((0.2, 0.5, 0.8, 1.0)) if noted else 0.0,
        note_kinds=tuple(rng.pick_several(NOTE_KINDS, rng.pick((1, 1, 2, 3)))),
        tax_category=context.label("tax_category"),
    )


def row_cells(context: DrawingContext, invoice: InvoiceData, habits: RowStyle, number: int) -> RowCells:
    """Every cell that the row may have, by the key of its column."""
    rng, locale, item = context.rng, context.locale, invoice.lines[number]
    path = f"line_items[{number}]"
    tax = round_money(item.amount * item.tax_rate / HUNDRED)
    quantity = locale.quantity_field(f"{path}.quantity", item.quantity, item.quantity_decimals)
    unit = field_text(f"{path}.unit", item.unit)
    amount = locale.with_currency(locale.amount_field(f"{path}.amount", item.amount), locale.line_symbol_position)
    cells: RowCells = {
        "pos": _position(habits.numbering, number),
        "code": rng.from_pattern(habits.code_patterns[0]),
        "other_code": rng.from_pattern(habits.code_patterns[1]),
        "row_date": locale.format_date(invoice.issue_date),
        "description": _description(context, habits, item, path),
        "quantity": quantity,
        "unit": unit,
        "base": str(habits.price_base_quantity),
        "list_price": locale.format_number(item.unit_price * habits.price_base_quantity, item.price_decimals),
        "amount": amount,
        "tax_rate": locale.rate_field(
            f"{path}.tax_rate", item.tax_rate, rate_decimals(item.tax_rate, habits.rate_decimals), habits.percent_gap
        ),
        "tax_amount": locale.format_number(tax),
        "amount_gross": locale.format_number(item.amount + tax),
        "tax_code": habits.tax_category,
    }
    if item.discount_percent:
        cells["discount"] = _discount(context, habits, item)
    return cells | _shared_cells(context, habits, item, path)


def _shared_cells(context: DrawingContext, habits: RowStyle, item: InvoiceLine, path: str) -> RowCells:
    """Quantity, unit and price, each alone or together in one cell."""
    locale = context.locale
    quantity = locale.quantity_field(f"{path}.quantity", item.quantity, item.quantity_decimals)
    unit = field_text(f"{path}.unit", item.unit)
    price = locale.amount_field(f"{path}.unit_price", item.unit_price * habits.price_base_quantity, item.price_decimals)
    net = round_money(item.unit_price * habits.price_base_quantity * (HUNDRED - item.discount_percent) / HUNDRED)
    reduced = locale.amount_field(f"{path}.unit_price", net) if item.discount_percent else price
    priced = locale.with_currency(price, locale.line_symbol_position)
    cells: RowCells = {"quantity": quantity, "unit_price": priced, "net_price": [reduced]}
    if habits.shared_cell == "unit":
        cells["quantity"] = [quantity, " " if habits.percent_gap else "", unit]
    elif habits.shared_cell == "times":
        cells["quantity"] = [quantity, " x"]
    elif habits.shared_cell == "product":
        cells["quantity"] = [quantity, " x ", price]
    elif habits.shared_cell == "base":
        per: list[TextRun] = [" ", unit] if habits.rate_decimals else []
        cells["unit_price"] = [price, " / " if habits.percent_gap else "/", str(habits.price_base_quantity), *per]
    elif habits.shared_cell == "priced unit":
        cells["unit_price"] = [price, f" {locale.currency_symbol}/" if habits.percent_gap else "/", unit]
    return cells


def _position(numbering: str, number: int) -> str:
    if numbering in ("01", "001"):
        return f"{number + 1:0{len(numbering)}d}"
    return {"1": f"{number + 1}", "10": f"{10 * (number + 1)}", "1.": f"{number + 1}."}.get(
        numbering, f"{1 + number // 9}.{1 + number % 9}"
    )


def _discount(context: DrawingContext, habits: RowStyle, item: InvoiceLine) -> str:
    """In percent, now and then as an amount."""
    if habits.rate_decimals == 2:
        return context.locale.format_number(item.discount_percent, 2)
    sign = f"{habits.percent_gap}%" if habits.percent_gap else "%"
    return context.locale.format_number(item.discount_percent, habits.rate_decimals) + sign


def _description(context: DrawingContext, habits: RowStyle, item: InvoiceLine, path: str) -> RichText | StackedCell:
    """The name of the goods, perhaps between notes in the same column."""
    rng, typography = context.rng, context.typography
    named = field_text(f"{path}.description", item.description)
    print_of_name = typography.bold if habits.bold_name else typography.text
    print_of_note = typography.small if habits.small_notes or habits.bold_name else typography.text
    parts: list[tuple[RichText, TextStyle]] = [(named, print_of_name)]
    if rng.chance(habits.note_above_share):
        parts.insert(0, (small_print(context, "article"), print_of_note))
    if rng.chance(habits.note_below_share):
        parts += [(small_print(context, kind), print_of_note) for kind in habits.note_kinds]
    if item.discount_percent and habits.discount_position == "note":
        rate = context.locale.format_number(item.discount_percent, habits.rate_decimals) + f"{habits.percent_gap}%"
        taken = context.locale.format_number(item.amount - undiscounted_amount(item))
        parts.append(
            ([context.label("row_discount").replace("{rate}", rate), rng.pick((": ", "  ")), taken], print_of_note)
        )
    if habits.rate_in_note:
        parts.insert(rng.pick((1, len(parts))), (_rate_note(context, habits, item, path), print_of_note))
    return StackedCell(tuple(parts))


def _rate_note(context: DrawingContext, habits: RowStyle, item: InvoiceLine, path: str) -> list[TextRun]:
    """`MwSt: 19 %` or `20% VAT` in the column of the name."""
    rate = context.locale.rate_field(
        f"{path}.tax_rate", item.tax_rate, rate_decimals(item.tax_rate, habits.rate_decimals), habits.percent_gap
    )
    before: list[TextRun] = [f"{context.locale.tax_name}: ", rate]
    behind: list[TextRun] = [rate, f" {context.locale.tax_name}"]
    return before if habits.percent_gap else behind


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


def undiscounted_amount(item: InvoiceLine) -> Decimal:
    return round_money(item.quantity * item.unit_price)


def rows_below(context: DrawingContext, habits: RowStyle, item: InvoiceLine, cells: RowCells) -> list[RowCells]:
    """The rows of a discount: what is taken off, and the amount that is left. Changes `cells`, the row above."""
    if not item.discount_percent or habits.discount_position not in ("rows", "less"):
        return []
    locale = context.locale
    rate = locale.format_number(item.discount_percent, habits.rate_decimals) + f"{habits.percent_gap}%"
    label = context.label("row_discount").replace("{rate}", rate)
    less: RowCells = {"description": label, "amount": locale.format_number(item.amount - undiscounted_amount(item))}
    if habits.discount_position == "less":
        return [less]
    left = cells["amount"]
    cells["amount"] = locale.format_number(undiscounted_amount(item))
    return [less, {"description": context.label("row_net"), "amount": left}]


def select_columns(cells: Mapping[str, RichText | StackedCell], keys: Collection[str]) -> RowCells:
    return {key: cell for key, cell in cells.items() if key in keys}


def cell_width(cell: RichText | StackedCell, text_style: TextStyle) -> float:
    """The width of a cell printed in one line."""
    if isinstance(cell, StackedCell):
        return max(cell_width(part, own) for part, own in cell.parts)
    pieces: tuple[TextRun, ...] = (cell,) if isinstance(cell, str | FieldText) else tuple(cell)
    return text_style.width("".join(piece.text if isinstance(piece, FieldText) else piece for piece in pieces))
