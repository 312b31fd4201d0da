"""The sums and the payment on a receipt.

In: a roll and a till. Out: lines on the roll; decoys (cash, change, rounding, tax summaries) carry no path.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from docpipe.samples.canvas.canvas import Value, value
from docpipe.samples.canvas.strokes import Ink
from docpipe.samples.content.receipt_data import Till
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.totals import rate_places
from docpipe.samples.documents.receipt.receipt_paper import Roll

NET_WORDS = ("excl", "before", "net", " ht", "imponib", "sin iva", "sebelum")  # in labels of sums without tax


@dataclass
class _Sums:
    """How this till sets its sums: indentation, what follows a label, and the roll they go to."""

    roll: Roll
    indent: float
    colon: str
    zeros: bool  # lines are printed even where nothing is to be said

    def put(self, label: str, amount: Value | str, ink: Ink | None = None) -> None:
        roll = self.roll
        indent = self.indent if ink is None else 0.0
        text, said = roll.say(label) + self.colon, roll.money(amount, roll.sheet.manner.sign_place)
        roll.pair(text, said, ink, indent)

    def word(self, key: str, amount: Value | str) -> None:
        self.put(self.roll.sheet.word(key), amount)


def draw_sums(roll: Roll, till: Till) -> None:
    """Subtotal, discount, service, tax, rounding, total: as much of it as this till prints."""
    dice = roll.sheet.dice
    colon = dice.pick(("", "", ":", " :", "....."))
    sums = _Sums(roll, dice.pick((0.0, 0.0, 0.0, 0.1, 0.25, 0.4)), colon, dice.chance(0.15))
    early = dice.chance(0.6)
    if early:
        _count(sums, till)
    _before_tax(sums, till)
    _tax(sums, till)
    _after_tax(sums, till)
    if dice.chance(0.3):
        roll.rule()
    _total(sums, till)
    if not early:
        _count(sums, till)
    if dice.chance(0.4):
        roll.rule()


def _count(sums: _Sums, till: Till) -> None:
    """How many articles, with or without their number as a sum of quantities."""
    dice = sums.roll.sheet.dice
    if dice.chance(0.3):
        number = sum(int(item.quantity) if item.quantity == int(item.quantity) else 1 for item in till.items)
        said = dice.pick((str(len(till.items)), str(number), f"{number}.00"))
        label = sums.roll.say(sums.roll.sheet.word("r_count"))
        if dice.chance(0.5):
            sums.roll.pair(label + sums.colon, said, None, sums.indent)
        else:
            sums.roll.line(f"{label}{dice.pick((': ', ' ', ' = '))}{said}")


def _before_tax(sums: _Sums, till: Till) -> None:
    dice, manner = sums.roll.sheet.dice, sums.roll.sheet.manner
    parts = bool(till.discount or till.service or till.rounding or till.tip or (till.tax and not till.inclusive))
    if parts or dice.chance(0.35):
        sums.put(_subtotal_label(sums.roll, till), manner.amount("subtotal", till.subtotal))
    if till.discount or (sums.zeros and dice.chance(0.5)):
        sums.word("r_discount", manner.plain(-till.discount))
    if till.service or (sums.zeros and dice.chance(0.4)):
        sums.word("r_service", manner.plain(till.service))
    if till.rate and till.inclusive and dice.chance(0.15):  # the net of what is printed gross: no subtotal
        sums.word("r_net", manner.plain(till.subtotal - till.discount + till.service - till.tax))


def _subtotal_label(roll: Roll, till: Till) -> str:
    """No label that speaks of a net sum where the prices contain the tax."""
    options = words(roll.sheet.manner.language)["r_subtotal"]
    gross = [one for one in options if not any(part in one.casefold() for part in NET_WORDS)]
    if till.inclusive and till.tax and gross:
        return roll.sheet.dice.pick(gross)
    return roll.sheet.word("r_subtotal")


def _tax(sums: _Sums, till: Till) -> None:
    dice, manner = sums.roll.sheet.dice, sums.roll.sheet.manner
    if (till.rate and not till.inclusive) or (till.rate and dice.chance(0.3)):
        sums.put(_tax_label(sums.roll, till), manner.amount("tax", till.tax))


def _after_tax(sums: _Sums, till: Till) -> None:
    """A total before rounding and tip, which is the total only where neither changes it."""
    dice, manner = sums.roll.sheet.dice, sums.roll.sheet.manner
    if till.rate and till.adds_up and dice.chance(0.2):
        gross = till.total - till.rounding - till.tip
        sums.word("r_gross", manner.amount("total", gross) if gross == till.total else manner.plain(gross))
    if till.rounding or (sums.zeros and manner.country in ("MY", "SG", "ID")):
        sums.word("r_rounding", manner.plain(till.rounding))
    if till.tip:
        sums.word("r_tip", manner.amount("tip", till.tip))


def _total(sums: _Sums, till: Till) -> None:
    """The total, mostly in larger print; now and then without a label, or twice."""
    roll, sheet, dice = sums.roll, sums.roll.sheet, sums.roll.sheet.dice
    big = sheet.look.bold.sized(dice.pick((1.0, 1.0, 1.2, 1.5, 1.9)))
    total = sheet.manner.amount("total", till.total)
    kind = dice.random()
    if kind < 0.04:
        large = sheet.look.bold.sized(dice.pick((1.5, 1.9, 2.3)))
        roll.line(roll.money(total, sheet.manner.sign_place), dice.pick(("right", "right", "centre")), large)
    elif kind < 0.12:
        label = roll.say(sheet.word("r_total")).rstrip(": ")
        gap = dice.pick((": ", "  ", " "))
        roll.line(
            [label, gap, *roll.money(total, sheet.manner.sign_place)], dice.pick(("left", "right", "centre")), big
        )
    else:
        sums.put(sheet.word("r_total"), total, big)
    if dice.chance(0.2):
        sums.word("r_total", total)


def _tax_label(roll: Roll, till: Till) -> str:
    manner = roll.sheet.manner
    key = "r_incl" if till.inclusive and roll.sheet.dice.chance(0.5) else "r_tax"
    rate = f"{manner.plain(till.rate, rate_places(till.rate, 0))}%"
    return roll.sheet.word(key).replace("{tax}", manner.tax).replace("{rate}", rate)


def draw_payment(roll: Roll, till: Till) -> None:
    """Cash and change, or a card slip; lines for a tip; tax summary."""
    sheet, dice, manner = roll.sheet, roll.sheet.dice, roll.sheet.manner
    if dice.chance(0.85):
        method = sheet.word("r_cash" if till.cash is not None else "r_card")
        paid = till.total if till.cash is None else till.cash
        said = value("payment_method", roll.say(method))
        total = manner.amount("total", till.total) if till.cash is None else manner.plain(paid)
        roll.pair(said, roll.money(total, manner.sign_place))
        if till.cash is not None and (till.cash != till.total or dice.chance(0.6)):
            sign = -1 if dice.chance(0.12) else 1
            change = manner.plain(sign * (till.cash - till.total))
            roll.pair(roll.say(sheet.word("r_change")), roll.money(change, manner.sign_place))
        if till.cash is None and dice.chance(0.5):
            _card_slip(roll, dice)
            if dice.chance(0.3):
                again = roll.money(manner.amount("total", till.total), manner.sign_place)
                roll.pair(roll.say(sheet.word("r_sale")), again)
    if manner.country == "US" and not till.tip and dice.chance(0.2):
        _tip_lines(roll, till)
    if till.rate and dice.chance(0.35):
        _tax_summary(roll, till)


def _tip_lines(roll: Roll, till: Till) -> None:
    """Blanks that the guest did not fill in, and what a tip would be: no value among them."""
    sheet, dice = roll.sheet, roll.sheet.dice
    if dice.chance(0.7):
        blank = "_" * dice.pick((8, 12, 14))
        roll.skip()
        for label in (sheet.word("r_tip"), dice.pick(("Total", "TOTAL", "Total Due"))):
            roll.pair(f"{label}:", blank)
            roll.skip(0.3)
    if dice.chance(0.4):
        for share in dice.pick(((15, 18, 20), (18, 20, 22), (15, 20, 25))):
            tip = sheet.manner.plain(till.total * Decimal(share) / 100)
            roll.line(f"{share}% {dice.pick(('=', 'is', 'Tip ='))} {sheet.manner.sign}{tip}")


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
