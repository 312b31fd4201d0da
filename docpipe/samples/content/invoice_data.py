"""The figures behind an invoice: who, when, what, and sums that hold.

In: dice and a manner of writing. Out: a `Bill`; nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.vocabulary import Party, fill_placeholders, goods_description, make_party
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

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
class InvoiceLine:
    description: str
    code: str
    quantity: Decimal
    quantity_decimals: int
    unit: str
    unit_price: Decimal
    price_decimals: int
    discount_percent: Decimal  # percent
    tax_rate: Decimal  # percent
    amount: Decimal


@dataclass(frozen=True)
class InvoiceData:
    """`inclusive`: prices and amounts contain the tax. `groups`: rate, net, tax for each rate."""

    seller: Party
    buyer: Party
    number: str
    issue_date: date
    due_date: date | None
    purchase_order: str | None
    buyer_reference: str | None
    is_credit_note: bool
    is_taxed: bool
    prices_include_tax: bool
    lines: tuple[InvoiceLine, ...]
    lines_total: Decimal
    allowance: Decimal  # document level, negative for a discount, positive for freight
    tax_breakdown: tuple[tuple[Decimal, Decimal, Decimal], ...]
    net_total: Decimal
    tax_total: Decimal
    gross_total: Decimal
    prepaid_amount: Decimal
    payment_terms: str
    adds_up: bool

    @property
    def amount_due(self) -> Decimal:
        return self.gross_total - self.prepaid_amount


def round_money(number: Decimal, places: int = 2) -> Decimal:
    """Rounded to the smallest coin; a currency without cents has 0 places."""
    return number.quantize(CENT if places else Decimal(1), ROUND_HALF_UP).quantize(CENT)


def document_number(rng: SeededRandom, day: date, patterns: tuple[str, ...] = NUMBER_PATTERNS) -> str:
    text = rng.pick(patterns)
    return rng.from_pattern(
        text.replace("{yyyy}", str(day.year))
        .replace("{yy}", f"{day.year % 100:02d}")
        .replace("{mm}", f"{day.month:02d}")
        .replace("{dd}", f"{day.day:02d}")
    )


def make_invoice_data(rng: SeededRandom, locale: LocaleStyle) -> InvoiceData:
    country, language = locale.country, locale.language
    issued = rng.date()
    taxed = rng.chance(0.92)
    inclusive = taxed and rng.chance(0.08)
    items = _invoice_lines(rng, locale, issued, taxed=taxed)
    credit = rng.chance(0.07)
    if credit and rng.chance(0.5):
        items = tuple(replace(item, quantity=-item.quantity, amount=-item.amount) for item in items)
    goods_total = sum((item.amount for item in items), Decimal(0))
    allowed = rng.chance(0.12) and len({item.tax_rate for item in items}) == 1
    allowance = round_money(goods_total * rng.pick(ALLOWANCES), locale.decimals) if allowed else Decimal(0)
    groups = _tax_breakdown(items, allowance, locale.decimals, inclusive=inclusive)
    net = sum((group[1] for group in groups), Decimal(0))
    tax = sum((group[2] for group in groups), Decimal(0))
    gross = net + tax
    adds_up = not rng.chance(WRONG_SHARE)
    if not adds_up:
        gross += rng.pick((Decimal("1"), Decimal("10"), Decimal("-9"), Decimal("100"), Decimal("27"))) / (
            1 if locale.decimals == 0 else rng.pick((1, 10, 100))
        )
    prepaid = round_money(gross * rng.pick(PREPAID_SHARES), locale.decimals) if rng.chance(0.14) else Decimal(0)
    due = issued + timedelta(days=rng.pick(DAYS_TO_PAY)) if rng.chance(0.6) else None
    payable_by = locale.format_date(due or issued + timedelta(days=30))
    terms = fill_placeholders(rng, rng.pick(word_lists(language)["terms"]), language, issued, date=payable_by)
    return InvoiceData(
        seller=make_party(rng, country, language),
        buyer=_buyer(rng, country, language),
        number=document_number(rng, issued),
        issue_date=issued,
        due_date=due,
        purchase_order=document_number(rng, issued, ORDER_PATTERNS) if rng.chance(0.4) else None,
        buyer_reference=document_number(rng, issued, REFERENCE_PATTERNS) if rng.chance(0.25) else None,
        is_credit_note=credit,
        is_taxed=taxed,
        prices_include_tax=inclusive,
        lines=items,
        lines_total=goods_total,
        allowance=allowance,
        tax_breakdown=groups,
        net_total=net,
        tax_total=tax,
        gross_total=gross,
        prepaid_amount=prepaid,
        payment_terms=terms,
        adds_up=adds_up,
    )


def _buyer(rng: SeededRandom, country: str, language: str) -> Party:
    """Mostly from the same country, a fifth of them private persons."""
    if rng.chance(0.06):
        return make_party(rng, rng.pick(("DE", "FR", "NL", "IT")), "fr")
    return make_party(rng, country, language, private=rng.chance(0.2))


def _invoice_lines(rng: SeededRandom, locale: LocaleStyle, day: date, *, taxed: bool) -> tuple[InvoiceLine, ...]:
    rates = [Decimal(rate) for rate in word_lists(locale.country)["rate"]]
    main = rng.pick(rates) if taxed else Decimal(0)
    mixed = taxed and rng.chance(0.25)
    count = rng.pick((1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 13, 18, 26))
    if rng.chance(0.04):
        count = 30 + int(rng.random() * 60)
    discounted, fractions = rng.chance(0.15), rng.chance(0.3)
    odd = rng.pick(("", "", "", "", "", "", "", "free", "returned"))
    price_places = rng.pick((2, 2, 2, 2, 2, 3, 4)) if locale.decimals else 0
    made = []
    for number in range(count):
        quantity, places = _quantity(rng, fractions=fractions)
        if number and odd and rng.chance(0.3):
            quantity = -quantity if odd == "returned" else quantity
            price = Decimal(0) if odd == "free" else _unit_price(rng, quantity, price_places)
        else:
            price = _unit_price(rng, quantity, price_places)
        discount = Decimal(rng.pick((5, 10, 10, 15, 20, 33))) if discounted and rng.chance(0.5) else Decimal(0)
        item = InvoiceLine(
            description=goods_description(rng, locale.language, day),
            code=rng.from_pattern(rng.pick(CODE_PATTERNS)),
            quantity=quantity,
            quantity_decimals=places,
            unit=rng.pick(word_lists(locale.language)["unit_words"]),
            unit_price=price,
            price_decimals=price_places,
            discount_percent=discount,
            tax_rate=rng.pick(rates) if mixed else main,
            amount=round_money(quantity * price * (HUNDRED - discount) / HUNDRED, locale.decimals),
        )
        made.append(item)
    return tuple(made)


def _unit_price(rng: SeededRandom, quantity: Decimal, places: int) -> Decimal:
    """The more pieces, the cheaper each of them."""
    price = rng.amount(0.2, 3000 if abs(quantity) < 20 else 80 if abs(quantity) < 1000 else 3)
    if places == 0:
        return Decimal(int(price * HUNDRED) or 1) * rng.pick((1, 10))
    if places > 2 and rng.chance(0.4):
        return Decimal(f"{float(price) / 7:.{places}f}")
    return price


def _quantity(rng: SeededRandom, *, fractions: bool) -> tuple[Decimal, int]:
    if fractions and rng.chance(0.6):
        places = rng.pick((1, 2, 2, 3))
        return Decimal(f"{0.25 + 40 * rng.random() ** 3:.{places}f}"), places
    if fractions:
        return Decimal(1 + int(30 * rng.random())), 2
    return Decimal(rng.pick((1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 100, 400, 1000, 2500, 12000))), 0


def _tax_breakdown(
    items: tuple[InvoiceLine, ...], allowance: Decimal, places: int, *, inclusive: bool
) -> tuple[tuple[Decimal, Decimal, Decimal], ...]:
    sums: dict[Decimal, Decimal] = {}
    for item in items:
        sums[item.tax_rate] = sums.get(item.tax_rate, Decimal(0)) + item.amount
    groups = []
    for number, rate in enumerate(sorted(sums, reverse=True)):
        total = sums[rate] + (allowance if number == 0 else Decimal(0))
        if inclusive:
            net = round_money(total * HUNDRED / (HUNDRED + rate), places)
            groups.append((rate, net, total - net))
        else:
            groups.append((rate, total, round_money(total * rate / HUNDRED, places)))
    return tuple(groups)
