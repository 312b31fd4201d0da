"""`docpipe run` from end to end: documents drawn here, real ingest, OCR, processes and store; a scripted extractor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from tests.support.repository import ROOT

SCRIPT = {
    "invoice_number": "R-2041",
    "issue_date": "2026-03-14",
    "seller_name": "Nordwind Papier GmbH",
    "currency": "EUR",
    "net_total": "100.00",
    "tax_total": "19.00",
    "gross_total": "119.00",
}
LINES = (
    "Nordwind Papier GmbH",
    "Invoice R-2041",
    "Date 2026-03-14",
    "Net EUR 100.00",
    "VAT EUR 19.00",
    "Total EUR 119.00",
)


def draw_invoice(path: Path, *, pages: int = 1, note: str = "") -> None:
    canvas = Canvas(str(path), invariant=True)
    for _ in range(pages):
        for number, line in enumerate((*LINES, note)):
            canvas.drawString(80, 740 - 30 * number, line)
        canvas.showPage()
    canvas.save()


def draw_scan(path: Path, pages: int) -> None:
    """Pages without a text layer, full of lines: OCR takes a second or more for each."""
    font = ImageFont.load_default(size=22)
    page = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(page)
    for row in range(48):
        draw.text((80, 60 + 34 * row), f"{row} printed words to be read, and some more of them", 0, font)
    page.save(path, save_all=True, append_images=[page] * (pages - 1), resolution=150)


@dataclass
class FinishedRun:
    """A finished `docpipe run`."""

    code: int
    out: str
    err: str
    folder: Path

    def lines(self, name: str = "out.jsonl") -> dict[str, dict]:
        records = [json.loads(line) for line in (self.folder / name).read_text().splitlines()]
        return {record["file"]: record for record in records}

    def query(self, sql: str) -> list[tuple]:
        connection = sqlite3.connect(self.folder / "test.db")
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


def command(folder: Path, *arguments: str) -> list[str]:
    fixed = ["--db", f"sqlite:///{folder / 'test.db'}", "--model", f"scripted:{folder / 'script.json'}"]
    return [sys.executable, "-m", "docpipe", "run", *arguments, *fixed]


def environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOCPIPE_")}
    return {**inherited, "PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def docpipe_run(folder: Path, *arguments: str) -> FinishedRun:
    done = subprocess.run(
        command(folder, *arguments), capture_output=True, text=True, env=environment(), cwd=folder, check=False
    )
    return FinishedRun(done.returncode, done.stdout, done.stderr, folder)


def workplace(folder: Path) -> Path:
    (folder / "script.json").write_text(json.dumps(SCRIPT))
    (folder / "docs").mkdir()
    return folder


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> FinishedRun:
    """A folder with all that happens: good files, a twin, and files that cannot be read."""
    folder = workplace(tmp_path_factory.mktemp("run"))
    docs = folder / "docs"
    draw_invoice(docs / "good.pdf")
    (docs / "later").mkdir()
    shutil.copy(docs / "good.pdf", docs / "later" / "twin.pdf")
    draw_invoice(docs / "two pages.pdf", pages=2, note="another one")
    with pikepdf.open(docs / "good.pdf") as pdf:
        pdf.save(docs / "locked.pdf", encryption=pikepdf.Encryption(user="geheim", owner="geheim"))
    (docs / "notes.pdf").write_text("this is no PDF")
    (docs / "empty.png").touch()
    return docpipe_run(folder, str(docs), "--output", "out.jsonl", "--jobs", "2")


def test_every_file_has_its_line(first_run):
    assert sorted(first_run.lines()) == [
        "empty.png", "good.pdf", "later/twin.pdf", "locked.pdf", "notes.pdf", "two pages.pdf",
    ]  # fmt: skip


def test_a_value_has_its_evidence_in_the_result_file(first_run):
    total = first_run.lines()["good.pdf"]["fields"]["gross_total"]
    assert total["value"] == "119.00"
    assert total["evidence"][0]["text"] == "119.00"
    assert 0 < total["evidence"][0]["box"][0] < total["evidence"][0]["box"][2] < 1


def test_a_file_that_cannot_be_read_says_why_and_what_to_do(first_run):
    lines = first_run.lines()
    assert {name: lines[name]["error"]["code"] for name in ("locked.pdf", "notes.pdf", "empty.png")} == {
        "locked.pdf": "encrypted", "notes.pdf": "unsupported", "empty.png": "corrupt",
    }  # fmt: skip
    assert "--password" in lines["locked.pdf"]["error"]["hint"]
    assert lines["notes.pdf"]["status"] == "failed"


def test_the_exit_code_is_that_of_the_first_failure(first_run):
    assert first_run.code == 3


def test_standard_output_stays_empty_unless_asked_for(first_run):
    assert first_run.out == ""


def test_the_summary_counts_and_names_the_commands_to_go_on_with(first_run):
    assert "6 of 6 files: 3 to review, 3 failed" in first_run.err
    for start in ("docpipe show ", "docpipe export ", "sqlite3 -box "):
        assert f"\n  {start}" in first_run.err


def test_failures_stand_before_reviews_in_the_table(first_run):
    table = first_run.err[first_run.err.index("look at") :]
    assert table.index("empty.png") < table.index("good.pdf")
    assert table.index("notes.pdf") < table.index("good.pdf")


def test_the_typed_table_has_a_row_for_each_document_once(first_run):
    rows = first_run.query("SELECT invoice_number, gross_total FROM invoice ORDER BY file")
    assert rows == [("R-2041", 119.0), ("R-2041", 119.0)]  # the twin is the same document


def test_twins_are_worked_on_once(first_run):
    lines = first_run.lines()
    assert lines["good.pdf"]["run_key"] == lines["later/twin.pdf"]["run_key"]
    done = first_run.query("SELECT outcome, count(*) FROM attempts WHERE run_key IS NOT NULL GROUP BY outcome")
    assert done == [("done", 2)]


def test_a_second_run_works_on_nothing_and_says_so(first_run):
    before = first_run.query("SELECT count(*) FROM extractions")
    again = docpipe_run(first_run.folder, str(first_run.folder / "docs"), "--output", "-", "--jobs", "1")
    assert "3 unchanged since an earlier run" in again.err
    assert again.query("SELECT count(*) FROM extractions") == before
    lines = {line["file"]: line for line in map(json.loads, again.out.splitlines())}
    assert lines["good.pdf"]["fields"] == first_run.lines()["good.pdf"]["fields"]


def test_a_password_opens_the_file_and_is_neither_printed_nor_stored(first_run):
    locked = str(first_run.folder / "docs" / "locked.pdf")
    opened = docpipe_run(first_run.folder, locked, "--password", "falsch", "--password", "geheim", "--output", "o.csv")
    assert opened.code == 0
    assert "geheim" not in opened.out + opened.err
    assert b"geheim" not in (first_run.folder / "test.db").read_bytes()
    row = (first_run.folder / "o.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert row.startswith("locked.pdf,")
    assert "119.00" in row


def test_strict_exits_with_9_when_something_needs_review(first_run):
    good = str(first_run.folder / "docs" / "good.pdf")
    assert docpipe_run(first_run.folder, good, "--strict", "--jobs", "1").code == 9


def test_force_does_the_work_again_and_keeps_the_earlier_result(tmp_path):
    folder = workplace(tmp_path)
    draw_invoice(folder / "docs" / "a.pdf")
    docpipe_run(folder, "docs", "--jobs", "1")
    forced = docpipe_run(folder, "docs", "--jobs", "1", "--force")
    assert "unchanged" not in forced.err
    assert forced.query("SELECT count(*), sum(is_current) FROM extractions") == [(2, 1)]


@pytest.fixture
def long_run(tmp_path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A run that has reported two small files done and is busy with a long scan."""
    folder = workplace(tmp_path)
    draw_scan(folder / "docs" / "long.pdf", pages=40)
    for name in ("a", "b"):
        draw_invoice(folder / "docs" / f"{name}.pdf", note=name)
    with subprocess.Popen(
        command(folder, "docs", "--output", "out.jsonl", "--jobs", "2"),
        stderr=subprocess.PIPE, text=True, env=environment(), cwd=folder,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        for _ in range(2):
            assert "long.pdf" not in process.stderr.readline()
        yield folder, process
        process.kill()


def test_ctrl_c_stops_and_says_what_was_done(long_run):
    folder, process = long_run
    process.send_signal(signal.SIGINT)
    output = process.stderr.read()
    assert process.wait() == 130
    assert "2 of 3 files" in output
    assert "1 not begun or not finished" in output
    assert "Traceback" not in output
    assert sorted(FinishedRun(130, "", output, folder).lines()) == ["a.pdf", "b.pdf"]


def test_after_kill_9_nothing_that_was_reported_is_lost_and_the_next_run_goes_on(long_run):
    folder, process = long_run
    process.kill()
    process.wait()
    assert sorted(FinishedRun(-9, "", "", folder).lines()) == ["a.pdf", "b.pdf"]
    draw_scan(folder / "docs" / "long.pdf", pages=1)
    again = docpipe_run(folder, "docs", "--jobs", "1")
    assert "2 unchanged since an earlier run" in again.err
    assert again.query("SELECT count(*) FROM extractions") == [(3,)]


def test_a_mixed_folder_is_read_by_what_each_document_is(tmp_path):
    folder = workplace(tmp_path)
    receipt = {"when": "Thank you", "as": "receipt", "merchant_name": "Nordwind Papier GmbH", "total": "119.00"}
    (folder / "script.json").write_text(json.dumps([receipt, {"as": "invoice", **SCRIPT}]))
    draw_invoice(folder / "docs" / "bill.pdf")
    draw_invoice(folder / "docs" / "receipt.pdf", note="Thank you for shopping with us")
    (folder / "docs" / "empty.pdf").touch()
    first = docpipe_run(folder, "docs", "--schema", "auto", "--output", "out.jsonl")
    schemas = {file: line["schema"] for file, line in first.lines().items()}
    assert schemas == {"bill.pdf": "invoice", "receipt.pdf": "receipt", "empty.pdf": "auto"}
    assert first.query("SELECT merchant_name FROM receipt") == [("Nordwind Papier GmbH",)]
    assert first.query("SELECT invoice_number FROM invoice") == [("R-2041",)]
    again = docpipe_run(folder, "docs", "--schema", "auto", "--output", "out.jsonl")
    assert "2 unchanged" in again.err + again.out
    assert {file: line["schema"] for file, line in again.lines().items()} == schemas
