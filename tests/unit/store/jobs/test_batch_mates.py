"""Company for a job: what one worker takes along with it, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from benchmarks.service.servers import START_SECONDS
from docpipe.store.database import Database
from docpipe.store.jobs import job_store as module
from docpipe.store.jobs.job import INTERACTIVE, Job
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_sweeper import OVERTAKEN_AFTER, JobSweeper
from docpipe.store.jobs.usage import JobUsage
from tests.support.serving import add_job, ago, column_of, end_lease, set_columns

LONG_AGO = OVERTAKEN_AFTER + timedelta(minutes=1)


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


def prepared(store: JobStore, name: str, **more) -> Job:
    job = store.claim(add_job(store, name, **more).id, "prepare", "host:1")
    assert store.mark_prepared(job)
    return store.get(job.id)


def names(chosen: list[Job]) -> list[str]:
    return [job.name for job in chosen]


def begun(store: JobStore, job: Job, most: int = 9) -> list[Job]:
    """What a worker gets with this job."""
    claimed = store.claim(job.id, "understand", "host:7")
    assert claimed is not None
    return store.claim_batch_mates(claimed, "host:7", most)


def test_jobs_for_the_same_model_and_schema_come_along_each_with_a_lease_of_its_own(store):
    waiting_jobs = [prepared(store, f"{number}.pdf") for number in range(4)]
    mates = begun(store, waiting_jobs[0])
    assert names(mates) == ["1.pdf", "2.pdf", "3.pdf"]
    assert {(job.state, job.worker, job.attempts) for job in mates} == {("understanding", "host:7", 1)}
    assert len({job.lease for job in mates}) == 3
    for job in mates:
        assert store.get(job.id) == job
        assert store.claim(job.id, "understand", "host:8") is None, "its own message comes too late"
    assert store.finish(mates[1], "key", "complete", JobUsage())
    assert [store.get(job.id).state for job in mates] == ["understanding", "done", "understanding"]


def test_other_schemas_models_and_shares_of_error_and_other_stages_are_not_mixed_in(store):
    first = prepared(store, "first.pdf")
    prepared(store, "receipt.pdf", schema="receipt")
    prepared(store, "model.pdf", model="scripted:another")
    prepared(store, "error.pdf", accept_error=0.05)
    add_job(store, "not read yet.pdf")
    done = store.claim(prepared(store, "done.pdf").id, "understand", "host:2")
    store.finish(done, "key", "complete", JobUsage())
    prepared(store, "alike.pdf")
    assert names(begun(store, first)) == ["alike.pdf"]


def test_no_more_come_along_than_were_asked_for_and_the_oldest_first(database, store):
    first, *others = [prepared(store, f"{number}.pdf") for number in range(6)]
    set_columns(database, others[3], sent=ago(60))
    claimed = store.claim(first.id, "understand", "host:7")
    assert store.claim_batch_mates(claimed, "host:7", 0) == []
    assert names(store.claim_batch_mates(claimed, "host:7", 2)) == ["4.pdf", "1.pdf"]
    assert names(store.claim_batch_mates(claimed, "host:7", 2)) == ["2.pdf", "3.pdf"], "those were taken already"


def test_urgent_documents_come_along_first_and_wait_for_none_that_are_not(store):
    bulk = [prepared(store, f"bulk {number}.pdf") for number in range(3)]
    urgent = [prepared(store, f"urgent {number}.pdf", priority=INTERACTIVE) for number in range(3)]
    assert names(begun(store, bulk[0], 2)) == ["urgent 0.pdf", "urgent 1.pdf"]
    assert names(begun(store, urgent[2])) == []


def test_jobs_that_waited_for_a_model_that_was_away_go_together_again(database, store):
    first, second = prepared(store, "a.pdf"), prepared(store, "b.pdf")
    for job in (first, second):
        set_columns(database, job, environment_retries=3)
    assert names(begun(store, first)) == ["b.pdf"]


def test_a_job_that_has_failed_before_is_alone(database, store):
    good, bad, other = [prepared(store, name) for name in ("good.pdf", "bad.pdf", "other.pdf")]
    set_columns(database, bad, attempts=1)
    assert names(begun(store, good)) == ["other.pdf"]
    prepared(store, "later.pdf")
    assert begun(store, bad) == []
    assert store.get(other.id).attempts == 1


def test_a_job_whose_worker_died_is_alone(database, store):
    first, second = prepared(store, "a.pdf"), prepared(store, "b.pdf")
    (along,) = begun(store, first)
    for job in (first, second):
        end_lease(database, job)
    assert JobSweeper(database).release_expired("understand") == 2
    later = prepared(store, "later.pdf")
    assert begun(store, along) == []
    assert begun(store, later) == [], "nor is it taken along, before or after it was sent again"
    set_columns(database, first, sent=ago(60))
    assert begun(store, prepared(store, "last.pdf")) == []


def test_what_came_along_has_overtaken_nobody(database, store):
    """The broker hands messages out in order; what passed no queue says nothing about the messages of others."""
    first, between, last = [prepared(store, f"{number}.pdf", schema=s) for number, s in enumerate(("a", "b", "a"))]
    for number, job in enumerate((first, between, last)):
        set_columns(database, job, sent=ago(3 * LONG_AGO.total_seconds()) + number * LONG_AGO)
    assert names(begun(store, first)) == ["2.pdf"]
    assert JobSweeper(database).take_unsent("understand", queue_is_empty=False, limit=9) == []
    assert column_of(database, last, "sent") is None
    store.claim(prepared(store, "much later.pdf", schema="c").id, "understand", "host:8")
    assert names(JobSweeper(database).take_unsent("understand", queue_is_empty=False, limit=9)) == ["1.pdf"]


def test_a_look_does_not_go_through_all_that_waits(store, monkeypatch):
    first, *_ = [prepared(store, f"{number}.pdf", schema=s) for number, s in enumerate(("a", "b", "b", "a"))]
    monkeypatch.setattr(module, "BATCH_SEARCH_LIMIT", 2)
    assert begun(store, first) == []


def test_of_workers_that_take_batch_mates_at_the_same_time_no_two_have_the_same_job(postgres_url):
    """Each goes on when all have some."""
    setup = Database(postgres_url)
    store = JobStore(setup)
    waiting_jobs = [prepared(store, f"{number}.pdf") for number in range(60)]
    start, all_have_some = threading.Barrier(4), threading.Barrier(4, timeout=START_SECONDS)
    taken, errors = [], []

    def work(number: int) -> None:
        own = Database(postgres_url)
        try:
            own_store, held = JobStore(own), []
            start.wait()
            for job in waiting_jobs if number % 2 else reversed(waiting_jobs):
                claimed = own_store.claim(job.id, "understand", f"host:{number}")
                if claimed is not None:
                    first = not held
                    held += [claimed, *own_store.claim_batch_mates(claimed, f"host:{number}", 3)]
                    if first:
                        all_have_some.wait()
            taken.append(held)
        except Exception as error:  # noqa: BLE001 - a deadlock would be one
            errors.append(error)
        finally:
            own.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert errors == []
        ids = [job.id for held in taken for job in held]
        assert sorted(ids) == sorted(job.id for job in waiting_jobs), "each of them once"
        assert all(store.get(job.id) == job for held in taken for job in held)
    finally:
        setup.close()
