"""Fields that are found by their captions: what is read, and what is left alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from docpipe.extractors.captions import CAPTION_SCORE, read_captions
from docpipe.schema import load_schema
from docpipe.vlm.field_queries import field_queries
from tests.support.pages import page_of


def found(schema: str, *lines: str) -> dict[str, str]:
    """Path -> printed text of the candidates that are likelier than nothing."""
    candidates = read_captions([page_of(lines)], load_schema(schema))
    return {candidate.path: candidate.text for candidate in candidates if candidate.score == CAPTION_SCORE}


@pytest.mark.parametrize(
    ("line", "path", "text"),
    [
        ("Ritenuta d'acconto 20 % -180,00 €", "withholding_amount", "-180,00 €"),
        ("Retenção na fonte 25% 75,50", "withholding_amount", "75,50"),
        ("Öresavrundning -0,35", "rounding_amount", "-0,35"),
        ("Rundungsdifferenz CHF 0.03", "rounding_amount", "0.03"),
        ("Leistungsdatum: 17.09.2023", "delivery_date", "17.09.2023"),
        ("Rotunda Ltd Date of supply 3 May 2023", "delivery_date", "3 May 2023"),
        ("Gutschrift zu Rechnung Nr. R-884/23 vom 22.08.2023", "preceding_invoice_number", "R-884/23"),
        ("Gutschrift zu Rechnung Nr. R-884/23 vom 22.08.2023", "preceding_invoice_date", "22.08.2023"),
        ("Fakturační období 01.02.2023 - 28.02.2023", "period_end", "28.02.2023"),
        ("Période de facturation du 01/02/2023 au 28/02/2023", "period_start", "01/02/2023"),
    ],
)
def test_a_value_behind_its_caption(line: str, path: str, text: str) -> None:
    assert found("invoice", line)[path] == text


@pytest.mark.parametrize(
    "line",
    [
        "Retención IRPF 15 %",  # a rate is no amount
        "Rounding is done by line",
        "Zur Rechnung",
        "Original invoice Date 14 March 2023",  # the next caption's value
        "Delivery date on request",
    ],
)
def test_nothing_is_found_where_no_value_stands(line: str) -> None:
    assert found("invoice", line) == {}


def test_two_lines_that_disagree_are_less_likely_than_nothing() -> None:
    candidates = read_captions([page_of(["Pfand 0,25", "Pfand 1,50"])], load_schema("receipt"))
    assert sum(candidate.score for candidate in candidates) == pytest.approx(CAPTION_SCORE)
    assert all(candidate.score < 0.5 for candidate in candidates)


def test_discounts_and_charges_of_the_document_stand_below_the_sum_of_its_lines() -> None:
    lines = ["Rabatt Teppich -3,00", "Zwischensumme 90,00", "Rabatt 10 % -9,00", "Versandkosten 4,90", "Summe 85,90"]
    rows = found("invoice", *lines)
    assert rows["allowances_and_charges[0].amount"] == "-9,00"
    assert rows["allowances_and_charges[0].reason"] == "Rabatt 10 %"
    assert rows["allowances_and_charges[1].amount"] == "4,90"
    sign = load_schema("invoice").spec("allowances_and_charges[].sign").kind
    signs = [
        sign.parse(rows[f"allowances_and_charges[{row}].sign"], load_schema("invoice").conventions([]))
        for row in (0, 1)
    ]
    assert [parsed.value for parsed in signs] == ["allowance", "charge"]


def test_a_currency_behind_the_subtotal_changes_nothing() -> None:
    lines = ["Kleister 95,20 €", "Zwischensumme 95,20 €", "Rabatt 10 % -9,52 €", "Summe 85,68 €"]
    assert found("invoice", *lines)["allowances_and_charges[0].amount"] == "-9,52 €"


def test_what_a_till_prints() -> None:
    texts = found("receipt", "Sconto 1,20", "Kaucja 0,50", "Wisselgeld 4,75")
    assert texts == {"discount": "1,20", "deposit": "0,50", "change": "4,75"}


def test_the_network_is_asked_for_what_it_was_trained_on_alone() -> None:
    """All fields of a page attend to each other: one more would change the answers to the others."""
    asked = field_queries(load_schema("invoice"))
    assert "rounding_amount" not in asked
    assert list(asked)[-1] == "amount_due"
    assert len(asked) == 29


def test_amounts_are_exact() -> None:
    kind = load_schema("invoice").spec("rounding_amount").kind
    text = found("invoice", "Arrotondamento 0,02")["rounding_amount"]
    assert kind.parse(text, load_schema("invoice").conventions([text])).value == Decimal("0.02")
