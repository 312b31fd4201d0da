"""Jobs as their owners see them: lists page by page, another try, and deletion of what belongs to one and no more."""

from __future__ import annotations

import base64
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select, text

from benchmarks.service.servers import START_SECONDS, wait_until
from docpipe.errors import UsageError
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from docpipe.store.database import Database
from docpipe.store.jobs import job_store, job_view
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_view import JobFilter, JobView
from docpipe.store.jobs.tables import deliveries, jobs
from docpipe.store.jobs.usage import JobUsage
from docpipe.store.tables import attempts, documents, extractions, fields
from tests.support.serving import add_job, ago, count_rows, set_columns, submission
from tests.support.stored import document, extraction

MOMENT = datetime(2026, 3, 14, 12, tzinfo=UTC)


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def view(database: Database) -> JobView:
    return JobView(database)


@pytest.fixture
def results(database_url: str) -> Iterator[SqlStore]:
    with SqlStore(database_url) as results:
        yield results


def read(store: JobStore, results: SqlStore, name: str, schema: str = "invoice", **more) -> Job:
    """A job that is done, with its result."""
    read_document = replace(document(name), path=Path())
    job = store.claim(add_job(store, name, schema=schema, **more).id, "prepare", "host:1")
    results.add(read_document)
    store.mark_prepared(job)
    job = store.claim(job.id, "understand", "host:1")
    loaded = load_schema(schema)
    extracted = extraction(
        read_document, loaded, run_key=f"{schema} of {name}", **({} if schema == "invoice" else {"fields": ()})
    )
    results.claim(read_document.id, extracted.run_key, schema=schema)
    results.save(extracted, loaded)
    store.finish(job, extracted.run_key, extracted.status, JobUsage())
    return store.get(job.id)


def test_the_newest_come_first_and_every_job_is_on_one_page(database, store, view):
    added = [add_job(store, f"{number}.pdf") for number in range(7)]
    for number, job in enumerate(added):
        set_columns(database, job, created=MOMENT + timedelta(seconds=number))
    listed, after = [], None
    while True:
        page, after = view.page(JobFilter(), limit=3, after=after)
        listed += [job.id for job in page]
        assert len(page) == 3 or after is None
        if after is None:
            break
    assert listed == [job.id for job in reversed(added)]


def test_jobs_of_the_same_moment_are_each_on_one_page(database, store, view):
    added = [add_job(store, f"{number}.pdf") for number in range(7)]
    for job in added:
        set_columns(database, job, created=MOMENT)
    first, after = view.page(JobFilter(), limit=3)
    second, after = view.page(JobFilter(), limit=3, after=after)
    last, after = view.page(JobFilter(), limit=3, after=after)
    assert after is None
    assert sorted(job.id for job in first + second + last) == sorted(job.id for job in added)


def test_a_job_that_comes_meanwhile_moves_no_page(database, store, view):
    added = [add_job(store, f"{number}.pdf") for number in range(4)]
    for number, job in enumerate(added):
        set_columns(database, job, created=MOMENT + timedelta(seconds=number))
    _, after = view.page(JobFilter(), limit=2)
    add_job(store, "new.pdf")
    page, _ = view.page(JobFilter(), limit=2, after=after)
    assert [job.id for job in page] == [added[1].id, added[0].id]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "Zm9v", "ä", "\ud800", *(base64.urlsafe_b64encode(content.encode()).decode() for content in (
        "2026-01-01T00:00:00|abc", "2026-01-01T00:00:00+00:00|' OR 1", "9999-12-31T23:59:59-14:00|abc", "|abc"
    ))],
)  # fmt: skip
def test_a_cursor_that_is_none_of_ours_is_a_mistake_of_the_caller(tmp_path, cursor):
    database = Database(str(tmp_path / "docpipe.db"))
    with pytest.raises(UsageError, match="cursor"):
        JobView(database).page(JobFilter(), after=cursor)
    database.close()


def test_filters_hold_together(database, store, view, results):
    done = read(store, results, "a.pdf", owner="ann")
    other = read(store, results, "b.pdf", schema="receipt", owner="ann")
    waiting = add_job(store, "a.pdf", owner="ben")

    def found(**wanted) -> set[str]:
        return {job.id for job in view.all(JobFilter(**wanted))}

    assert found() == {done.id, other.id, waiting.id}
    assert found(owner="ann") == {done.id, other.id}
    assert found(states=("queued", "preparing")) == {waiting.id}
    assert found(status="needs_review", schema="invoice") == {done.id}
    assert found(document_id=done.document_id) == {done.id, waiting.id}
    assert found(document_id=done.document_id, owner="ann", schema="receipt") == set()
    set_columns(database, other, created=MOMENT)
    assert found(created_before=MOMENT + timedelta(seconds=1)) == {other.id}
    assert found(created_since=MOMENT, created_before=MOMENT) == set()
    assert other.id not in found(created_since=MOMENT + timedelta(seconds=1))
    assert view.counts() == {"done": 2, "queued": 1}
    assert view.counts(JobFilter(owner="ben")) == {"queued": 1}


def test_a_job_that_ended_begins_again_with_attempts_of_its_own(database, store, view, results):
    done = read(store, results, "a.pdf")
    set_columns(database, done, environment_retries=7, error_code="store", error_message="away")
    retried = view.retry(done.id)
    assert (retried.state, retried.attempts, retried.environment_retries) == ("queued", 0, 0)
    assert (retried.run_key, retried.status, retried.error, retried.ended) == (None, None, None, None)
    assert store.claim(done.id, "prepare", "host:1").attempts == 1


def test_a_job_at_work_or_without_its_original_does_not_begin_again(database, store, view, results):
    working = store.claim(add_job(store, "b.pdf").id, "prepare", "host:1")
    assert view.retry(working.id) is None
    assert store.renew(working)
    purged = read(store, results, "a.pdf")
    set_columns(database, purged, purged=ago(1))
    assert view.retry(purged.id) is None
    assert store.get(purged.id).state == "done"
    assert view.retry(uuid.uuid4().hex) is None


def test_deletion_takes_all_that_belongs_to_the_job(database, store, view, results):
    job = read(store, results, "a.pdf", callback={"url": "https://example.com/"})
    other = read(store, results, "b.pdf")
    assert view.delete(job.id) == job
    assert (store.get(job.id), view.delete(job.id)) == (None, None)
    assert results.find(job.run_key) is None
    with database.reading() as connection:
        for table in (documents, extractions, attempts):
            named = table.c.id if table is documents else table.c.document_id
            assert set(connection.scalars(select(named))) == {other.document_id}, table.name
        assert connection.scalar(text("SELECT COUNT(*) FROM invoice")) == 1
        assert connection.scalar(text("SELECT COUNT(*) FROM invoice_line_items")) == 2
    assert count_rows(database, fields) == len(results.find(other.run_key).extraction.fields)
    assert count_rows(database, deliveries) == 0


def test_deletion_of_one_of_two_jobs_of_a_document_leaves_the_other_its_result(database, store, view, results):
    first = read(store, results, "a.pdf", owner="ann")
    twin = read(store, results, "a.pdf", owner="ben")
    other = read(store, results, "a.pdf", schema="receipt")
    view.delete(first.id)
    assert results.find(twin.run_key) is not None, "the same work, for somebody else"
    view.delete(twin.id)
    assert results.find(twin.run_key) is None
    assert results.find(other.run_key) is not None
    with database.reading() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM invoice")) == 0
        assert connection.scalar(text("SELECT COUNT(*) FROM receipt")) == 1
    view.delete(other.id)
    assert count_rows(database, documents) == 0


def test_deletion_leaves_a_result_with_which_another_job_is_about_to_end(database, store, view, results):
    done = read(store, results, "a.pdf")
    at_work = store.claim(add_job(store, "a.pdf").id, "prepare", "host:1")
    view.delete(done.id)
    assert at_work.document_id == done.document_id
    assert results.find(done.run_key) is not None
    view.delete(at_work.id)
    assert count_rows(database, extractions) == count_rows(database, documents) == 0


def test_deletion_leaves_what_the_command_line_read(database, store, view, results):
    results.add(document("a.pdf"))
    job = read(store, results, "a.pdf")
    view.delete(job.id)
    assert store.get(job.id) is None
    assert results.get(job.document_id, "invoice").extraction.run_key == job.run_key


def test_a_document_that_is_submitted_while_it_is_deleted_stays(database, store, view, monkeypatch):
    """The deletion sees the new job although it began before that was written."""
    first = add_job(store)
    with paused(monkeypatch, job_store, "job_from_row") as pause:
        submitting = pause.start(lambda: add_job(store))
        deleting = background(lambda: view.delete(first.id))
        await_lock(database, deleting)
    submitting.join()
    deleting.join()
    assert (count_rows(database, jobs), count_rows(database, documents)) == (1, 1)
    assert store.get(first.id) is None


def test_a_submission_waits_for_a_deletion_and_brings_its_document_again(database, store, view, monkeypatch):
    first, submitted = add_job(store), []
    with paused(monkeypatch, job_view, "_delete_result") as pause:
        deleting = pause.start(lambda: view.delete(first.id))
        submitting = background(lambda: submitted.append(store.submit("1" * 32, submission())))
        await_lock(database, submitting)
    submitting.join()
    deleting.join()
    assert submitted[0][0].id == "1" * 32
    assert (count_rows(database, jobs), count_rows(database, documents)) == (1, 1)


def background(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


@dataclass
class Pause:
    """In the middle of a transaction, until the test goes on."""

    reached: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def start(self, work: Callable[[], object]) -> threading.Thread:
        """Work that has come as far as the pause."""
        thread = background(work)
        assert self.reached.wait(START_SECONDS)
        return thread


@contextmanager
def paused(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> Iterator[Pause]:
    """The first thread that has called this function pauses until the block ends."""
    pause, whole = Pause(), getattr(module, name)

    def call(*given: Any) -> Any:
        made = whole(*given)
        if not pause.reached.is_set():
            pause.reached.set()
            assert pause.over.wait(START_SECONDS)
        return made

    monkeypatch.setattr(module, name, call)
    try:
        yield pause
    finally:
        pause.over.set()


def await_lock(database: Database, thread: threading.Thread) -> None:
    """Until the thread waits for a lock that another transaction holds, or has ended without waiting."""
    wait_until(
        lambda: waits_for_lock(database, thread) or not thread.is_alive(), "it waits or has ended", poll_seconds=0.02
    )


def waits_for_lock(database: Database, thread: threading.Thread) -> bool:
    if database.url.get_backend_name() == "postgresql":
        with database.reading() as connection:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return connection.scalar(text(waiting)) > 0
    # SQLite waits within the statement that begins a transaction
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code.co_name == "do_execute" and "BEGIN IMMEDIATE" in frame.f_locals.values()


def test_messages_that_wait_or_were_given_up_are_counted(database, store, view, results):
    assert view.undelivered() == {"waiting": 0, "given_up": 0}
    for number in range(3):
        read(store, results, f"{number}.pdf", callback={"url": "https://example.com/"})
    with database.writing() as connection:
        first, second = connection.scalars(select(deliveries.c.id).limit(2))
        connection.execute(deliveries.update().where(deliveries.c.id == first).values(given_up=True))
        connection.execute(deliveries.update().where(deliveries.c.id == second).values(delivered=MOMENT))
    assert view.undelivered() == {"waiting": 1, "given_up": 1}
