"""The figures behind a receipt: shop, items, tax, rounding, payment.

In: dice and a manner of writing. Out: a `Till`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from docpipe.samples.content.invoice_data import round_money
from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.shops import Merchant, make_merchant
from docpipe.samples.content.vocabulary import coined_name, person_name
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

WRONG_SHARE = 0.03
ITEM_COUNTS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 24)
NUMBER_PATTERNS = (
    *("%####", "0000##%#", "CS%####", "#####-%###", "%##", "??%#######", "INV-%####", "%#/%####", "01-%#####"),
    *("R0000%####", "%###########"),
)
FIVE_CENTS = Decimal("0.05")


@dataclass(frozen=True)
class ReceiptItem:
    description: str
    quantity: Decimal
    quantity_decimals: int
    unit_price: Decimal
    amount: Decimal
    code: str
    tax_code: str  # tax letter behind the amount
    discount: Decimal = Decimal(0)  # printed on a line below the article
    modifiers: tuple[str, ...] = ()  # how a dish is wanted, without prices
    is_add_on: bool = False  # an addition to the article above, with a price


@dataclass(frozen=True)
class ReceiptData:
    """`inclusive`: prices contain the tax, so the subtotal is printed with it."""

    merchant: Merchant
    purchase_date: date
    purchase_time: time
    items: tuple[ReceiptItem, ...]
    subtotal: Decimal
    discount: Decimal
    service_charge: Decimal
    tax_rate: Decimal
    tax: Decimal
    prices_include_tax: bool
    rounding: Decimal
    tip: Decimal
    total: Decimal
    cash_tendered: Decimal | None  # None: paid by card
    number: str
    cashier: str
    adds_up: bool


def make_receipt_data(rng: SeededRandom, locale: LocaleStyle) -> ReceiptData:
    country, language = locale.country, locale.language
    items = _receipt_items(rng, locale)
    unit = Decimal(1) if locale.decimals == 0 else Decimal("0.01")
    subtotal = sum((item.amount - item.discount for item in items), Decimal(0))
    discount = _round(subtotal * Decimal(rng.pick(("0.05", "0.1", "0.2"))), unit) if rng.chance(0.1) else Decimal(0)
    base = subtotal - discount
    service = _round(base * Decimal("0.1"), unit) if rng.chance(0.12 if country != "SG" else 0.4) else Decimal(0)
    rate = Decimal(rng.pick(word_lists(country)["rate"])) if rng.chance(0.85) else Decimal(0)
    inclusive = rng.chance({"US": 0.03, "SG": 0.4, "ID": 0.4, "MY": 0.6}.get(country, 0.93))
    due = base + service
    if inclusive:
        tax, total = _round(due * rate / (100 + rate), unit), due
    else:
        tax = _round(due * rate / 100, unit)
        total = due + tax
    rounding = Decimal(0)
    if country in ("MY", "SG", "CH") and rng.chance(0.7):
        rounding = _round(total, FIVE_CENTS) - total
    elif country == "ID" and locale.decimals == 0 and rng.chance(0.2):
        rounding = _round(total, Decimal(100)) - total
    tipped = country == "US" and rng.chance(0.35)
    tip = _round(total * Decimal(rng.pick(("0.1", "0.15", "0.18", "0.2"))), unit) if tipped else Decimal(0)
    total += rounding + tip
    adds_up = not rng.chance(WRONG_SHARE)
    if not adds_up:
        total += rng.pick((1, 10, 2)) * unit * 100
    clock = time(6 + int(17 * rng.random()), int(60 * rng.random()), int(60 * rng.random()))
    staff = (
        person_name(rng, country),
        word_lists(country)["first"][0].upper(),
        rng.from_pattern("0%"),
        rng.from_pattern("%##"),
        "ADMIN",
    )
    return ReceiptData(
        make_merchant(rng, country, language),
        rng.date(),
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
        _cash_tendered(rng, total, unit) if rng.chance(0.6) else None,
        rng.from_pattern(rng.pick(NUMBER_PATTERNS)),
        rng.pick(staff),
        adds_up,
    )


def _receipt_items(rng: SeededRandom, locale: LocaleStyle) -> tuple[ReceiptItem, ...]:
    """Articles; some tills list discounts, wishes, priced additions and cancelled articles below them."""
    items = [_receipt_item(rng, locale) for _ in range(rng.pick(ITEM_COUNTS))]
    lists, kind = word_lists(locale.language), rng.random()
    made: list[ReceiptItem] = []
    for bought in items:
        item = bought
        unit = Decimal(1) if locale.decimals == 0 else Decimal("0.01")
        if kind < 0.1 and rng.chance(0.4):
            item = replace(item, discount=_round(item.amount * Decimal(rng.pick(("0.1", "0.2", "0.05"))), unit))
        elif kind < 0.25 and rng.chance(0.5):
            item = replace(item, modifiers=tuple(rng.pick_several(lists["r_extra"], rng.pick((1, 1, 2, 3)))))
        made.append(item)
        if 0.2 < kind < 0.27 and rng.chance(0.4):
            extra = _receipt_item(rng, locale)
            price = max(unit, _round(extra.unit_price / 8, unit))
            text = rng.pick(lists["r_extra"])
            made.append(
                replace(
                    extra,
                    description=text,
                    quantity=Decimal(1),
                    quantity_decimals=0,
                    unit_price=price,
                    amount=price,
                    is_add_on=True,
                )
            )
        if kind > 0.97 and len(items) > 1 and bought is items[0]:
            void = f"{rng.pick(lists['r_void'])} {item.description}"
            made.append(replace(item, description=void, quantity=-item.quantity, amount=-item.amount))
    return tuple(made)


def _receipt_item(rng: SeededRandom, locale: LocaleStyle) -> ReceiptItem:
    lists = word_lists(locale.language)
    text = rng.pick(lists["foods"] if rng.chance(0.8) else lists.get("goods", lists["foods"]))
    if rng.chance(0.3):
        text += rng.pick(
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
                " " + coined_name(rng),
                f" {rng.from_pattern('##')}MM",
            )
        )
    if rng.chance(0.15):
        text = f"{coined_name(rng)} {text}"
    rupiah = Decimal(500 * (2 + int(200 * rng.random() ** 2)))
    price = rupiah if locale.currency == "IDR" else rng.amount(0.4, 90)
    places = 3 if rng.chance(0.05) else 0
    quantity = (
        Decimal(f"{0.1 + 3 * rng.random():.3f}") if places else Decimal(rng.pick((1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 10)))
    )
    code = rng.from_pattern(rng.pick(("%############", "%#####", "%####", "%########", "??%##")))
    mark = rng.pick(("SR", "S", "ZR", "T", "A", "*", "B", "ZRL", "N", "F"))
    unit = Decimal(1) if locale.decimals == 0 else Decimal("0.01")
    return ReceiptItem(text, quantity, places, price, _round(quantity * price, unit), code, mark)


def _round(number: Decimal, unit: Decimal) -> Decimal:
    return (number / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def _cash_tendered(rng: SeededRandom, total: Decimal, unit: Decimal) -> Decimal:
    """What the customer hands over: the exact sum, or the next round note."""
    note = Decimal(rng.pick((1, 5, 10, 50, 100))) * unit * 100
    return total if rng.chance(0.25) else round_money((total / note).to_integral_value(ROUND_CEILING) * note)
