"""Several documents in one file or on one picture are told apart, and one of several pages stays one."""

import pytest

from docpipe.acceptance import AcceptancePolicy
from docpipe.confidence import Calibration
from docpipe.data import Answer, Candidate, Evidence, PreparedDocument
from docpipe.document_boundaries import several_documents
from docpipe.document_index import DocumentIndex
from docpipe.pipeline import understand
from docpipe.result import RunIdentity
from docpipe.schema import load_schema
from tests.support.pages import page_of

INVOICE, RECEIPT = load_schema("invoice"), load_schema("receipt")


def first_place(text, page):
    (words, *_) = [line for line in [page.lines] if any(text in part for part in line)]
    word = next(word for word in page.words if word.text == text.split()[0])
    assert words
    return Evidence(page.number, word.box, text)


class Pages:
    """Pages of lines, and what an extractor says of each: field, text and score."""

    def __init__(self, *pages):
        self.pages = [page_of(lines, number=number) for number, (lines, _) in enumerate(pages, 1)]
        self.answer = Answer(
            tuple(
                Candidate(path, text, score, (first_place(text, page),))
                for page, (_, said) in zip(self.pages, pages, strict=True)
                for path, text, score in said
            )
        )

    def boundaries(self, schema=INVOICE):
        return several_documents(self.answer, schema, DocumentIndex(self.pages))


def invoice(number, total, *, foot="", date="07.06.2021"):
    lines = ["Nordlicht GmbH", f"Rechnung {number}", f"Datum {date}", f"Summe {total}", foot or "Danke"]
    return lines, [("invoice_number", number, 0.99), ("issue_date", date, 0.98), ("gross_total", total, 0.97)]


def receipt(shop, date, total):
    return [shop, f"am {date}", f"Summa {total}"], [
        ("merchant_name", shop, 0.97),
        ("date", date, 0.99),
        ("total", total, 0.99),
    ]


def test_invoices_with_numbers_and_totals_of_their_own_are_several():
    found = Pages(invoice("R-501", "80,90"), invoice("R-502", "12,50"), invoice("R-503", "33,00")).boundaries()
    assert found.first_pages == (1, 2, 3)
    assert (found.issue.code, found.issue.severity) == ("several_documents", "warning")
    assert "3 documents, on pages 1, 2, 3" in found.issue.message


def test_a_second_invoice_may_have_its_total_on_its_second_page():
    head = ["Nordlicht GmbH", "Rechnung R-502"], [("invoice_number", "R-502", 0.99)]
    end = ["Summe 12,50"], [("gross_total", "12,50", 0.99)]
    found = Pages(invoice("R-501", "80,90"), head, end).boundaries()
    assert found.first_pages == (1, 2) and "on pages 1, 2-3" in found.issue.message


def test_pages_that_repeat_the_number_and_carry_a_subtotal_are_one_invoice():
    assert Pages(invoice("R-501", "80,90"), invoice("R-501", "120,00")).boundaries() is None


def test_an_order_number_taken_for_the_invoices_on_a_page_without_a_total_begins_nothing():
    order = ["Ihre Bestellung B-77", "Werkzeug"], [("invoice_number", "B-77", 0.9)]
    assert Pages(invoice("R-501", "80,90"), order).boundaries() is None


def test_an_invoice_whose_total_stands_on_its_last_page_is_one():
    head = ["Nordlicht GmbH", "Rechnung R-501"], [("invoice_number", "R-501", 0.99)]
    end = ["Auftrag B-77", "Summe 12,50"], [("invoice_number", "B-77", 0.9), ("gross_total", "12,50", 0.99)]
    assert Pages(head, end).boundaries() is None


@pytest.mark.parametrize(
    ("first", "second"),
    [("Seite 1 von 2", "Seite 2 von 2"), ("Page 1/2", "Page 2/2"), ("Sida 1 (2)", "Sida 2 (2)"),
     ("Strona 1 z 2", "Strona 2 z 2")],
)  # fmt: skip
def test_a_page_that_counts_on_is_of_the_same_document(first, second):
    misread = Pages(invoice("R-501", "80,90", foot=first), invoice("R-507", "120,00", foot=second))
    assert misread.boundaries() is None


def test_a_count_that_begins_again_begins_a_document():
    pages = [invoice("R-501", total, foot="Pagina 1 di 1") for total in ("80,90", "12,50")]
    assert Pages(*pages).boundaries().first_pages == (1, 2)


def test_letters_that_look_like_digits_make_no_other_number():
    assert Pages(invoice("R-8O1", "80,90"), invoice("R-801", "120,00")).boundaries() is None


def test_a_document_printed_twice_says_so():
    found = Pages(invoice("R-501", "80,90"), invoice("R-501", "80,90")).boundaries()
    assert found.repeats and "printed again" in found.issue.message


def test_receipts_of_two_shops_and_of_one_shop_are_several():
    first = receipt("Kaffehuset", "14/03/2021", "6.00")
    assert Pages(first, receipt("Bokladen", "14/03/2021", "12.99")).boundaries(RECEIPT).first_pages == (1, 2)
    assert Pages(first, receipt("Kaffehuset", "15/03/2021", "4.20")).boundaries(RECEIPT).first_pages == (1, 2)


def test_two_receipts_on_one_page_are_named_and_one_receipt_is_not():
    lines = ["Kaffehuset", "14/03/2021", "Summa 6.00", "Bokladen", "15/03/2021", "Summa 12.99"]
    said = [("date", "14/03/2021", 0.9), ("date", "15/03/2021", 0.05), ("total", "6.00", 0.8), ("total", "12.99", 0.1)]
    found = Pages((lines, said)).boundaries(RECEIPT)
    assert found.is_one_page and "page 1" in found.issue.message
    crossed = ["Kaffehuset", "14/03/2021", "15/03/2021", "Summa 6.00", "Card 12.99"]
    one = [("date", "14/03/2021", 0.9), ("total", "12.99", 0.8), ("total", "6.00", 0.1)]
    assert Pages((crossed, one)).boundaries(RECEIPT) is None


class Fixed:
    """Answers what it was given."""

    name, batch_size = "fixed", 1

    def __init__(self, answer):
        self.answer = answer

    def extract(self, pages, schema):
        return self.answer

    def extract_many(self, batch, schema):
        return [self.answer for _ in batch]


def test_the_values_are_those_of_the_first_document_and_none_is_accepted():
    first, second = invoice("R-501", "80,90"), invoice("R-502", "12,50")
    pages = Pages(first, (second[0], [*second[1], ("line_items[0].amount", "12,50", 0.99)]))
    policy = AcceptancePolicy(Calibration.for_extractor("fixed"), 0.5)
    extractor, run = Fixed(pages.answer), RunIdentity("0" * 64, "fixed", "key")
    result = understand(PreparedDocument(pages.pages), INVOICE, extractor=extractor, run=run, policy=policy)
    values = {field.path: field.raw for field in result.fields if field.raw}
    assert values["invoice_number"] == "R-501" and values["gross_total"] == "80,90"
    assert not any(path.startswith("line_items") for path in values)
    assert not any(field.accepted for field in result.fields)
    unsure = [issue.message for issue in result.issues if issue.code == "low_confidence"]
    assert not any("(1.00)" in message or "(0.9" in message for message in unsure)
    assert result.status == "needs_review" and "several_documents" in {issue.code for issue in result.issues}
