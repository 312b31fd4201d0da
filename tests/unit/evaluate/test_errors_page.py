"""`evaluate --errors` finds the documents wherever it is run, and says which it does not find."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from docpipe.cli import invoke
from tests.support.command_line import docpipe_run, draw_invoice, workplace
from tests.support.labelled import label_line, write

PICTURE = "data:image/jpeg;base64,"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run over `docs`, and labels that name another total. Labels, results and documents lie in folders of their
    own."""
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    docpipe_run(tmp_path, "docs", "--output", "out.jsonl")
    for name in ("truth", "results", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "out.jsonl").rename(tmp_path / "results" / "out.jsonl")
    write(tmp_path / "truth" / "labels.jsonl", [label_line("a.pdf", {"gross_total": "120.00"})])
    return tmp_path


def errors_page(folder: Path, *options: str) -> str:
    page = folder / "errors.html"
    files = [str(folder / "truth" / "labels.jsonl"), str(folder / "results" / "out.jsonl")]
    assert invoke(["evaluate", *files, "--errors", str(page), *options]) == 0
    return page.read_text("utf-8")


def test_a_document_is_found_where_the_database_says_it_lies(folder, monkeypatch):
    monkeypatch.chdir(folder / "elsewhere")
    assert PICTURE in errors_page(folder, "--db", f"sqlite:///{folder / 'test.db'}")


def test_a_folder_can_be_named_for_documents_that_were_moved(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder / "elsewhere")
    shutil.move(folder / "docs", folder / "moved")
    assert PICTURE in errors_page(folder, "--documents", str(folder / "moved"))
    assert "were not found" not in capsys.readouterr().err


def test_documents_that_are_not_found_are_named(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder / "elsewhere")
    assert PICTURE not in errors_page(folder)
    assert "no pictures of a.pdf, which were not found: --documents" in capsys.readouterr().err
    assert json.loads((folder / "results" / "out.jsonl").read_text())["file"] == "a.pdf"


def test_a_database_that_was_named_and_is_not_there_is_an_error(folder):
    files = [str(folder / "truth" / "labels.jsonl"), str(folder / "results" / "out.jsonl")]
    database = ["--db", f"sqlite:///{folder / 'none.db'}"]
    assert invoke(["evaluate", *files, "--errors", str(folder / "e.html"), *database]) == 7
