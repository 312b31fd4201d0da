"""How one document writes: its language, dates, numbers and money.

In: dice and a country. Out: a `Manner` that turns dates and amounts into printed texts with their normal forms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from docpipe.samples.canvas.canvas import Value
from docpipe.samples.content.words import words
from docpipe.samples.dice import Dice

COUNTRIES = {
    "de": ("DE", "DE", "DE", "AT", "CH"),
    "fr": ("FR", "FR", "FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL", "NL", "BE"),
    "en": ("GB", "US", "GB", "US", "AU", "IE", "SG", "MY"),
    "id": ("ID",),
}
WHOLE_UNITS = (
    ("JPY", "¥"),
    ("JPY", "JPY"),
    ("HUF", "Ft"),
    ("HUF", "HUF"),
    ("ISK", "kr"),
    ("KRW", "KRW"),
    ("IDR", "Rp"),
)
LANGUAGES = ("en", "en", "de", "de", "fr", "fr", "es", "it", "nl")


def say_date(day: date, pattern: str, language: str) -> str:
    lists = words(language)
    month, mon = lists["month"][day.month - 1], lists["mon"][day.month - 1]
    ordinal = "th" if 10 <= day.day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return pattern.format(
        d=day.day,
        dd=f"{day.day:02d}",
        m=day.month,
        mm=f"{day.month:02d}",
        yyyy=day.year,
        yy=f"{day.year % 100:02d}",
        month=month,
        mon=mon,
        MON=mon.upper(),
        th=ordinal,
    )


def say_number(number: Decimal, style: str, places: int) -> str:
    """`style` shows how 1234.5 is written: `1.234,5`, `1 234,5`, `1234.5`."""
    mark = style[-2]
    group = style[1] if not style[1].isdigit() else ""
    whole, _, rest = f"{abs(number):,.{places}f}".partition(".")
    text = whole.replace(",", group) + (mark + rest if places else "")
    return ("-" if number < 0 else "") + text


@dataclass(frozen=True)
class Manner:
    """One document's conventions. `sign` is how the currency is printed, `sign_place` where on totals and
    `line_sign_place` where in tables: before, after, or not at all ("")."""

    country: str
    language: str
    currency: str
    sign: str
    number: str
    date_pattern: str
    places: int
    sign_place: str
    line_sign_place: str
    tax: str

    def day(self, path: str, day: date) -> Value:
        return Value(say_date(day, self.date_pattern, self.language), (path,), day.isoformat())

    def date(self, day: date) -> str:
        return say_date(day, self.date_pattern, self.language)

    def amount(self, path: str, number: Decimal, places: int | None = None) -> Value:
        places = self.places if places is None else places
        return Value(self.plain(number, places), (path,), plain_decimal(number, places))

    def plain(self, number: Decimal, places: int | None = None) -> str:
        return say_number(number, self.number, self.places if places is None else places)

    def quantity(self, path: str, number: Decimal, places: int) -> Value:
        return Value(say_number(number, self.number, places), (path,), plain_decimal(number, places))

    def rate(self, path: str, number: Decimal, places: int, blank: str = " ") -> Value:
        return Value(say_number(number, self.number, places) + f"{blank}%", (path,), plain_decimal(number, places))

    def sign_value(self, path: str = "currency") -> Value:
        return Value(self.sign, (path,), self.currency)

    def money(self, amount: Value | str, place: str) -> list[Value | str]:
        """The amount with the currency beside it. A letter sign keeps a blank; `£` and `$` stick."""
        if place == "before":
            return [self.sign_value(), "" if len(self.sign) == 1 and self.sign != "€" else " ", amount]
        if place == "after":
            return [amount, " ", self.sign_value()]
        return [amount]


def plain_decimal(number: Decimal, places: int) -> str:
    """`1234.50`; never minus zero."""
    text = f"{number:.{places}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def make_manner(dice: Dice, country: str, language: str) -> Manner:
    lists = words(country)
    currency = lists["currency"][0]
    sign = dice.pick(lists["sign"])
    before = dice.chance(0.95 if currency in ("GBP", "USD", "SGD", "MYR", "IDR", "AUD", "CHF") else 0.15)
    if currency == "EUR" and language in ("nl", "en"):
        before = dice.chance(0.7)
    place = "before" if before else "after"
    return Manner(
        country,
        language,
        currency,
        sign,
        number=dice.pick(lists["number"]),
        date_pattern=dice.pick(lists["date"]),
        places=0 if currency == "IDR" and dice.chance(0.85) else 2,
        sign_place=place if dice.chance(0.8) else "",
        line_sign_place=place if dice.chance(0.3) else "",
        tax=dice.pick(lists["tax"]),
    )


def in_whole_units(dice: Dice, manner: Manner) -> Manner:
    """The same manner for a currency that has no cents."""
    currency, sign = dice.pick(WHOLE_UNITS)
    return replace(manner, currency=currency, sign=sign, places=0)
