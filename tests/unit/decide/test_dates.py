"""A date field whose likeliest candidate is no date."""

from __future__ import annotations

import datetime as dt

import pytest

from docpipe.schema import load_schema
from tests.support.decisions import decided


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


def test_the_one_date_on_the_line_that_was_chosen_is_taken(receipt):
    fields = decided(receipt, ["Chk 5917 25/12/2018 10:35", "Thank you"], ("date", "Chk 5917", 0.8))
    assert (fields["date"].value, fields["date"].raw) == (dt.date(2018, 12, 25), "25/12/2018")
    assert [quote.text for quote in fields["date"].evidence] == ["25/12/2018"]


def test_a_date_glued_to_its_time_is_taken(receipt):
    fields = decided(receipt, ["Till 4 25/12/201810:35"], ("date", "Till 4", 0.8), absent={"date": 0.05})
    assert fields["date"].value == dt.date(2018, 12, 25)


@pytest.mark.parametrize("line", ["Chk 5917 25/12/2018 until 26/12/2018", "Chk 5917 03/04/2018", "Chk 5917"])
def test_no_date_is_taken_where_the_line_does_not_show_one(receipt, line):
    fields = decided(receipt, [line], ("date", "Chk 5917", 0.8))
    assert (fields["date"].value, fields["date"].raw) == (None, "Chk 5917")


def test_a_date_whose_order_is_open_keeps_its_text_and_its_issue(receipt):
    fields = decided(receipt, ["Date 03/04/2018"], ("date", "03/04/2018", 0.8))
    assert (fields["date"].value, fields["date"].raw) == (None, "03/04/2018")
    assert [issue.code for issue in fields["date"].issues] == ["date_order_unknown"]
