"""What was bought, the sums and the payment on a receipt.

In: a roll and a till. Out: lines on the roll; decoys (cash, change, rounding, tax summaries) carry no path.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from docpipe.samples.dice import Dice
from docpipe.samples.marks import Ink
from docpipe.samples.pen import Piece, Value, value
from docpipe.samples.roll import Roll
from docpipe.samples.till import Bought, Till
from docpipe.samples.totals import rate_places
from docpipe.samples.words import words

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
    for number, item in enumerate(till.items):
        _FORM[form](roll, item, f"items[{number}]", shout, marked)
    roll.rule()


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
    pieces: list[Piece] = list(manner.money(manner.amount(f"{path}.amount", item.amount), manner.line_sign_place))
    return [*pieces, f" {item.mark}"] if marked else pieces


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


def draw_sums(roll: Roll, till: Till) -> None:
    """Subtotal, discount, service, tax, rounding, total: as much of it as this till prints."""
    sheet, dice, manner = roll.sheet, roll.sheet.dice, roll.sheet.manner
    indent = dice.pick((0.0, 0.0, 0.0, 0.1, 0.25, 0.4))
    colon = dice.pick(("", "", ":", " :"))

    def put(label: str, amount: Value | str, ink: Ink | None = None) -> None:
        roll.pair(roll.say(label) + colon, manner.money(amount, manner.sign_place), ink, indent if ink is None else 0.0)

    if dice.chance(0.2):
        roll.pair(roll.say(sheet.word("r_count")) + colon, str(len(till.items)), None, indent)
    parts = bool(till.discount or till.service or till.rounding or till.tip or (till.tax and not till.inclusive))
    if parts or dice.chance(0.35):
        put(sheet.word("r_subtotal"), manner.amount("subtotal", till.subtotal))
    if till.discount:
        put(sheet.word("r_discount"), manner.plain(-till.discount))
    if till.service:
        put(sheet.word("r_service"), manner.plain(till.service))
    if (till.rate and not till.inclusive) or (till.rate and dice.chance(0.3)):
        put(_tax_label(roll, till), manner.amount("tax", till.tax))
    if till.rounding:
        put(sheet.word("r_rounding"), manner.plain(till.rounding))
    if till.tip:
        put(sheet.word("r_tip"), manner.amount("tip", till.tip))
    if dice.chance(0.3):
        roll.rule()
    big = sheet.look.bold.sized(dice.pick((1.0, 1.0, 1.2, 1.5, 1.9)))
    total = manner.amount("total", till.total)
    put(sheet.word("r_total"), total, big)
    if dice.chance(0.2):
        put(sheet.word("r_total"), total)
    if dice.chance(0.4):
        roll.rule()


def _tax_label(roll: Roll, till: Till) -> str:
    manner = roll.sheet.manner
    key = "r_incl" if till.inclusive and roll.sheet.dice.chance(0.5) else "r_tax"
    rate = f"{manner.plain(till.rate, rate_places(till.rate, 0))}%"
    return roll.sheet.word(key).replace("{tax}", manner.tax).replace("{rate}", rate)


def draw_payment(roll: Roll, till: Till) -> None:
    """Cash and change, or a card slip; tax summary."""
    sheet, dice, manner = roll.sheet, roll.sheet.dice, roll.sheet.manner
    if dice.chance(0.85):
        method = sheet.word("r_cash" if till.cash is not None else "r_card")
        paid = till.total if till.cash is None else till.cash
        said = value("payment_method", roll.say(method), "cash" if till.cash is not None else "card")
        total = manner.amount("total", till.total) if till.cash is None else manner.plain(paid)
        roll.pair(said, manner.money(total, manner.sign_place))
        if till.cash is not None and (till.cash != till.total or dice.chance(0.6)):
            roll.pair(
                roll.say(sheet.word("r_change")), manner.money(manner.plain(till.cash - till.total), manner.sign_place)
            )
        if till.cash is None and dice.chance(0.5):
            _card_slip(roll, dice)
    if till.rate and dice.chance(0.35):
        _tax_summary(roll, till)


def _card_slip(roll: Roll, dice: Dice) -> None:
    lines = (
        f"{'*' * 12}{dice.pattern('####')}",
        f"Auth {dice.pattern('######')}",
        f"TID: {dice.pattern('########')}",
        "APPROVED",
        f"REF {dice.pattern('############')}",
        "CHIP READ",
        f"AID: A0000000{dice.pattern('######')}",
        f"MID {dice.pattern('#########')}",
    )
    for line in dice.some(lines, 3):
        roll.line(line)


def _tax_summary(roll: Roll, till: Till) -> None:
    """Rate, base and tax in columns: a base that is no total."""
    sheet, manner = roll.sheet, roll.sheet.manner
    base = till.total - till.tax - till.rounding - till.tip
    language = manner.language if manner.language != "id" else "en"
    net, tax = (sheet.dice.pick(words(language)[key]) for key in ("breakdown_net", "breakdown_tax"))
    roll.skip()
    roll.cells(
        [
            (0.0, "left", manner.tax if language != "en" else f"{manner.tax} Summary"),
            (0.66, "right", net),
            (1.0, "right", tax),
        ]
    )
    code = sheet.dice.pick(("SR", "S", "A", "B", "1", ""))
    rate = manner.plain(till.rate, rate_places(till.rate, 0))
    roll.cells(
        [
            (0.0, "left", f"{code} {rate}%".strip()),
            (0.62, "right", manner.plain(base)),
            (1.0, "right", manner.amount("tax", till.tax)),
        ]
    )
    if code == "SR":
        roll.cells(
            [
                (0.0, "left", "ZR 0%"),
                (0.62, "right", manner.plain(Decimal(0))),
                (1.0, "right", manner.plain(Decimal(0))),
            ]
        )
    roll.skip(0.3)
