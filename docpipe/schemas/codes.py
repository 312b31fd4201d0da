"""Kinds for codes with rules of their own: currencies, bank accounts and VAT numbers.

In: a printed text. Out: `Parsed` with the code without blanks.
A wrong check digit keeps the value and says `check_digit`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Group, NamedInJsonSchema, Parsed
from docpipe.schemas.local_currency_signs import LOCAL_SIGNS, local_currencies
from docpipe.schemas.words import Text, folded, one_line

SYMBOLS = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS",
    "฿": "THB", "₫": "VND", "₱": "PHP", "RM": "MYR", "Rp": "IDR", "R$": "BRL", "S$": "SGD", "A$": "AUD", "AU$": "AUD",
    "C$": "CAD", "CA$": "CAD", "US$": "USD", "NZ$": "NZD", "HK$": "HKD", "NT$": "TWD", "zł": "PLN", "zl": "PLN",
    "Kč": "CZK", "Ft": "HUF", "SFr": "CHF", "sFr": "CHF", "Rs": "INR", "euro": "EUR", "euros": "EUR",
    "Euro": "EUR", "Euros": "EUR", "EURO": "EUR", "EUROS": "EUR", "RP": "IDR",
    "ringgit": "MYR", "dollar": "$", "dollars": "$", "pound": "GBP", "pounds": "GBP", "Franken": "CHF", "kr": "kr",
    "$": "$",
}  # fmt: skip
"""Symbols and words to ISO 4217; `$` and `kr` are used by several countries and are resolved below."""

DOLLARS = {
    "US": "USD", "CA": "CAD", "AU": "AUD", "NZ": "NZD", "SG": "SGD", "HK": "HKD", "TW": "TWD", "MX": "MXN",
    "CL": "CLP", "CO": "COP", "AR": "ARS",
}  # fmt: skip
"""Pesos are written with it, too."""
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


SYMBOL_PATTERN = _symbol_pattern()
_SYMBOL = re.compile(SYMBOL_PATTERN)
COMMON_CODES = frozenset({
    "EUR", "USD", "GBP", "CHF", "JPY", "CNY", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON",
    "BGN", "ISK", "MYR", "SGD", "HKD", "IDR", "INR", "THB", "PHP", "TWD", "KRW", "BRL", "MXN", "ZAR",
    "AED", "QAR", "KWD", "OMR", "BHD", "JOD", "IQD", "LYD", "TND", "SAR", "LKR", "PKR", "BDT", "VND", "CLP", "NGN",
    "KES", "EGP", "UAH",
})  # fmt: skip
"""These count wherever they stand; other ISO codes (TOP, ALL, MAD) are also words: alone or beside a number."""

_PRICED = re.compile(r"(?<![A-Za-z.])([A-Z]{3})\s?\d+[.,]\d|\d[.,]\d{2,3}\s?([A-Z]{3})(?![A-Za-z])")
_CODE = re.compile(r"(?<![A-Za-z])[A-Z]{3}(?![A-Za-z])")
_CODE_START = re.compile(r"(?<![A-Za-z0-9])(?=(?:[A-Z]{2}|CHE)(?:[ .-]{0,2}[A-Za-z0-9]){2})")
_CODE_TOKEN = re.compile(r"[ .-]{0,2}([A-Za-z0-9+*]+)")
WORDS_AS_PREFIX = frozenset({"NO"})
"""Countries whose prefix is also the word before a number (`GST NO 0012…`): theirs only with right check digits."""
WORDS_BEFORE_NUMBERS = frozenset({"NO", "NR", "ID"})
_LETTERED_NUMBER = re.compile(r"([A-Z]{2})[ .-]{0,2}(\d[\d ./-]*)")
"""`RE 20310312`, `FV-2031/17`: running numbers of invoices; two letters of a country are looked up."""
MAX_CODE_LENGTH = 34
"""Characters of the longest IBAN (ISO 13616)."""
MIN_IBAN_LENGTH, MIN_VAT_ID_LENGTH = 15, 8
BANK_CODE_LETTERS = 4
_LETTER_TO_DIGIT = str.maketrans({"O": "0", "o": "0", "I": "1", "l": "1", "S": "5", "B": "8"})


_MONEY = f"(?:{_SYMBOL.pattern}|{'|'.join(sorted(COMMON_CODES))})"
_NUMBER = r"\d[\d.,'’]*"
_MARKED_AMOUNT = re.compile(
    rf"[-−–+(]{{0,2}}\s?(?:{_MONEY}\.?\s?[-−–]?{_NUMBER}|{_NUMBER}\s?[-–]?\s?{_MONEY}\.?)[-−–)]{{0,2}}"
)
_BARE_AMOUNT = re.compile(r"[-−–]?\d[\d.,'’ ]*[.,:]\d{2}[-−–]?")  # a whole number may be a packing unit: price per 100
_WEIGHT = re.compile(r"\bpounds?\b")
_BEFORE_UNIT = re.compile(rf"^(?:{_MONEY}\s?/\s?|[-\d.,'’ ]+(?:{_MONEY})?\s?/?\s?)(?=[^\W\d_])")


@dataclass(frozen=True)
class Unit(Text):
    """The unit of a quantity or of a price: of `EUR/kg`, `25,4 kg` and `0,18/kg` it is `kg`."""

    name: ClassVar[str] = "unit"
    max_length: ClassVar[int] = 30

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        line = one_line(text)
        if _BARE_AMOUNT.fullmatch(line):
            return Parsed(None, "not_a_unit", f"{text!r} is an amount, and no unit")
        return Parsed(_BEFORE_UNIT.sub("", line) or line or None)


@dataclass(frozen=True)
class Currency(NamedInJsonSchema):
    """An ISO 4217 code, from the code, a symbol or a name. `$` and `kr` are decided by the document's country."""

    name: ClassVar[str] = "currency"
    column: ClassVar[ColumnType] = "text"
    group: ClassVar[Group] = "code"
    max_length: ClassVar[int] = 20

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        codes = {_resolve_shared(code, conventions) for code in currency_marks(text)} or _by_name(text) or _priced(text)
        if not codes and (code := LOCAL_SIGNS.get(one_line(text).rstrip("."))) == conventions.currency and code:
            return Parsed(code)
        if not codes:
            return Parsed(None, "not_a_currency", f"no currency in {text!r}")
        if len(codes) > 1:
            return Parsed(None, "several_currencies", f"{text!r} names {', '.join(sorted(codes))}")
        code = codes.pop()
        if code in SHARED:
            choices = ", ".join(dict.fromkeys(SHARED[code].values()))
            return Parsed(None, "currency_unknown", f"{code} may be {choices}; the document does not say")
        return Parsed(code)

    def marks_amount(self, text: str) -> bool:
        """Whether a text is an amount with its currency and nothing else; `2 pounds` may be a weight."""
        is_marked = _MARKED_AMOUNT.fullmatch(one_line(text)) is not None or bool(local_currencies(one_line(text)))
        return is_marked and _WEIGHT.search(text) is None

    def same(self, left: object, right: object) -> bool:
        return str(left).upper() == str(right).upper()


@dataclass(frozen=True)
class Iban(NamedInJsonSchema):
    """A bank account number (ISO 13616), without blanks."""

    name: ClassVar[str] = "iban"
    column: ClassVar[ColumnType] = "text"
    group: ClassVar[Group] = "identifier"
    max_length: ClassVar[int] = 50

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        from stdnum import iban  # heavy: tables of all countries

        def is_valid(code: str) -> bool:
            return bool(iban.is_valid(code, check_country=False))

        doubtful = None
        for codes in _codes_from(re.sub(r"\bIBAN\b[\s:.]*", "", text, flags=re.I)):
            parsed = _checked(codes, is_valid, MIN_IBAN_LENGTH)
            if parsed is not None and parsed.issue != "check_digit":
                return parsed
            doubtful = doubtful or parsed
        return doubtful or Parsed(None, "not_an_iban", f"no IBAN in {text!r}")

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


@dataclass(frozen=True)
class VatId(NamedInJsonSchema):
    """A VAT number with its country prefix, checked for EU countries, GB, CH and NO; other tax numbers as printed."""

    name: ClassVar[str] = "vat_id"
    column: ClassVar[ColumnType] = "text"
    group: ClassVar[Group] = "identifier"
    max_length: ClassVar[int] = 40

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        doubtful = None
        for codes in _codes_from(text):
            if codes[0][:2] not in _vat_checks():
                continue
            parsed = _checked(codes, _vat_checks()[codes[0][:2]], MIN_VAT_ID_LENGTH)
            if parsed is not None and parsed.issue != "check_digit":
                return parsed
            if codes[0][:2] not in WORDS_AS_PREFIX:
                doubtful = doubtful or parsed
        if doubtful is not None:
            return doubtful
        if (lettered := _LETTERED_NUMBER.fullmatch(one_line(text))) and lettered[1] not in WORDS_BEFORE_NUMBERS:
            return _of_another_country(text, lettered[1], lettered[2])
        number = re.search(r"[A-Z0-9]*\d[A-Z0-9/ .-]*\d[A-Z0-9]*", text)
        if number is None:
            return Parsed(None, "not_a_vat_id", f"no tax number in {text!r}")
        return Parsed("".join(number.group().split()))

    def checked(self, text: str) -> str | None:
        """The VAT number in a text whose check digits are right, of the countries whose numbers are checked."""
        for codes in _codes_from(text):
            is_valid = _vat_checks().get(codes[0][:2])
            parsed = _checked(codes, is_valid, MIN_VAT_ID_LENGTH) if is_valid is not None else None
            if parsed is not None and parsed.issue is None:
                return str(parsed.value)
        return None

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


def currency_marks(text: str) -> list[str]:
    """The currencies that a text marks by symbol or code, in order; `$` and `kr` stay as they are."""
    codes = [code for code in _CODE.findall(text) if code in COMMON_CODES]
    return codes + [SYMBOLS[symbol] for symbol in _SYMBOL.findall(text)] + local_currencies(text)


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


def _priced(text: str) -> set[str]:
    """A code beside a number: `BHD 12.500`."""
    return {code for pair in _PRICED.findall(text) for code in pair if code in _iso_codes()}


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


def _codes_from(text: str) -> Iterator[list[str]]:
    """For each place where a code may begin: what follows it without blanks, the longest first."""
    for start in _CODE_START.finditer(text):
        codes, compact, position = [], "", start.start()
        while token := _CODE_TOKEN.match(text, position):
            compact += token[1].upper()
            if len(compact) > MAX_CODE_LENGTH or (len(compact) > 3 and not _may_continue(token[1])):
                break
            codes.append(compact)
            position = token.end()
        if codes:
            yield codes[::-1]


def _may_continue(word: str) -> bool:
    """Groups of digits, the four letters of a bank as in GB82 WEST, and one or two as in CY 1025 9033 P; other words
    stand behind the code."""
    return any(map(str.isdigit, word)) or (len(word) in (1, 2, BANK_CODE_LETTERS) and word.isupper())


def _checked(codes: list[str], is_valid: Callable[[str], bool], min_length: int) -> Parsed | None:
    """The longest of these whose check digits are right, repaired if need be; else the longest with a doubt."""
    long_enough = [code for code in codes if len(code) >= min_length and sum(map(str.isdigit, code)) * 2 >= len(code)]
    long_enough.sort(key=lambda code: code[-1:].isalpha())
    for code in long_enough:
        if is_valid(code):
            return Parsed(code)
    for code in long_enough:
        repaired = code[:2] + code[2:].translate(_LETTER_TO_DIGIT)
        if repaired != code and is_valid(repaired):
            return Parsed(
                repaired, "ocr_repaired", f"{code} was read as {repaired}, whose check digits are right", "info"
            )
    if not long_enough:
        return None
    return Parsed(long_enough[0], "check_digit", f"the length or the check digits of {long_enough[0]} are wrong")


def _of_another_country(text: str, letters: str, printed: str) -> Parsed:
    """A number behind two letters, as python-stdnum has it of their country; else it is a running number."""
    from stdnum import get_cc_module  # heavy: tables of all countries

    module = get_cc_module(letters, "vat")
    if module is None:
        message = f"{text!r} is a number behind two letters of no country with VAT numbers"
        return Parsed(None, "not_a_vat_id", message, is_something_else=True)
    number = "".join(printed.split())
    if module.is_valid(number):
        return Parsed(number)
    return Parsed(number, "check_digit", f"the length or the check digits of {text} are wrong")


@lru_cache(maxsize=1)
def _vat_checks() -> Mapping[str, Callable[[str], bool]]:
    """Country prefix -> whether a number with it is valid."""
    from stdnum.ch import vat as swiss  # heavy: tables of all countries
    from stdnum.eu import vat as european
    from stdnum.gb import vat as british
    from stdnum.no import mva as norwegian

    prefixes = {"EL" if state == "gr" else state.upper() for state in european.MEMBER_STATES} | {"GR", "XI"}
    checks: dict[str, Callable[[str], bool]] = dict.fromkeys(prefixes, european.is_valid)
    checks["GB"] = british.is_valid
    checks["CH"] = lambda number: bool(swiss.is_valid(number) or swiss.is_valid(f"{number}MWST"))
    checks["NO"] = lambda number: bool(norwegian.is_valid(number) or norwegian.is_valid(f"{number}MVA"))
    return checks
