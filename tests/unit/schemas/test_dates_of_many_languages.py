"""Dates as they are written between Lisbon and Athens, in words, in Roman figures and without separators."""

from __future__ import annotations

import datetime as dt
from itertools import product

import pytest
from babel import Locale
from babel.dates import format_date

from docpipe.schema_ports import Conventions
from docpipe.schemas.conventions import conventions
from docpipe.schemas.dates import IsoDate, read_dates
from docpipe.schemas.kinds import DateTime
from docpipe.schemas.months import LANGUAGES, month_names, needs_language
from docpipe.schemas.printed_terms import fold_term

SILENT = Conventions()
NEW = ("pl", "cs", "sk", "da", "sv", "nb", "fi", "pt", "hu", "ro", "tr", "hr", "el")


@pytest.mark.parametrize(("language", "month"), list(product(NEW, range(1, 13))))
def test_a_date_in_words_is_read_as_the_language_writes_it(language, month):
    date = dt.date(2031, month, 17)
    for printed in (format_date(date, "long", language), format_date(date, "d MMMM y", language).upper(),
                    format_date(date, "LLLL d, y", language), format_date(date, "d MMM y", language)):  # fmt: skip
        parsed = IsoDate().parse(printed, Conventions(language=language))
        assert (parsed.value, parsed.issue) == (date, None), printed


def test_a_name_of_two_months_is_decided_by_the_document():
    for language in LANGUAGES:
        for form, width in product(("format", "stand-alone"), ("wide", "abbreviated")):
            for number, name in Locale(language).months[form][width].items():
                months = month_names().get(fold_term(name), {number: frozenset()})
                assert number in months
                assert len(months) == 1 or needs_language(name)
    polish, croatian = (IsoDate().parse("9 listopada 2031", Conventions(country=country)) for country in ("PL", "HR"))
    assert (polish.value, croatian.value) == (dt.date(2031, 11, 9), dt.date(2031, 10, 9))
    undecided = IsoDate().parse("9 listopada 2031", SILENT)
    assert (undecided.value, undecided.issue) == (None, "month_unknown")
    assert "Polish" in undecided.message and "Croatian" in undecided.message


def test_an_abbreviated_month_that_is_a_word_elsewhere_takes_a_document_of_its_language():
    assert IsoDate().parse("9 sie 2031", Conventions(country="PL")).value == dt.date(2031, 8, 9)
    assert IsoDate().parse("9 sie 2031", SILENT).issue == "month_unknown"
    assert IsoDate().parse("LED 12/24", SILENT).issue == "not_a_date"
    assert IsoDate().parse("LED 5 2024, 25.03.2031", SILENT).value == dt.date(2031, 3, 25)


@pytest.mark.parametrize(
    "printed",
    ["9.VII.2031", "9 VII 2031", "09/VII/31", "9. VII. 2031", "2031. VII. 9.", "9-VII-2031 10:35", "2031/7/9"],
)
def test_roman_months_and_a_leading_year_are_read(printed):
    assert (IsoDate().parse(printed, SILENT).value, IsoDate().parse(printed, SILENT).issue) == (
        dt.date(2031, 7, 9),
        None,
    )


def test_what_may_be_a_misread_eleven_is_doubtful_and_volts_are_no_month():
    doubtful = IsoDate().parse("9.II.2031", SILENT)
    assert (doubtful.value, doubtful.issue, doubtful.severity) == (dt.date(2031, 2, 9), "month_unknown", "warning")
    assert IsoDate().parse("12 V 24", SILENT).issue == "not_a_date"
    assert IsoDate().parse("31.IV.2031", SILENT).issue == "impossible_date"


@pytest.mark.parametrize(
    ("printed", "known", "value"),
    [
        ("170731", {}, None),  # 17 July 2031 or 31 July 2017
        ("170731", {"years": frozenset({2031})}, dt.date(2031, 7, 17)),
        ("170731", {"years": frozenset({2017})}, dt.date(2017, 7, 31)),
        ("170731", {"years": frozenset({2017, 2031})}, None),
        ("090731", {"years": frozenset({2031})}, None),  # 9 July or 7 September
        ("090731", {"years": frozenset({2031}), "day_first": False}, dt.date(2031, 9, 7)),
        ("311299", {}, dt.date(1999, 12, 31)),
        ("311299", {"years": frozenset({2031})}, None),
        ("310731", {}, dt.date(2031, 7, 31)),
    ],
)
def test_six_digits_are_a_date_where_the_calendar_or_the_document_decides(printed, known, value):
    parsed = IsoDate().parse(printed, Conventions(**known))
    assert (parsed.value, parsed.issue) == (value, None if value else "date_order_unknown")


def test_six_digits_beside_other_words_are_a_number():
    assert IsoDate().parse("Order 170731", SILENT).issue == "not_a_date"
    assert not list(read_dates("Order 170731"))
    assert IsoDate().parse("123456", SILENT).issue == "not_a_date"


def test_the_years_of_a_document_are_those_of_its_full_dates():
    lines = ["Since 1987", "Due date 13 April 2031", "Delivered 02/03/2030", "12.05.29", "Invoice 2024-118"]
    assert conventions(lines).years == {2030, 2031}


@pytest.mark.parametrize("printed", ["2031-W11-3", "2031W113", "2031-W11", "KW 11/2031", "Week 11"])
def test_week_dates_are_refused_in_so_many_words(printed):
    for kind in (IsoDate(), DateTime()):
        parsed = kind.parse(printed, SILENT)
        assert (parsed.value, parsed.issue) == (None, "week_date")


def test_a_weekday_before_a_date_in_figures_is_no_month():
    assert IsoDate().parse("mar 12/03/2031", Conventions(day_first=True)).value == dt.date(2031, 3, 12)
