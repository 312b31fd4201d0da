"""The command line: what it imports, what it says, and how errors become exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import click
import pytest

from docpipe import cli
from docpipe.batch.outcome import Outcome
from docpipe.cli import COMMANDS, invoke
from docpipe.cli.reference import reference
from docpipe.cli.run_view import RunView
from docpipe.data import Box, Document, Evidence, Extraction, Field
from docpipe.errors import AnswerError, CorruptError, DocpipeError, StoreError
from docpipe.schema import load_schema
from docpipe.store.results.result_store import SqlStore
from tests.support.repository import ROOT

HEAVY = ("numpy", "onnxruntime", "pydantic", "rich", "sqlalchemy", "PIL", "pypdfium2", "cv2", "torch", "celery")


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("statement", ["import docpipe", "from docpipe.cli import invoke; invoke(['--help'])"])
def test_help_and_import_load_nothing_heavy(statement):
    check = f"{statement}\nimport sys\nprint('HEAVY', [name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout.splitlines()[-1] == "HEAVY []"


def test_help_names_every_command(capsys):
    assert invoke(["--help"]) == 0
    output = capsys.readouterr().out
    assert all(name in output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_of_a_command_is_the_first_line_of_its_help(name):
    command = cli.docpipe.get_command(click.Context(cli.docpipe), name)
    assert command.help.splitlines()[0] == COMMANDS[name][1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_has_a_help_text(name):
    command = cli.docpipe.get_command(click.Context(cli.docpipe), name)
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_the_reference_in_the_docs_is_fresh():
    written = (ROOT / "docs" / "cli.md").read_text()
    assert written == reference(), "run: python -m docpipe.cli.reference > docs/cli.md"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CorruptError("broken"), 3), (AnswerError("cut off"), 6), (StoreError("locked"), 7),
        (KeyboardInterrupt(), 130), (ZeroDivisionError("oops"), 1),
    ],
)  # fmt: skip
def test_an_error_becomes_its_exit_code_and_says_what_to_do(monkeypatch, capsys, error, code):
    @click.command()
    def broken() -> None:
        raise error

    monkeypatch.setattr(cli.LazyGroup, "get_command", lambda *_: broken)
    assert invoke(["run"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    if isinstance(error, DocpipeError):
        assert captured.err == f"Error: {error.message}\n  {error.hint}\n"
    if code == 1:
        assert "bug in docpipe: ZeroDivisionError: oops" in captured.err
        assert "report" in captured.err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["run"], "Missing argument"),
        (["run", "no-such-folder"], "no-such-folder"),
        (["run", ".", "--accept-error", "0"], "--accept-error"),
        (["run", ".", "--output", "out.docx"], "out.docx"),
        (["run", "."], "no file"),
        (["export", "results.docx"], "results.docx"),
    ],
)
def test_a_wrong_command_is_refused_before_anything_runs(tmp_path, capsys, arguments, complaint):
    assert invoke(arguments) == 2
    assert complaint in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_refused_by_name(monkeypatch, capsys):
    monkeypatch.setenv("DOCPIPE_JOBS", "many")
    assert invoke(["doctor"]) == 2
    assert "DOCPIPE_JOBS" in capsys.readouterr().err


def test_an_unknown_schema_and_an_unknown_model_have_their_exit_codes(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("a")
    assert invoke(["run", "a.txt", "--schema", "menu"]) == 4
    assert invoke(["run", "a.txt", "--model", "psychic"]) == 5
    assert "embedded" in capsys.readouterr().err


def test_schema_list_and_show_print_to_standard_output(capsys):
    assert invoke(["schema", "list"]) == 0
    assert "invoice" in capsys.readouterr().out
    assert invoke(["schema", "show", "receipt"]) == 0
    assert "merchant_name" in capsys.readouterr().out
    assert invoke(["schema", "show", "receipt", "--json"]) == 0
    assert "total" in json.loads(capsys.readouterr().out)["properties"]
    assert invoke(["schema", "list", "--json"]) == 0
    assert {json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()} >= {"invoice", "receipt", "form"}


@pytest.fixture
def stored(tmp_path) -> Path:
    """A database with one complete receipt and one failure."""
    database = tmp_path / "stored.db"
    evidence = (Evidence(1, Box(0.1, 0.1, 0.2, 0.12), "80.90"),)
    total = Field("total", Decimal("80.90"), "RM 80.90", 0.97, evidence, accepted=True)
    with SqlStore(f"sqlite:///{database}") as store:
        store.add(Document("ab" * 32, "a.jpg", tmp_path / "a.jpg", "image/jpeg", 10, 1))
        done = Extraction("ab" * 32, "receipt", "v", "scripted:1", "key", "complete", 1, (total,))
        store.save(done, load_schema("receipt"))
        store.fail("cd" * 32, None, tmp_path / "b.pdf", CorruptError("damaged"), schema="receipt")
    return database


def test_export_writes_what_is_stored(stored, capsys):
    assert invoke(["export", "-", "--db", f"sqlite:///{stored}"]) == 0
    lines = {line["file"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert lines["a.jpg"]["fields"]["total"]["value"] == "80.90"
    assert lines["b.pdf"]["error"]["message"] == "damaged"


def test_export_filters_by_status_and_schema(stored, tmp_path):
    url = f"sqlite:///{stored}"
    assert invoke(["export", "failed.jsonl", "--db", url, "--status", "failed"]) == 0
    assert [json.loads(line)["file"] for line in Path("failed.jsonl").read_text().splitlines()] == ["b.pdf"]
    assert invoke(["export", "invoices.jsonl", "--db", url, "--schema", "invoice"]) == 0
    assert Path("invoices.jsonl").read_text() == ""


def test_export_from_a_database_that_is_not_there_does_not_make_one(tmp_path):
    assert invoke(["export", "-", "--db", "sqlite:///nothing.db"]) == 7
    assert not (tmp_path / "nothing.db").exists()


def test_doctor_tells_what_is_there_and_the_settings_in_force(monkeypatch, capsys, tmp_path):
    (tmp_path / "script.json").write_text("{}")
    monkeypatch.setenv("DOCPIPE_MODEL", f"scripted:{tmp_path / 'script.json'}")
    monkeypatch.setenv("DOCPIPE_MAX_BYTES", "5MiB")
    assert invoke(["doctor"]) == 0
    output = capsys.readouterr().out
    assert "The main job can run." in output
    assert "5.0 MiB (environment)" in " ".join(output.split())
    assert "PP-OCR" in output


def test_doctor_fails_when_the_main_job_cannot_run_and_hides_the_password(monkeypatch, capsys):
    monkeypatch.setenv("DOCPIPE_MODEL", "scripted:missing.json")
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", "postgresql://clerk:geheim@127.0.0.1:1/docs")
    monkeypatch.setenv("DOCPIPE_BROKER_URL", "redis://:geheim@127.0.0.1:1/0")
    assert invoke(["doctor"]) == 5
    output = capsys.readouterr().out
    assert output.count("MISSING  ") == 2
    assert "geheim" not in output


def test_a_message_is_shown_as_it_is_written_and_never_as_a_picture(capsys):
    view = RunView(load_schema("receipt"), 1)
    view.done(Outcome(Path("a.pdf"), None, error=DocpipeError("nobody answers for openai:x: refused")))
    view.summary()
    assert capsys.readouterr().err.count("openai:x: refused") == 2
