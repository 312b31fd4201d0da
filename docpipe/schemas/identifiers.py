"""The kind for numbers and codes that name something: of an invoice, an order, a customer.

In: a printed text. Out: `Parsed` with the text. What is a time of day, a date or an amount of money is none, and what
may be one is doubtful: plain numbers, `06/2023` and `12.2024` are the numbers of many an invoice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from docpipe.schema_ports import Conventions, Group, Parsed
from docpipe.schemas.codes import SYMBOLS
from docpipe.schemas.date_forms import read_dates
from docpipe.schemas.months import months_named
from docpipe.schemas.words import Text, one_line

_TIME = r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?(?:\s?[ap]\.?m\.?|\s?Uhr|\s?h)?"
_CLOCK_TIME = re.compile(_TIME, re.I)
_TIME_AFTER_DATE = re.compile(rf"[\s,T]*{_TIME}(?:\s?Z)?", re.I)
_SURE_DATE = re.compile(r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}|\d{4}-\d\d-\d\d|\d{4}\.\s?\d{1,2}\.\s?\d{1,2}")
_DATE_OF_NUMBERS = re.compile(
    r"\d{1,4}/\w{1,4}/\d{1,4}|\d{1,2}-\w{1,4}-\d{4}|\d\d[-.]\d\d[-.]\d\d|\d{1,2}\.\w{1,4}\.\d{4}"
)
"""They may be dates, but `14/03/2031` is also the 14th invoice of a March, and hyphens join all sorts of numbers."""

_WHOLE = r"(?:\d{1,3}(?:[.,'’ ]\d{3})+|\d+)"
_SIGNS = "|".join(re.escape(symbol) for symbol in sorted(SYMBOLS, key=len, reverse=True) if not symbol[-1].isalpha())
_MARKS = "|".join(re.escape(symbol) for symbol in sorted({*SYMBOLS, *SYMBOLS.values()}, key=len, reverse=True))
_AMOUNT = re.compile(
    rf"[-+−(]?\s?(?:"
    rf"(?:{_SIGNS})\s?-?{_WHOLE}(?:[.,]\d\d?\d?)?|{_WHOLE}(?:[.,]\d\d?\d?)?\s?-?(?:{_SIGNS})"  # `€ 500`, `500 €`
    rf"|(?:{_MARKS})\.?\s?-?{_WHOLE}[.,]\d\d|{_WHOLE}[.,]\d\d\s?-?(?:{_MARKS})"  # `EUR 12.50`, but `RM 1250` is a code
    rf"|\d{{1,3}}(?:(?:\.\d{{3}})+,|(?:,\d{{3}})+\.|(?:['’ ]\d{{3}})+[.,])\d\d|\d+,\d\d"  # `1.234,50`, `12,50`
    rf")\s?[-)]?"
)
_MAY_BE_AMOUNT = re.compile(r"[-−]?\d{1,6}\.\d\d")
"""`118.24` is an amount, or the 118th invoice of 2024."""


@dataclass(frozen=True)
class Identifier(Text):
    """A number or code that names something. Compared without blanks and case."""

    name: ClassVar[str] = "identifier"
    group: ClassVar[Group] = "identifier"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        code = one_line(text).strip(" :;,#")
        if (other := _something_else(code)) is not None:
            return Parsed(None, "not_an_identifier", f"{code!r} is {other}", is_something_else=True)
        if (other := _perhaps_else(code)) is not None:
            return Parsed(code, "not_an_identifier", f"{code!r} may be {other}")
        return Parsed(code or None)

    def same(self, left: object, right: object) -> bool:
        return _compact(left) == _compact(right)


def _something_else(code: str) -> str | None:
    """What a text is that is no identifier without doubt; None where it may be one."""
    if _CLOCK_TIME.fullmatch(code):
        return "a time of day"
    if _AMOUNT.fullmatch(code):
        return "an amount"
    date, rest = _date_at_start(code)
    is_certain = bool(date) and (_SURE_DATE.fullmatch(date) is not None or _names_month(date))
    if (date and (is_certain and not rest.strip(" .,"))) or (date and _TIME_AFTER_DATE.fullmatch(rest)):
        return "a date"
    return None


def _perhaps_else(code: str) -> str | None:
    """What a text may be, though identifiers look like that too."""
    if _MAY_BE_AMOUNT.fullmatch(code):
        return "an amount"
    date, rest = _date_at_start(code)
    return "a date" if date and not rest and _DATE_OF_NUMBERS.fullmatch(code) else None


def _date_at_start(code: str) -> tuple[str, str]:
    """The date that a text begins with, if the calendar has it, and what stands behind it; a date in figures alone
    (`20310412`) is as good a number."""
    for printed in read_dates(code):
        if printed.dates and code.startswith(printed.text) and re.search(r"[^\w\s]|[^\W\d_]", printed.text):
            return printed.text, code[len(printed.text) :]
    return "", code


def _names_month(date: str) -> bool:
    """`5 March 2031`, but not `5MAR31`, which is a code too."""
    words = re.findall(r"(?<![^\W_])[^\W\d_]{3,}(?![^\W_])", date)
    return any(months_named(word) for word in words)


def _compact(value: object) -> str:
    return "".join(str(value).split()).casefold()
