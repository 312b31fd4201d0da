"""Numbers and dates of invoices behind their captions, beside what the network says of them."""

from __future__ import annotations

import pytest

from docpipe.data import Answer, Candidate, Field
from docpipe.extractors.caption_witness import with_captioned
from docpipe.schema import load_schema
from docpipe.schemas.invoice import Invoice
from tests.support.decisions import decided_fields
from tests.support.pages import page_of

INVOICE = load_schema("invoice")
NUMBER, ISSUED, DUE = "invoice_number", "issue_date", "due_date"


def answer(lines: list[str], *proposed: tuple[str, str, float], absent: dict[str, float] | None = None) -> Answer:
    candidates = tuple(Candidate(path, text, score, (), {"inside": 0.9}) for path, text, score in proposed)
    return with_captioned(Answer(candidates, absent or {}), [page_of(lines)], INVOICE)


def fields(lines: list[str], *proposed: tuple[str, str, float], absent: dict[str, float]) -> dict[str, Field]:
    with_captions = answer(lines, *proposed, absent=absent)
    return decided_fields(INVOICE, [page_of(lines)], with_captions.candidates, with_captions.absent, threshold=0.0)


@pytest.mark.parametrize(
    ("line", "path", "value"),
    [
        ("Rechnungs-Nr.: 88/2023-B", NUMBER, "88/2023-B"),
        ("Factuurnummer F2301", NUMBER, "F2301"),
        ("Numéro de facture : F-118", NUMBER, "F-118"),
        ("Número da fatura FT23/118", NUMBER, "FT23/118"),
        ("Faktura VAT nr FV/118/2023", NUMBER, "FV/118/2023"),
        ("Laskun numero 77118", NUMBER, "77118"),
        ("Credit memo number CM-118", NUMBER, "CM-118"),
        ("Avoir n° A-118", NUMBER, "A-118"),
        ("Datum vystavení 3. května 2023", ISSUED, "2023-05-03"),
        ("Fecha de expedición: 3 de mayo de 2023", ISSUED, "2023-05-03"),
        ("Fakturadato 3. mai 2023", ISSUED, "2023-05-03"),
        ("Számla kelte: 2023.05.03.", ISSUED, "2023-05-03"),
        ("Eräpäivä 17.6.2023", DUE, "2023-06-17"),
        ("Data scadenza 17 giugno 2023", DUE, "2023-06-17"),
        ("Termín Datum splatnosti 17. 6. 2023", DUE, "2023-06-17"),
        ("Vade tarihi 17.06.2023", DUE, "2023-06-17"),
        ("Förfallodatum 2023-06-17", DUE, "2023-06-17"),
        ("Zahlbar bis zum 17. Juni 2023", DUE, "2023-06-17"),
    ],
)
def test_what_stands_behind_its_caption_fills_what_the_network_did_not_find(line: str, path: str, value: str) -> None:
    found = fields([line], absent={path: 0.97})[path]
    assert (str(found.value), found.accepted) == (value, False)
    assert found.evidence[0].text == found.raw


def test_a_value_that_the_network_thought_less_likely_than_nothing_is_taken_with_its_caption() -> None:
    found = fields(["Due date 9 July 2023"], (DUE, "9 July 2023", 0.3), absent={DUE: 0.7})[DUE]
    assert (str(found.value), found.accepted) == ("2023-07-09", False)


@pytest.mark.parametrize(
    "line",
    [
        "Original invoice no. R-12",  # of another invoice
        "Gutschrift zur Rechnung Nr. R-12",
        "Original invoice date 3 May 2023",
        "Invoice number Invoice date Customer",  # headings
        "Invoice date on request",
        "Számlaszám 11773016-01234567",  # a bank account
    ],
)
def test_nothing_is_taken_where_the_caption_is_another_or_no_value_follows(line: str) -> None:
    found = {candidate.path for candidate in answer([line], absent={NUMBER: 0.9, ISSUED: 0.9}).candidates}
    assert found.isdisjoint({NUMBER, ISSUED, DUE})


def test_two_captions_that_disagree_say_nothing() -> None:
    given = answer(["Invoice no. A-1", "Invoice no. A-2"], absent={NUMBER: 0.9})
    assert (given.candidates, given.absent[NUMBER]) == ((), 0.9)


def test_where_both_find_the_same_the_scores_stay_those_that_the_calibration_knows() -> None:
    given = answer(["Invoice no. A-17"], (NUMBER, "A-17", 0.93), absent={NUMBER: 0.02})
    assert [(candidate.text, candidate.score) for candidate in given.candidates] == [("A-17", 0.93)]
    assert given.absent[NUMBER] == 0.02


def test_another_answer_of_the_network_stays_with_its_confidence() -> None:
    lines, absent = ["Invoice 300451", "Payment reference: invoice no. 77"], {NUMBER: 0.01}
    with_caption = fields(lines, (NUMBER, "300451", 0.6), absent=absent)[NUMBER]
    without = fields(lines[:1], (NUMBER, "300451", 0.6), absent=absent)[NUMBER]
    assert (with_caption.value, with_caption.signals["margin"]) == ("300451", without.signals["margin"])
    assert with_caption.accepted


def test_the_number_of_the_invoice_that_is_credited_gives_way_to_the_one_behind_the_own_caption() -> None:
    lines = ["Creditnota nr. C-77", "Originele factuur F-2210"]
    found = fields(lines, (NUMBER, "F-2210", 0.999), absent={NUMBER: 0.0})
    assert (found[NUMBER].value, found[NUMBER].accepted) == ("C-77", False)
    assert found["preceding_invoice_number"].value == "F-2210"


def test_a_schema_keeps_its_captions_as_json() -> None:
    loaded = load_schema(Invoice.model_json_schema())
    assert [spec.captioned for spec in loaded.fields] == [spec.captioned for spec in INVOICE.fields]
