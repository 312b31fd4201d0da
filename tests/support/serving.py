"""A service to test: jobs in a real database, bytes in a real folder; documents of a few printed lines, and an
extractor that answers from a script. Nothing here is from a real document."""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy import Table, func, make_url, select, update

from benchmarks.service.servers import wait_until
from docpipe.config import Settings, load_settings
from docpipe.data import Extraction
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.database import Database
from docpipe.store.jobs.job import Job, Submission
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.tables import deliveries, jobs
from docpipe.workers import lease
from docpipe.workers.task_runner import TaskRunner

LINES = ("Rechnung R-2041", "Datum 14.03.2026", "Verkäufer Muster GmbH", "Summe EUR 119,00")
ANSWER = {"invoice_number": "R-2041", "issue_date": "14.03.2026", "seller_name": "Muster GmbH", "gross_total": "119,00"}
NO_BROKER = "redis://127.0.0.1:1/0"  # a broker that is away


def pdf(*lines: str, pages: int = 1) -> bytes:
    """A PDF with a text layer; other lines are another document."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for _ in range(pages):
        for number, line in enumerate(lines or LINES):
            canvas.drawString(80, 740 - 30 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scripted_model(folder: Path, answers: Any = None) -> str:
    """The name of a model that answers this."""
    path = folder / "script.json"
    path.write_text(json.dumps(ANSWER if answers is None else answers))
    return f"scripted:{path}"


def settings_in(folder: Path, **changes: Any) -> Settings:
    """Those of a service in this folder, with an extractor that answers SCRIPT."""
    chosen = {
        "database_url": f"sqlite:///{folder / 'docpipe.db'}", "blob_url": folder / "blobs", "broker_url": NO_BROKER,
        "lease_seconds": 60, **changes,
    }  # fmt: skip
    if "model" not in chosen:
        chosen["model"] = scripted_model(folder)
    return load_settings({f"DOCPIPE_{name.upper()}": str(value) for name, value in chosen.items()})


@contextmanager
def service_in(folder: Path, **changes: Any) -> Iterator[Service]:
    service = Service.of(settings_in(folder, **changes))
    try:
        yield service
    finally:
        service.close()


def submit_pdf(service: Service, content: bytes | None = None, name: str = "bill.pdf", **options: Any) -> Job:
    return submit_document(service, io.BytesIO(pdf() if content is None else content), name, SubmitOptions(**options))


def task_runner(service: Service) -> closing[TaskRunner]:
    """A worker's, in this process; to be used in `with`."""
    return closing(TaskRunner(service))


def run_job(runner: TaskRunner, job: Job) -> Job:
    """The job after both stages."""
    runner.prepare(job.id)
    runner.understand(job.id)
    ended = runner.service.jobs.get(job.id)
    assert ended is not None
    return ended


def extraction_of(service: Service, job: Job) -> Extraction:
    return service.store.find(job.run_key).extraction


def submission(name: str = "a.pdf", **changes: Any) -> Submission:
    """Of a document whose bytes do not exist: the name makes its id."""
    columns = {"schema": "invoice", "model": "scripted:none", "accept_error": 0.01, "size": 1000, **changes}
    return Submission(document_id=hashlib.sha256(name.encode()).hexdigest(), name=name, **columns)


def add_job(store: JobStore, name: str = "a.pdf", **changes: Any) -> Job:
    return store.submit(uuid.uuid4().hex, submission(name, **changes))[0]


def set_columns(database: Database, job: Job, **values: Any) -> None:
    """What only time or a dead process would bring about."""
    with database.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))


def column_of(database: Database, job: Job, name: str) -> Any:
    with database.reading() as connection:
        return connection.scalar(select(jobs.c[name]).where(jobs.c.id == job.id))


def hasten_renewals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leases, however long, are renewed many times a second."""
    monkeypatch.setattr(lease, "RENEWALS_PER_LEASE", 1_000)


def await_renewal(database: Database, job: Job) -> None:
    """The time of the lease has passed; then until its worker has renewed it."""
    end_lease(database, job)
    wait_until(lambda: column_of(database, job, "leased_until") > ago(0), "the lease is renewed", poll_seconds=0.01)


def end_lease(database: Database, job: Job) -> None:
    set_columns(database, job, leased_until=ago(1))


def end_wait(database: Database, job: Job) -> None:
    set_columns(database, job, not_before=ago(1))


def make_deliveries_due(database: Database) -> None:
    """The wait of all messages is over."""
    with database.writing() as connection:
        connection.execute(update(deliveries).values(not_before=ago(1)))


def count_rows(database: Database, table: Table) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


@contextmanager
def database_closed(url: str) -> Iterator[Callable[[], None]]:
    """A PostgreSQL database that lets nobody in; what is yielded opens it again, as does the end of the block."""
    name = make_url(url).database
    with psycopg.connect(make_url(url).set(database="postgres").render_as_string(False), autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

        def open_again() -> None:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

        yield open_again
        open_again()
