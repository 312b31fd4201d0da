"""How one document writes: its language, dates, numbers and money.

In: a random source and a country. Out: a `LocaleStyle` that turns dates and amounts into printed texts with their
normalised forms.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.seeded_random import SeededRandom
from docpipe.samples.truth import FieldText, RichTextRun

SymbolPosition = Literal["before", "after", ""]  # "": the currency is not printed beside an amount

LANGUAGES = ("en", "en", "de", "de", "fr", "fr", "es", "it", "nl")
COUNTRIES = {
    "de": ("DE", "DE", "DE", "AT", "CH"),
    "fr": ("FR", "FR", "FR", "BE"),
    "es": ("ES",),
    "it": ("IT",),
    "nl": ("NL", "NL", "BE"),
    "en": ("GB", "US", "GB", "US", "AU", "IE", "SG", "MY"),
    "id": ("ID",),
}
SYMBOL_FIRST = ("GBP", "USD", "SGD", "MYR", "IDR", "AUD", "CHF")  # currencies mostly printed before the amount
CURRENCIES_WITHOUT_MINOR_UNITS = (  # code of ISO 4217, symbol
    ("JPY", "¥"),
    ("JPY", "JPY"),
    ("HUF", "Ft"),
    ("HUF", "HUF"),
    ("ISK", "kr"),
    ("KRW", "KRW"),
    ("IDR", "Rp"),
)


@dataclass(frozen=True)
class LocaleStyle:
    """One document's conventions. `number_format` shows how 1234.5 is written; `decimals` are those of an amount.
    `symbol_position` is where the currency stands on totals, `line_symbol_position` where in tables."""

    country: str
    language: str
    currency: str
    currency_symbol: str
    number_format: str
    date_pattern: str
    decimals: int
    symbol_position: SymbolPosition
    line_symbol_position: SymbolPosition
    tax_name: str

    def format_date(self, day: date) -> str:
        return date_text(day, self.date_pattern, self.language)

    def format_number(self, number: Decimal, decimals: int | None = None) -> str:
        """With the decimals of an amount unless others are given."""
        return _number_text(number, self.number_format, self.decimals if decimals is None else decimals)

    def date_field(self, path: str, day: date) -> FieldText:
        return FieldText(self.format_date(day), (path,), day.isoformat())

    def number_field(self, path: str, number: Decimal, decimals: int | None = None) -> FieldText:
        decimals = self.decimals if decimals is None else decimals
        return FieldText(self.format_number(number, decimals), (path,), _normalised_decimal(number, decimals))

    def percent_field(self, path: str, number: Decimal, min_decimals: int, gap: str) -> FieldText:
        """`19 %`; `gap` is what stands before the percent sign."""
        decimals = percent_decimals(number, min_decimals)
        text = self.format_number(number, decimals) + f"{gap}%"
        return FieldText(text, (path,), _normalised_decimal(number, decimals))

    def currency_field(self) -> FieldText:
        return FieldText(self.currency_symbol, ("currency",), self.currency)

    def with_currency(self, amount: RichTextRun, position: SymbolPosition) -> list[RichTextRun]:
        """The amount with the currency beside it. A symbol of letters keeps a blank; `£` and `$` stick."""
        if position == "before":
            sticks = len(self.currency_symbol) == 1 and self.currency_symbol != "€"
            return [self.currency_field(), "" if sticks else " ", amount]
        if position == "after":
            return [amount, " ", self.currency_field()]
        return [amount]


def percent_decimals(percent: Decimal, min_decimals: int = 0) -> int:
    """As many decimals as the number needs, at least `min_decimals`."""
    exponent = percent.normalize().as_tuple().exponent
    return max(min_decimals, -exponent if isinstance(exponent, int) else 0, 0)


def date_text(day: date, pattern: str, language: str) -> str:
    """The date by a pattern of the word lists: `{dd}.{mm}.{yyyy}`, `{month} {d}{th}, {yyyy}`."""
    lists = word_lists(language)
    month, month_short = lists["month"][day.month - 1], lists["mon"][day.month - 1]
    ordinal = "th" if 10 <= day.day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return pattern.format(
        d=day.day,
        dd=f"{day.day:02d}",
        m=day.month,
        mm=f"{day.month:02d}",
        yyyy=day.year,
        yy=f"{day.year % 100:02d}",
        month=month,
        mon=month_short,
        MON=month_short.upper(),
        th=ordinal,
    )


def _number_text(number: Decimal, number_format: str, decimals: int) -> str:
    """`number_format` shows how 1234.5 is written: `1.234,5`, `1 234,5`, `1234.5`."""
    decimal_separator = number_format[-2]
    group_separator = number_format[1] if not number_format[1].isdigit() else ""
    whole, _, fraction = f"{abs(number):,.{decimals}f}".partition(".")
    text = whole.replace(",", group_separator) + (decimal_separator + fraction if decimals else "")
    return ("-" if number < 0 else "") + text


def _normalised_decimal(number: Decimal, decimals: int) -> str:
    """`1234.50`; never minus zero."""
    text = f"{number:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def make_locale_style(rng: SeededRandom, country: str, language: str) -> LocaleStyle:
    lists = word_lists(country)
    currency = lists["currency"][0]
    symbol = rng.pick(lists["sign"])
    before = rng.chance(0.95 if currency in SYMBOL_FIRST else 0.15)
    if currency == "EUR" and language in ("nl", "en"):
        before = rng.chance(0.7)
    position: SymbolPosition = "before" if before else "after"
    return LocaleStyle(
        country,
        language,
        currency,
        symbol,
        number_format=rng.pick(lists["number"]),
        date_pattern=rng.pick(lists["date"]),
        decimals=0 if currency == "IDR" and rng.chance(0.85) else 2,
        symbol_position=position if rng.chance(0.8) else "",
        line_symbol_position=position if rng.chance(0.3) else "",
        tax_name=rng.pick(lists["tax"]),
    )


def without_minor_units(rng: SeededRandom, locale: LocaleStyle) -> LocaleStyle:
    """The same conventions with a currency that has no cents."""
    currency, symbol = rng.pick(CURRENCIES_WITHOUT_MINOR_UNITS)
    return replace(locale, currency=currency, currency_symbol=symbol, decimals=0)
