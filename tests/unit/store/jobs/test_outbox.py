"""The outbox: a message for each end that somebody waits for, tried again after longer and longer waits, by one at a
time."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from docpipe.errors import UnsupportedError
from docpipe.store.database import Database
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_view import JobView
from docpipe.store.jobs.outbox import LEASE_DURATION, RETRY_SECONDS, Delivery, Outbox
from docpipe.store.jobs.tables import deliveries
from docpipe.store.jobs.usage import JobUsage
from tests.support.serving import add_job, ago, count_rows, make_deliveries_due

TARGET = {"url": "https://example.com/hook"}


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def outbox(database: Database) -> Outbox:
    return Outbox(database)


def ended(store: JobStore, name: str = "a.pdf", **more) -> Job:
    job = store.claim(add_job(store, name, **{"callback": TARGET, **more}).id, "prepare", "host:1")
    store.mark_prepared(job)
    store.finish(store.claim(job.id, "understand", "host:1"), "key", "complete", JobUsage())
    return store.get(job.id)


def due(database: Database) -> datetime:
    with database.reading() as connection:
        return connection.scalars(select(deliveries.c.not_before)).one()


def test_an_end_that_nobody_waits_for_makes_no_message(store, outbox, database):
    ended(store, callback=None)
    assert count_rows(database, deliveries) == 0
    assert outbox.acquire() == []


def test_a_message_says_what_happened_and_no_value_of_the_document(store, outbox):
    job = ended(store)
    (message,) = outbox.acquire()
    assert (message.job_id, message.target, message.attempts) == (job.id, TARGET, 1)
    assert message.body["type"] == "document.done"
    assert datetime.fromisoformat(message.body["timestamp"]).tzinfo is not None
    assert message.body["data"] == {
        "id": job.id, "document_id": job.document_id, "name": "a.pdf", "schema": "invoice", "state": "done",
        "status": "complete", "error": None,
    }  # fmt: skip


def test_a_failure_is_told_with_its_reason(store, outbox):
    job = store.claim(add_job(store, callback=TARGET).id, "prepare", "host:1")
    store.fail(job, UnsupportedError("it is a film"))
    (message,) = outbox.acquire()
    assert message.body["type"] == "document.failed"
    assert message.body["data"]["error"] == {"code": "unsupported", "message": "it is a film"}


def test_a_message_that_was_taken_is_nobody_elses_until_its_sender_counts_as_dead(store, outbox, database):
    ended(store)
    before = datetime.now(UTC)
    (first,) = outbox.acquire()
    assert before <= due(database) - LEASE_DURATION <= datetime.now(UTC)
    assert outbox.acquire() == []
    make_deliveries_due(database)
    (again,) = outbox.acquire()
    assert (again.id, again.body, again.attempts) == (first.id, first.body, 2)


def test_two_senders_at_once_share_the_messages(store, outbox):
    job_ids = {ended(store, f"{number}.pdf").id for number in range(12)}
    acquired: list[Delivery] = []
    start = threading.Barrier(2)

    def send() -> None:
        start.wait()
        while messages := outbox.acquire(2):
            acquired.extend(messages)

    senders = [threading.Thread(target=send) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(message.job_id for message in acquired) == sorted(job_ids)


def test_a_message_that_arrived_is_not_sent_again(store, outbox, database):
    ended(store)
    outbox.mark_delivered(outbox.acquire()[0])
    make_deliveries_due(database)
    assert outbox.acquire() == []


def test_a_message_is_tried_again_after_longer_and_longer_waits_and_given_up_after_the_last(store, outbox, database):
    ended(store)
    for attempt, seconds in enumerate(RETRY_SECONDS, start=1):
        (message,) = outbox.acquire()
        assert message.attempts == attempt
        before = datetime.now(UTC)
        outbox.mark_failed(message, "the receiver answered 500")
        assert before <= due(database) - timedelta(seconds=seconds) <= datetime.now(UTC)
        assert outbox.acquire() == [], "it waits"
        make_deliveries_due(database)
    outbox.mark_failed(outbox.acquire()[0], "x" * 10_000)
    make_deliveries_due(database)
    assert outbox.acquire() == []
    with database.reading() as connection:
        (row,) = connection.execute(select(deliveries)).mappings()
    assert (row["given_up"], row["delivered"], len(row["last_error"])) == (True, None, 500)


def test_a_message_that_nobody_wants_is_given_up_at_once(store, outbox, database):
    ended(store)
    outbox.mark_failed(outbox.acquire()[0], "410", permanent=True)
    make_deliveries_due(database)
    assert outbox.acquire() == []


def test_the_longest_waiting_message_goes_first(store, outbox, database):
    ended_jobs = [ended(store, f"{number}.pdf") for number in range(3)]
    with database.writing() as connection:
        for number, job in enumerate(ended_jobs):
            change = deliveries.update().where(deliveries.c.job_id == job.id)
            connection.execute(change.values(not_before=ago(100 + 10 * number)))
    assert [message.job_id for message in outbox.acquire(2)] == [ended_jobs[2].id, ended_jobs[1].id]


def test_a_job_that_ends_twice_is_told_twice_as_two_events(store, outbox, database):
    job = ended(store)
    JobView(database).retry(job.id)
    store.mark_prepared(store.claim(job.id, "prepare", "host:1"))
    store.finish(store.claim(job.id, "understand", "host:1"), "key", "complete", JobUsage())
    assert len({message.id for message in outbox.acquire()}) == 2
