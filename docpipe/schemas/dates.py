"""Kinds for dates and times.

In: a printed text such as `13. November 2017` or `02/02/16 10:35` and the document's conventions.
Out: `Parsed` with a `datetime.date` or `datetime.time`. A date whose day and month may be exchanged has no value
unless the document decides: the issue `date_order_unknown` names both readings.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, NamedInJsonSchema, Parsed
from docpipe.schemas.ocr_repairs import repair_date
from docpipe.schemas.words import folded

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pt", "ms", "id")
MIN_MONTH_LETTERS = 3
"""Letters. Shorter abbreviations (es `my`?) would meet too many other words."""
FURTHER_MONTHS = {
    "sept": 9,
    "maerz": 3,
    "mrz": 3,
    "okt": 10,
    "mac": 3,
    "fev": 2,
    "avr": 4,
    "juil": 7,
    "aou": 8,
    "dic": 12,
    "dis": 12,
    "set": 9,
}

FIRST_YEAR, LAST_YEAR = 1900, 2099
"""Four digits outside are no year on a business document."""
CENTURY_TURN = 69
"""Two-digit years from here on are 19xx, below 20xx (POSIX)."""

_DAY_SUFFIX = r"(?:\s?(?:st|nd|rd|th|er|ère|º|°|\.))?"
_GAP = r"[\s,./’'-]{0,4}(?:de[l]?\s+|of\s+)?"
_WORD = r"([^\W\d_]{3,12})\.?"
_YEAR = r"(\d{4}|\d{2})(?!\d)"
_DAY_NAME_YEAR = re.compile(rf"(?<!\d)(\d{{1,2}}){_DAY_SUFFIX}{_GAP}{_WORD}{_GAP}{_YEAR}(?!\s?[:.]\d\d)", re.I)
_NAME_DAY_YEAR = re.compile(rf"(?<![^\W\d_]){_WORD}{_GAP}(\d{{1,2}})(?!\d){_DAY_SUFFIX}{_GAP}{_YEAR}(?!\s?:\d\d)", re.I)
_YEAR_NAME_DAY = re.compile(rf"(?<!\d)(\d{{4}}){_GAP}{_WORD}{_GAP}(\d{{1,2}})(?!\d)", re.I)
_SEPARATOR = r"(?:\s?[-./–]\s?|\s)"
_YEAR_FIRST = re.compile(rf"(?<![\d.,])(?<!\d[-./])(\d{{4}})({_SEPARATOR})(\d{{1,2}})\2(\d{{1,2}})(?!\d)")
_YEAR_LAST = re.compile(
    r"(?<!\d)(?<!\d[-./])(\d{1,2})\s?([-./–])\s?(\d{1,2})\s?\2\s?(\d{4}|['’]?\d{2})(?!\d|\2\d|[.,:]\d)"
)
_YEAR_LAST_LOOSE = re.compile(rf"(?<!\d)(\d{{1,2}})({_SEPARATOR})(\d{{1,2}}){_SEPARATOR}(\d{{4}}|['’]\d{{2}})(?!\d)")
_COMPACT = re.compile(r"(?<!\d)(\d{8})(?!\d)")
_LOST = re.compile(
    r"(?<!\d)(\d{2})(\d{2})[-./\s]{1,2}(\d{4}|\d{2})(?!\d)|(?<!\d)(\d{2})[-./\s]{1,2}(\d{2})(\d{4})(?!\d)"
)
_GLUED_TIME = re.compile(
    r"(?<!\d)(\d{4}([-./])\d{2}\2\d{2}|\d{2}([-./])\d{2}\3\d{4})(?=(?:[01]\d|2[0-3]):?[0-5]\d(?!\d))"
)
"""A date with all its digits and a time without a blank between them: `27/03/201810:35`."""
_GLUED_TIME_NAMED = re.compile(
    r"(?<![^\W_])(\d{1,2}[\s./-]?[^\W\d_]{3,12}\.?[\s./-]?(?:(?:19|20)\d\d|\d\d)|[^\W\d_]{3,12}\.?\s?\d{1,2}['’]\d\d)"
    r"(?=(?:[01]\d|2[0-3]):[0-5]\d(?!\d))"
)
"""The same with the month's name: `24-Sep-201408:23`, `nov.12'1811:40`."""
_MISREAD_NAME = re.compile(r"(?<![^\W_])(?=[^\W_]*[01])(?=[01]?[^\W\d_]{2})[^\W_]{3,9}(?![^\W_])")


@dataclass(frozen=True, slots=True)
class PrintedDate:
    """One printed date. `dates` are its possible values: none when the calendar has no such day, two when the order
    of day and month decides; `day_first` is then first."""

    text: str
    dates: tuple[dt.date, ...]
    day_first: bool | None = None
    """What the order must be for the only date that is possible; None when the print shows the order by itself."""


@dataclass(frozen=True)
class IsoDate(NamedInJsonSchema):
    """A calendar date."""

    name: ClassVar[str] = "date"
    column: ClassVar[ColumnType] = "date"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        repaired = _MISREAD_NAME.sub(_month_for, repair_date(text))
        repaired = _GLUED_TIME_NAMED.sub(r"\1 ", _GLUED_TIME.sub(r"\1 ", repaired))
        printed_dates = list(read_dates(repaired))
        if not printed_dates and (joined := _restore_separators(repaired)) != repaired:
            repaired, printed_dates = joined, list(read_dates(joined))
        possible = [printed for printed in printed_dates if printed.dates]
        if not printed_dates:
            return Parsed(None, "not_a_date", f"no complete date in {text!r}")
        if not possible:
            return Parsed(None, "impossible_date", f"the calendar has no {printed_dates[0].text!r}")
        values = {_choose(printed, conventions.day_first) for printed in possible}
        if len(values) > 1:
            return Parsed(None, "several_dates", f"{text!r} holds several dates")
        value = values.pop()
        if value is None:
            first, second = possible[0].dates
            return Parsed(None, "date_order_unknown", f"{text!r} is {first} or {second}; the document does not say")
        if repaired != text:
            return Parsed(value, "ocr_repaired", f"{text!r} was read as {repaired!r}", "info")
        return Parsed(value)

    def same(self, left: object, right: object) -> bool:
        return left == right


@dataclass(frozen=True)
class ClockTime(NamedInJsonSchema):
    """A time of day; seconds are kept when printed."""

    name: ClassVar[str] = "time"
    column: ClassVar[ColumnType] = "time"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        times = {time for time in (_clock(match) for match in _CLOCK.finditer(text)) if time is not None}
        if not times:
            times = {time for time in (_clock(match) for match in _LOOSE_CLOCK.finditer(text)) if time is not None}
        if not times:
            return Parsed(None, "not_a_time", f"no time of day in {text!r}")
        if len(times) > 1:
            return Parsed(None, "several_times", f"{text!r} holds several times")
        return Parsed(times.pop())

    def same(self, left: object, right: object) -> bool:
        """To the minute: many receipts print the seconds once and leave them out elsewhere."""
        if isinstance(left, dt.time) and isinstance(right, dt.time):
            return (left.hour, left.minute) == (right.hour, right.minute)
        return left == right


_HALF = r"(?:\s?([AaPp])\.?\s?[Mm]\b\.?)?"
_CLOCK = re.compile(rf"(?<![\d:])(\d{{1,2}})\s?:\s?(\d{{2}})(?:\s?:\s?(\d{{2}}))?(?![\d:]){_HALF}")
_LOOSE_CLOCK = re.compile(rf"(?<![\d.])(\d{{1,2}})(?:\s?[.hH]\s?|\s)(\d{{2}})(?:[.\s](\d{{2}}))?(?![\d.]){_HALF}")


def _clock(match: re.Match[str]) -> dt.time | None:
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4] and hour <= 12:
        hour = hour % 12 + (12 if match[4].lower() == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return dt.time(hour, minute, second)


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


@lru_cache(maxsize=1)
def month_names() -> dict[str, int]:
    """Month names and abbreviations of LANGUAGES, folded (`février` -> `fevrier`), to their numbers."""
    from babel import Locale  # heavy: locale data of eight languages

    names = dict(FURTHER_MONTHS)
    for language in LANGUAGES:
        months = Locale(language).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                names.update({folded(name): number for number, name in months[form][width].items()})
    return {name: number for name, number in names.items() if len(name) >= MIN_MONTH_LETTERS}


def _month_for(word: re.Match[str]) -> str:
    """`0ct` -> `oct`, `Apri1` -> `April`; any other word as it is."""
    name = word.group().replace("0", "o").replace("1", "l")
    return name if folded(name) in month_names() else word.group()


def _choose(printed: PrintedDate, day_first: bool | None) -> dt.date | None:
    if len(printed.dates) == 1:
        return printed.dates[0]
    return None if day_first is None else printed.dates[0 if day_first else 1]


def _named(day: str, month: str, year: str, text: str) -> PrintedDate | None:
    number = month_names().get(folded(month))
    if number is None:
        return None
    date = _date(_year(year), number, int(day))
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


def _restore_separators(text: str) -> str:
    """`2703/2018` and `27/032018` -> `27/03/2018`."""
    return _LOST.sub(lambda m: f"{m[1]}/{m[2]}/{m[3]}" if m[1] else f"{m[4]}/{m[5]}/{m[6]}", text)


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
    (_YEAR_LAST, _year_last),
    (_YEAR_LAST_LOOSE, _year_last_loose),
    (_COMPACT, _compact),
)
"""Forms of a date with what reads them; a form earlier in the list wins where two match the same characters."""
