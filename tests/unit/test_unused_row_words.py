"""Words on a row's line that no field took are named when the row lacks its description."""

from decimal import Decimal

from docpipe.data import Evidence, Field
from docpipe.document_index import DocumentIndex
from docpipe.schema import load_schema
from docpipe.unused_row_words import unused_row_words
from tests.support.pages import page_of

INVOICE = load_schema("invoice")
PAGE = page_of(["Beschreibung Menge Betrag", "Kantholz roh 3 45,00", "7 Leim 2 9,00", "8 1 4,00"])


def cell(path, text, line):
    box = next(word.box for word in PAGE.words if word.text == text and word.line == line)
    return Field(path, Decimal(1) if text[0].isdigit() else text, text, 0.9, (Evidence(1, box, text),))


def issues(*cells):
    return list(unused_row_words(cells, INVOICE, DocumentIndex([PAGE])))


def test_a_lost_description_is_named_with_its_words():
    (issue,) = issues(cell("line_items[0].quantity", "3", 1), cell("line_items[0].amount", "45,00", 1))
    assert (issue.code, issue.severity, issue.field) == ("row_words_unused", "warning", "line_items[0].description")
    assert "'Kantholz roh'" in issue.message and "more" not in issue.message


def test_rows_are_named_in_one_sentence():
    (issue,) = issues(cell("line_items[0].amount", "45,00", 1), cell("line_items[1].amount", "9,00", 2))
    assert "line_items[0].description" in issue.message and "line_items[1].description" in issue.message


def test_a_row_with_a_description_and_a_line_without_words_are_quiet():
    described = cell("line_items[0].description", "Leim", 2), cell("line_items[0].amount", "9,00", 2)
    assert issues(*described, cell("line_items[1].amount", "4,00", 3)) == []


def test_words_of_another_field_are_used():
    words = [word for word in PAGE.words if word.line == 1][:2]
    name = Field("seller_name", "Kantholz roh", "Kantholz roh", 0.9, tuple(Evidence(1, w.box, w.text) for w in words))
    assert issues(name, cell("line_items[0].amount", "45,00", 1)) == []
