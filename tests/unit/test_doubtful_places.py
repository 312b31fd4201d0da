"""What a second model has to read: the lines around what is doubtful, or all of it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from docpipe.cascade import uncertain_paths
from docpipe.data import Answer, Candidate, Field
from docpipe.document_index import DocumentIndex
from docpipe.doubtful_places import doubtful_places
from docpipe.ground import ground
from docpipe.schema import load_schema
from tests.support.pages import page_of

FILLER = [f"Nobody needs this sentence of no use {letter}" for letter in "abcdefghijklmnop"]
LINES = ["Acme Ltd", "12 High Street", *FILLER, "Tea 70.00", "Pie 10.90", *FILLER, "Total 80.90", "Paid by VISA"]


@pytest.fixture(scope="module")
def receipt():
    return load_schema("receipt")


def shown(receipt, asked: list[str], **values: str) -> str:
    """The words for these fields, after a first answer with these values."""
    pages = [page_of(LINES)]
    first = Answer(tuple(Candidate(path.replace("__", "."), text, 0.5) for path, text in values.items()))
    parts = doubtful_places(pages, ground(first, DocumentIndex(pages)), receipt.only(asked))
    return "\n".join(line for page in parts for line in page.lines)


def test_a_value_is_shown_with_the_lines_around_it(receipt):
    text = shown(receipt, ["payment_method"], payment_method="VISA")
    assert "Paid by VISA" in text and "Total 80.90" in text
    assert "Acme Ltd" not in text and "sentence of no use a" not in text


def test_a_field_without_a_value_is_shown_where_its_words_are(receipt):
    text = shown(receipt, ["total"])
    assert "Total 80.90" in text and "Acme Ltd" not in text


def test_a_list_is_shown_from_its_first_row_to_its_last(receipt):
    pages = [page_of(LINES)]
    cells = (Candidate("items[0].amount", "70.00", 0.5), Candidate("items[1].amount", "10.90", 0.5))
    parts = doubtful_places(pages, ground(Answer(cells), DocumentIndex(pages)), receipt.only(["items"]))
    lines = [line for page in parts for line in page.lines]
    assert "Tea 70.00" in lines and "Pie 10.90" in lines and "Acme Ltd" not in lines


def test_what_may_stand_anywhere_means_the_whole_document(receipt):
    pages = [page_of(LINES)]
    assert doubtful_places(pages, Answer(()), receipt.only(["merchant_phone"])) is pages


def test_a_list_that_adds_up_is_not_asked_about_however_unsure_a_cell_is(receipt):
    def cell(path: str, value: object) -> Field:
        return Field(path, value, str(value), 0.4)

    rows = (cell("items[0].amount", Decimal("70.00")), cell("items[1].amount", Decimal("10.90")))
    assert "items" not in uncertain_paths((*rows, cell("total", Decimal("80.90"))), receipt)
    assert "items" in uncertain_paths((*rows, cell("total", Decimal("99.99"))), receipt)
    assert "items" in uncertain_paths((cell("total", Decimal("80.90")),), receipt)
