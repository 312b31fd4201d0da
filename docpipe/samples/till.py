"""The figures behind a receipt: shop, items, tax, rounding, payment.

In: dice and a manner of writing. Out: a `Till`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from docpipe.samples.bill import cents
from docpipe.samples.dice import Dice
from docpipe.samples.manner import Manner
from docpipe.samples.vocabulary import address, coined, company, last_name, person, town
from docpipe.samples.words import words

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


@dataclass(frozen=True)
class Shop:
    brand: str
    legal: str | None
    address: tuple[str, ...]
    phone: str
    register: str
    tax_number: str
    web: str


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


def make_shop(dice: Dice, country: str, language: str) -> Shop:
    lists = words(language)
    city = town(dice, country, language)
    kind = dice.random()
    noun, adjective, trade = dice.pick(lists["nouns"]), dice.pick(lists["adjectives"]), dice.pick(lists["shops"])
    owner = last_name(dice, country) if dice.chance(0.5) else coined(dice)
    if country in ("MY", "SG") and kind < 0.6:
        stem = dice.pick(
            (
                f"{owner} {trade}",
                f"{adjective} {noun} {trade}",
                f"{coined(dice)}",
                f"{owner} {dice.pick(lists['trades'])}",
                f"{noun} {owner}",
            )
        )
        brand = f"{stem} {dice.pick(words(country)['suffix'])}"
    elif kind < 0.25:
        brand = f"{trade} {noun}" if language in ("fr", "es", "it", "id") else f"{noun} {trade}"
    elif kind < 0.45:
        brand = f"{owner}'s {trade}" if language == "en" else f"{trade} {owner}"
    elif kind < 0.6:
        brand = f"{adjective} {noun}" + dice.pick(("", f" {trade}"))
    elif kind < 0.72:
        brand = coined(dice) + dice.pick(("", f" {trade}", f" {city}"))
    elif kind < 0.8:
        brand = f"{dice.pattern('?&?')} {trade}"
    else:
        brand = company(dice, country, language)
    legal = company(dice, country, language) if dice.chance(0.15) else None
    brand, legal = (brand.upper(), legal.upper() if legal else None) if dice.chance(0.55) else (brand, legal)
    code = {
        "MY": "00############"[:12],
        "SG": "20%######?",
        "GB": "%## #### ##",
        "DE": "##/###/#####",
        "US": "##-#######",
    }.get(country, "%##########")
    return Shop(
        " ".join(brand.split()),
        legal,
        address(dice, country, language, city),
        dice.pattern(dice.pick(words(country)["phone"])),
        dice.pattern(dice.pick(("%#####-?", "(%######-?)", "%########?", "20%#%#####?"))),
        dice.pattern(code),
        f"www.{coined(dice).lower()}.{dice.pick(words(country)['tld'])}",
    )


def make_till(dice: Dice, manner: Manner) -> Till:
    country, language = manner.country, manner.language
    items = tuple(_bought(dice, manner) for _ in range(dice.pick(ITEM_COUNTS)))
    unit = Decimal(1) if manner.places == 0 else Decimal("0.01")
    subtotal = sum((item.amount for item in items), Decimal(0))
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
