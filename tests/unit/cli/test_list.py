"""`docpipe list`: what is left to do, for a person and for a program."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.errors import CorruptError
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from tests.support.serving import service_in, submit_pdf
from tests.support.stored import document, extraction


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Two documents that are complete, three to review, one that failed."""
    invoice = load_schema("invoice")
    url = f"sqlite:///{tmp_path / 'docpipe.db'}"
    with SqlStore(url) as store:
        for name, status in (
            ("a", "complete"),
            ("b", "needs_review"),
            ("c", "complete"),
            ("d", "needs_review"),
            ("e", "needs_review"),
        ):
            store.add(document(f"{name}.pdf"))
            store.save(replace(extraction(document(f"{name}.pdf"), invoice), status=status), invoice)
        store.fail(document("f.pdf").id, None, Path("/inbox/f.pdf"), CorruptError("it is damaged"), schema="invoice")
    return url


def listed(url: str, capsys: pytest.CaptureFixture[str], *options: str) -> list[dict]:
    capsys.readouterr()
    assert invoke(["list", "--db", url, "--json", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_what_needs_a_person_comes_first_and_what_is_done_is_counted(url, capsys):
    assert invoke(["list", "--db", url]) == 0
    printed = capsys.readouterr().out
    places = [printed.index(f"/inbox/{name}.pdf") for name in "fedb"]
    assert places == sorted(places), "what failed, then what is to be reviewed, the newest first"
    assert "/inbox/a.pdf" not in printed
    assert "it is damaged" in printed
    assert "12.00 is not 13.00 (+2 more)" in printed
    assert document("e.pdf").id[:12] in printed
    assert "2 complete, 3 to review, 1 failed." in printed


def test_a_program_gets_a_line_for_each_document(url, capsys):
    failed, *to_review = listed(url, capsys)
    assert (failed["name"], failed["status"], failed["reasons"]) == ("f.pdf", "failed", ["it is damaged"])
    assert [record["name"] for record in to_review] == ["e.pdf", "d.pdf", "b.pdf"]
    assert to_review[0]["files"] == ["/inbox/e.pdf"]
    assert "net + tax is not gross" in to_review[0]["reasons"]


def test_it_can_be_narrowed_down(url, capsys):
    assert [record["name"] for record in listed(url, capsys, "--status", "complete")] == ["c.pdf", "a.pdf"]
    assert [record["name"] for record in listed(url, capsys, "--limit", "2")] == ["f.pdf", "e.pdf"]
    assert listed(url, capsys, "--schema", "receipt") == []


def test_what_was_cut_off_by_the_limit_is_said(url, capsys):
    assert invoke(["list", "--db", url, "--limit", "2"]) == 0
    assert "… and 2 more; see --limit." in capsys.readouterr().out


def test_jobs_that_wait_in_the_queue_are_counted(tmp_path, url, capsys):
    with service_in(tmp_path, database_url=url) as service:
        submit_pdf(service)
    assert invoke(["list", "--db", url]) == 0
    assert "In the queue: 1 queued." in capsys.readouterr().out


def test_a_question_makes_no_database(tmp_path, capsys):
    assert invoke(["list", "--db", f"sqlite:///{tmp_path / 'none.db'}"]) == 7
    assert not (tmp_path / "none.db").exists()
