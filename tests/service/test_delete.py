"""`docpipe delete`: nothing of a document is left, and nothing else is gone."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from docpipe.store.blobs import job_prefix
from tests.support.command_line import docpipe_run, draw_invoice, workplace
from tests.support.service_env import configure_service
from tests.support.serving import NO_BROKER, pdf, service_in, submit_pdf, task_runner
from tests.support.stored import document, extraction

SECRET = "Zwölfbrunner"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two documents that were read, each with words of its own, the first with two results."""
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf", note=SECRET)
    draw_invoice(tmp_path / "docs" / "b.pdf", note="other")
    docpipe_run(tmp_path, "docs")
    docpipe_run(tmp_path, "docs", "--accept-error", "0.2")
    return tmp_path


def delete(folder: Path, *arguments: str) -> int:
    return invoke(["delete", *arguments, "--db", f"sqlite:///{folder / 'test.db'}"])


def rows(folder: Path) -> dict[str, int]:
    tables = ("documents", "document_files", "extractions", "attempts", "kept_work", "invoice")
    with SqlStore(f"sqlite:///{folder / 'test.db'}") as store, store._engine.connect() as connection:
        return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one() for name in tables}


@pytest.mark.parametrize("by", ["id", "file", "name"])
def test_a_document_goes_with_all_that_is_kept_of_it(folder, capsys, by):
    file = folder / "docs" / "a.pdf"
    document_id = hashlib.sha256(file.read_bytes()).hexdigest()
    before = rows(folder)
    assert delete(folder, {"id": document_id[:12], "file": str(file), "name": "a.pdf"}[by], "--yes") == 0
    printed = capsys.readouterr()
    assert printed.out.split() == [document_id]
    assert f"Still there: {file}" in printed.err
    assert rows(folder) == {name: count // 2 for name, count in before.items()}
    assert all(before.values())
    assert file.is_file(), "it is the user's own"
    assert delete(folder, document_id, "--yes") == 7, "it is unknown now"


def test_nothing_of_it_is_left_in_the_files_of_the_database(folder):
    quote = b"Net EUR 100.00"
    assert delete(folder, "a.pdf", "b.pdf", "--yes") == 0
    content = b"".join(path.read_bytes() for path in folder.glob("test.db*"))
    assert content
    for text in (b"R-2041", quote, str(folder / "docs").encode()):
        assert text not in content


def test_it_asks_before_it_deletes(folder, monkeypatch, capsys):
    before = rows(folder)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert delete(folder, "a.pdf") == 130
    assert "Delete a.pdf (" in capsys.readouterr().err
    assert rows(folder) == before


def test_jobs_of_the_queue_go_with_their_originals_and_pages(tmp_path, monkeypatch, capsys):
    settings = configure_service(tmp_path, monkeypatch, NO_BROKER)
    with service_in(tmp_path, database_url=settings.database_url, blob_url=settings.blob_url) as service:
        ended, waiting = submit_pdf(service), submit_pdf(service)
        other = submit_pdf(service, pdf("another"))
        with task_runner(service) as runner:
            runner.prepare(ended.id)
            runner.understand(ended.id)
        assert invoke(["delete", ended.document_id, "--yes"]) == 0
        assert [service.jobs.get(job.id) for job in (ended, waiting)] == [None, None]
        assert service.store.document_id(ended.document_id) is None
        blobs = Path(settings.blob_url)
        assert not any((blobs / job_prefix(job.id)).exists() for job in (ended, waiting))
        assert service.jobs.get(other.id) is not None
        assert (blobs / job_prefix(other.id)).exists()


def test_what_is_not_there_is_said_and_nothing_is_deleted(folder, capsys):
    before = rows(folder)
    assert delete(folder, "a.pdf", "c.pdf", "--yes") == 7
    assert "no document c.pdf" in capsys.readouterr().err
    assert rows(folder) == before


def test_a_store_deletes_documents_on_both_databases(database_url):
    invoice = load_schema("invoice")
    with SqlStore(database_url) as store:
        for name in ("a.pdf", "b.pdf"):
            store.add(document(name))
            store.save(extraction(document(name), invoice), invoice)
            store.keep_work(document(name).id, "6", {"page 1": b"x"})
        assert store.delete(document("a.pdf").id)
        assert not store.delete(document("a.pdf").id)
        assert [result.document.name for result in store.results()] == ["b.pdf"]
        assert store.kept_work(document("a.pdf").id, "6") == {}
