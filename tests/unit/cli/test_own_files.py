"""A run over a folder with docpipe's own files reads the documents alone; two runs do not write one file."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.errors import UsageError
from docpipe.export.output_lock import output_lock
from docpipe.own_files import own_file
from tests.support.command_line import command, command_environment, docpipe_run, draw_invoice, workplace
from tests.support.processes import WAITS, Gate
from tests.support.serving import service_in, submit_pdf


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Documents with all that docpipe writes beside them."""
    workplace(tmp_path)
    (tmp_path / "script.json").rename(tmp_path / "docs" / ".script.json")
    for name in ("a.pdf", "b.pdf"):
        draw_invoice(tmp_path / "docs" / name, note=name)
    return tmp_path / "docs"


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In the folder of the documents itself, as people do."""
    given = ["run", ".", *arguments, "--model", f"scripted:{folder / '.script.json'}"]
    return subprocess.run(
        [sys.executable, "-m", "docpipe", *given],
        cwd=folder, env=command_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_run_in_the_folder_of_the_documents_does_not_read_its_own_output(folder, monkeypatch):
    monkeypatch.chdir(folder)
    for name in ("out.jsonl", "out.csv", "out.xlsx"):
        done = run(folder, "--output", name)
        assert done.returncode == 0, done.stderr
        assert "2 of 2 files" in done.stderr
    assert invoke(["show", "a.pdf"]) == 0
    (folder / "docpipe.toml").touch()
    with service_in(folder.parent, blob_url=str(folder / "docpipe-blobs")) as service:
        submit_pdf(service)
    last = run(folder)
    assert "2 of 2 files" in last.stderr
    assert "files of docpipe's own passed over" in last.stderr
    for name in ("a-page-1.png", "docpipe.db", "docpipe.toml"):
        assert name in last.stderr


def test_files_of_the_user_that_have_such_names_are_not_passed_over(tmp_path):
    (tmp_path / "results.csv").write_text("customer,amount\nMiller,12\n")
    (tmp_path / "out.jsonl").write_text('{"amount": 12}\n')
    (tmp_path / "a-page-1.png").write_bytes(b"\x89PNG\r\n\x1a\n of a camera")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE invoices (number TEXT)")
    (tmp_path / "book.xlsx").write_bytes(b"PK\3\4 broken")
    (tmp_path / "lost.reason.txt").write_text("a document called so")
    assert [own_file(path) for path in sorted(tmp_path.iterdir())] == [None] * 6


def test_a_file_of_its_own_that_is_named_is_said_to_be_no_document(folder):
    run(folder, "--output", "out.csv")
    named = subprocess.run(
        [sys.executable, "-m", "docpipe", "run", "out.csv"],
        cwd=folder, env=command_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert named.returncode == 3
    assert "the file is a text file" in named.stderr


@pytest.mark.parametrize("name", ["same.jsonl", "same.csv", "same.xlsx"])
def test_of_two_runs_with_one_result_file_the_second_is_refused(tmp_path, name):
    gate = Gate(tmp_path)
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf", note=WAITS)
    arguments = ["docs", "--schema", gate.schema, "--output", name, "--jobs", "1"]
    first = subprocess.Popen(command(tmp_path, *arguments), cwd=tmp_path, env=command_environment())
    try:
        gate.await_document()
        second = docpipe_run(tmp_path, *arguments[:3], "--output", name)
        assert second.code == 2
        assert f"{name} is being written by process {first.pid} on " in second.err
        export = ["export", name, "--db", f"sqlite:///{tmp_path / 'test.db'}"]
        done = subprocess.run(
            [sys.executable, "-m", "docpipe", *export],
            cwd=tmp_path, env=command_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, "is being written by" in done.stderr) == (2, True)
    finally:
        gate.open()
    assert first.wait() == 0
    assert (tmp_path / name).stat().st_size
    assert docpipe_run(tmp_path, *arguments).code == 0, "it is free again"
    assert [path.name for path in tmp_path.glob(".same*")] == []


def test_the_lock_of_a_killed_process_is_free(tmp_path):
    program = (
        "import sys; from pathlib import Path; from docpipe.export.output_lock import output_lock\n"
        "with output_lock(Path(sys.argv[1])): print(flush=True); sys.stdin.read()"
    )
    target = tmp_path / "out.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(UsageError, match=f"process {holder.pid} on "), output_lock(target):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        with output_lock(target):
            pass
    assert list(tmp_path.iterdir()) == []
