"""Kinds for choices among numbers, and for a date with a time of day."""

from __future__ import annotations

import datetime as dt

import pytest

from docpipe.schema_ports import Conventions
from docpipe.schemas.choices import ValueChoice, choice_of
from docpipe.schemas.datetimes import DateTime
from docpipe.schemas.kinds import Choice, Identifier, Integer, Money, Text, kind_of_union

OPEN = Conventions()
DAY_FIRST = Conventions(day_first=True)


@pytest.mark.parametrize(
    ("values", "text", "value"),
    [
        ((7, 19), "19 %", 19), ((7, 19), "7,00", 7), ((7, 19), "8 %", None), ((7, 19), "none", None),
        ((0.5, 1.5), "1,5 t", 1.5), (("exempt", 20), "20%", 20), (("exempt", 20), "VAT exempt", "exempt"),
    ],
)  # fmt: skip
def test_a_choice_among_numbers_gives_the_value_that_the_schema_has(values, text, value):
    parsed = ValueChoice(values).parse(text, OPEN)
    assert parsed.value == value
    assert type(parsed.value) is type(value)
    assert (parsed.issue == "not_a_choice") == (value is None)


def test_a_choice_is_kept_in_a_column_that_holds_its_values():
    columns = [ValueChoice(values).column for values in ((1, 2), (1, 2.5), (1, "none"))]
    assert columns == ["integer", "decimal", "text"]


@pytest.mark.parametrize("values", [(), (None,), ((1, 2),), (True, "yes")])
def test_what_is_no_value_is_no_choice(values):
    assert choice_of(values) is None


@pytest.mark.parametrize(
    ("kinds", "common"),
    [
        ([Text(), Text()], Text()),
        ([Integer(), Money()], Money()),
        ([Identifier(), Text()], Text()),
        ([Choice(("a",)), Choice(("b",))], Choice(("a", "b"))),
        ([Choice(("a",)), ValueChoice((1, 2))], ValueChoice(("a", 1, 2))),
        ([Choice(("a",)), Text()], Text()),
        ([Integer(), Text()], None),
        ([ValueChoice((1, 2)), Integer()], None),
    ],
)
def test_kinds_have_one_in_common_or_none(kinds, common):
    assert kind_of_union(kinds) == common


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-03-05T14:30:15", dt.datetime(2026, 3, 5, 14, 30, 15)),
        ("2026-03-05T14:30:15.250Z", dt.datetime(2026, 3, 5, 14, 30, 15)),
        ("05.03.2026 14:30 Uhr", dt.datetime(2026, 3, 5, 14, 30)),
        ("5 March 2026, 2:30 PM", dt.datetime(2026, 3, 5, 14, 30)),
        ("le 5 mars 2026 à 14h30", dt.datetime(2026, 3, 5, 14, 30)),
    ],
)
def test_a_date_with_a_time_of_day_is_read(text, value):
    parsed = DateTime().parse(text, DAY_FIRST)
    assert (parsed.value, parsed.issue) == (value, None)


def test_a_date_without_a_time_is_midnight_and_says_so():
    parsed = DateTime().parse("05.03.2026", DAY_FIRST)
    assert (parsed.value, parsed.issue, parsed.severity) == (dt.datetime(2026, 3, 5), "no_time_of_day", "info")


@pytest.mark.parametrize(
    ("text", "issue"),
    [("14:30", "not_a_date"), ("03/05/2026 14:30", "date_order_unknown"), ("25.03.2026 9:00 12:00", "several_times")],
)
def test_what_is_no_date_with_a_time_has_no_value(text, issue):
    parsed = DateTime().parse(text, OPEN)
    assert (parsed.value, parsed.issue) == (None, issue)
