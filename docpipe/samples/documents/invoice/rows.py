"""What stands in the cells of a line item: the values of its row, and the numbers and notes that are no values.

In: a sheet, a bill and the habits of one document. Out: for each item its cells and the rows that belong below it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import Piece, Value, value
from docpipe.samples.canvas.strokes import Ink
from docpipe.samples.canvas.table import Cell, Stack
from docpipe.samples.content.invoice_data import HUNDRED, Bill, Item, cents
from docpipe.samples.documents.invoice.letterhead import Sheet
from docpipe.samples.documents.invoice.totals import rate_places

Cells = dict[str, Cell | Stack]
CODES = (
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
NOTES = ("detail", "detail", "article", "article", "blurb", "blurb", "row_text")


@dataclass(frozen=True)
class Habits:
    """How all rows of one document are written.

    `shared` says which values share a cell: "unit" (2 pcs), "times" (5 x), "product" (2 x 3,50), "priced unit"
    (160,00 €/h), "base" (32,76 / 100), or none (""). `named` says where the name stands: in its column, or on lines of
    its own above or below the figures. `discount` says where a discount of a row stands: in a column, in a note or in
    rows below. `base` is the quantity that the printed price is for, `rate_noted` that the tax rate stands in a note.
    """

    shared: str
    named: str
    discount: str
    base: int
    rate_places: int
    rate_noted: bool
    blank: str
    numbering: str
    codes: tuple[str, str]
    name_bold: bool
    note_small: bool
    above: float  # share of the rows with a note above the name
    below: float  # and below it
    notes: tuple[str, ...]
    category: str


def make_habits(sheet: Sheet, bill: Bill) -> Habits:
    dice = sheet.dice
    discounted = any(item.discount for item in bill.items)
    noted = dice.chance(0.55)
    based = dice.chance(0.08)
    named = dice.pick(("column", "column", "column", "column", "column", "column", "above", "below"))
    below = ("column", "column", "column", "note", "rows", "less") if named == "column" else ("column", "note")
    return Habits(
        shared=dice.pick(("", "base"))
        if based
        else dice.pick(("", "", "", "", "", "unit", "unit", "times", "product", "priced unit")),
        named=named,
        discount=dice.pick(below) if discounted else "",
        base=dice.pick((10, 100, 100, 1000)) if based else 1,
        rate_places=dice.pick((0, 0, 0, 1, 2)),
        rate_noted=bill.taxed and dice.chance(0.14),
        blank=dice.pick((" ", "", " ")),
        numbering=dice.pick(("1", "1", "1", "10", "01", "001", "1.", "1.1")),
        codes=(dice.pick(CODES), dice.pick((*CODES, "40######%####", "50######%####"))),
        name_bold=dice.chance(0.25),
        note_small=dice.chance(0.55),
        above=dice.pick((0.0, 0.0, 0.0, 0.6, 1.0)) if noted else 0.0,
        below=dice.pick((0.2, 0.5, 0.8, 1.0)) if noted else 0.0,
        notes=tuple(dice.some(NOTES, dice.pick((1, 1, 2, 3)))),
        category=sheet.word("tax_category"),
    )


def row_cells(sheet: Sheet, bill: Bill, habits: Habits, number: int) -> Cells:
    """Every cell that the row may have, by the key of its column."""
    dice, manner, item = sheet.dice, sheet.manner, bill.items[number]
    path = f"line_items[{number}]"
    tax = cents(item.amount * item.rate / HUNDRED)
    quantity = manner.quantity(f"{path}.quantity", item.quantity, item.quantity_places)
    unit = value(f"{path}.unit", item.unit)
    amount = manner.money(manner.amount(f"{path}.amount", item.amount), manner.line_sign_place)
    cells: Cells = {
        "pos": _position(habits.numbering, number),
        "code": dice.pattern(habits.codes[0]),
        "other_code": dice.pattern(habits.codes[1]),
        "row_date": manner.date(bill.issued),
        "description": _description(sheet, habits, item, path),
        "quantity": quantity,
        "unit": unit,
        "base": str(habits.base),
        "list_price": manner.plain(item.price * habits.base, item.price_places),
        "amount": amount,
        "tax_rate": manner.rate(
            f"{path}.tax_rate", item.rate, rate_places(item.rate, habits.rate_places), habits.blank
        ),
        "tax_amount": manner.plain(tax),
        "amount_gross": manner.plain(item.amount + tax),
        "tax_code": habits.category,
    }
    if item.discount:
        cells["discount"] = _discount(sheet, habits, item)
    return cells | _shared_cells(sheet, habits, item, path)


def _shared_cells(sheet: Sheet, habits: Habits, item: Item, path: str) -> Cells:
    """Quantity, unit and price, each alone or together in one cell."""
    manner = sheet.manner
    quantity = manner.quantity(f"{path}.quantity", item.quantity, item.quantity_places)
    unit = value(f"{path}.unit", item.unit)
    price = manner.amount(f"{path}.unit_price", item.price * habits.base, item.price_places)
    net = cents(item.price * habits.base * (HUNDRED - item.discount) / HUNDRED)
    reduced = manner.amount(f"{path}.unit_price", net) if item.discount else price
    priced = manner.money(price, manner.line_sign_place)
    cells: Cells = {"quantity": quantity, "unit_price": priced, "net_price": [reduced]}
    if habits.shared == "unit":
        cells["quantity"] = [quantity, " " if habits.blank else "", unit]
    elif habits.shared == "times":
        cells["quantity"] = [quantity, " x"]
    elif habits.shared == "product":
        cells["quantity"] = [quantity, " x ", price]
    elif habits.shared == "base":
        per: list[Piece] = [" ", unit] if habits.rate_places else []
        cells["unit_price"] = [price, " / " if habits.blank else "/", str(habits.base), *per]
    elif habits.shared == "priced unit":
        cells["unit_price"] = [price, f" {manner.sign}/" if habits.blank else "/", unit]
    return cells


def _position(numbering: str, number: int) -> str:
    if numbering in ("01", "001"):
        return f"{number + 1:0{len(numbering)}d}"
    return {"1": f"{number + 1}", "10": f"{10 * (number + 1)}", "1.": f"{number + 1}."}.get(
        numbering, f"{1 + number // 9}.{1 + number % 9}"
    )


def _discount(sheet: Sheet, habits: Habits, item: Item) -> str:
    """In percent, now and then as an amount."""
    if habits.rate_places == 2:
        return sheet.manner.plain(item.discount, 2)
    sign = f"{habits.blank}%" if habits.blank else "%"
    return sheet.manner.plain(item.discount, habits.rate_places) + sign


def _description(sheet: Sheet, habits: Habits, item: Item, path: str) -> Cell | Stack:
    """The name of the goods, perhaps between notes in the same column."""
    dice, look = sheet.dice, sheet.look
    named = value(f"{path}.description", item.description)
    print_of_name = look.bold if habits.name_bold else look.text
    print_of_note = look.small if habits.note_small or habits.name_bold else look.text
    parts: list[tuple[Cell, Ink]] = [(named, print_of_name)]
    if dice.chance(habits.above):
        parts.insert(0, (note(sheet, "article"), print_of_note))
    if dice.chance(habits.below):
        parts += [(note(sheet, kind), print_of_note) for kind in habits.notes]
    if item.discount and habits.discount == "note":
        rate = sheet.manner.plain(item.discount, habits.rate_places) + f"{habits.blank}%"
        taken = sheet.manner.plain(item.amount - undiscounted(item))
        parts.append(
            ([sheet.word("row_discount").replace("{rate}", rate), dice.pick((": ", "  ")), taken], print_of_note)
        )
    if habits.rate_noted:
        parts.insert(dice.pick((1, len(parts))), (_rate_note(sheet, habits, item, path), print_of_note))
    return Stack(tuple(parts))


def _rate_note(sheet: Sheet, habits: Habits, item: Item, path: str) -> list[Piece]:
    """`MwSt: 19 %` or `20% VAT` in the column of the name."""
    rate = sheet.manner.rate(f"{path}.tax_rate", item.rate, rate_places(item.rate, habits.rate_places), habits.blank)
    before: list[Piece] = [f"{sheet.manner.tax}: ", rate]
    behind: list[Piece] = [rate, f" {sheet.manner.tax}"]
    return before if habits.blank else behind


def note(sheet: Sheet, kind: str) -> str:
    """A line of small print: an article number, a date, a sentence. Nothing in it is a value."""
    if kind == "row_text":
        return f"{sheet.phrase('qualifiers')}, {sheet.phrase('qualifiers')}"
    return sheet.phrase(
        kind,
        gtin=sheet.dice.pattern("40######%####"),
        date=sheet.manner.date(sheet.day),
        code3=sheet.manner.currency,
        n=sheet.dice.pattern("%"),
    )


def undiscounted(item: Item) -> Decimal:
    return cents(item.quantity * item.price)


def rows_below(sheet: Sheet, habits: Habits, item: Item, cells: Cells) -> list[Cells]:
    """The rows of a discount: what is taken off, and the amount that is left. Changes `cells`, the row above."""
    if not item.discount or habits.discount not in ("rows", "less"):
        return []
    manner = sheet.manner
    rate = manner.plain(item.discount, habits.rate_places) + f"{habits.blank}%"
    label = sheet.word("row_discount").replace("{rate}", rate)
    less: Cells = {"description": label, "amount": manner.plain(item.amount - undiscounted(item))}
    if habits.discount == "less":
        return [less]
    left = cells["amount"]
    cells["amount"] = manner.plain(undiscounted(item))
    return [less, {"description": sheet.word("row_net"), "amount": left}]


def only(cells: Mapping[str, Cell | Stack], keys: Collection[str]) -> Cells:
    return {key: cell for key, cell in cells.items() if key in keys}


def widest(cell: Cell | Stack, ink: Ink) -> float:
    """The width of a cell printed in one line."""
    if isinstance(cell, Stack):
        return max(widest(part, own) for part, own in cell.parts)
    pieces: tuple[Piece, ...] = (cell,) if isinstance(cell, str | Value) else tuple(cell)
    return ink.width("".join(piece.text if isinstance(piece, Value) else piece for piece in pieces))
