"""The kind for a date with a time of day, as logs and receipts print it.

In: a printed text such as `05.03.2026 14:30` and the document's conventions. Out: `Parsed` with a `datetime` without a
zone: it is the time as printed.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, NamedInJsonSchema, Parsed
from docpipe.schemas.dates import ClockTime, IsoDate, read_dates


@dataclass(frozen=True)
class DateTime(NamedInJsonSchema):
    """A calendar date and a time of day. Where no time is printed it is midnight, and an issue says so."""

    name: ClassVar[str] = "datetime"
    column: ClassVar[ColumnType] = "datetime"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        date = IsoDate().parse(text, conventions)
        if not isinstance(date.value, dt.date):
            return date
        rest = text
        for printed in read_dates(text):
            rest = rest.replace(printed.text, " ")
        time = ClockTime().parse(rest, conventions) if rest != text or ":" in text else Parsed(None)
        if time.issue == "several_times":
            return time
        if isinstance(time.value, dt.time):
            value = dt.datetime.combine(date.value, time.value)
            return Parsed(value, date.issue, date.message, date.severity)
        midnight = dt.datetime.combine(date.value, dt.time())
        if date.issue is not None:
            return Parsed(midnight, date.issue, date.message, date.severity)
        return Parsed(midnight, "no_time_of_day", f"no time of day in {text!r}: midnight stands for it", "info")

    def same(self, left: object, right: object) -> bool:
        """To the minute, as times of day."""
        if isinstance(left, dt.datetime) and isinstance(right, dt.datetime):
            return left.replace(second=0, microsecond=0) == right.replace(second=0, microsecond=0)
        return left == right
