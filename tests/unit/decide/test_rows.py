"""Numbers that may mean two things, and cells of one row: what sums and rows say of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from docpipe.data import Candidate, Field
from docpipe.schema import Schema, load_schema
from tests.support.decisions import decided_fields
from tests.support.pages import page_of

SURE = 0.97


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


def decided(schema: Schema, rows: list[tuple[str, str, str]]) -> dict[str, Field]:
    """Rows of quantity, price and amount, each a sure candidate; the document writes amounts with a comma."""
    lines = ["Rechnung über 1.234,50 EUR"] + [f"Holz {' '.join(row)}" for row in rows]
    names = ("quantity", "unit_price", "amount")
    candidates = [
        Candidate(f"line_items[{number}].{name}", text, SURE)
        for number, row in enumerate(rows)
        for name, text in zip(names, row, strict=True)
    ]
    return decided_fields(schema, [page_of(lines)], candidates)


def test_a_row_settles_which_mark_of_a_number_is_the_decimal_one(invoice: Schema) -> None:
    """A comma that was read as a point: 15.395 kg of 12,78 each are 196,75."""
    fields = decided(invoice, [("15.395", "12,78", "196,75"), ("2.500", "0,10", "250,00")])
    assert fields["line_items[0].quantity"].value == Decimal("15.395")
    assert fields["line_items[1].quantity"].value == Decimal(2500)
    assert fields["line_items[0].quantity"].raw == "15.395"


def test_without_a_row_that_holds_a_number_means_what_the_document_means(invoice: Schema) -> None:
    fields = decided(invoice, [("15.395", "12,78", "99,00")])
    assert fields["line_items[0].quantity"].value == Decimal(15395)


def test_rows_of_a_long_table_are_mended_too(invoice: Schema) -> None:
    between = [(f"{n}", "2,00", f"{2 * n},00") for n in range(11, 161)]
    rows = [("1.250", "2,00", "2,50"), *between, ("1.500", "4,00", "6,00")]
    fields = decided(invoice, rows)
    assert fields["line_items[0].quantity"].value == Decimal("1.250")
    assert fields["line_items[151].quantity"].value == Decimal("1.500")


def test_a_row_that_multiplies_out_is_told_to_the_confidence(invoice: Schema) -> None:
    fields = decided(invoice, [("3", "2,00", "6,00"), ("3", "2,00", "7,00")])
    holds, breaks = (fields[f"line_items[{row}].amount"].signals for row in (0, 1))
    assert (holds["hints_held"], holds["hints_broken"]) == (1.0, 0.0)
    assert (breaks["hints_held"], breaks["hints_broken"]) == (0.0, 1.0)


def test_the_confidence_is_told_how_sure_the_row_and_the_document_are(invoice: Schema) -> None:
    fields = decided(invoice, [("3", "2,00", "6,00")])
    assert fields["line_items[0].amount"].signals["row"] == pytest.approx(SURE)
    assert fields["line_items[0].amount"].signals["document"] == pytest.approx(SURE)


def test_a_total_that_lost_its_point_is_read_as_the_sum_needs_it() -> None:
    """`1272` for 12.72; the words stay as they were read."""
    receipt = load_schema("receipt")
    lines = ["Tea 7.50", "Rice 4.50", "Subtotal 12.00", "GST 0.72", "Total 1272"]
    candidates = (
        Candidate("subtotal", "12.00", SURE),
        Candidate("tax", "0.72", SURE),
        Candidate("total", "1272", SURE),
    )
    fields = decided_fields(receipt, [page_of(lines)], candidates)
    assert (fields["total"].value, fields["total"].raw) == (Decimal("12.72"), "1272")
    assert [issue.code for issue in fields["total"].issues] == ["ocr_repaired"]


def test_a_second_meaning_does_not_vote_for_an_amount_that_is_printed_elsewhere() -> None:
    """1200 was paid; 12.00 is the price of something. No rule speaks."""
    receipt = load_schema("receipt")
    pages = [page_of(["Tea 12.00", "Hall 1188.00", "Total 1200"])]
    candidates = (Candidate("total", "1200", 0.55), Candidate("total", "12.00", 0.4))
    assert decided_fields(receipt, pages, candidates)["total"].value == Decimal(1200)


def test_a_row_of_which_nothing_is_the_networks_word_has_no_score_of_the_network() -> None:
    caption = {"caption": 1.0}
    candidates = [
        Candidate("allowances_and_charges[0].reason", "Nachlass 10 %", 0.6, signals=caption),
        Candidate("allowances_and_charges[0].amount", "-84,00", 0.6, signals=caption),
        Candidate("line_items[0].amount", "840,00", 0.9),
    ]
    lines = ["Beratung 840,00", "Zwischensumme 840,00", "Nachlass 10 % -84,00"]
    fields = decided_fields(load_schema("invoice"), [page_of(lines)], candidates)
    assert fields["allowances_and_charges[0].amount"].value == Decimal("-84.00")
    assert "row" not in fields["allowances_and_charges[0].amount"].signals
    assert "row" in fields["line_items[0].amount"].signals
