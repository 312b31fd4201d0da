"""The figures behind a receipt: shop, items, tax, rounding, payment.

In: dice and a manner of writing. Out: a `Till`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from docpipe.samples.content.invoice_data import cents
from docpipe.samples.content.locale_style import Manner
from docpipe.samples.content.shops import Shop, make_shop
from docpipe.samples.content.vocabulary import coined, person
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

WRONG_SHARE = 0.03
ITEM_COUNTS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 24)
NUMBER_PATTERNS = (
    *("%####", "0000##%#", "CS%####", "#####-%###", "%##", "??%#######", "INV-%####", "%#/%####", "01-%#####"),
    *("R0000%####", "%###########"),
)
FIVE_CENTS = Decimal("0.05")


@dataclass(frozen=True)
class Bought:
    description: str
    quantity: Decimal
    places: int
    price: Decimal
    amount: Decimal
    code: str
    mark: str  # tax letter behind the amount
    off: Decimal = Decimal(0)  # printed on a line below the article
    extras: tuple[str, ...] = ()  # how a dish is wanted, without prices
    extra: bool = False  # an addition to the article above, with a price


@dataclass(frozen=True)
class Till:
    """`inclusive`: prices contain the tax, so the subtotal is printed with it."""

    shop: Shop
    day: date
    clock: time
    items: tuple[Bought, ...]
    subtotal: Decimal
    discount: Decimal
    service: Decimal
    rate: Decimal
    tax: Decimal
    inclusive: bool
    rounding: Decimal
    tip: Decimal
    total: Decimal
    cash: Decimal | None  # None: paid by card
    number: str
    staff: str
    adds_up: bool


def make_till(dice: Dice, manner: Manner) -> Till:
    country, language = manner.country, manner.language
    items = _basket(dice, manner)
    unit = Decimal(1) if manner.places == 0 else Decimal("0.01")
    subtotal = sum((item.amount - item.off for item in items), Decimal(0))
    discount = _round(subtotal * Decimal(dice.pick(("0.05", "0.1", "0.2"))), unit) if dice.chance(0.1) else Decimal(0)
    base = subtotal - discount
    service = _round(base * Decimal("0.1"), unit) if dice.chance(0.12 if country != "SG" else 0.4) else Decimal(0)
    rate = Decimal(dice.pick(words(country)["rate"])) if dice.chance(0.85) else Decimal(0)
    inclusive = dice.chance({"US": 0.03, "SG": 0.4, "ID": 0.4, "MY": 0.6}.get(country, 0.93))
    due = base + service
    if inclusive:
        tax, total = _round(due * rate / (100 + rate), unit), due
    else:
        tax = _round(due * rate / 100, unit)
        total = due + tax
    rounding = Decimal(0)
    if country in ("MY", "SG", "CH") and dice.chance(0.7):
        rounding = _round(total, FIVE_CENTS) - total
    elif country == "ID" and manner.places == 0 and dice.chance(0.2):
        rounding = _round(total, Decimal(100)) - total
    tipped = country == "US" and dice.chance(0.35)
    tip = _round(total * Decimal(dice.pick(("0.1", "0.15", "0.18", "0.2"))), unit) if tipped else Decimal(0)
    total += rounding + tip
    adds_up = not dice.chance(WRONG_SHARE)
    if not adds_up:
        total += dice.pick((1, 10, 2)) * unit * 100
    clock = time(6 + int(17 * dice.random()), int(60 * dice.random()), int(60 * dice.random()))
    staff = (
        person(dice, country),
        words(country)["first"][0].upper(),
        dice.pattern("0%"),
        dice.pattern("%##"),
        "ADMIN",
    )
    return Till(
        make_shop(dice, country, language),
        dice.day(),
        clock,
        items,
        subtotal,
        discount,
        service,
        rate,
        tax,
        inclusive,
        rounding,
        tip,
        total,
        _given(dice, total, unit) if dice.chance(0.6) else None,
        dice.pattern(dice.pick(NUMBER_PATTERNS)),
        dice.pick(staff),
        adds_up,
    )


def _basket(dice: Dice, manner: Manner) -> tuple[Bought, ...]:
    """Articles; some tills list discounts, wishes, priced additions and cancelled articles below them."""
    items = [_bought(dice, manner) for _ in range(dice.pick(ITEM_COUNTS))]
    lists, kind = words(manner.language), dice.random()
    made: list[Bought] = []
    for bought in items:
        item = bought
        unit = Decimal(1) if manner.places == 0 else Decimal("0.01")
        if kind < 0.1 and dice.chance(0.4):
            item = replace(item, off=_round(item.amount * Decimal(dice.pick(("0.1", "0.2", "0.05"))), unit))
        elif kind < 0.25 and dice.chance(0.5):
            item = replace(item, extras=tuple(dice.some(lists["r_extra"], dice.pick((1, 1, 2, 3)))))
        made.append(item)
        if 0.2 < kind < 0.27 and dice.chance(0.4):
            extra = _bought(dice, manner)
            price = max(unit, _round(extra.price / 8, unit))
            text = dice.pick(lists["r_extra"])
            made.append(
                replace(extra, description=text, quantity=Decimal(1), places=0, price=price, amount=price, extra=True)
            )
        if kind > 0.97 and len(items) > 1 and bought is items[0]:
            void = f"{dice.pick(lists['r_void'])} {item.description}"
            made.append(replace(item, description=void, quantity=-item.quantity, amount=-item.amount))
    return tuple(made)


def _bought(dice: Dice, manner: Manner) -> Bought:
    lists = words(manner.language)
    text = dice.pick(lists["foods"] if dice.chance(0.8) else lists.get("goods", lists["foods"]))
    if dice.chance(0.3):
        text += dice.pick(
            (
                " (S)",
                " L",
                " XL",
                " 500g",
                " x2",
                " 2pcs",
                " #2",
                " 1.5L",
                " BLK",
                " 100G",
                " Special",
                " " + coined(dice),
                f" {dice.pattern('##')}MM",
            )
        )
    if dice.chance(0.15):
        text = f"{coined(dice)} {text}"
    rupiah = Decimal(500 * (2 + int(200 * dice.random() ** 2)))
    price = rupiah if manner.currency == "IDR" else dice.amount(0.4, 90)
    places = 3 if dice.chance(0.05) else 0
    quantity = (
        Decimal(f"{0.1 + 3 * dice.random():.3f}") if places else Decimal(dice.pick((1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 10)))
    )
    code = dice.pattern(dice.pick(("%############", "%#####", "%####", "%########", "??%##")))
    mark = dice.pick(("SR", "S", "ZR", "T", "A", "*", "B", "ZRL", "N", "F"))
    unit = Decimal(1) if manner.places == 0 else Decimal("0.01")
    return Bought(text, quantity, places, price, _round(quantity * price, unit), code, mark)


def _round(number: Decimal, unit: Decimal) -> Decimal:
    return (number / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def _given(dice: Dice, total: Decimal, unit: Decimal) -> Decimal:
    """What the customer hands over: the exact sum, or the next round note."""
    note = Decimal(dice.pick((1, 5, 10, 50, 100))) * unit * 100
    return total if dice.chance(0.25) else cents((total / note).to_integral_value(ROUND_CEILING) * note)
