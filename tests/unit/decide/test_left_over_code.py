"""A VAT number that is printed and that no field has belongs to the party beside whose name it stands."""

from __future__ import annotations

import pytest

from docpipe.data import Field
from docpipe.schema import load_schema
from tests.support.decisions import decided

INVOICE = load_schema("invoice")
SELLER, BUYER = "seller_vat_id", "buyer_vat_id"
PARTIES = [
    "Feldmann Pumpen AG",
    "Hafenweg 3, 4057 Basel",
    "CHE-116.281.710 MWST",
    "Invoice 2023-118",
    "Customer",
    "Tegelhuis BV",
    "Kade 11, 3011 Rotterdam",
    "BTW NL 8521 03104 B01",
]


def vat_ids(lines: list[str], *proposed: tuple[str, str, float], empty: str) -> dict[str, Field]:
    names = [
        ("seller_name", "Feldmann Pumpen AG", 0.99),
        ("seller_address", "Hafenweg 3, 4057 Basel", 0.99),
        ("buyer_name", "Tegelhuis BV", 0.99),
        ("buyer_address", "Kade 11, 3011 Rotterdam", 0.99),
    ]
    return decided(INVOICE, lines, *names, *proposed, absent={empty: 0.95}, threshold=0.0)


@pytest.mark.parametrize(
    ("settled", "text", "empty", "value"),
    [
        (BUYER, "NL 8521 03104 B01", SELLER, "CHE116281710"),
        (SELLER, "CHE-116.281.710 MWST", BUYER, "NL852103104B01"),
    ],
)
def test_the_one_that_is_left_over_fills_the_empty_field_and_is_not_accepted(
    settled: str, text: str, empty: str, value: str
) -> None:
    found = vat_ids(PARTIES, (settled, text, 0.9), empty=empty)
    assert (found[empty].value, found[empty].accepted) == (value, False)
    assert found[settled].accepted


@pytest.mark.parametrize(
    "lines",
    [
        [line.replace("710", "711") for line in PARTIES],  # a wrong check digit
        [*PARTIES[:3], "ATU 6241 8841", *PARTIES[3:]],  # two are left
        [*PARTIES[:2], *PARTIES[3:], *["-"] * 3, "CHE-116.281.710 MWST"],  # by the other party
        [*PARTIES[:2], *PARTIES[3:7], "NL 8521 03104 B01, NL 8521 03104 B01"],  # the settled one again
        [*PARTIES[:2], "PL61 1090 1014 0000 0712 1981 2874", *PARTIES[3:]],  # an account
    ],
)
def test_nothing_is_taken_where_it_is_not_plain_whose_it_is(lines: list[str]) -> None:
    assert vat_ids(lines, (BUYER, "NL 8521 03104 B01", 0.9), empty=SELLER)[SELLER].value is None


def test_nothing_is_taken_where_neither_is_known() -> None:
    found = decided(INVOICE, PARTIES, ("seller_name", "Feldmann Pumpen AG", 0.99))
    assert (found[SELLER].value, found[BUYER].value) == (None, None)
