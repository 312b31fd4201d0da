"""Result files: what people and programs read after a run, on results that the store could hold."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from docpipe.data import Issue
from docpipe.errors import StoreError, UsageError
from docpipe.export import LineWriter, json_line, table_xlsx, to_record, write
from docpipe.export.xlsx_cells import excel_value
from docpipe.ports import StoredResult
from docpipe.schema import Schema, load_schema
from docpipe.store import SqlStore
from tests.support.repository import ROOT
from tests.support.stored import document, extraction, field, stored_result

REFUSED = {"code": "encrypted", "message": "it needs a password", "hint": "Give --password."}

WRITER = """
import sys
from pathlib import Path
from docpipe.export import LineWriter
with LineWriter(Path(sys.argv[1])) as lines:
    for number in range(10_000_000):
        lines.write({"number": number, "text": "x" * 20_000})
        print(number, flush=True)
"""


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


@pytest.fixture
def results(invoice: Schema) -> list[StoredResult]:
    """An invoice, a receipt and a file that was refused."""
    receipt, till = load_schema("receipt"), document("till.jpg")
    items = (field("merchant_name", "=cmd|' /C calc'!A0"), field("time", time(9, 5)), field("total", Decimal("-8.20")))
    return [
        stored_result(document("a.pdf"), extraction(document("a.pdf"), invoice)),
        stored_result(till, extraction(till, receipt, items, status="complete", issues=())),
        stored_result(replace(document("secret.pdf"), page_count=0), None, schema="invoice", error=REFUSED),
    ]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_holds_what_the_issue_promises(results: list[StoredResult], tmp_path: Path) -> None:
    assert write(results, tmp_path / "out.jsonl") == [tmp_path / "out.jsonl"]
    good, _, refused = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert (good["file"], good["document_id"], good["schema"]) == ("a.pdf", document("a.pdf").id, "invoice")
    assert (good["status"], good["pages"], good["error"], good["extractor"]) == (
        "needs_review",
        2,
        None,
        "embedded:test@1",
    )
    total = good["fields"]["gross_total"]
    assert (total["value"], total["raw"], total["accepted"]) == ("1234.50", "1.234,50 €", True)
    assert total["evidence"][0] == {"page": 2, "box": [0.71, 0.8, 0.83, 0.3], "text": "1.234,50", "match": "normalised"}
    assert total["issues"][0]["code"] == "sum_mismatch"
    assert good["fields"]["issue_date"]["value"] == "2024-02-29"
    assert good["fields"]["purchase_order"] is None
    assert [row["amount"]["value"] for row in good["fields"]["line_items"]] == ["100.00", "-0.10"]
    rule_issue = {"code": "rule", "field": None, "message": "net + tax is not gross", "severity": "warning"}
    assert good["issues"][1] == rule_issue
    assert set(good["timings"]) == {"rasterise", "read"}
    assert (refused["file"], refused["status"], refused["error"]) == ("secret.pdf", "failed", REFUSED)


def test_a_stored_result_and_the_result_itself_give_the_same_line(
    results: list[StoredResult], invoice: Schema, tmp_path: Path
) -> None:
    with SqlStore(str(tmp_path / "a.db")) as store:
        made = results[0].extraction
        assert made is not None
        store.add(document("a.pdf"))
        store.save(made, invoice)
        (stored,) = store.results()
    assert to_record(stored) == to_record(results[0])


def test_a_schema_adds_the_fields_that_a_result_does_not_mention(results: list[StoredResult], invoice: Schema) -> None:
    assert "iban" not in to_record(results[0])["fields"]
    assert to_record(results[0], invoice)["fields"]["iban"] is None
    assert "iban" not in to_record(results[1], invoice)["fields"]


def test_a_line_stays_one_line_whatever_the_document_says() -> None:
    record = {"file": "caf\udce9.pdf", "text": "a\nb\r\u2028\u2029\x85\x00 Müller"}
    line = json_line(record)
    assert line.decode().splitlines() == [line.decode().rstrip("\n")]
    assert json.loads(line) == record
    assert "Müller" in json_line({"text": "Müller"}).decode()


def test_a_killed_run_leaves_every_line_that_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        for _ in range(50):
            reported = int(writer.stdout.readline())
        os.kill(writer.pid, signal.SIGKILL)
        reported = max(reported, *(int(line) for line in writer.stdout if line.endswith("\n")), 0)
    *whole, partial = path.read_text().split("\n")
    assert [json.loads(line)["number"] for line in whole] == list(range(len(whole)))
    assert len(whole) > reported
    assert partial == "" or partial.startswith("{")  # only the line that was being written may be cut


def test_an_export_that_fails_leaves_the_older_file_alone(results: list[StoredResult], tmp_path: Path) -> None:
    def broken() -> Iterator[StoredResult]:
        yield results[0]
        raise StoreError("the server went away")

    for name in ("out.jsonl", "out.csv", "out.xlsx"):
        path = tmp_path / name
        path.write_text("older")
        with pytest.raises(StoreError, match="went away"):
            write(broken(), path)
        assert path.read_text() == "older"
    assert {file.name for file in tmp_path.iterdir()} == {"out.jsonl", "out.csv", "out.xlsx"}


def test_standard_output_gets_json_lines(results: list[StoredResult], capfdbinary: Any) -> None:
    write(results, "-")
    lines = capfdbinary.readouterr().out.splitlines()
    assert [json.loads(line)["file"] for line in lines] == ["a.pdf", "till.jpg", "secret.pdf"]


@pytest.mark.parametrize("target", ["results.pdf", "results", "/no/such/folder/out.csv"])
def test_a_target_that_cannot_be_written_is_refused_before_any_work(target: str) -> None:
    def never() -> Iterator[StoredResult]:
        raise AssertionError("was read")
        yield

    with pytest.raises(UsageError):
        write(never(), target)


def test_a_disk_that_refuses_is_reported() -> None:
    with pytest.raises(StoreError, match="No space left"), LineWriter(Path("/dev/full")) as lines:
        lines.write({"file": "a.pdf"})


def test_csv_has_a_row_per_document_and_a_file_per_list(results: list[StoredResult], tmp_path: Path) -> None:
    made = write(results, tmp_path / "out.csv")
    assert [path.name for path in made] == ["out.csv", "out.line_items.csv"]
    good, till, refused = rows(made[0])
    assert (good["file"], good["status"], good["gross_total"], good["issue_date"]) == (
        "a.pdf",
        "needs_review",
        "1234.50",
        "2024-02-29",
    )
    assert good["due_date"] == "", "a column of dates has dates, and nothing else"
    assert "due_date: printed 'soon'" in good["to_check"]
    assert "seller_name" in good["to_check"]
    assert "gross_total" not in good["to_check"].split("; ")
    assert "net + tax is not gross" in good["issues"]
    assert (till["total"], till["time"], till["gross_total"]) == ("-8.20", "09:05:00", "")
    assert (refused["status"], refused["error"], refused["hint"]) == (
        "failed",
        "encrypted: it needs a password",
        "Give --password.",
    )
    items = rows(made[1])
    assert [(row["file"], row["position"], row["amount"]) for row in items] == [
        ("a.pdf", "1", "100.00"),
        ("a.pdf", "2", "-0.10"),
    ]
    assert items[0]["description"] == 'Screws,\n"M4"'
    assert made[0].read_bytes().startswith(b"\xef\xbb\xbf"), "Excel takes it for UTF-8"


@pytest.mark.parametrize("text", ["=1+1", "+49 30 123", "-cmd", "@SUM(A1)", "\t=1", "  =1", "＝1"])
def test_text_from_a_document_is_never_a_formula(text: str, invoice: Schema, tmp_path: Path) -> None:
    a = document("=a.pdf")
    fields = (field("seller_name", text), field("line_items[0].description", text))
    stored = stored_result(a, extraction(a, invoice, fields, issues=(Issue("x", text),)))
    document_file, item_file = write([stored], tmp_path / "out.csv")
    row = rows(document_file)[0]
    assert {row["seller_name"], row["issues"]} == {f"'{text}"}
    assert row["file"] == "'=a.pdf"
    assert rows(item_file)[0]["description"] == f"'{text}"

    write([stored], tmp_path / "out.xlsx")
    for sheet in load_workbook(tmp_path / "out.xlsx"):
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "d", "inlineStr"}


def test_what_excel_cannot_keep_is_text_there(tmp_path: Path) -> None:
    values = [Decimal("12345678901234567.89"), date(1899, 12, 31), 10**18, "a\x07b", "x" * 40_000, "caf\udce9"]
    shown = [excel_value(value).content for value in values]
    assert shown[:4] == ["12345678901234567.89", "1899-12-31", "1000000000000000000", "ab"]
    assert (len(shown[4]), shown[5]) == (32_767, "caf?")


def test_a_full_sheet_goes_on_in_a_further_one(
    invoice: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_xlsx, "MAX_ROWS", 3)
    many = [stored_result(file, extraction(file, invoice)) for file in map(document, ("1", "2", "3", "4", "5"))]
    write(many, tmp_path / "out.xlsx")
    book = load_workbook(tmp_path / "out.xlsx")
    files = [[line[0] for line in book[name].values] for name in ("Documents", "Documents (2)", "Documents (3)")]
    assert files == [["File", "1", "2"], ["File", "3", "4"], ["File", "5"]]


def test_headings_that_are_taken_and_sheets_that_excel_refuses_are_changed(invoice: Schema, tmp_path: Path) -> None:
    a = document("a.pdf")
    schema = replace(invoice, name="a/very*long:name [that] Excel's sheets refuse")
    fields = (field("file", "mine"), field("status", "paid"), field("pages", "many"))
    stored = stored_result(a, extraction(a, schema, fields))
    write([stored], tmp_path / "out.xlsx")
    sheet = load_workbook(tmp_path / "out.xlsx").worksheets[1]
    header, line = sheet.values
    assert (header[0], header[2], line[0], line[2]) == ("File", "File (file)", "a.pdf", "mine")
    (path,) = write([stored], tmp_path / "out.csv")
    assert (rows(path)[0]["status_"], rows(path)[0]["pages"], rows(path)[0]["pages_"]) == ("paid", "2", "many")


def test_no_results_are_a_file_with_headings(tmp_path: Path) -> None:
    for name in ("out.jsonl", "out.csv", "out.xlsx"):
        write([], tmp_path / name)
    assert (tmp_path / "out.jsonl").read_text() == ""
    assert rows(tmp_path / "out.csv") == []
    assert load_workbook(tmp_path / "out.xlsx").sheetnames == ["Documents", "Issues", "Legend"]
