"""What was bought: the articles of a receipt in the forms that tills know.

In: a roll and a till. Out: lines on the roll; codes, wishes and discounts below an article carry no path.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.samples.canvas.canvas import Piece, Value, value
from docpipe.samples.content.receipt_data import Bought, Till
from docpipe.samples.documents.receipt.receipt_paper import Roll

_FORMS = ("simple", "simple", "counted", "counted", "below", "below", "columns", "columns", "code", "times", "bare")
NAME_WIDTH = 0.66  # share of the width that a name may take beside its amount


def draw_items(roll: Roll, till: Till) -> None:
    dice = roll.sheet.dice
    form = dice.pick(_FORMS)
    marked = dice.chance(0.3)
    if form in ("columns", "code"):  # no room for currency signs
        roll.sheet.manner = replace(roll.sheet.manner, line_sign_place="")
    if dice.chance(0.7 if form == "columns" else 0.3):
        _heads(roll, form)
    shout = roll.shout or dice.chance(0.4)
    coded = dice.pick(("",) * 7 + ("above", "below"))
    for number, item in enumerate(till.items):
        if item.extra:
            _extra(roll, item, f"items[{number}]", shout)
        else:
            _article(roll, item, f"items[{number}]", (form, shout, marked, coded))
    roll.rule()


def _article(roll: Roll, item: Bought, path: str, style: tuple[str, bool, bool, str]) -> None:
    """One article with its barcode, the wishes and the discount that belong to it."""
    form, shout, marked, coded = style
    if coded == "above":
        roll.line(item.code)
    _FORM[form](roll, item, path, shout, marked)
    if coded == "below":
        roll.cells([(0.06, "left", item.code)])
    for text in item.extras:
        roll.cells([(0.1, "left", text.upper() if shout else text)])
    if item.off:
        roll.pair(roll.say(roll.sheet.word("r_item_off")), roll.sheet.manner.plain(-item.off), indent=0.08)


def _extra(roll: Roll, item: Bought, path: str, shout: bool) -> None:
    """A priced addition, set in below its article."""
    roll.pair(_name(roll, item, path, shout, 0.5), _amount(roll, item, path, False), indent=0.1)


def _heads(roll: Roll, form: str) -> None:
    sheet = roll.sheet
    desc, amount = roll.say(sheet.word("r_desc")), roll.say(sheet.word("r_amount"))
    if form == "columns":
        roll.cells(
            [
                (0.0, "left", desc),
                (0.56, "right", roll.say(sheet.word("r_qty"))),
                (0.78, "right", roll.say(sheet.word("r_price"))),
                (1.0, "right", amount),
            ]
        )
    elif form == "counted":
        roll.pair(f"{roll.say(sheet.word('r_qty'))} {desc}", amount)
    else:
        roll.pair(desc, amount)
    roll.rule()


def _amount(roll: Roll, item: Bought, path: str, marked: bool) -> list[Piece]:
    manner = roll.sheet.manner
    pieces: list[Piece] = list(roll.money(manner.amount(f"{path}.amount", item.amount), manner.line_sign_place))
    return [*pieces, roll.mark_gap + item.mark] if marked else pieces


def _name(roll: Roll, item: Bought, path: str, shout: bool, share: float = 1.0) -> Value:
    """The description, cut off where the till has no room for it."""
    text = item.description.upper() if shout else item.description
    while len(text) > 4 and roll.ink.width(text) > roll.sheet.inner * share:
        text = text[:-1].rstrip()
    return value(f"{path}.description", text)


def _quantity(roll: Roll, item: Bought, path: str) -> Value:
    return roll.sheet.manner.quantity(f"{path}.quantity", item.quantity, item.places)


def _price(roll: Roll, item: Bought, path: str) -> Value:
    return roll.sheet.manner.amount(f"{path}.unit_price", item.price)


def _simple(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    roll.pair(_name(roll, item, path, shout, NAME_WIDTH), _amount(roll, item, path, marked))
    if item.quantity != 1:
        sign = "kg" if item.places else "x"
        roll.cells(
            [
                (
                    0.08,
                    "left",
                    [_quantity(roll, item, path), f" {sign} ", "@ " if item.places else "", _price(roll, item, path)],
                )
            ]
        )


def _counted(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    times = "x " if len(item.code) % 2 else " "
    line: list[Piece] = [
        _quantity(roll, item, path),
        times if times == "x " else "  ",
        _name(roll, item, path, shout, NAME_WIDTH - 0.08),
    ]
    roll.pair(line, _amount(roll, item, path, marked))


def _below(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    roll.line(_name(roll, item, path, shout))
    first: list[Piece] = [_quantity(roll, item, path), " x ", _price(roll, item, path)]
    if len(item.code) > 6:
        first = [item.code[:6] + " ", *first]
    roll.pair(first, _amount(roll, item, path, marked), indent=0.06)


def _columns(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    name = _name(roll, item, path, shout)
    cells: list[tuple[float, str, object]] = [
        (0.56, "right", _quantity(roll, item, path)),
        (0.78, "right", _price(roll, item, path)),
        (1.0, "right", _amount(roll, item, path, marked)),
    ]
    if roll.ink.width(name.text) < roll.sheet.inner * 0.46:
        roll.cells([(0.0, "left", name), *cells])  # type: ignore[list-item]
    else:
        roll.line(name)
        roll.cells(cells)  # type: ignore[arg-type]


def _code(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    roll.cells(
        [
            (0.0, "left", item.code[:8]),
            (0.5, "right", _quantity(roll, item, path)),
            (0.72, "right", _price(roll, item, path)),
            (1.0, "right", _amount(roll, item, path, marked)),
        ]
    )
    roll.line(_name(roll, item, path, shout))


def _times(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    roll.line([_quantity(roll, item, path), " x ", _price(roll, item, path)])
    roll.pair(_name(roll, item, path, shout, NAME_WIDTH), _amount(roll, item, path, marked))


def _bare(roll: Roll, item: Bought, path: str, shout: bool, marked: bool) -> None:
    roll.pair(_name(roll, item, path, shout, NAME_WIDTH), _amount(roll, item, path, marked))


_FORM = {
    "simple": _simple,
    "counted": _counted,
    "below": _below,
    "columns": _columns,
    "code": _code,
    "times": _times,
    "bare": _bare,
}
