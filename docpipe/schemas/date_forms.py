"""The forms in which dates are printed, and the calendar dates that each may be.

In: a printed text such as `13. November 2017`, `5.III.2024` or `02/02/16`. Out: `PrintedDate`s, whose order of day and
month is left open where the print leaves it open.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from docpipe.schemas.months import ROMAN_MONTHS, is_also_a_word, months_named, needs_language

FIRST_YEAR, LAST_YEAR = 1900, 2099
"""Four digits outside are no year on a business document."""
CENTURY_TURN = 69
"""Two-digit years from here on are 19xx, below 20xx (POSIX)."""

_DAY_SUFFIX = r"(?:st|nd|rd|th|er|ère|\s(?:st|nd|rd|th|er|ère)(?![^\W\d_])|\s?[º°.])?"
"""`1st`, `1stMarch`, `1 st March`, but not the `st` of `17 stycznia`."""
_GAP = r"[\s,./’'-]{0,4}(?:de[l]?\s+|of\s+)?"
_WORD = r"([^\W\d_]{3,12})\.?"
_YEAR = r"(\d{4}|\d{2})(?!\d)"
_DAY_NAME_YEAR = re.compile(rf"(?<!\d)(\d{{1,2}}){_DAY_SUFFIX}{_GAP}{_WORD}{_GAP}{_YEAR}(?!\s?[:.]\d\d|[-/]\d)", re.I)
_NAME_DAY_YEAR = re.compile(
    rf"(?<![^\W\d_]){_WORD}{_GAP}(\d{{1,2}})(?!\d){_DAY_SUFFIX}{_GAP}{_YEAR}(?!\s?:\d\d|[-./]\d)", re.I
)
_YEAR_NAME_DAY = re.compile(rf"(?<!\d)(\d{{4}}){_GAP}{_WORD}{_GAP}(\d{{1,2}})(?!\d)", re.I)
_SEPARATOR = r"(?:\s?[-./–]\s?|\s)"
_YEAR_FIRST = re.compile(rf"(?<![\d.,])(?<!\d[-./])(\d{{4}})({_SEPARATOR})(\d{{1,2}})\2(\d{{1,2}})(?!\d)")
_YEAR_LAST = re.compile(
    r"(?<!\d)(?<!\d[-./])(\d{1,2})\s?([-./–])\s?(\d{1,2})\s?\2\s?(\d{4}|['’]?\d{2})(?!\d|\2\d|[.,:]\d)"
)
_YEAR_LAST_LOOSE = re.compile(rf"(?<!\d)(\d{{1,2}})({_SEPARATOR})(\d{{1,2}}){_SEPARATOR}(\d{{4}}|['’]\d{{2}})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(\d{8})(?!\d)")
_ROMAN = f"({'|'.join(sorted(ROMAN_MONTHS, key=len, reverse=True))})"
_DAY_ROMAN_YEAR = re.compile(
    rf"(?<![\d.,/-])(\d{{1,2}})(?:\s?[./-]\s?{_ROMAN}\s?[./-]\s?|\s{_ROMAN}\s(?=\d{{4}}))(\d{{4}}|\d{{2}})(?!\d|\s?[:.,]\d)"
)
"""`5.III.2024`, `5/III/24`, `5 III 2024`; with blanks a year of two digits is none: `12 V 24` are volts."""
_YEAR_ROMAN_DAY = re.compile(rf"(?<!\d)(\d{{4}})[\s./-]{{1,2}}{_ROMAN}[\s./-]{{1,2}}(\d{{1,2}})(?!\d)")
_SIX_DIGITS = re.compile(r"\d{6}")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """One printed date. `dates` are its possible values: none when the calendar has no such day, two when the order
    of day and month decides (`day_first` is then first) or the language of the document."""

    text: str
    dates: tuple[dt.date, ...]
    day_first: bool | None = None
    """What the order must be for the only date that is possible; None when the print shows the order by itself."""
    languages: tuple[frozenset[str], ...] = ()
    """For each of the dates the languages in which the month's name says so; empty where no language is needed."""


def read_dates(text: str) -> Iterator[PrintedDate]:
    """The printed dates of a text, from left to right within a form; the forms that say more come first."""
    matched_spans: list[tuple[int, int]] = []
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in matched_spans):
                continue
            printed = read(match)
            if printed is not None:
                matched_spans.append(match.span())
                yield printed


@dataclass(frozen=True, slots=True)
class SixDigits:
    """A date that six digits may be; `day_first` is the order of day and month that it takes, None if the year is
    first."""

    date: dt.date
    day_first: bool | None


def read_six_digits(text: str) -> tuple[SixDigits, ...]:
    """What a text of six digits may be: day, month, year; month, day, year; year, month, day. Only a text that has
    nothing else: in a line six digits are any number."""
    digits = text.strip(" .,;")
    if not _SIX_DIGITS.fullmatch(digits):
        return ()
    left, middle, right = digits[:2], digits[2:4], digits[4:]
    readings = (
        (_date(_year(right), int(middle), int(left)), True),
        (_date(_year(right), int(left), int(middle)), False),
        (_date(_year(left), int(middle), int(right)), None),
    )
    return tuple(SixDigits(date, day_first) for date, day_first in readings if date)


def _named(day: str, month: str, year: str, text: str) -> PrintedDate | None:
    months = months_named(month)
    if not months or (len(year) < 4 and is_also_a_word(month)):
        return None
    dates = {date: languages for number, languages in months.items() if (date := _date(_year(year), number, int(day)))}
    return PrintedDate(text, tuple(dates), languages=tuple(dates.values()) if needs_language(month) else ())


def _roman(day: str, month: str, year: str, text: str) -> PrintedDate:
    date = _date(_year(year), ROMAN_MONTHS[month], int(day))
    return PrintedDate(text, (date,) if date else ())


def _year_first(match: re.Match[str]) -> PrintedDate | None:
    year = int(match[1])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    date = _date(year, int(match[3]), int(match[4]))
    return PrintedDate(match.group(), (date,) if date else ())


def _year_last(match: re.Match[str]) -> PrintedDate | None:
    year = _year(match[4].lstrip("'’"))
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    return _ordered(match.group(), int(match[1]), int(match[3]), year)


def _year_last_loose(match: re.Match[str]) -> PrintedDate | None:
    """`27/03 2018`, `27 03 2018`: read, but no evidence of how the document writes its dates."""
    printed = _year_last(match)
    return None if printed is None else replace(printed, day_first=None)


def _compact(match: re.Match[str]) -> PrintedDate | None:
    """`20180312`, else `27032018`."""
    digits = match[1]
    if FIRST_YEAR <= int(digits[:4]) <= LAST_YEAR and (
        date := _date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    ):
        return PrintedDate(digits, (date,))
    if FIRST_YEAR <= int(digits[4:]) <= LAST_YEAR:
        printed = _ordered(digits, int(digits[:2]), int(digits[2:4]), int(digits[4:]))
        return replace(printed, day_first=None) if printed.dates else None
    return None


def _ordered(text: str, first: int, second: int, year: int) -> PrintedDate:
    """Both orders of day and month, as far as the calendar has them."""
    day_first, month_first = _date(year, second, first), _date(year, first, second)
    if day_first == month_first or not (day_first and month_first):
        date = day_first or month_first
        order = None if first == second or not date else day_first is not None
        return PrintedDate(text, (date,) if date else (), order)
    return PrintedDate(text, (day_first, month_first))


def _year(digits: str) -> int:
    number = int(digits)
    if len(digits) > 2:
        return number
    return number + (1900 if number >= CENTURY_TURN else 2000)


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


_FORMS = (
    (_YEAR_FIRST, _year_first),
    (_DAY_NAME_YEAR, lambda match: _named(match[1], match[2], match[3], match.group())),
    (_NAME_DAY_YEAR, lambda match: _named(match[2], match[1], match[3], match.group())),
    (_YEAR_NAME_DAY, lambda match: _named(match[3], match[2], match[1], match.group())),
    (_DAY_ROMAN_YEAR, lambda match: _roman(match[1], match[2] or match[3], match[4], match.group())),
    (_YEAR_ROMAN_DAY, lambda match: _roman(match[3], match[2], match[1], match.group())),
    (_YEAR_LAST, _year_last),
    (_YEAR_LAST_LOOSE, _year_last_loose),
    (_COMPACT, _compact),
)
"""Forms of a date with what reads them; a form earlier in the list wins where two match the same characters."""
