"""The workbook that an accountant opens: types, formats, colours, filters, links and a legend."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from openpyxl.cell import Cell
from openpyxl.workbook import Workbook

from docpipe.cli import invoke
from docpipe.data import Issue
from docpipe.export import table_xlsx, write
from docpipe.export.xlsx_cells import AMBER, GREEN, RED
from docpipe.ports import StoredResult
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from tests.support.command_line import docpipe_run, draw_invoice, workplace
from tests.support.stored import document, extraction, field, stored_result

REFUSED = {"code": "encrypted", "message": "it needs a password", "hint": "Give --password."}
FIELDS = (
    field("invoice_number", "00123", accepted=True),
    field("issue_date", date(2024, 2, 29), raw="29.02.2024", accepted=True),
    field("due_date", None, raw="soon", issues=(Issue("unparsed", "'soon' is no date", field="due_date"),)),
    field("seller_name", "Müller & Söhne GmbH"),
    field("buyer_vat_id", None, confidence=0.9),
    field("gross_total", Decimal("-1234567.50"), accepted=True),
    field("line_items[0].description", '=HYPERLINK("http://example.com")'),
    field("line_items[0].quantity", Decimal("2"), accepted=True),
    field("line_items[0].amount", None, raw="twelve"),
    field("line_items[1].description", "Nuts", accepted=True),
)
MISSING = Issue("missing_required", "currency was not found", field="currency")


@pytest.fixture
def book(tmp_path: Path) -> Workbook:
    """An invoice to review, one that is complete, and a file that was refused."""
    invoice = load_schema("invoice")
    fields = (*FIELDS[:3], field("currency", None), *FIELDS[3:])
    to_review = extraction(document("a.pdf"), invoice, fields, issues=(MISSING,))
    done = extraction(document("b.pdf"), invoice, FIELDS[:2], status="complete", issues=())
    results = [
        stored_result(document("a.pdf"), to_review, files=(tmp_path / "in here #1" / "a.pdf",)),
        stored_result(document("b.pdf"), done),
        stored_result(replace(document("secret.pdf"), page_count=0), None, schema="invoice", error=REFUSED),
    ]
    write(results, tmp_path / "out.xlsx", picture_of={document("a.pdf").id: "out-pages/a.png"}.get)
    return load_workbook(tmp_path / "out.xlsx")


def rows(book: Workbook, sheet: str) -> list[dict[str, Cell]]:
    headings, *lines = book[sheet].iter_rows()
    return [dict(zip([cell.value for cell in headings], line, strict=True)) for line in lines]


def colour(cell: Cell) -> Any:
    return cell.fill.start_color.rgb[-6:] if cell.fill.fill_type else None


def of(fill: Any) -> str:
    return fill.start_color.rgb[-6:]


def test_there_is_a_sheet_for_documents_each_schema_each_list_issues_and_a_legend(book):
    assert book.sheetnames == ["Documents", "invoice", "invoice_line_items", "Issues", "Legend"]
    for sheet in book.worksheets[:4]:
        assert sheet.freeze_panes == "B2", "headings and file names stay in view"
        assert sheet.auto_filter.ref == sheet.dimensions
        assert not sheet.merged_cells.ranges
        assert all(cell.font.bold for cell in sheet[1])


def test_values_have_their_types_and_formats(book):
    first = rows(book, "invoice")[0]
    assert (first["Issue date"].value, first["Issue date"].number_format) == (datetime(2024, 2, 29), "yyyy-mm-dd")
    assert (first["Gross total"].value, first["Gross total"].number_format) == (-1234567.5, "#,##0.00")
    assert (first["Invoice number"].value, first["Invoice number"].data_type) == ("00123", "s"), "no zero is lost"


def test_what_could_not_be_parsed_stands_in_no_typed_column_but_where_it_is_seen(book):
    first = rows(book, "invoice")[0]
    assert (first["Due date"].value, colour(first["Due date"])) == (None, of(RED))
    assert "due_date: printed 'soon'" in first["Look at"].value
    item = rows(book, "invoice_line_items")[0]
    assert (item["Amount"].value, colour(item["Amount"])) == (None, of(RED))
    assert "Amount: printed 'twelve'" in item["Look at"].value


def test_colours_say_what_to_look_at(book):
    first, second = rows(book, "invoice")
    assert colour(first["Seller name"]) == of(AMBER)
    assert colour(first["Currency"]) == of(RED), "it has to be there"
    assert colour(first["Gross total"]) is None
    assert (colour(first["Status"]), colour(second["Status"])) == (of(AMBER), of(GREEN))
    assert colour(rows(book, "Documents")[2]["Status"]) == of(RED)


def test_columns_that_no_document_fills_are_left_out(book):
    headings = [cell.value for cell in book["invoice"][1]]
    assert headings == [
        "File", "Status", "Invoice number", "Issue date", "Due date", "Currency", "Seller name", "Gross total",
        "Look at", "Id",
    ]  # fmt: skip


def test_each_row_of_a_list_has_the_documents_own_values_beside_it(book):
    items = rows(book, "invoice_line_items")
    assert [(row["File"].value, row["Invoice number"].value, row["Row"].value) for row in items] == [
        ("a.pdf", "00123", 1), ("a.pdf", "00123", 2)
    ]  # fmt: skip
    assert items[0]["Quantity"].value == 2


def test_text_of_a_document_is_no_formula(book):
    cell = rows(book, "invoice_line_items")[0]["Description"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("http://example.com")', "s")
    for sheet in book:
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "d", "inlineStr"}


def test_links_open_the_document_and_its_picture(book, tmp_path):
    first, second, refused = rows(book, "Documents")
    assert first["File"].hyperlink.target == (tmp_path / "in here #1" / "a.pdf").as_uri()
    assert first["Picture"].hyperlink.target == "out-pages/a.png", "beside the workbook, so both can be moved"
    assert rows(book, "invoice")[0]["File"].hyperlink.target == (tmp_path / "in here #1" / "a.pdf").as_uri()
    assert second["Picture"].hyperlink is None
    assert (refused["Look at"].value, refused["Hint"].value) == ("encrypted: it needs a password", "Give --password.")


def test_the_legend_says_what_colours_mean_and_how_many_there_are(book):
    lines = {row[0].value: row[1].value for row in book["Legend"].iter_rows()}
    assert {"amber", "red", "green"} <= set(lines)
    assert (lines["Documents"], lines["complete"], lines["to review"], lines["failed"]) == (3, 1, 1, 1)
    assert lines["By"].startswith("docpipe ")
    assert isinstance(lines["Made"], datetime)


def test_memory_does_not_grow_with_the_number_of_documents(tmp_path, monkeypatch):
    monkeypatch.setattr(table_xlsx, "MAX_LINKS", 10)
    invoice = load_schema("invoice")

    def peak(count: int) -> int:
        def results() -> Any:
            for number in range(count):
                of = document(f"{number}.pdf")
                yield StoredResult(
                    of, "invoice", extraction(of, invoice, FIELDS), None, 1, (Path(f"/in/{number}.pdf"),)
                )

        tracemalloc.start()
        write(results(), tmp_path / "many.xlsx")
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    few, many = peak(50), peak(1_000)
    assert many < 2 * few


def test_the_command_draws_the_pages_of_documents_to_review(tmp_path, capsys):
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf", pages=2)
    docpipe_run(tmp_path, "docs")
    database = ["--db", f"sqlite:///{tmp_path / 'test.db'}"]
    assert invoke(["export", str(tmp_path / "out.xlsx"), "--pictures", *database]) == 0
    (picture,) = (tmp_path / "out-pages").iterdir()
    (row,) = rows(load_workbook(tmp_path / "out.xlsx"), "Documents")
    assert tmp_path / row["Picture"].hyperlink.target == picture
    assert "drew 1 picture into" in capsys.readouterr().err
    assert invoke(["export", str(tmp_path / "out.csv"), "--pictures", *database]) == 2


def test_a_value_that_did_not_parse_is_in_no_typed_column_of_the_database(database_url):
    invoice = load_schema("invoice")
    with SqlStore(database_url) as store:
        store.add(document("a.pdf"))
        store.save(extraction(document("a.pdf"), invoice, FIELDS), invoice)
        with store._engine.connect() as connection:
            single = connection.exec_driver_sql("SELECT due_date, gross_total FROM invoice").one()
            items = connection.exec_driver_sql("SELECT amount FROM invoice_line_items ORDER BY position").all()
        assert (single[0], items[0][0]) == (None, None)
        assert single[1] is not None
