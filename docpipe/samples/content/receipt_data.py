"""The data behind a receipt: merchant, items, tax, rounding, payment.

In: a random source and a locale. Out: a `ReceiptData`; nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal

from docpipe.samples.content.invoice_data import round_money
from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.merchants import Merchant, make_merchant
from docpipe.samples.content.names import coined_name, person_name
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.seeded_random import SeededRandom

WRONG_SHARE = 0.03  # of the receipts have a total that does not hold
ITEM_COUNTS = (1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 10, 12, 16, 24)
RECEIPT_NUMBER_PATTERNS = (
    *("%####", "0000##%#", "CS%####", "#####-%###", "%##", "??%#######", "INV-%####", "%#/%####", "01-%#####"),
    *("R0000%####", "%###########"),
)
SIZES = (" (S)", " L", " XL", " 500g", " x2", " 2pcs", " #2", " 1.5L", " BLK", " 100G", " Special")
ITEM_CODE_PATTERNS = ("%############", "%#####", "%####", "%########", "??%##")
TAX_CODES = ("SR", "S", "ZR", "T", "A", "*", "B", "ZRL", "N", "F")
QUANTITIES = (1, 1, 1, 1, 1, 2, 2, 3, 4, 5, 10)
PRICES_INCLUDE_TAX_SHARES = {"US": 0.03, "SG": 0.4, "ID": 0.4, "MY": 0.6}  # of the receipts of a country
PRICES_INCLUDE_TAX_SHARE = 0.93  # elsewhere
FIVE_CENTS = Decimal("0.05")


@dataclass(frozen=True)
class ReceiptItem:
    """`discount` is printed on a line below the item, `modifiers` say how a dish is wanted and have no price, an
    add-on belongs to the item above it and has one."""

    description: str
    quantity: Decimal
    quantity_decimals: int
    unit_price: Decimal
    amount: Decimal
    code: str
    tax_code: str  # a letter behind the amount
    discount: Decimal = Decimal(0)
    modifiers: tuple[str, ...] = ()
    is_add_on: bool = False


@dataclass(frozen=True)
class ReceiptData:
    """Where `prices_include_tax`, the subtotal is printed with it. `cash_tendered` is None where a card paid."""

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
    cash_tendered: Decimal | None
    number: str
    cashier: str
    adds_up: bool


def make_receipt_data(rng: SeededRandom, locale: LocaleStyle) -> ReceiptData:
    country, language = locale.country, locale.language
    items = _receipt_items(rng, locale)
    unit = _smallest_unit(locale)
    subtotal = sum((item.amount - item.discount for item in items), Decimal(0))
    discount = _round(subtotal * Decimal(rng.pick(("0.05", "0.1", "0.2"))), unit) if rng.chance(0.1) else Decimal(0)
    reduced = subtotal - discount
    service_charge = (
        _round(reduced * Decimal("0.1"), unit) if rng.chance(0.12 if country != "SG" else 0.4) else Decimal(0)
    )
    tax_rate = Decimal(rng.pick(word_lists(country)["rate"])) if rng.chance(0.85) else Decimal(0)
    prices_include_tax = rng.chance(PRICES_INCLUDE_TAX_SHARES.get(country, PRICES_INCLUDE_TAX_SHARE))
    charged = reduced + service_charge
    tax = _round(charged * tax_rate / (100 + tax_rate if prices_include_tax else 100), unit)
    total = charged if prices_include_tax else charged + tax
    rounding = _cash_rounding(rng, locale, total)
    tipped = country == "US" and rng.chance(0.35)
    tip = _round(total * Decimal(rng.pick(("0.1", "0.15", "0.18", "0.2"))), unit) if tipped else Decimal(0)
    total += rounding + tip
    adds_up = not rng.chance(WRONG_SHARE)
    if not adds_up:
        total += rng.pick((1, 10, 2)) * unit * 100
    purchase_time = time(6 + int(17 * rng.random()), int(60 * rng.random()), int(60 * rng.random()))
    cashiers = (
        person_name(rng, country),
        word_lists(country)["first"][0].upper(),
        rng.from_pattern("0%"),
        rng.from_pattern("%##"),
        "ADMIN",
    )
    return ReceiptData(
        merchant=make_merchant(rng, country, language),
        purchase_date=rng.random_date(),
        purchase_time=purchase_time,
        items=items,
        subtotal=subtotal,
        discount=discount,
        service_charge=service_charge,
        tax_rate=tax_rate,
        tax=tax,
        prices_include_tax=prices_include_tax,
        rounding=rounding,
        tip=tip,
        total=total,
        cash_tendered=_cash_tendered(rng, total, unit) if rng.chance(0.6) else None,
        number=rng.from_pattern(rng.pick(RECEIPT_NUMBER_PATTERNS)),
        cashier=rng.pick(cashiers),
        adds_up=adds_up,
    )


def _cash_rounding(rng: SeededRandom, locale: LocaleStyle, total: Decimal) -> Decimal:
    """What is added where the smallest coins are not in use: five cents, a hundred rupiah."""
    if locale.country in ("MY", "SG", "CH") and rng.chance(0.7):
        return _round(total, FIVE_CENTS) - total
    if locale.country == "ID" and locale.decimals == 0 and rng.chance(0.2):
        return _round(total, Decimal(100)) - total
    return Decimal(0)


def _receipt_items(rng: SeededRandom, locale: LocaleStyle) -> tuple[ReceiptItem, ...]:
    """Items; some cash registers list discounts, modifiers, add-ons and cancelled items below them."""
    articles: Sequence[ReceiptItem] = [_receipt_item(rng, locale) for _ in range(rng.pick(ITEM_COUNTS))]
    lists, form, unit = word_lists(locale.language), rng.random(), _smallest_unit(locale)
    items: list[ReceiptItem] = []
    for article in articles:
        item = article
        if form < 0.1 and rng.chance(0.4):
            item = replace(item, discount=_round(item.amount * Decimal(rng.pick(("0.1", "0.2", "0.05"))), unit))
        elif form < 0.25 and rng.chance(0.5):
            item = replace(item, modifiers=tuple(rng.pick_several(lists["r_extra"], rng.pick((1, 1, 2, 3)))))
        items.append(item)
        if 0.2 < form < 0.27 and rng.chance(0.4):
            items.append(_add_on(rng, locale))
        if form > 0.97 and len(articles) > 1 and article is articles[0]:
            void = f"{rng.pick(lists['r_void'])} {item.description}"
            items.append(replace(item, description=void, quantity=-item.quantity, amount=-item.amount))
    return tuple(items)


def _add_on(rng: SeededRandom, locale: LocaleStyle) -> ReceiptItem:
    item, unit = _receipt_item(rng, locale), _smallest_unit(locale)
    price = max(unit, _round(item.unit_price / 8, unit))
    return replace(
        item,
        description=rng.pick(word_lists(locale.language)["r_extra"]),
        quantity=Decimal(1),
        quantity_decimals=0,
        unit_price=price,
        amount=price,
        is_add_on=True,
    )


def _receipt_item(rng: SeededRandom, locale: LocaleStyle) -> ReceiptItem:
    lists = word_lists(locale.language)
    description = rng.pick(lists["foods"] if rng.chance(0.8) else lists.get("goods", lists["foods"]))
    if rng.chance(0.3):
        description += rng.pick((*SIZES, " " + coined_name(rng), f" {rng.from_pattern('##')}MM"))
    if rng.chance(0.15):
        description = f"{coined_name(rng)} {description}"
    rupiah = Decimal(500 * (2 + int(200 * rng.random() ** 2)))
    unit_price = rupiah if locale.currency == "IDR" else rng.amount(0.4, 90)
    decimals = 3 if rng.chance(0.05) else 0
    quantity = Decimal(f"{0.1 + 3 * rng.random():.3f}") if decimals else Decimal(rng.pick(QUANTITIES))
    return ReceiptItem(
        description,
        quantity,
        decimals,
        unit_price,
        amount=_round(quantity * unit_price, _smallest_unit(locale)),
        code=rng.from_pattern(rng.pick(ITEM_CODE_PATTERNS)),
        tax_code=rng.pick(TAX_CODES),
    )


def _smallest_unit(locale: LocaleStyle) -> Decimal:
    return Decimal(1) if locale.decimals == 0 else Decimal("0.01")


def _round(number: Decimal, unit: Decimal) -> Decimal:
    return (number / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit


def _cash_tendered(rng: SeededRandom, total: Decimal, unit: Decimal) -> Decimal:
    """What the customer hands over: the exact sum, or the next round note."""
    note = Decimal(rng.pick((1, 5, 10, 50, 100))) * unit * 100
    return total if rng.chance(0.25) else round_money((total / note).to_integral_value(ROUND_CEILING) * note)
