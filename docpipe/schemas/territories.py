"""What CLDR (by way of babel) knows of countries, languages and currencies.

In: a country's code (`MY`), a language (`de`), a currency (`IDR`). Out: the order of day and month, the countries of a
currency, whether its prices have cents. What CLDR does not know, or what a country writes in both ways, is None.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

CURRENCIES_ABROAD = frozenset({"USD", "EUR"})
"""Their letters name no country of the document: dollars are also the price of goods sold elsewhere."""
NAMES_OF_OTHER_THINGS = frozenset({
    "TR", "JO", "TD", "GE", "JE", "CN", "CU", "GN", "GW", "GQ", "GY", "NE", "ML", "DM", "DO", "TG", "BJ", "GG", "CX",
    "US", "HK",
})  # fmt: skip
"""Turkey, Jordan, Chad, Georgia, Jersey, China ... are also food, people, states and goods. What names the United
States (and Hong Kong, which signs of its own name) is in country_signs.py."""
CENTS_OUT_OF_USE = frozenset({"IDR", "HUF"})
"""They have two decimals in ISO 4217. Others without coins of cents (SEK, CZK) still print them."""
LANGUAGES_OF_DAYS = ("en", "de", "fr", "es", "it", "nl", "pt", "sv", "nb", "da", "ms", "pl")
MIN_NAME_LETTERS = 4
"""Letters. Shorter names of countries are also words."""


@lru_cache(maxsize=512)
def day_first_in(country: str) -> bool | None:
    """Whether dates in figures have the day before the month there. None: unknown, or the year stands first.

    A country that writes the year first is day-first when its dates in words begin with the day (Sweden): then the
    figures of a date that ends with the year stand in that order too. None of these is taken for month-first.
    """
    return _day_first(f"und_{country}")


@lru_cache(maxsize=64)
def day_first_in_language(language: str) -> bool | None:
    """The same for a language. English says nothing: it is written in both orders."""
    return None if language == "en" else _day_first(language)


@lru_cache(maxsize=512)
def countries_of_currency(currency: str) -> frozenset[str]:
    """The countries where the currency is legal tender today."""
    from babel.core import get_global  # heavy: locale data

    return frozenset(
        str(country)
        for country, listed in get_global("territory_currencies").items()
        for code, _since, until, tender in listed
        if code == currency and tender and until is None
    )


@lru_cache(maxsize=512)
def day_first_of_currency(currency: str) -> bool | None:
    """The order that all countries of the currency share, those aside that have none."""
    orders = {day_first_in(country) for country in countries_of_currency(currency)} - {None}
    return orders.pop() if len(orders) == 1 else None


@lru_cache(maxsize=512)
def country_of_currency(currency: str) -> str | None:
    """The country that gave the currency its letters: MYR -> MY."""
    country = currency[:2]
    is_home = currency not in CURRENCIES_ABROAD and country in countries_of_currency(currency)
    return country if is_home else None


@lru_cache(maxsize=512)
def has_no_cents(currency: str) -> bool:
    """Whether prices in it are whole: it has no smaller unit (JPY, KRW, CLP, VND) or none is in use (IDR, HUF)."""
    from babel.numbers import get_currency_precision  # heavy: locale data

    return currency in CENTS_OUT_OF_USE or get_currency_precision(currency) == 0


@lru_cache(maxsize=512)
def has_three_decimals(currency: str) -> bool:
    """Whether a thousand of its smaller units make one: BHD, JOD, KWD, LYD, OMR, TND (ISO 4217)."""
    from babel.numbers import get_currency_precision  # heavy: locale data

    return get_currency_precision(currency) == 3


@lru_cache(maxsize=512)
def currency_in(country: str) -> str | None:
    """The currency of a country that has one."""
    from babel.numbers import get_territory_currencies  # heavy: locale data

    try:
        currencies = get_territory_currencies(country)
    except (ValueError, KeyError):
        return None
    return str(currencies[0]) if len(currencies) == 1 else None


@lru_cache(maxsize=1)
def country_names() -> Mapping[str, str]:
    """Names of countries in lower case, in English and in their own languages -> the country's code."""
    from babel import Locale, UnknownLocaleError  # heavy: locale data of all countries

    names: dict[str, str] = {}
    for code, english in Locale("en").territories.items():
        if len(code) != 2 or not code.isalpha() or code in NAMES_OF_OTHER_THINGS:
            continue
        try:
            own = Locale.parse(f"und_{code}").territories.get(code, english)
        except (UnknownLocaleError, ValueError):
            own = english
        names.update({str(name).casefold(): str(code) for name in (english, own) if len(name) >= MIN_NAME_LETTERS})
    return names


@lru_cache(maxsize=1)
def weekday_names() -> Mapping[str, frozenset[int]]:
    """Names of weekdays and their abbreviations in lower case -> the days (Monday is 0) that they may be."""
    from babel import Locale  # heavy: locale data of twelve languages

    names: dict[str, set[int]] = {}
    for language in LANGUAGES_OF_DAYS:
        days = Locale(language).days["format"]
        for width in ("wide", "abbreviated"):
            for number, name in days[width].items():
                plain = str(name).casefold().strip(".")
                if len(plain) > 2:
                    names.setdefault(plain, set()).add(int(number))
    return {name: frozenset(numbers) for name, numbers in names.items()}


def is_country(code: str) -> bool:
    """Whether two letters are the code of a country."""
    return len(code) == 2 and (day_first_in(code) is not None or bool(_pattern(f"und_{code}", "short")))


def _day_first(locale: str) -> bool | None:
    order = _pattern(locale, "short")
    if order[:1] == "y":
        return True if _pattern(locale, "medium")[:1] == "d" else None
    return order.index("d") < order.index("m") if "d" in order and "m" in order else None


def _pattern(locale: str, width: str) -> str:
    """Day, month and year in the order of a date format: `dmy`; empty when there is no such locale."""
    from babel import Locale, UnknownLocaleError  # heavy: locale data

    try:
        pattern = Locale.parse(locale).date_formats[width].pattern
    except (UnknownLocaleError, ValueError):
        return ""
    return "".join(dict.fromkeys(char for char in str(pattern).lower() if char in "dmy"))
