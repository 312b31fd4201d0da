"""What a clerk sees and says on the command line: the table, quiet and talkative runs, patterns, a dry run, a pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.cli.document_table import whole_values, whole_words
from tests.support.command_line import command_environment, docpipe_run, draw_invoice, workplace


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workplace(tmp_path)
    (tmp_path / "docs" / "2026").mkdir()
    for name in ("a.pdf", "b-draft.pdf", "2026/c.pdf"):
        draw_invoice(tmp_path / "docs" / name, note=name)
    return tmp_path


@pytest.mark.parametrize("columns", ["80", "140"])
def test_the_table_fits_the_screen_and_cuts_no_value(folder, columns):
    """A terminal of that width, as `script` makes one."""
    program = f"import os; os.environ['COLUMNS'] = '{columns}'; os.environ['FORCE_COLOR'] = '1';" + (
        " from docpipe.cli import main; import sys; main(sys.argv[1:])"
    )
    arguments = [
        "run",
        "docs",
        "--db",
        f"sqlite:///{folder / 'test.db'}",
        "--model",
        f"scripted:{folder / 'script.json'}",
    ]
    environment = command_environment() | {"TERM": "dumb", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    table = done.stderr[done.stderr.index(" id ") :].partition("3 of 3 files")[0]
    assert max(map(len, table.splitlines())) <= max(int(columns), 80)
    assert "R-2041" in table
    assert "to review" in table
    ids = [line.split()[0] for line in table.splitlines() if ".pdf" in line]
    assert {len(text) for text in ids} == {12}, "what `docpipe show` takes"


def test_values_are_left_out_whole_and_texts_end_at_a_word():
    values = ("R-2041", "2026-03-14", "Nordwind Papier GmbH", "119.00")
    assert whole_values(values, 80) == "R-2041 · 2026-03-14 · Nordwind Papier GmbH · 119.00"
    assert whole_values(values, 40) == "R-2041 · 2026-03-14 · 119.00 …"
    assert whole_values(values, 8) == "R-2041 …"
    assert whole_values((), 8) == ""
    assert whole_words("the sum is wrong by a lot", 16) == "the sum is…"
    assert whole_words("short", 16) == "short"


def test_a_quiet_run_says_nothing_but_errors(folder):
    quiet = docpipe_run(folder, "docs", "-q", "--output", "out.jsonl")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")
    assert len(quiet.lines()) == 3
    (folder / "docs" / "notes.txt").write_text("no document")
    failing = docpipe_run(folder, "docs", "--quiet")
    assert failing.code == 3
    (line,) = failing.err.splitlines()
    assert line.startswith("docs/notes.txt: failed: the file is a text file")


def test_a_talkative_run_says_what_each_step_took_and_where_an_error_came_from(folder, capsys):
    verbose = docpipe_run(folder, "docs", "-v")
    assert verbose.err.count("1 page, rasterise ") == 3
    assert "read " in verbose.err
    assert invoke(["show", "none.pdf", "-v", "--db", f"sqlite:///{folder / 'test.db'}"]) == 7
    printed = capsys.readouterr().err
    assert "Traceback" in printed
    assert "Error: no document none.pdf" in printed
    assert invoke(["show", "none.pdf", "--db", f"sqlite:///{folder / 'test.db'}"]) == 7
    assert "Traceback" not in capsys.readouterr().err, "that was for one command"


@pytest.mark.parametrize(
    ("options", "read", "said"),
    [
        (["--exclude", "*draft*"], {"a.pdf", "2026/c.pdf"}, "1 file left out by a pattern: docs/b-draft.pdf"),
        (["--include", "2026/*"], {"2026/c.pdf"}, "2 files left out by a pattern"),
        (["--include", "*.pdf", "--exclude", "a*", "--exclude", "b*"], {"2026/c.pdf"}, "2 files left out"),
    ],
)
def test_patterns_choose_files_of_folders_and_what_they_leave_out_is_said(folder, options, read, said):
    done = docpipe_run(folder, "docs", *options, "--output", "out.jsonl")
    assert set(done.lines()) == read
    assert said in done.err


def test_a_file_that_is_named_is_read_whatever_the_patterns_say(folder):
    done = docpipe_run(folder, "docs/a.pdf", "--exclude", "*", "--output", "out.jsonl")
    assert set(done.lines()) == {"a.pdf"}


def test_a_dry_run_says_what_would_be_done_and_does_nothing(folder):
    (folder / "docs" / "notes.txt").write_text("no document")
    docpipe_run(folder, "docs/a.pdf", "--output", "docs/out.jsonl")
    before = set(folder.rglob("*"))
    dry = docpipe_run(folder, "docs", "--dry-run", "--exclude", "b*")
    verdicts = {line.split(" docs/")[1].split(" ")[0]: line.split(" docs/")[0].strip() for line in dry.out.splitlines()}
    assert verdicts == {
        "a.pdf": "stored", "2026/c.pdf": "read", "notes.txt": "refused", "out.jsonl": "own", "b-draft.pdf": "left out",
    }  # fmt: skip
    assert "1 to read, 1 stored already, 1 refused" in dry.err
    assert dry.code == 3
    assert {path for path in folder.rglob("*") if "test.db" not in path.name} <= before
    assert dry.query("SELECT count(*) FROM extractions") == [(1,)]


def test_a_document_can_come_through_a_pipe(folder):
    content = (folder / "docs" / "a.pdf").read_bytes()
    database = ["--db", f"sqlite:///{folder / 'test.db'}", "--model", f"scripted:{folder / 'script.json'}"]
    done = subprocess.run(
        [sys.executable, "-m", "docpipe", "run", "-", "--output", "-", *database],
        input=content, cwd=folder, env=command_environment(), capture_output=True, check=False,
    )  # fmt: skip
    record = json.loads(done.stdout)
    assert record["fields"]["invoice_number"]["value"] == "R-2041"


def test_doctor_tells_programs_what_is_there(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docpipe.toml").write_text("jobs = 2\n")
    assert invoke(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ready"] is True
    settings = next(findings for topic, findings in found["topics"].items() if topic.startswith("Settings"))
    (jobs,) = [finding for finding in settings if finding["subject"] == "DOCPIPE_JOBS"]
    assert jobs["detail"].startswith("2 (file)")
    packages = {finding["subject"]: finding["ok"] for finding in found["topics"]["Packages"]}
    assert packages["numpy"] is True


def test_every_command_can_be_quiet_or_talkative(capsys):
    for command in (["run"], ["export"], ["queue", "retry"], ["key", "list"]):
        assert invoke([*command, "--help"]) == 0
        printed = capsys.readouterr().out
        assert "--quiet" in printed
        assert "--verbose" in printed
