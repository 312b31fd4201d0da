"""How one document writes: its language, dates, numbers and money.

In: dice and a country. Out: a `Manner` that turns dates and amounts into printed texts with their normal forms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from docpipe.samples.canvas.canvas import FieldText
from docpipe.samples.content.words import word_lists
from docpipe.samples.dice import SeededRandom

COUNTRIES = {
    "de": ("DE", "DE", "DE", "AT", "CH"),
    "fr": ("FR", "FR", "FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL", "NL", "BE"),
    "en": ("GB", "US", "GB", "US", "AU", "IE", "SG", "MY"),
    "id": ("ID",),
}
CURRENCIES_WITHOUT_MINOR_UNITS = (
    ("JPY", "¥"),
    ("JPY", "JPY"),
    ("HUF", "Ft"),
    ("HUF", "HUF"),
    ("ISK", "kr"),
    ("KRW", "KRW"),
    ("IDR", "Rp"),
)
LANGUAGES = ("en", "en", "de", "de", "fr", "fr", "es", "it", "nl")


def format_date(day: date, pattern: str, language: str) -> str:
    lists = word_lists(language)
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


def format_number(number: Decimal, style: str, places: int) -> str:
    """`style` shows how 1234.5 is written: `1.234,5`, `1 234,5`, `1234.5`."""
    mark = style[-2]
    group = style[1] if not style[1].isdigit() else ""
    whole, _, rest = f"{abs(number):,.{places}f}".partition(".")
    text = whole.replace(",", group) + (mark + rest if places else "")
    return ("-" if number < 0 else "") + text


@dataclass(frozen=True)
class LocaleStyle:
    """One document's conventions. `sign` is how the currency is printed, `sign_place` where on totals and
    `line_sign_place` where in tables: before, after, or not at all ("")."""

    country: str
    language: str
    currency: str
    currency_symbol: str
    number_format: str
    date_pattern: str
    decimals: int
    symbol_position: str
    line_symbol_position: str
    tax_name: str

    def date_field(self, path: str, day: date) -> FieldText:
        return FieldText(format_date(day, self.date_pattern, self.language), (path,), day.isoformat())

    def format_date(self, day: date) -> str:
        return format_date(day, self.date_pattern, self.language)

    def amount_field(self, path: str, number: Decimal, places: int | None = None) -> FieldText:
        places = self.decimals if places is None else places
        return FieldText(self.format_number(number, places), (path,), normalised_decimal(number, places))

    def format_number(self, number: Decimal, places: int | None = None) -> str:
        return format_number(number, self.number_format, self.decimals if places is None else places)

    def quantity_field(self, path: str, number: Decimal, places: int) -> FieldText:
        return FieldText(format_number(number, self.number_format, places), (path,), normalised_decimal(number, places))

    def rate_field(self, path: str, number: Decimal, places: int, blank: str = " ") -> FieldText:
        return FieldText(
            format_number(number, self.number_format, places) + f"{blank}%", (path,), normalised_decimal(number, places)
        )

    def currency_field(self, path: str = "currency") -> FieldText:
        return FieldText(self.currency_symbol, (path,), self.currency)

    def with_currency(self, amount: FieldText | str, place: str) -> list[FieldText | str]:
        """The amount with the currency beside it. A letter sign keeps a blank; `£` and `$` stick."""
        if place == "before":
            return [
                self.currency_field(),
                "" if len(self.currency_symbol) == 1 and self.currency_symbol != "€" else " ",
                amount,
            ]
        if place == "after":
            return [amount, " ", self.currency_field()]
        return [amount]


def normalised_decimal(number: Decimal, places: int) -> str:
    """`1234.50`; never minus zero."""
    text = f"{number:.{places}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def make_locale_style(rng: SeededRandom, country: str, language: str) -> LocaleStyle:
    lists = word_lists(country)
    currency = lists["currency"][0]
    sign = rng.pick(lists["sign"])
    before = rng.chance(0.95 if currency in ("GBP", "USD", "SGD", "MYR", "IDR", "AUD", "CHF") else 0.15)
    if currency == "EUR" and language in ("nl", "en"):
        before = rng.chance(0.7)
    place = "before" if before else "after"
    return LocaleStyle(
        country,
        language,
        currency,
        sign,
        number_format=rng.pick(lists["number"]),
        date_pattern=rng.pick(lists["date"]),
        decimals=0 if currency == "IDR" and rng.chance(0.85) else 2,
        symbol_position=place if rng.chance(0.8) else "",
        line_symbol_position=place if rng.chance(0.3) else "",
        tax_name=rng.pick(lists["tax"]),
    )


def without_minor_units(rng: SeededRandom, locale: LocaleStyle) -> LocaleStyle:
    """The same manner for a currency that has no cents."""
    currency, symbol = rng.pick(CURRENCIES_WITHOUT_MINOR_UNITS)
    return replace(locale, currency=currency, currency_symbol=symbol, decimals=0)
