"""What lies between sums and totals, and rules that only object."""

from __future__ import annotations

from decimal import Decimal

import pytest

from docpipe.acceptance import broken_rules
from docpipe.data import Field
from docpipe.schema import load_schema
from docpipe.schemas.objections import NotAbove, NotTheSame

NET_BELOW = NotAbove("net_total", "gross_total", "tax_total")
OTHER = NotTheSame("invoice_number", "preceding_invoice_number")


def broken(schema: str, **printed: object) -> set[str]:
    """The codes of the rules that these values break; texts of numbers are amounts, `__` stands for a cell."""
    fields = [
        Field(path.replace("__", "[0]."), value if path.endswith(("sign", "number")) else Decimal(str(value)), "", 1.0)
        for path, value in printed.items()
    ]
    return {application.rule.code for application in broken_rules(fields, load_schema(schema))}


@pytest.mark.parametrize(
    ("net", "gross", "tax", "holds"),
    [
        ("100", "119", "19", True),
        ("119", "100", None, False),
        ("119", "100", "19", False),
        ("100", "100", None, True),
        ("-100", "-119", "-19", True),
        ("-119", "-100", None, False),
        ("100", "90", "-10", None),  # a tax that is withheld
        ("100", None, "19", None),
    ],
)
def test_net_is_not_above_gross(net: str, gross: str | None, tax: str | None, holds: bool | None) -> None:
    texts = {"net_total": net, "gross_total": gross, "tax_total": tax}
    values = {path: Decimal(text) for path, text in texts.items() if text is not None}
    assert NET_BELOW.check(values) is holds


def test_an_earlier_invoice_is_another() -> None:
    assert OTHER.check({"invoice_number": "K 17-2", "preceding_invoice_number": "k17-2"}) is False
    assert OTHER.check({"invoice_number": "K 17-3", "preceding_invoice_number": "K 17-2"}) is True
    assert OTHER.check({"invoice_number": "K 17-3"}) is None


def test_a_printed_rounding_makes_no_mismatch() -> None:
    amounts = {"net_total": "50.01", "tax_total": "4.05", "gross_total": "54.05"}
    assert "total_mismatch" not in broken("invoice", **amounts, rounding_amount="-0.01")
    amounts["gross_total"] = "54.00"
    assert broken("invoice", **amounts) == {"total_mismatch"}
    assert not broken("invoice", **amounts, rounding_amount="-0.06")
    assert not broken("invoice", gross_total="54.06", rounding_amount="-0.06", amount_due="54.00")


def test_a_tax_is_less_than_the_gross() -> None:
    assert "tax_above_gross" in broken("invoice", tax_total="84.00", gross_total="70.00")
    assert "tax_above_gross" in broken("invoice", tax_total="-70.00", gross_total="-70.00")
    assert not broken("invoice", tax_total="14.00", gross_total="84.00")
    assert not broken("invoice", tax_total="-14.00", gross_total="2.00")  # what came back was taxed higher


def test_a_net_is_not_the_gross_where_a_tax_lies_between() -> None:
    taxed = {"tax_breakdown__tax": "13.68", "net_total": "95.20"}
    discount = {"allowances_and_charges__amount": "-9.52", "allowances_and_charges__sign": "allowance"}
    assert broken("invoice", **taxed, gross_total="95.20") == {"net_holds_tax"}
    assert broken("invoice", **taxed, gross_total="85.68", **discount) == {"net_holds_tax"}
    assert not broken("invoice", **taxed, gross_total="108.88")
    assert not broken("invoice", net_total="95.20", gross_total="95.20", tax_breakdown__tax="0.00")


def test_a_tax_in_the_table_has_the_sign_of_the_net_or_of_its_own_base() -> None:
    row = {"tax_breakdown__rate": "15", "tax_breakdown__tax": "-90.00"}
    assert broken("invoice", net_total="600.00", **row) == {"tax_of_other_sign"}
    assert not broken("invoice", net_total="-600.00", **row)
    assert "tax_of_other_sign" not in broken("invoice", net_total="600.00", **row, tax_breakdown__net="-600.00")
    assert not broken("invoice", **row)


def test_what_is_withheld_is_not_due() -> None:
    amounts = {"gross_total": "244.00", "amount_due": "204.00"}
    assert broken("invoice", **amounts) == {"total_mismatch"}
    assert not broken("invoice", **amounts, withholding_amount="40.00")


def test_a_discount_is_taken_off_whether_or_not_a_minus_is_printed() -> None:
    amounts = {"line_items__amount": "90.00", "net_total": "81.00", "gross_total": "96.39", "tax_total": "15.39"}
    assert broken("invoice", **amounts) == {"sum_mismatch"}
    for printed in ("9.00", "-9.00"):
        row = {"allowances_and_charges__amount": printed, "allowances_and_charges__sign": "allowance"}
        assert not broken("invoice", **amounts, **row)


def test_a_deposit_and_a_discount_lie_between_the_items_and_the_total() -> None:
    amounts = {"items__amount": "4.00", "subtotal": "4.00", "total": "3.75", "tax": "0.26"}
    assert broken("receipt", **amounts) == {"total_mismatch"}
    assert not broken("receipt", **amounts, deposit="0.25", discount="0.50")


def test_the_total_is_not_the_money_that_was_handed_over() -> None:
    paid = {"subtotal": "31.40", "total": "50.00", "change": "18.60"}
    assert "total_is_cash" in broken("receipt", **paid)
    assert "total_is_cash" not in broken("receipt", **paid, tip="18.60")
    assert not broken("receipt", subtotal="31.40", total="31.40", change="18.60")
