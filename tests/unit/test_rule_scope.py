"""Which values a rule reads is worked out in one place."""

from __future__ import annotations

import pytest

from docpipe.rule_scope import applications_of, cell_of, rows_of
from docpipe.schemas.rules import DatesInOrder, RateTimesBase, RowProduct, Sum

ROWS = ["items[0].amount", "items[0].price", "items[10].amount", "items[2].quantity", "items[2].amount", "net", "note"]


def scope(rule):
    return [(application.paths, application.is_row) for application in applications_of(rule, ROWS)]


def test_a_rule_on_one_list_is_applied_to_each_row():
    assert scope(RowProduct("items[].quantity", "items[].price", "items[].amount")) == [
        (("items[0].amount", "items[0].price"), True),
        (("items[10].amount",), True),
        (("items[2].quantity", "items[2].amount"), True),
    ]


def test_a_rule_on_a_column_and_a_total_is_applied_to_the_document():
    amounts = ("items[0].amount", "items[10].amount", "items[2].amount", "net")
    assert scope(Sum("items[].amount", ("net", "gross"))) == [(amounts, False)]


def test_a_rule_of_which_the_document_has_nothing_is_applied_to_it_all_the_same():
    """It may say that something has to be there. A rule on rows has none to be applied to."""
    assert scope(DatesInOrder("issued", "due")) == [((), False)]
    assert scope(RateTimesBase("taxes[].rate", "taxes[].net", "taxes[].tax")) == []


def test_two_lists_are_no_row():
    assert scope(RowProduct("items[].quantity", "items[].price", "taxes[].tax")) == [
        (("items[0].price", "items[2].quantity"), False)
    ]


def test_rows_come_in_their_order_and_a_field_of_the_document_has_one_without_a_name():
    assert rows_of("items[].amount", ROWS) == ["items[0]", "items[2]", "items[10]"]
    assert rows_of("taxes[].tax", ROWS) == []
    assert rows_of("net", ROWS) == [""]


@pytest.mark.parametrize(
    ("column", "row", "cell"),
    [
        ("items[].amount", "items[2]", "items[2].amount"),
        ("items[].price.net", "items[0]", "items[0].price.net"),
        ("net", "", "net"),
        ("seller.name", "", "seller.name"),
    ],
)
def test_a_cell_is_named_by_its_column_and_its_row(column, row, cell):
    assert cell_of(column, row) == cell
