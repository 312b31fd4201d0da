"""Kinds for codes with rules of their own: currencies, bank accounts and VAT numbers.

In: a printed text. Out: `Parsed` with the code without blanks. A wrong check digit keeps the value and says `check_digit`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from docpipe.protocols import ColumnType, Conventions, Parsed
from schemas.words import folded

SYMBOLS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "฿": "THB",
    "₫": "VND", "₱": "PHP", "RM": "MYR", "Rp": "IDR", "R$": "BRL", "S$": "SGD", "A$": "AUD", "AU$": "AUD", "C$": "CAD",
    "CA$": "CAD", "US$": "USD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "zł": "PLN", "zl": "PLN", "Kč": "CZK", "Ft": "HUF",
    "SFr": "CHF", "sFr": "CHF", "Rs": "INR", "euro": "EUR", "euros": "EUR", "ringgit": "MYR",
    "dollar": "$", "dollars": "$", "pound": "GBP", "pounds": "GBP", "Franken": "CHF", "kr": "kr", "$": "$",
}  # fmt: skip
"""Symbols and words to ISO 4217; `$` and `kr` are used by several countries and are resolved below."""

DOLLARS = {"US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "TW": "TWD", "MX": "MXN"}
CROWNS = {"SE": "SEK", "NO": "NOK", "DK": "DKK", "IS": "ISK", "sv": "SEK", "nb": "NOK", "no": "NOK", "da": "DKK"}
SHARED = {"$": DOLLARS, "kr": CROWNS}


def _symbol_pattern() -> str:
    """Longest first; what begins or ends with a letter is not part of a longer word."""
    parts = []
    for symbol in sorted(SYMBOLS, key=len, reverse=True):
        before = r"(?<![^\W\d_])" if symbol[0].isalpha() else ""
        after = r"(?![^\W\d_])" if symbol[-1].isalpha() else ""
        parts.append(before + re.escape(symbol) + after)
    firsts = "".join(sorted({symbol[0] for symbol in SYMBOLS}))
    return f"(?=[{re.escape(firsts)}])(?:{'|'.join(parts)})"


_SYMBOL = re.compile(_symbol_pattern())
COMMON_CODES = frozenset(
    "EUR USD GBP CHF JPY CNY CAD AUD NZD SEK NOK DKK PLN CZK HUF RON BGN ISK MYR SGD HKD IDR INR THB PHP TWD KRW BRL MXN ZAR".split()
)
"""These count wherever they stand; other ISO codes (BHD, TOP, ALL) are also words and count beside a number only."""

_PRICED = re.compile(r"(?<![A-Za-z.])([A-Z]{3})\s?\d+[.,]\d|\d[.,]\d{2,3}\s?([A-Z]{3})(?![A-Za-z])")
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_IBAN = re.compile(r"(?<![A-Z0-9])([A-Z]{2}[ .-]?[\dOoIl]{2}(?:[ .-]?[A-Za-z0-9]){11,30})(?![A-Za-z0-9])")
_VAT = re.compile(r"(?<![A-Z0-9])(?:(?:[A-Z][ .-]?){2}|CHE[ -]?)[A-Z0-9](?:[ .-]?[A-Z0-9+*]){5,14}")
_DIGIT_SLIPS = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "S": "5", "B": "8"})


@dataclass(frozen=True)
class Currency:
    """An ISO 4217 code, from the code, a symbol or a name. `$` and `kr` are decided by the document's country."""

    name: ClassVar[str] = "currency"
    column: ClassVar[ColumnType] = "text"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        found = {_resolve_shared(code, conventions) for code in currency_marks(text)} or _by_name(text)
        if not found:
            return Parsed(None, "not_a_currency", f"no currency in {text!r}")
        if len(found) > 1:
            return Parsed(None, "several_currencies", f"{text!r} names {', '.join(sorted(found))}")
        code = found.pop()
        if code in SHARED:
            choices = ", ".join(dict.fromkeys(SHARED[code].values()))
            return Parsed(None, "currency_unknown", f"{code} may be {choices}; the document does not say")
        return Parsed(code)

    def same(self, left: object, right: object) -> bool:
        return str(left).upper() == str(right).upper()


@dataclass(frozen=True)
class Iban:
    """A bank account number (ISO 13616), without blanks."""

    name: ClassVar[str] = "iban"
    column: ClassVar[ColumnType] = "text"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        from stdnum import iban  # heavy: tables of all countries

        found = _IBAN.search(_without_label(text, "IBAN"))
        if found is None:
            return Parsed(None, "not_an_iban", f"no IBAN in {text!r}")
        compact = re.sub(r"[ .-]", "", found.group(1)).upper()
        if iban.is_valid(compact, check_country=False):
            return Parsed(compact)
        repaired = compact[:2] + compact[2:].translate(_DIGIT_SLIPS)
        if repaired != compact and iban.is_valid(repaired, check_country=False):
            return Parsed(
                repaired, "ocr_repaired", f"{compact} was read as {repaired}, whose check digits are right", "info"
            )
        return Parsed(compact, "check_digit", f"the check digits of {compact} are wrong")

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


@dataclass(frozen=True)
class VatId:
    """A VAT number with its country prefix, checked for EU countries, GB, CH and NO; other tax numbers as printed."""

    name: ClassVar[str] = "vat_id"
    column: ClassVar[ColumnType] = "text"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        for found in _VAT.finditer(text):
            compact = re.sub(r"[ .-]", "", found.group())
            verdict = _vat_is_valid(compact)
            if verdict is None:
                continue
            if verdict:
                return Parsed(compact)
            repaired = compact[:2] + compact[2:].translate(_DIGIT_SLIPS)
            if repaired != compact and _vat_is_valid(repaired):
                return Parsed(
                    repaired, "ocr_repaired", f"{compact} was read as {repaired}, whose check digit is right", "info"
                )
            return Parsed(
                compact, "check_digit", f"{compact} is not a valid VAT number: its length or check digit is wrong"
            )
        number = re.search(r"[A-Z0-9]*\d[A-Z0-9/ .-]*\d[A-Z0-9]*", text)
        if number is None:
            return Parsed(None, "not_a_vat_id", f"no tax number in {text!r}")
        return Parsed(number.group().strip().replace(" ", ""))

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


def currency_marks(text: str) -> list[str]:
    """The currencies that a text marks by symbol or code, in order; `$` and `kr` stay as they are."""
    codes = [code for code in _CODE.findall(text) if code in COMMON_CODES]
    codes += [code for pair in _PRICED.findall(text) for code in pair if code in _iso_codes() - COMMON_CODES]
    return codes + [SYMBOLS[symbol] for symbol in _SYMBOL.findall(text)]


def _resolve_shared(code: str, conventions: Conventions) -> str:
    if code not in SHARED:
        return code
    shared = SHARED[code]
    if conventions.currency in shared.values():
        return str(conventions.currency)
    return shared.get(conventions.country or "", shared.get(conventions.language or "", code))


def _by_name(text: str) -> set[str]:
    code = _currency_names().get(folded(text))
    return {code} if code else set()


@lru_cache(maxsize=1)
def _iso_codes() -> frozenset[str]:
    from babel import Locale  # heavy: locale data

    return frozenset(str(code) for code in Locale("en").currencies)


@lru_cache(maxsize=1)
def _currency_names() -> dict[str, str]:
    """Folded names in six languages (`Euro`, `dólar estadounidense`) and all ISO codes."""
    from babel import Locale  # heavy: locale data

    names: dict[str, str] = {}
    for language in ("nl", "it", "es", "fr", "de", "en"):
        names.update({folded(str(name)): str(code) for code, name in Locale(language).currencies.items()})
    names.update({folded(code): code for code in _iso_codes()})
    return names


def _vat_is_valid(number: str) -> bool | None:
    """None: the prefix is no country whose numbers can be checked."""
    from stdnum.ch import vat as swiss  # heavy: tables of all countries
    from stdnum.eu import vat as european
    from stdnum.gb import vat as british
    from stdnum.no import mva as norwegian

    prefix = number[:2]
    if prefix == "GB":
        return bool(british.is_valid(number))
    if prefix == "CH":
        return bool(swiss.is_valid(number) or swiss.is_valid(number + "MWST"))
    if prefix == "NO":
        return bool(norwegian.is_valid(number))
    if prefix.lower() in {*european.MEMBER_STATES, "el", "xi"}:
        return bool(european.is_valid(number))
    return None


def _without_label(text: str, label: str) -> str:
    return re.sub(rf"\b{label}\b[\s:.]*", "", text, flags=re.I)
