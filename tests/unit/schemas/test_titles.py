"""What a document calls itself: titles by words, the more specific sort before the plain invoice."""

from __future__ import annotations

import pytest

from docpipe.schema_ports import Conventions
from docpipe.schemas.document_titles import SORT_OF_CODE, TITLES
from docpipe.schemas.kinds import Choice, InvoiceType

SILENT = Conventions()


def sort_of(title):
    parsed = InvoiceType().parse(title, SILENT)
    assert parsed.issue is None, parsed.message
    return parsed.value


@pytest.mark.parametrize(("sort", "title"), [(sort, title) for sort, listed in TITLES.items() for title in listed])
def test_every_listed_title_is_its_sort_in_capitals_and_with_a_number_too(sort, title):
    assert {sort_of(title), sort_of(title.upper()), sort_of(f"{title} nr 7/2031"), sort_of(title.title())} == {sort}


@pytest.mark.parametrize(
    ("title", "sort"),
    [
        ("Facture d'avoir n° F-77", "credit_note"), ("FACTURE D’AVOIR", "credit_note"),
        ("Kreditfaktura 3301", "credit_note"), ("KREDIT-FAKTURA", "credit_note"), ("Kreditnota", "credit_note"),
        ("Gutschriftsrechnung", "credit_note"), ("Gutschrift zur Rechnung 88", "credit_note"),
        ("Rechnungskorrektur zu Rechnung 88", "credit_note"), ("FAKTURA KORYGUJACA", "corrected_invoice"),
        ("Faktura VAT korygująca nr 5/2031", "corrected_invoice"), ("Opravný daňový doklad", "corrected_invoice"),
        ("Opravný daňový doklad – dobropis", "credit_note"), ("IADE FATURASI", "credit_note"),
        ("Sztornó számla", "credit_note"), ("Factură proformă", "proforma"), ("Proforma-lasku", "proforma"),
        ("Nota de Débito", "debit_note"), ("Self-billed invoice", "self_billed_invoice"),
        ("Self-billed credit note", "self_billed_credit_note"), ("ΠΙΣΤΩΤΙΚΟ ΤΙΜΟΛΟΓΙΟ", "credit_note"),
        ("Gutschrift (Gutschriftsverfahren)", "self_billed_invoice"), ("Acontofaktura", "prepayment_invoice"),
    ],
)  # fmt: skip
def test_what_is_more_than_a_plain_invoice_wins_over_the_word_for_one(title, sort):
    assert sort_of(title) == sort


@pytest.mark.parametrize(
    "title",
    ["Handelsrechnung", "Sammelrechnung", "Termijnfactuur", "Myyntilasku", "Rechnungs-Nr. 12", "Rechnung / Invoice",
     "Invoice / Receipt", "e-Fatura", "Račun br. 5", "R E C H N U N G", "Invoice 381", "Faktura – daňový doklad"],
)  # fmt: skip
def test_compounds_and_titles_in_two_languages_are_plain_invoices(title):
    assert sort_of(title) == "invoice"


@pytest.mark.parametrize(
    ("title", "message"),
    [
        ("Invoice / Credit note", "credit_note or invoice"), ("Rechnung oder Gutschrift", "credit_note or invoice"),
        ("Pro forma credit note", "credit_note or proforma"), ("Faktura | Kreditnota", "credit_note or invoice"),
    ],
)  # fmt: skip
def test_two_sorts_in_one_title_are_doubtful(title, message):
    parsed = InvoiceType().parse(title, SILENT)
    assert (parsed.issue, parsed.severity) == ("several_choices", "warning")
    assert parsed.value is not None
    assert message in parsed.message


@pytest.mark.parametrize("title", ["Savoir-faire", "Kontoauszug", "Billboard", "Notariat", "13805", ""])
def test_letters_that_happen_to_follow_each_other_are_no_title(title):
    assert InvoiceType().parse(title, SILENT).issue == "not_a_choice"


def test_a_code_of_untdid_1001_is_its_sort():
    assert {code: sort_of(code) for code in SORT_OF_CODE} == SORT_OF_CODE


def test_a_choice_is_found_by_words_and_two_that_do_not_nest_are_doubtful():
    kind = Choice(("paid", "unpaid", "partly paid"))
    assert kind.parse("Status: UNPAID", SILENT).value == "unpaid"
    assert kind.parse("partly  paid", SILENT).issue is None
    assert kind.parse("prepaidcard", SILENT).issue == "not_a_choice"
    assert kind.parse("paid, unpaid", SILENT).issue == "several_choices"
    assert kind.parse("支付", SILENT).issue == "not_a_choice"
    assert Choice(("现金", "信用卡")).parse("付款方式信用卡支付", SILENT).value == "信用卡"
