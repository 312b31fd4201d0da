"""What the values of one document must satisfy together, and what is said when they do not."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from docpipe.schemas.invoice import Invoice
from docpipe.schemas.receipt import Receipt
from docpipe.schemas.rules import CASH_ROUNDING, DatesInOrder, RateTimesBase, RowProduct, Sum, Total

LINES = Sum("line_items[].amount", ("net_total", "gross_total"))
GROSS = Total("gross_total", plus=("net_total", "tax_total"))
DUE = Total("amount_due", plus=("gross_total",), minus=("prepaid_amount",), optional=("prepaid_amount",))
TILL = Total("total", plus=("subtotal", "tax", "tip"), optional=("tip",), included=("tax",), tolerance=CASH_ROUNDING)
ROWS = RowProduct("line_items[].quantity", "line_items[].unit_price", "line_items[].amount")
TAXES = RateTimesBase("tax_breakdown[].rate", "tax_breakdown[].net", "tax_breakdown[].tax")
DATES = DatesInOrder("issue_date", "due_date")


def amounts(**values: str) -> dict[str, object]:
    return {path: Decimal(value) for path, value in values.items()}


def lines(*figures: str, **totals: str) -> dict[str, object]:
    return {f"line_items[{row}].amount": Decimal(figure) for row, figure in enumerate(figures)} | amounts(**totals)


def test_lines_add_up_to_the_net_total_or_to_the_gross_total():
    assert LINES.check(lines("10.00", "20.50", net_total="30.50", gross_total="36.30")) is True
    assert LINES.check(lines("10.00", "20.50", net_total="25.00", gross_total="30.50")) is True


def test_a_missing_line_is_noticed_and_explained_with_its_figures():
    values = lines("10.00", "20.50", net_total="50.50", gross_total="60.10")
    assert LINES.check(values) is False
    assert "30.50" in LINES.explain(values) and "50.50" in LINES.explain(values)


def test_lines_of_which_one_has_no_amount_are_not_judged():
    values = lines("10.00", "20.50", net_total="50.50", gross_total="60.10")
    values["line_items[1].amount"] = None
    assert LINES.check(values) is None
    assert LINES.check(amounts(net_total="50.50", gross_total="60.10")) is None


def test_a_wrong_sum_is_not_judged_while_the_other_total_is_unknown():
    assert LINES.check(lines("10.00", "20.50", net_total="25.42")) is None
    assert LINES.check(lines("10.00", "20.50", net_total="30.50")) is True


def test_rows_above_the_total_that_holds_all_are_noticed_without_the_other_total():
    """A return or a discount is missing; rows below it may lack the tax."""
    assert LINES.check(lines("10.00", "20.50", gross_total="25.42")) is False
    assert LINES.check(lines("-10.00", "-20.50", gross_total="-25.42")) is False
    assert LINES.check(lines("10.00", "20.50", gross_total="36.30")) is None


def test_a_sum_may_be_off_by_half_a_cent_for_each_line_and_no_more():
    column = Sum("tax_breakdown[].tax", ("tax_total",))
    rows = {f"tax_breakdown[{row}].tax": Decimal("1.00") for row in range(4)}
    assert column.check(rows | amounts(tax_total="4.03")) is True
    assert column.check(rows | amounts(tax_total="4.04")) is False


def test_ten_rows_are_read_in_the_order_of_their_numbers():
    values = {f"line_items[{row}].amount": Decimal(1) for row in range(12)} | amounts(net_total="12", gross_total="12")
    assert LINES.check(values) is True


@pytest.mark.parametrize(("tax", "verdict"), [("19.00", True), ("19.01", True), ("19.02", False), ("91.00", False)])
def test_net_and_tax_make_the_gross_total_to_the_cent(tax, verdict):
    assert GROSS.check(amounts(net_total="100.00", tax_total=tax, gross_total="119.00")) is verdict


def test_a_total_is_not_judged_when_a_part_is_missing():
    assert GROSS.check(amounts(net_total="100.00", gross_total="119.00")) is None


def test_what_was_paid_before_is_taken_off_with_whatever_sign_it_is_printed():
    assert DUE.check(amounts(gross_total="119.00", prepaid_amount="19.00", amount_due="100.00")) is True
    assert DUE.check(amounts(gross_total="119.00", prepaid_amount="-19.00", amount_due="100.00")) is True
    assert DUE.check(amounts(gross_total="119.00", amount_due="119.00")) is True
    assert DUE.check(amounts(gross_total="119.00", amount_due="100.00")) is False
    assert DUE.check(amounts(amount_due="100.00")) is None


def test_a_receipt_may_print_its_subtotal_with_or_without_tax():
    assert TILL.check(amounts(subtotal="10.00", tax="0.60", total="10.60")) is True
    assert TILL.check(amounts(subtotal="10.60", tax="0.60", total="10.60")) is True
    assert TILL.check(amounts(subtotal="10.00", tax="0.60", tip="2.00", total="12.60")) is True
    assert TILL.check(amounts(subtotal="10.00", tax="0.60", total="16.00")) is False


def test_a_receipt_paid_in_cash_is_rounded_to_five_cents():
    assert TILL.check(amounts(subtotal="10.02", tax="0.60", total="10.60")) is True
    assert TILL.check(amounts(subtotal="10.05", tax="0.60", total="10.60")) is False


def test_quantity_times_price_is_the_amount_up_to_the_rounding_of_the_price():
    row = {
        "line_items[0].quantity": Decimal(3),
        "line_items[0].unit_price": Decimal("0.33"),
        "line_items[0].amount": Decimal("1.00"),
    }
    assert ROWS.check(row) is True
    row["line_items[0].amount"] = Decimal("1.05")
    assert ROWS.check(row) is False
    assert ROWS.explain(row).startswith("line_items[0] has 3 x 0.33")
    assert ROWS.severity == "info"


@pytest.mark.parametrize(
    ("quantity", "price", "amount", "holds"),
    [(4, "62.50", "-250", True), (-4, "62.50", "-250", True), (-4, "-62.50", "-250", True), (4, "62.50", "-240", False),
     (-4, "62.50", "250", False)],
)  # fmt: skip
def test_a_credit_may_have_its_sign_at_the_amount_alone(quantity, price, amount, holds):
    figures = {"quantity": quantity, "unit_price": price, "amount": amount}
    assert ROWS.check({f"line_items[0].{leaf}": Decimal(figure) for leaf, figure in figures.items()}) is holds


def test_a_row_without_a_price_is_not_judged():
    assert ROWS.check({"line_items[0].quantity": Decimal(3), "line_items[0].amount": Decimal(3)}) is None


def test_the_rate_of_the_base_is_the_tax():
    row = {
        "tax_breakdown[0].rate": Decimal(19),
        "tax_breakdown[0].net": Decimal(100),
        "tax_breakdown[0].tax": Decimal("19.03"),
    }
    assert TAXES.check(row) is True
    row["tax_breakdown[0].tax"] = Decimal("7.00")
    assert TAXES.check(row) is False
    assert "19.00" in TAXES.explain(row)


def test_a_rule_on_single_fields_needs_no_list():
    rule = RateTimesBase("rate", "net", "tax")
    assert rule.check(amounts(rate="20", net="50.00", tax="10.00")) is True


def test_an_invoice_is_not_due_before_it_is_issued():
    assert DATES.check({"issue_date": dt.date(2021, 6, 7), "due_date": dt.date(2021, 6, 7)}) is True
    assert DATES.check({"issue_date": dt.date(2021, 6, 7), "due_date": dt.date(2021, 5, 7)}) is False
    assert DATES.check({"issue_date": dt.date(2021, 6, 7), "due_date": None}) is None


@pytest.mark.parametrize("model", [Invoice, Receipt])
def test_a_document_on_which_nothing_was_found_breaks_no_rule(model):
    assert [rule.check({}) for rule in model.rules] == [None] * len(model.rules)


def test_two_rules_of_a_schema_never_look_alike():
    assert len({repr(rule) for rule in Invoice.rules}) == len(Invoice.rules)
