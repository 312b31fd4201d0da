"""What was bought: the articles of a receipt in the forms that tills know.

In: a roll and a till. Out: lines on the roll; codes, wishes and discounts below an article carry no path.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.canvas import FieldText, TextRun, field_text
from docpipe.samples.content.receipt_data import ReceiptData, ReceiptItem
from docpipe.samples.documents.receipt.receipt_paper import ReceiptPaper

_LAYOUT_SHARES = (
    "simple",
    "simple",
    "counted",
    "counted",
    "below",
    "below",
    "columns",
    "columns",
    "code",
    "times",
    "bare",
)
DESCRIPTION_WIDTH = 0.66  # share of the width that a name may take beside its amount


def print_items(paper: ReceiptPaper, receipt: ReceiptData) -> None:
    rng = paper.context.rng
    form = rng.pick(_LAYOUT_SHARES)
    marked = rng.chance(0.3)
    if form in ("columns", "code"):  # no room for currency signs
        paper.context.locale = replace(paper.context.locale, line_symbol_position="")
    if rng.chance(0.7 if form == "columns" else 0.3):
        _print_column_labels(paper, form)
    shout = paper.all_capitals or rng.chance(0.4)
    coded = rng.pick(("",) * 7 + ("above", "below"))
    for number, item in enumerate(receipt.items):
        if item.is_add_on:
            _print_add_on(paper, item, f"items[{number}]", shout)
        else:
            _print_item(paper, item, f"items[{number}]", (form, shout, marked, coded))
    paper.print_separator()


def _print_item(paper: ReceiptPaper, item: ReceiptItem, path: str, style: tuple[str, bool, bool, str]) -> None:
    """One article with its barcode, the wishes and the discount that belong to it."""
    form, shout, marked, coded = style
    if coded == "above":
        paper.print_line(item.code)
    _LAYOUTS[form](paper, item, path, shout, marked)
    if coded == "below":
        paper.print_columns([(0.06, "left", item.code)])
    for text in item.modifiers:
        paper.print_columns([(0.1, "left", text.upper() if shout else text)])
    if item.discount:
        paper.print_label_and_value(
            paper.in_case(paper.context.label("r_item_off")),
            paper.context.locale.format_number(-item.discount),
            indent=0.08,
        )


def _print_add_on(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool) -> None:
    """A priced addition, set in below its article."""
    paper.print_label_and_value(
        _description(paper, item, path, shout, 0.5), _amount(paper, item, path, False), indent=0.1
    )


def _print_column_labels(paper: ReceiptPaper, form: str) -> None:
    context = paper.context
    desc, amount = paper.in_case(context.label("r_desc")), paper.in_case(context.label("r_amount"))
    if form == "columns":
        paper.print_columns(
            [
                (0.0, "left", desc),
                (0.56, "right", paper.in_case(context.label("r_qty"))),
                (0.78, "right", paper.in_case(context.label("r_price"))),
                (1.0, "right", amount),
            ]
        )
    elif form == "counted":
        paper.print_label_and_value(f"{paper.in_case(context.label('r_qty'))} {desc}", amount)
    else:
        paper.print_label_and_value(desc, amount)
    paper.print_separator()


def _amount(paper: ReceiptPaper, item: ReceiptItem, path: str, marked: bool) -> list[TextRun]:
    locale = paper.context.locale
    pieces: list[TextRun] = list(
        paper.with_currency(locale.amount_field(f"{path}.amount", item.amount), locale.line_symbol_position)
    )
    return [*pieces, paper.tax_code_gap + item.tax_code] if marked else pieces


def _description(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, share: float = 1.0) -> FieldText:
    """The description, cut off where the till has no room for it."""
    text = item.description.upper() if shout else item.description
    while len(text) > 4 and paper.text_style.width(text) > paper.context.inner_width * share:
        text = text[:-1].rstrip()
    return field_text(f"{path}.description", text)


def _quantity(paper: ReceiptPaper, item: ReceiptItem, path: str) -> FieldText:
    return paper.context.locale.quantity_field(f"{path}.quantity", item.quantity, item.quantity_decimals)


def _price(paper: ReceiptPaper, item: ReceiptItem, path: str) -> FieldText:
    return paper.context.locale.amount_field(f"{path}.unit_price", item.unit_price)


def _simple(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    paper.print_label_and_value(
        _description(paper, item, path, shout, DESCRIPTION_WIDTH), _amount(paper, item, path, marked)
    )
    if item.quantity != 1:
        sign = "kg" if item.quantity_decimals else "x"
        paper.print_columns(
            [
                (
                    0.08,
                    "left",
                    [
                        _quantity(paper, item, path),
                        f" {sign} ",
                        "@ " if item.quantity_decimals else "",
                        _price(paper, item, path),
                    ],
                )
            ]
        )


def _counted(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    times = "x " if len(item.code) % 2 else " "
    line: list[TextRun] = [
        _quantity(paper, item, path),
        times if times == "x " else "  ",
        _description(paper, item, path, shout, DESCRIPTION_WIDTH - 0.08),
    ]
    paper.print_label_and_value(line, _amount(paper, item, path, marked))


def _below(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    paper.print_line(_description(paper, item, path, shout))
    first: list[TextRun] = [_quantity(paper, item, path), " x ", _price(paper, item, path)]
    if len(item.code) > 6:
        first = [item.code[:6] + " ", *first]
    paper.print_label_and_value(first, _amount(paper, item, path, marked), indent=0.06)


def _columns(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    name = _description(paper, item, path, shout)
    cells: list[tuple[float, str, object]] = [
        (0.56, "right", _quantity(paper, item, path)),
        (0.78, "right", _price(paper, item, path)),
        (1.0, "right", _amount(paper, item, path, marked)),
    ]
    if paper.text_style.width(name.text) < paper.context.inner_width * 0.46:
        paper.print_columns([(0.0, "left", name), *cells])  # type: ignore[list-item]
    else:
        paper.print_line(name)
        paper.print_columns(cells)  # type: ignore[arg-type]


def _code(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    paper.print_columns(
        [
            (0.0, "left", item.code[:8]),
            (0.5, "right", _quantity(paper, item, path)),
            (0.72, "right", _price(paper, item, path)),
            (1.0, "right", _amount(paper, item, path, marked)),
        ]
    )
    paper.print_line(_description(paper, item, path, shout))


def _times(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    paper.print_line([_quantity(paper, item, path), " x ", _price(paper, item, path)])
    paper.print_label_and_value(
        _description(paper, item, path, shout, DESCRIPTION_WIDTH), _amount(paper, item, path, marked)
    )


def _bare(paper: ReceiptPaper, item: ReceiptItem, path: str, shout: bool, marked: bool) -> None:
    paper.print_label_and_value(
        _description(paper, item, path, shout, DESCRIPTION_WIDTH), _amount(paper, item, path, marked)
    )


_LAYOUTS = {
    "simple": _simple,
    "counted": _counted,
    "below": _below,
    "columns": _columns,
    "code": _code,
    "times": _times,
    "bare": _bare,
}
