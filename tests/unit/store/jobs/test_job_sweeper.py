"""What the maintenance looks for: jobs that dead workers hold, jobs that the broker has forgotten, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text, update

from benchmarks.service.servers import wait_until
from docpipe.errors import DocpipeError, StoreError
from docpipe.store.connect import IDLE_SECONDS
from docpipe.store.database import Database
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_sweeper import LOST_AFTER, OVERTAKEN_AFTER, JobSweeper
from docpipe.store.jobs.job_view import JobView
from docpipe.store.jobs.tables import deliveries, jobs, usage
from docpipe.store.jobs.usage import JobUsage
from tests.support.serving import add_job, ago, column_of, count_rows, end_lease, end_wait, set_columns

LONG = LOST_AFTER.total_seconds() + 10
MANY = 100


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def sweeper(database: Database) -> JobSweeper:
    return JobSweeper(database)


def ids(chosen: list[Job]) -> list[str]:
    return [job.id for job in chosen]


def test_a_job_whose_message_is_on_its_way_is_not_sent_again(store, sweeper):
    add_job(store)
    assert sweeper.take_unsent("prepare", queue_is_empty=True, limit=MANY) == []
    assert sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY) == []


def test_a_job_that_was_never_sent_is_found_once(store, sweeper):
    job = add_job(store)
    sweeper.mark_unsent([job])
    assert sweeper.take_unsent("understand", queue_is_empty=False, limit=MANY) == []
    assert ids(sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY)) == [job.id]
    assert sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY) == [], "now it counts as sent"


def test_a_job_whose_message_is_lost_is_found_when_the_queue_is_empty(database, store, sweeper):
    lost, fresh = add_job(store, "lost.pdf"), add_job(store, "fresh.pdf")
    set_columns(database, lost, sent=ago(LONG))
    assert sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY) == [], "it may be far behind"
    assert ids(sweeper.take_unsent("prepare", queue_is_empty=True, limit=MANY)) == [lost.id]
    assert column_of(database, fresh, "sent") > ago(60)


def test_a_job_that_others_have_overtaken_is_found_though_the_queue_is_busy(database, store, sweeper):
    """The broker hands messages out in order: one that was sent long after it is at work."""
    lost, later, urgent = (
        add_job(store, "lost.pdf"),
        add_job(store, "later.pdf"),
        add_job(store, "urgent.pdf", priority=1),
    )
    before = OVERTAKEN_AFTER.total_seconds() + 100
    for job, sent in ((lost, before + 40), (later, before), (urgent, before + 90)):
        set_columns(database, job, sent=ago(sent))
    assert sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY) == []
    at_work = add_job(store, "at work.pdf")
    set_columns(database, at_work, sent=ago(before))
    store.claim(at_work.id, "prepare", "host:1")
    unsent = sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY)
    assert ids(unsent) == [urgent.id, lost.id], "not the one beside it; and urgent ones go before all that is at work"


def test_what_waits_for_another_try_is_found_when_its_time_has_come(database, store, sweeper):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    store.retry_later(job, "prepare", StoreError("away"))
    assert sweeper.take_unsent("prepare", queue_is_empty=True, limit=MANY) == []
    end_wait(database, job)
    assert ids(sweeper.take_unsent("prepare", queue_is_empty=True, limit=MANY)) == [job.id]


def test_jobs_at_work_and_jobs_that_ended_are_not_sent(database, store, sweeper):
    working = store.claim(add_job(store, "a.pdf").id, "prepare", "host:1")
    ended = store.claim(add_job(store, "b.pdf").id, "prepare", "host:1")
    store.fail(ended, DocpipeError("no"))
    for job in (working, ended):
        set_columns(database, job, sent=None)
    for stage in ("prepare", "understand"):
        assert sweeper.take_unsent(stage, queue_is_empty=True, limit=MANY) == []


def test_interactive_jobs_are_sent_first_and_a_look_has_an_end(database, store, sweeper):
    added = [add_job(store, f"{number}.pdf", priority=number % 2) for number in range(6)]
    sweeper.mark_unsent(added)
    first = sweeper.take_unsent("prepare", queue_is_empty=True, limit=4)
    assert [job.priority for job in first] == [1, 1, 1, 0]
    assert len(sweeper.take_unsent("prepare", queue_is_empty=True, limit=4)) == 2


def test_what_a_dead_worker_held_is_free_and_to_be_sent_again(database, store, sweeper):
    dead, alive = add_job(store, "dead.pdf"), add_job(store, "alive.pdf")
    for job in (dead, alive):
        store.claim(job.id, "prepare", "host:1")
    end_lease(database, dead)
    assert sweeper.release_expired("understand") == 0
    assert sweeper.release_expired("prepare") == 1
    assert (store.get(dead.id).state, store.get(alive.id).state) == ("queued", "preparing")
    assert ids(sweeper.take_unsent("prepare", queue_is_empty=False, limit=MANY)) == [dead.id]


def test_what_its_third_worker_held_is_quarantined_told_and_counted(database, store, sweeper):
    added = [add_job(store, f"{number}.pdf", callback={"url": "https://example.com/"}) for number in range(3)]
    for number, job in enumerate(added):
        store.claim(job.id, "prepare", f"host:{number % 2}")
        set_columns(database, job, attempts=3)
        end_lease(database, job)
    assert sweeper.release_expired("prepare") == 3
    ended = [store.get(job.id) for job in added]
    assert {job.state for job in ended} == {"quarantined"}
    assert [job.error["message"].partition(": ")[2] for job in ended] == ["host:0)", "host:1)", "host:0)"]
    assert count_rows(database, deliveries) == 3
    assert count_rows(database, usage) == 1


def test_originals_past_their_time_are_those_of_jobs_that_ended_long_ago(database, store, sweeper):
    old, fresh, working = (store.claim(add_job(store, f"{n}.pdf").id, "prepare", "host:1") for n in range(3))
    for job in (old, fresh):
        store.mark_prepared(job)
        store.finish(store.claim(job.id, "understand", "host:1"), "key", "complete", JobUsage())
    set_columns(database, old, ended=ago(3 * 86400))
    set_columns(database, working, created=ago(9 * 86400))
    (expired,) = sweeper.expired(timedelta(days=2), MANY)
    assert expired.id == old.id
    with sweeper.purging(expired) as allowed:
        assert allowed
    with sweeper.purging(expired) as allowed:
        assert not allowed, "it was done before"
    assert sweeper.expired(timedelta(days=2), MANY) == []
    assert store.get(old.id).purged is not None


def test_what_cannot_be_deleted_or_was_begun_again_keeps_its_original(database, store, sweeper):
    job = store.claim(add_job(store, "a.pdf").id, "prepare", "host:1")
    store.mark_prepared(job)
    store.finish(store.claim(job.id, "understand", "host:1"), "key", "complete", JobUsage())
    listed = store.get(job.id)
    with pytest.raises(StoreError), sweeper.purging(listed):
        raise StoreError("the disk is away")
    assert store.get(job.id).purged is None
    assert JobView(database).retry(job.id) is not None
    with sweeper.purging(listed) as allowed:
        assert not allowed, "the list was older than the retry"


def test_a_worker_that_stands_still_in_a_transaction_holds_up_nobody_else_and_not_for_ever(postgres_url):
    """PostgreSQL keeps the locks of a process that stands still, or whose machine is gone, for IDLE_SECONDS; here it
    is told to wait no longer when the test has seen enough."""
    frozen, database = Database(postgres_url), Database(f"{postgres_url}?options=-c%20lock_timeout%3D9000")
    try:
        store, sweeper = JobStore(database), JobSweeper(database)
        held, free = (store.claim(add_job(store, f"{name}.pdf").id, "prepare", "host:1") for name in ("held", "free"))
        for job in (held, free):
            end_lease(database, job)
        with pytest.raises(StoreError), frozen.writing() as connection:
            limit, process = connection.execute(
                text("SELECT current_setting('idle_in_transaction_session_timeout')::interval, pg_backend_pid()")
            ).one()
            assert limit == timedelta(seconds=IDLE_SECONDS)
            connection.execute(update(jobs).where(jobs.c.id == held.id).values(worker="host:2"))
            assert sweeper.release_expired("prepare") == 1, "the other one"
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '100ms'"))
            wait_until(lambda: not is_connected(database, process), "PostgreSQL has ended its connection")
            assert sweeper.release_expired("prepare") == 1, "now this one as well"
        assert store.get(held.id).worker == "host:1"
    finally:
        frozen.close()
        database.close()


def is_connected(database: Database, process: int) -> bool:
    with database.reading() as connection:
        query = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :process")
        return connection.scalar(query, {"process": process}) > 0
