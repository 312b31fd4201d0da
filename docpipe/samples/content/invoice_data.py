"""The data behind an invoice: who, when, what, and sums that hold. The words are those of EN 16931.

In: a random source and a locale. Out: an `InvoiceData`; nothing is drawn here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from docpipe.samples.content.locale_style import LocaleStyle
from docpipe.samples.content.names import goods_description
from docpipe.samples.content.parties import Party, make_party
from docpipe.samples.content.vocabulary import fill_placeholders, word_lists
from docpipe.samples.seeded_random import SeededRandom

CENT = Decimal("0.01")
HUNDRED = Decimal(100)
WRONG_SHARE = 0.03  # of the invoices have a sum that does not hold, so that checks have something to find
PREPAID_SHARES = (Decimal("0.3"), Decimal("0.5"), Decimal("0.1"), Decimal(1))
ALLOWANCES = (Decimal("-0.05"), Decimal("-0.1"), Decimal("0.04"), Decimal("0.02"))  # of the lines: discount, freight
ERRORS = (Decimal("1"), Decimal("10"), Decimal("-9"), Decimal("100"), Decimal("27"))  # of totals that do not hold
LINE_COUNTS = (1, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10, 13, 18, 26)
QUANTITIES = (1, 1, 1, 2, 2, 3, 4, 5, 6, 8, 10, 12, 20, 25, 50, 100, 400, 1000, 2500, 12000)
PAYMENT_DAYS = (7, 8, 10, 14, 14, 20, 21, 30, 30, 30, 45, 60)
ORDER_PATTERNS = ("PO%####", "4500######", "{yyyy}-%##", "B%#####", "PO-{yy}-###", "%######", "??%###", "BC#####")
REFERENCE_PATTERNS = ("??-###", "%###-?", "??/{yyyy}", "?.?./{yyyy}", "%#-%####-%#", "04011###-%####-##")
ITEM_CODE_PATTERNS = ("%####", "??-%##", "%##.###", "?%#####", "%############", "??##-?", "###-##", "GW?%##")
INVOICE_NUMBER_PATTERNS = (
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
    """`amount` is quantity times price, less the discount."""

    description: str
    code: str
    quantity: Decimal
    quantity_decimals: int
    unit: str
    unit_price: Decimal
    price_decimals: int
    discount_percent: Decimal
    tax_rate: Decimal  # percent
    amount: Decimal


class TaxSubtotal(NamedTuple):
    """The part of an invoice that is taxed at one rate (in percent)."""

    rate: Decimal
    net: Decimal
    tax: Decimal


@dataclass(frozen=True)
class InvoiceData:
    """`allowance` is for the whole document, negative for a discount, positive for freight."""

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
    allowance: Decimal
    tax_breakdown: tuple[TaxSubtotal, ...]
    net_total: Decimal
    tax_total: Decimal
    gross_total: Decimal
    prepaid_amount: Decimal
    payment_terms: str
    adds_up: bool

    @property
    def amount_due(self) -> Decimal:
        return self.gross_total - self.prepaid_amount


def round_money(number: Decimal, decimals: int = 2) -> Decimal:
    """Rounded to the smallest coin; a currency without cents has 0 decimals."""
    return number.quantize(CENT if decimals else Decimal(1), ROUND_HALF_UP).quantize(CENT)


def document_number(rng: SeededRandom, day: date, patterns: Sequence[str] = INVOICE_NUMBER_PATTERNS) -> str:
    pattern = rng.pick(patterns)
    return rng.from_pattern(
        pattern.replace("{yyyy}", str(day.year))
        .replace("{yy}", f"{day.year % 100:02d}")
        .replace("{mm}", f"{day.month:02d}")
        .replace("{dd}", f"{day.day:02d}")
    )


def make_invoice_data(rng: SeededRandom, locale: LocaleStyle) -> InvoiceData:
    country, language = locale.country, locale.language
    issue_date = rng.random_date()
    is_taxed = rng.chance(0.92)
    prices_include_tax = is_taxed and rng.chance(0.08)
    lines = _invoice_lines(rng, locale, issue_date, is_taxed=is_taxed)
    is_credit_note = rng.chance(0.07)
    if is_credit_note and rng.chance(0.5):
        lines = tuple(replace(line, quantity=-line.quantity, amount=-line.amount) for line in lines)
    lines_total = sum((line.amount for line in lines), Decimal(0))
    with_allowance = rng.chance(0.12) and len({line.tax_rate for line in lines}) == 1
    allowance = round_money(lines_total * rng.pick(ALLOWANCES), locale.decimals) if with_allowance else Decimal(0)
    tax_breakdown = _tax_breakdown(lines, allowance, locale.decimals, prices_include_tax=prices_include_tax)
    net_total = sum((subtotal.net for subtotal in tax_breakdown), Decimal(0))
    tax_total = sum((subtotal.tax for subtotal in tax_breakdown), Decimal(0))
    gross_total = net_total + tax_total
    adds_up = not rng.chance(WRONG_SHARE)
    if not adds_up:
        gross_total += rng.pick(ERRORS) / (1 if locale.decimals == 0 else rng.pick((1, 10, 100)))
    prepaid = round_money(gross_total * rng.pick(PREPAID_SHARES), locale.decimals) if rng.chance(0.14) else Decimal(0)
    due_date = issue_date + timedelta(days=rng.pick(PAYMENT_DAYS)) if rng.chance(0.6) else None
    payable_until = locale.format_date(due_date or issue_date + timedelta(days=30))
    terms = fill_placeholders(rng, rng.pick(word_lists(language)["terms"]), language, issue_date, date=payable_until)
    return InvoiceData(
        seller=make_party(rng, country, language),
        buyer=_make_buyer(rng, country, language),
        number=document_number(rng, issue_date),
        issue_date=issue_date,
        due_date=due_date,
        purchase_order=document_number(rng, issue_date, ORDER_PATTERNS) if rng.chance(0.4) else None,
        buyer_reference=document_number(rng, issue_date, REFERENCE_PATTERNS) if rng.chance(0.25) else None,
        is_credit_note=is_credit_note,
        is_taxed=is_taxed,
        prices_include_tax=prices_include_tax,
        lines=lines,
        lines_total=lines_total,
        allowance=allowance,
        tax_breakdown=tax_breakdown,
        net_total=net_total,
        tax_total=tax_total,
        gross_total=gross_total,
        prepaid_amount=prepaid,
        payment_terms=terms,
        adds_up=adds_up,
    )


def _make_buyer(rng: SeededRandom, country: str, language: str) -> Party:
    """Mostly from the same country, a fifth of them private persons."""
    if rng.chance(0.06):
        return make_party(rng, rng.pick(("DE", "FR", "NL", "IT")), "fr")
    return make_party(rng, country, language, private=rng.chance(0.2))


def _invoice_lines(rng: SeededRandom, locale: LocaleStyle, day: date, *, is_taxed: bool) -> tuple[InvoiceLine, ...]:
    rates = [Decimal(rate) for rate in word_lists(locale.country)["rate"]]
    main_rate = rng.pick(rates) if is_taxed else Decimal(0)
    mixed_rates = is_taxed and rng.chance(0.25)
    count = rng.pick(LINE_COUNTS)
    if rng.chance(0.04):
        count = 30 + int(rng.random() * 60)
    with_discounts, with_fractions = rng.chance(0.15), rng.chance(0.3)
    exception = rng.pick(("", "", "", "", "", "", "", "free", "returned"))
    price_decimals = rng.pick((2, 2, 2, 2, 2, 3, 4)) if locale.decimals else 0
    lines = []
    for number in range(count):
        quantity, quantity_decimals = _quantity(rng, with_fractions=with_fractions)
        if number and exception and rng.chance(0.3):
            quantity = -quantity if exception == "returned" else quantity
            price = Decimal(0) if exception == "free" else _unit_price(rng, quantity, price_decimals)
        else:
            price = _unit_price(rng, quantity, price_decimals)
        discount = Decimal(rng.pick((5, 10, 10, 15, 20, 33))) if with_discounts and rng.chance(0.5) else Decimal(0)
        line = InvoiceLine(
            description=goods_description(rng, locale.language, day),
            code=rng.from_pattern(rng.pick(ITEM_CODE_PATTERNS)),
            quantity=quantity,
            quantity_decimals=quantity_decimals,
            unit=rng.pick(word_lists(locale.language)["unit_words"]),
            unit_price=price,
            price_decimals=price_decimals,
            discount_percent=discount,
            tax_rate=rng.pick(rates) if mixed_rates else main_rate,
            amount=round_money(quantity * price * (HUNDRED - discount) / HUNDRED, locale.decimals),
        )
        lines.append(line)
    return tuple(lines)


def _unit_price(rng: SeededRandom, quantity: Decimal, decimals: int) -> Decimal:
    """The more pieces, the cheaper each of them."""
    price = rng.amount(0.2, 3000 if abs(quantity) < 20 else 80 if abs(quantity) < 1000 else 3)
    if decimals == 0:
        return Decimal(int(price * HUNDRED) or 1) * rng.pick((1, 10))
    if decimals > 2 and rng.chance(0.4):
        return Decimal(f"{float(price) / 7:.{decimals}f}")
    return price


def _quantity(rng: SeededRandom, *, with_fractions: bool) -> tuple[Decimal, int]:
    """A quantity and the decimals it is printed with."""
    if with_fractions and rng.chance(0.6):
        decimals = rng.pick((1, 2, 2, 3))
        return Decimal(f"{0.25 + 40 * rng.random() ** 3:.{decimals}f}"), decimals
    if with_fractions:
        return Decimal(1 + int(30 * rng.random())), 2
    return Decimal(rng.pick(QUANTITIES)), 0


def _tax_breakdown(
    lines: Sequence[InvoiceLine], allowance: Decimal, decimals: int, *, prices_include_tax: bool
) -> tuple[TaxSubtotal, ...]:
    """One subtotal for each rate, the highest first."""
    totals: dict[Decimal, Decimal] = {}
    for line in lines:
        totals[line.tax_rate] = totals.get(line.tax_rate, Decimal(0)) + line.amount
    breakdown = []
    for number, rate in enumerate(sorted(totals, reverse=True)):
        total = totals[rate] + (allowance if number == 0 else Decimal(0))
        if prices_include_tax:
            net = round_money(total * HUNDRED / (HUNDRED + rate), decimals)
            breakdown.append(TaxSubtotal(rate, net, total - net))
        else:
            breakdown.append(TaxSubtotal(rate, total, round_money(total * rate / HUNDRED, decimals)))
    return tuple(breakdown)
