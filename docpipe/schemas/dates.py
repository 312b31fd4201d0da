"""Kinds for dates and times.

In: a printed text such as `13. November 2017` or `02/02/16 10:35` and the document's conventions.
Out: `Parsed` with a `datetime.date` or `datetime.time`. A date whose day and month may be exchanged has no value
unless the document decides: the issue `date_order_unknown` names both readings.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, NamedInJsonSchema, Parsed
from docpipe.schemas.date_forms import PrintedDate, read_dates, read_six_digits
from docpipe.schemas.months import language_name, languages_of, months_named
from docpipe.schemas.ocr_repairs import repair_date

__all__ = ["ClockTime", "IsoDate", "PrintedDate", "read_dates"]

YEARS_APART = 1
"""Years. The dates of one document are rarely further from each other: an invoice and when it is due."""

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
_LOOSE_ACCENT = re.compile("[\u0300-\u036f]")
"""Accents for which there is no composed letter: the second one of ΜΑΪ́ΟΥ."""
_ROMAN_MONTH = re.compile(r"(?<=\d)\s?[./-]\s?[IVX]{1,4}\s?[./-]\s?(?=\d)")
_MAY_BE_ELEVEN = re.compile(r"(?<=\d)\s?[./-]\s?II\s?[./-]\s?(?=\d)")
"""OCR reads the figure 1 as a capital I."""
_WEEK = re.compile(r"(?<!\d)\d{4}\s?-?\s?W\s?\d{2}(?:-?[1-7])?(?!\d)|(?<![^\W_])(?:KW|CW|week)\s?\d{1,2}(?!\d)", re.I)
"""`2024-W11-3` (ISO 8601), `KW 11/2024`."""
_MISREAD_NAME = re.compile(r"(?<![^\W_])(?=[^\W_]*[01])(?=[01]?[^\W\d_]{2})[^\W_]{3,9}(?![^\W_])")


@dataclass(frozen=True)
class IsoDate(NamedInJsonSchema):
    """A calendar date."""

    name: ClassVar[str] = "date"
    column: ClassVar[ColumnType] = "date"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        text = _LOOSE_ACCENT.sub("", unicodedata.normalize("NFC", text))
        repaired = text if _ROMAN_MONTH.search(text) else _MISREAD_NAME.sub(_month_for, repair_date(text))
        repaired = _GLUED_TIME_NAMED.sub(r"\1 ", _GLUED_TIME.sub(r"\1 ", repaired))
        printed_dates = list(read_dates(repaired))
        if not printed_dates and (joined := _restore_separators(repaired)) != repaired:
            repaired, printed_dates = joined, list(read_dates(joined))
        if not printed_dates:
            return _without_separators(text, conventions)
        parsed = _only_date(text, printed_dates, conventions)
        if parsed.issue is None and _MAY_BE_ELEVEN.search(text):
            return Parsed(parsed.value, "month_unknown", f"II in {text!r} is February, or 11 that was misread")
        if parsed.issue is None and repaired != text:
            return Parsed(parsed.value, "ocr_repaired", f"{text!r} was read as {repaired!r}", "info")
        return parsed

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

    def is_mark(self, word: str) -> bool:
        """`PM`, `p.m.`, and the two words of `p. m.`"""
        return _HALF_OF_DAY.fullmatch(word) is not None

    def same(self, left: object, right: object) -> bool:
        """To the minute: many receipts print the seconds once and leave them out elsewhere."""
        if isinstance(left, dt.time) and isinstance(right, dt.time):
            return (left.hour, left.minute) == (right.hour, right.minute)
        return left == right


_HALF_OF_DAY = re.compile(r"[AaPp]\.?[Mm]?\.?|[Mm]\.?")
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


def _month_for(word: re.Match[str]) -> str:
    """`0ct` -> `oct`, `Apri1` -> `April`; any other word as it is."""
    name = word.group().replace("0", "o").replace("1", "l")
    return name if months_named(name) else word.group()


def _only_date(text: str, printed_dates: Sequence[PrintedDate], conventions: Conventions) -> Parsed:
    """The one date that is printed, once or in several ways, if the document leaves one."""
    possible = [printed for printed in printed_dates if printed.dates]
    if not possible:
        return Parsed(None, "impossible_date", f"the calendar has no {printed_dates[0].text!r}")
    # what is a month in one language alone is another word here, where another date is printed
    possible = [
        printed for printed in possible if len(printed.languages) != 1 or _choose(printed, conventions)
    ] or possible
    values = {_choose(printed, conventions) for printed in possible}
    if len(values) > 1:
        return Parsed(None, "several_dates", f"{text!r} holds several dates")
    value = values.pop()
    return _left_open(text, possible[0]) if value is None else Parsed(value)


def _choose(printed: PrintedDate, conventions: Conventions) -> dt.date | None:
    """The date that the document's language or order of day and month decides for; None when it is open."""
    if printed.languages:
        spoken = languages_of(conventions)
        meant = [date for date, languages in zip(printed.dates, printed.languages, strict=True) if languages & spoken]
        return meant[0] if len(meant) == 1 else None
    if len(printed.dates) == 1:
        return printed.dates[0]
    return None if conventions.day_first is None else printed.dates[0 if conventions.day_first else 1]


def _left_open(text: str, printed: PrintedDate) -> Parsed:
    """Why a date has no value: the order of day and month, or the language of the month's name."""
    if not printed.languages:
        return _order_unknown(text, printed.dates)
    meanings = " or ".join(
        f"{date} in {' and '.join(sorted(map(language_name, languages)))}"
        for date, languages in zip(printed.dates, printed.languages, strict=True)
    )
    return Parsed(None, "month_unknown", f"{text!r} is {meanings}; the document does not say")


def _order_unknown(text: str, dates: Sequence[dt.date]) -> Parsed:
    named = " or ".join(map(str, dates))
    return Parsed(None, "date_order_unknown", f"{text!r} is {named}; the document does not say")


def _without_separators(text: str, conventions: Conventions) -> Parsed:
    """`140324`, where the calendar, the years of the document's other dates and their order leave one reading."""
    if _WEEK.search(text):
        return Parsed(None, "week_date", f"{text!r} counts weeks; weeks are not read as dates")
    readings = read_six_digits(text)
    if not readings:
        return Parsed(None, "not_a_date", f"no complete date in {text!r}")
    years = conventions.years
    left = [each for each in readings if not years or any(abs(each.date.year - year) <= YEARS_APART for year in years)]
    if conventions.day_first is not None and {True, False} <= {each.day_first for each in left}:
        left = [each for each in left if each.day_first in (None, conventions.day_first)]
    dates = {each.date for each in left}
    if len(dates) != 1:
        return _order_unknown(text, list(dict.fromkeys(each.date for each in readings)))
    return Parsed(dates.pop())


def _restore_separators(text: str) -> str:
    """`2703/2018` and `27/032018` -> `27/03/2018`."""
    return _LOST.sub(lambda m: f"{m[1]}/{m[2]}/{m[3]}" if m[1] else f"{m[4]}/{m[5]}/{m[6]}", text)
