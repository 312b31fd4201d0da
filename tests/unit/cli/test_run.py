"""`docpipe run` from end to end: documents drawn here, real ingest, OCR, processes and store; a scripted extractor."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pikepdf
import pytest

from tests.support.command_line import (
    SCRIPT,
    FinishedRun,
    command,
    command_environment,
    docpipe_run,
    draw_invoice,
    workplace,
)
from tests.support.processes import WAITS, Gate


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


@pytest.fixture
def repeated(first_run, tmp_path) -> FinishedRun:
    """A copy of that folder, for tests that run on it again."""
    folder = tmp_path / "copy"
    shutil.copytree(first_run.folder, folder)
    return replace(first_run, folder=folder)


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


def test_a_second_run_works_on_nothing_and_says_so(repeated):
    before = repeated.query("SELECT count(*) FROM extractions")
    again = docpipe_run(repeated.folder, str(repeated.folder / "docs"), "--output", "-", "--jobs", "1")
    assert "3 unchanged since an earlier run" in again.err
    assert again.query("SELECT count(*) FROM extractions") == before
    lines = {line["file"]: line for line in map(json.loads, again.out.splitlines())}
    assert lines["good.pdf"]["fields"] == repeated.lines()["good.pdf"]["fields"]


def test_a_password_opens_the_file_and_is_neither_printed_nor_stored(repeated):
    locked = str(repeated.folder / "docs" / "locked.pdf")
    opened = docpipe_run(repeated.folder, locked, "--password", "falsch", "--password", "geheim", "--output", "o.csv")
    assert opened.code == 0
    assert "geheim" not in opened.out + opened.err
    assert b"geheim" not in (repeated.folder / "test.db").read_bytes()
    row = (repeated.folder / "o.csv").read_text(encoding="utf-8-sig").splitlines()[1]
    assert row.startswith("locked.pdf,")
    assert "119.00" in row


def test_strict_exits_with_9_when_something_needs_review(repeated):
    good = str(repeated.folder / "docs" / "good.pdf")
    assert docpipe_run(repeated.folder, good, "--strict", "--jobs", "1").code == 9


def test_force_does_the_work_again_and_keeps_the_earlier_result(tmp_path):
    folder = workplace(tmp_path)
    draw_invoice(folder / "docs" / "a.pdf")
    docpipe_run(folder, "docs", "--jobs", "1")
    forced = docpipe_run(folder, "docs", "--jobs", "1", "--force")
    assert "unchanged" not in forced.err
    assert forced.query("SELECT count(*), sum(is_current) FROM extractions") == [(2, 1)]


@pytest.fixture
def interrupted(tmp_path) -> Iterator[tuple[Gate, subprocess.Popen[str]]]:
    """A run that has reported two files done and is in the middle of the third."""
    folder = workplace(tmp_path)
    draw_invoice(folder / "docs" / "long.pdf", note=WAITS)
    for name in ("a", "b"):
        draw_invoice(folder / "docs" / f"{name}.pdf", note=name)
    gate = Gate(folder)
    with subprocess.Popen(
        command(folder, "docs", "--output", "out.jsonl", "--jobs", "2", "--schema", gate.schema),
        stderr=subprocess.PIPE, text=True, env=command_environment(), cwd=folder,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            for _ in range(2):
                assert "long.pdf" not in process.stderr.readline()
            gate.await_document()
            yield gate, process
        finally:
            process.kill()


def test_ctrl_c_stops_and_says_what_was_done(interrupted):
    gate, process = interrupted
    process.send_signal(signal.SIGINT)
    output = process.stderr.read()
    assert process.wait() == 130
    assert "2 of 3 files" in output
    assert "1 not begun or not finished" in output
    assert "Traceback" not in output
    assert sorted(FinishedRun(130, "", output, gate.folder).lines()) == ["a.pdf", "b.pdf"]


def test_after_kill_9_nothing_that_was_reported_is_lost_and_the_next_run_goes_on(interrupted):
    gate, process = interrupted
    process.kill()
    process.wait()
    assert sorted(FinishedRun(-9, "", "", gate.folder).lines()) == ["a.pdf", "b.pdf"]
    gate.open()
    again = docpipe_run(gate.folder, "docs", "--jobs", "1", "--schema", gate.schema)
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
