"""The figures behind an invoice: who, when, what, and sums that hold.

In: dice and a manner of writing. Out: a `Bill`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from docpipe.samples.content.locale_style import Manner
from docpipe.samples.content.vocabulary import Party, fill, goods, party
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
WRONG_SHARE = 0.03  # of the bills have a sum that does not hold, so that checks have something to find
PREPAID_SHARES = (Decimal("0.3"), Decimal("0.5"), Decimal("0.1"), Decimal(1))
ALLOWANCES = (Decimal("-0.05"), Decimal("-0.1"), Decimal("0.04"), Decimal("0.02"))  # of the goods: discount or freight
DAYS_TO_PAY = (7, 8, 10, 14, 14, 20, 21, 30, 30, 30, 45, 60)
ORDER_PATTERNS = ("PO%####", "4500######", "{yyyy}-%##", "B%#####", "PO-{yy}-###", "%######", "??%###", "BC#####")
REFERENCE_PATTERNS = ("??-###", "%###-?", "??/{yyyy}", "?.?./{yyyy}", "%#-%####-%#", "04011###-%####-##")
CODE_PATTERNS = ("%####", "??-%##", "%##.###", "?%#####", "%############", "??##-?", "###-##", "GW?%##")
NUMBER_PATTERNS = (
    "{yyyy}-%##",
    "{yyyy}-####",
    "RE-{yyyy}-####",
    "RE{yyyy}####",
    "%####",
    "%#####",
    "%#######",
    "INV-####",
    "INV%#####",
    "#####/{yy}",
    "{yy}/####",
    "F{yyyy}-###",
    "FA-{yyyy}-####",
    "FA{mm}/{yyyy}/######",
    "??-#####",
    "?-%####",
    "{yyyy}{mm}-###",
    "R{yy}-##",
    "{yyyy}/##",
    "%#########",
    "?? ####/{yy}",
    "A-{yyyy}/####",
    "{yyyy}.####",
    "VK##-#####",
    "0000%#",
    "###-%######",
    "{yy}-%###-?",
    "CI%###",
    "%##",
    "{yyyy}{mm}{dd}/%##",
    "FAC{yy}##%#",
    "SI-%####",
    "MRE/{yy}/###",
    "??{yy}%######",
    "Z-%##.###",
    "IN#%#####",
)


@dataclass(frozen=True)
class Item:
    description: str
    code: str
    quantity: Decimal
    quantity_places: int
    unit: str
    price: Decimal
    price_places: int
    discount: Decimal  # percent
    rate: Decimal  # percent
    amount: Decimal


@dataclass(frozen=True)
class Bill:
    """`inclusive`: prices and amounts contain the tax. `groups`: rate, net, tax for each rate."""

    seller: Party
    buyer: Party
    number: str
    issued: date
    due: date | None
    order: str | None
    reference: str | None
    credit: bool
    taxed: bool
    inclusive: bool
    items: tuple[Item, ...]
    goods_total: Decimal
    allowance: Decimal  # document level, negative for a discount, positive for freight
    groups: tuple[tuple[Decimal, Decimal, Decimal], ...]
    net: Decimal
    tax: Decimal
    gross: Decimal
    prepaid: Decimal
    terms: str
    adds_up: bool

    @property
    def payable(self) -> Decimal:
        return self.gross - self.prepaid


def cents(number: Decimal, places: int = 2) -> Decimal:
    """Rounded to the smallest coin; a currency without cents has 0 places."""
    return number.quantize(CENT if places else Decimal(1), ROUND_HALF_UP).quantize(CENT)


def number_like(dice: Dice, day: date, patterns: tuple[str, ...] = NUMBER_PATTERNS) -> str:
    text = dice.pick(patterns)
    return dice.pattern(
        text.replace("{yyyy}", str(day.year))
        .replace("{yy}", f"{day.year % 100:02d}")
        .replace("{mm}", f"{day.month:02d}")
        .replace("{dd}", f"{day.day:02d}")
    )


def make_bill(dice: Dice, manner: Manner) -> Bill:
    country, language = manner.country, manner.language
    issued = dice.day()
    taxed = dice.chance(0.92)
    inclusive = taxed and dice.chance(0.08)
    items = _items(dice, manner, issued, taxed=taxed)
    credit = dice.chance(0.07)
    if credit and dice.chance(0.5):
        items = tuple(replace(item, quantity=-item.quantity, amount=-item.amount) for item in items)
    goods_total = sum((item.amount for item in items), Decimal(0))
    allowed = dice.chance(0.12) and len({item.rate for item in items}) == 1
    allowance = cents(goods_total * dice.pick(ALLOWANCES), manner.places) if allowed else Decimal(0)
    groups = _groups(items, allowance, manner.places, inclusive=inclusive)
    net = sum((group[1] for group in groups), Decimal(0))
    tax = sum((group[2] for group in groups), Decimal(0))
    gross = net + tax
    adds_up = not dice.chance(WRONG_SHARE)
    if not adds_up:
        gross += dice.pick((Decimal("1"), Decimal("10"), Decimal("-9"), Decimal("100"), Decimal("27"))) / (
            1 if manner.places == 0 else dice.pick((1, 10, 100))
        )
    prepaid = cents(gross * dice.pick(PREPAID_SHARES), manner.places) if dice.chance(0.14) else Decimal(0)
    due = issued + timedelta(days=dice.pick(DAYS_TO_PAY)) if dice.chance(0.6) else None
    payable_by = manner.date(due or issued + timedelta(days=30))
    terms = fill(dice, dice.pick(words(language)["terms"]), language, issued, date=payable_by)
    return Bill(
        seller=party(dice, country, language),
        buyer=_buyer(dice, country, language),
        number=number_like(dice, issued),
        issued=issued,
        due=due,
        order=number_like(dice, issued, ORDER_PATTERNS) if dice.chance(0.4) else None,
        reference=number_like(dice, issued, REFERENCE_PATTERNS) if dice.chance(0.25) else None,
        credit=credit,
        taxed=taxed,
        inclusive=inclusive,
        items=items,
        goods_total=goods_total,
        allowance=allowance,
        groups=groups,
        net=net,
        tax=tax,
        gross=gross,
        prepaid=prepaid,
        terms=terms,
        adds_up=adds_up,
    )


def _buyer(dice: Dice, country: str, language: str) -> Party:
    """Mostly from the same country, a fifth of them private persons."""
    if dice.chance(0.06):
        return party(dice, dice.pick(("DE", "FR", "NL", "IT")), "fr")
    return party(dice, country, language, private=dice.chance(0.2))


def _items(dice: Dice, manner: Manner, day: date, *, taxed: bool) -> tuple[Item, ...]:
    rates = [Decimal(rate) for rate in words(manner.country)["rate"]]
    main = dice.pick(rates) if taxed else Decimal(0)
    mixed = taxed and dice.chance(0.25)
    count = dice.pick((1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 13, 18, 26))
    if dice.chance(0.04):
        count = 30 + int(dice.random() * 60)
    discounted, fractions = dice.chance(0.15), dice.chance(0.3)
    odd = dice.pick(("", "", "", "", "", "", "", "free", "returned"))
    price_places = dice.pick((2, 2, 2, 2, 2, 3, 4)) if manner.places else 0
    made = []
    for number in range(count):
        quantity, places = _quantity(dice, fractions=fractions)
        if number and odd and dice.chance(0.3):
            quantity = -quantity if odd == "returned" else quantity
            price = Decimal(0) if odd == "free" else _price(dice, quantity, price_places)
        else:
            price = _price(dice, quantity, price_places)
        discount = Decimal(dice.pick((5, 10, 10, 15, 20, 33))) if discounted and dice.chance(0.5) else Decimal(0)
        item = Item(
            description=goods(dice, manner.language, day),
            code=dice.pattern(dice.pick(CODE_PATTERNS)),
            quantity=quantity,
            quantity_places=places,
            unit=dice.pick(words(manner.language)["unit_words"]),
            price=price,
            price_places=price_places,
            discount=discount,
            rate=dice.pick(rates) if mixed else main,
            amount=cents(quantity * price * (HUNDRED - discount) / HUNDRED, manner.places),
        )
        made.append(item)
    return tuple(made)


def _price(dice: Dice, quantity: Decimal, places: int) -> Decimal:
    """The more pieces, the cheaper each of them."""
    price = dice.amount(0.2, 3000 if abs(quantity) < 20 else 80 if abs(quantity) < 1000 else 3)
    if places == 0:
        return Decimal(int(price * HUNDRED) or 1) * dice.pick((1, 10))
    if places > 2 and dice.chance(0.4):
        return Decimal(f"{float(price) / 7:.{places}f}")
    return price


def _quantity(dice: Dice, *, fractions: bool) -> tuple[Decimal, int]:
    if fractions and dice.chance(0.6):
        places = dice.pick((1, 2, 2, 3))
        return Decimal(f"{0.25 + 40 * dice.random() ** 3:.{places}f}"), places
    if fractions:
        return Decimal(1 + int(30 * dice.random())), 2
    return Decimal(dice.pick((1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 100, 400, 1000, 2500, 12000))), 0


def _groups(
    items: tuple[Item, ...], allowance: Decimal, places: int, *, inclusive: bool
) -> tuple[tuple[Decimal, Decimal, Decimal], ...]:
    sums: dict[Decimal, Decimal] = {}
    for item in items:
        sums[item.rate] = sums.get(item.rate, Decimal(0)) + item.amount
    groups = []
    for number, rate in enumerate(sorted(sums, reverse=True)):
        total = sums[rate] + (allowance if number == 0 else Decimal(0))
        if inclusive:
            net = cents(total * HUNDRED / (HUNDRED + rate), places)
            groups.append((rate, net, total - net))
        else:
            groups.append((rate, total, cents(total * rate / HUNDRED, places)))
    return tuple(groups)
