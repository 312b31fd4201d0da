"""Jobs: one worker at a time, attempts that end, and an end that is written whole, on SQLite and on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import threading
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import update

from docpipe.errors import AnswerError, BudgetError, ConflictError, DocpipeError, MissingError, ModelError, StoreError
from docpipe.store.database import Database
from docpipe.store.jobs import job_store as module
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import (
    BUDGET_WAIT,
    MAX_ATTEMPTS,
    MAX_ENVIRONMENT_RETRIES,
    MAX_WAIT,
    JobStore,
    release_expired_leases,
)
from docpipe.store.jobs.tables import deliveries, jobs, usage
from docpipe.store.jobs.usage import JobUsage
from tests.support.serving import add_job, column_of, count_rows, end_lease, end_wait, set_columns, submission

AT_ONCE = 4


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


def at_once(work: list) -> list:
    """What these calls return, begun at the same moment."""
    start, results = threading.Barrier(len(work)), []

    def one(call) -> None:
        start.wait()
        results.append(call())

    threads = [threading.Thread(target=one, args=(call,)) for call in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def wait_of(database: Database, job: Job) -> timedelta:
    return column_of(database, job, "not_before") - column_of(database, job, "changed")


def claim_all(url: str, ids: list[str], worker: str) -> list[str]:
    database = Database(url)
    claimed = [JobStore(database).claim(number, "prepare", worker) for number in ids]
    database.close()
    return [job.id for job in claimed if job is not None]


def test_a_job_that_was_submitted_waits_as_it_was_wished(store):
    job = add_job(store, priority=1, owner="key", callback={"url": "https://example.com/"}, trace="00-ab-cd-01")
    assert store.get(job.id) == job
    assert (job.state, job.attempts, job.priority, job.owner) == ("queued", 0, 1, "key")
    assert (job.callback, job.trace, job.error, job.ended) == (
        {"url": "https://example.com/"},
        "00-ab-cd-01",
        None,
        None,
    )
    assert store.get(uuid.uuid4().hex) is None


def test_of_threads_that_want_the_same_job_one_gets_it(store):
    jobs_added = [add_job(store, f"{number}.pdf") for number in range(3)]
    for job in jobs_added:
        claims = [partial(store.claim, job.id, "prepare", f"host:{number}") for number in range(AT_ONCE)]
        assert len([claimed for claimed in at_once(claims) if claimed is not None]) == 1
        assert store.get(job.id).attempts == 1


def test_of_processes_that_want_the_same_jobs_each_job_goes_to_one(database_url, store):
    ids = [add_job(store, f"{number}.pdf").id for number in range(20)]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        claimed = pool.starmap(claim_all, [(database_url, ids, "host:1"), (database_url, ids, "host:2")], chunksize=1)
        pool.close()
        pool.join()
    assert sorted(claimed[0] + claimed[1]) == sorted(ids)


def test_a_second_message_for_the_same_work_finds_nothing_to_do(store):
    job = add_job(store)
    claimed = store.claim(job.id, "prepare", "host:1")
    assert store.claim(job.id, "prepare", "host:2") is None, "it is in work"
    assert store.claim(job.id, "understand", "host:2") is None, "its pages are not read yet"
    assert store.mark_prepared(claimed)
    assert store.claim(job.id, "prepare", "host:2") is None, "its pages are read"
    claimed = store.claim(job.id, "understand", "host:2")
    assert store.finish(claimed, "key", "complete", JobUsage())
    assert store.claim(job.id, "understand", "host:1") is None, "it has ended"
    assert store.claim(uuid.uuid4().hex, "prepare", "host:1") is None, "there is none"


def test_the_stages_follow_each_other_and_each_has_attempts_of_its_own(store):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    assert (job.state, job.attempts, job.worker) == ("preparing", 1, "host:1")
    store.mark_prepared(job)
    assert (store.get(job.id).state, store.get(job.id).attempts) == ("prepared", 0)
    job = store.claim(job.id, "understand", "host:2")
    assert (job.state, job.attempts) == ("understanding", 1)
    store.finish(job, "key", "needs_review", JobUsage())
    ended = store.get(job.id)
    assert (ended.state, ended.run_key, ended.status, ended.lease) == ("done", "key", "needs_review", None)
    assert ended.ended is not None


def test_a_worker_that_renews_its_lease_keeps_the_job(database, store):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    set_columns(database, job, leased_until=datetime.fromisoformat("2026-01-01T00:00:00+00:00"))
    assert store.renew(job)
    assert store.claim(job.id, "prepare", "host:2") is None


def test_a_lease_that_is_over_frees_the_job_and_the_late_worker_changes_nothing(database, store):
    late = store.claim(add_job(store).id, "prepare", "host:1")
    end_lease(database, late)
    reclaimed = store.claim(late.id, "prepare", "host:2")
    assert (reclaimed.worker, reclaimed.attempts) == ("host:2", 2)
    assert not store.renew(late)
    assert not store.mark_prepared(late)
    assert not store.finish(late, "key", "complete", JobUsage())
    assert not store.fail(late, AnswerError("cut off"))
    assert not store.retry_later(late, "prepare", StoreError("away"))
    assert store.get(late.id) == reclaimed
    assert store.mark_prepared(reclaimed), "the one who has it goes on"


def test_a_late_worker_changes_nothing_of_a_job_that_waits_again(database, store):
    late = store.claim(add_job(store).id, "prepare", "host:1")
    end_lease(database, late)
    with database.writing() as connection:
        assert release_expired_leases(connection, "prepare") == 1
    assert not store.mark_prepared(late)
    assert store.get(late.id).state == "queued"


def test_a_document_that_ends_three_workers_is_quarantined_with_the_reason(database, store):
    job = add_job(store)
    for number in range(1, MAX_ATTEMPTS + 1):
        assert store.claim(job.id, "prepare", f"host:{number}").attempts == number
        end_lease(database, job)
    assert store.claim(job.id, "prepare", "host:9") is None
    ended = store.get(job.id)
    assert (ended.state, ended.error["code"], ended.attempts) == ("quarantined", "worker_lost", MAX_ATTEMPTS)
    assert "3 workers" in ended.error["message"] and "retry" in ended.error["hint"]


def test_a_failure_that_may_pass_is_tried_three_times_each_after_a_longer_wait(database, store):
    job, waits = add_job(store), []
    for _ in range(MAX_ATTEMPTS - 1):
        claimed = store.claim(job.id, "understand" if job.state == "prepared" else "prepare", "host:1")
        assert store.retry_later(claimed, "prepare", DocpipeError("ValueError: oh", hint="Report it."))
        waits.append(wait_of(database, job))
        assert store.claim(job.id, "prepare", "host:1") is None, "it waits"
        assert store.get(job.id).error["message"] == "ValueError: oh", "who looks sees why it waits"
        end_wait(database, job)
    assert waits == sorted(waits) and waits[0] < waits[-1]
    claimed = store.claim(job.id, "prepare", "host:1")
    assert store.retry_later(claimed, "prepare", DocpipeError("ValueError: oh", hint="Report it."))
    ended = store.get(job.id)
    assert (ended.state, ended.attempts) == ("quarantined", MAX_ATTEMPTS)
    assert ended.error == {"code": "error", "message": "ValueError: oh", "hint": "Report it."}


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ModelError("the model is away")])
def test_what_fails_around_a_document_costs_it_no_attempt_and_is_waited_for_ever_longer(database, store, error):
    job, waits = add_job(store), []
    for number in range(12):
        claimed = store.claim(job.id, "prepare", "host:1")
        assert claimed.attempts == 1
        assert store.retry_later(claimed, "prepare", error)
        assert (store.get(job.id).state, store.get(job.id).environment_retries) == ("queued", number + 1)
        waits.append(wait_of(database, job))
        end_wait(database, job)
    assert waits == sorted(waits) and waits[0] < waits[-1]
    assert waits[-1] == MAX_WAIT


def test_a_budget_that_is_used_up_is_waited_for_however_long(database, store):
    job = add_job(store)
    set_columns(database, job, environment_retries=MAX_ENVIRONMENT_RETRIES)
    for _ in range(5):
        assert store.retry_later(store.claim(job.id, "prepare", "host:1"), "prepare", BudgetError("it is used up"))
        waiting = store.get(job.id)
        assert (waiting.state, waiting.attempts, waiting.environment_retries) == ("queued", 0, MAX_ENVIRONMENT_RETRIES)
        assert wait_of(database, job) == BUDGET_WAIT
        end_wait(database, job)


def test_a_disk_that_stays_full_ends_the_job_some_day(database, store):
    job = add_job(store)
    set_columns(database, job, environment_retries=MAX_ENVIRONMENT_RETRIES)
    store.retry_later(store.claim(job.id, "prepare", "host:1"), "prepare", StoreError("the disk is full"))
    assert (store.get(job.id).state, store.get(job.id).error["code"]) == ("quarantined", "store")


def test_a_result_takes_away_the_reason_of_an_earlier_failure(database, store):
    job = add_job(store)
    store.retry_later(store.claim(job.id, "prepare", "host:1"), "prepare", StoreError("away"))
    end_wait(database, job)
    store.mark_prepared(store.claim(job.id, "prepare", "host:1"))
    store.finish(store.claim(job.id, "understand", "host:1"), "key", "complete", JobUsage())
    assert store.get(job.id).error is None


def test_a_job_that_failed_says_why_and_is_over(store):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    assert store.fail(job, MissingError("no original", hint="Look."))
    ended = store.get(job.id)
    assert (ended.state, ended.error) == ("failed", {"code": "missing", "message": "no original", "hint": "Look."})
    assert ended.ended is not None
    assert not store.fail(job, MissingError("again"))


def test_the_same_key_is_the_same_job_and_another_owners_key_is_another(store):
    order = submission(idempotency_key="order 7", owner="ann")
    first, is_new = store.submit("1" * 32, order)
    repeated, is_new_again = store.submit("2" * 32, order)
    other, is_new_of_other = store.submit("3" * 32, replace(order, owner="ben"))
    assert (first.id, is_new, is_new_again, is_new_of_other) == ("1" * 32, True, False, True)
    assert repeated == first
    assert other.id == "3" * 32


def test_without_a_key_each_submission_is_a_job(store):
    assert len({add_job(store).id for _ in range(3)}) == 3


@pytest.mark.parametrize("other", [submission("b.pdf"), submission(schema="receipt")])
def test_a_key_that_was_used_for_something_else_is_refused(database, store, other):
    store.submit("1" * 32, submission(idempotency_key="order 7"))
    with pytest.raises(ConflictError, match="order 7"):
        store.submit("2" * 32, replace(other, idempotency_key="order 7"))
    assert count_rows(database, jobs) == 1


def test_a_submission_that_is_repeated_after_the_operator_changed_the_model_is_the_same(store):
    first, _ = store.submit("1" * 32, submission(idempotency_key="order 7", model="embedded"))
    repeated, _ = store.submit("2" * 32, submission(idempotency_key="order 7", model="embedded:/new"))
    assert repeated == first


def test_of_submissions_with_the_same_key_at_once_one_is_new(database, store):
    order = submission(idempotency_key="order 7")
    submitted = at_once([lambda: store.submit(uuid.uuid4().hex, order) for _ in range(AT_ONCE)])
    assert [is_new for _, is_new in submitted].count(True) == 1
    assert len({job.id for job, _ in submitted}) == 1
    assert count_rows(database, jobs) == 1


def test_an_end_is_told_and_counted_once(database, store):
    job = store.claim(add_job(store, callback={"url": "https://example.com/"}).id, "prepare", "host:1")
    store.mark_prepared(job)
    job = store.claim(job.id, "understand", "host:1")
    assert store.finish(job, "key", "complete", JobUsage(pages=2))
    assert not store.finish(job, "key", "complete", JobUsage(pages=2))
    assert (count_rows(database, deliveries), count_rows(database, usage)) == (1, 1)


@pytest.mark.parametrize("broken", ["add_delivery", "add_usage"])
def test_an_end_that_cannot_be_written_whole_is_not_written_at_all(database, store, monkeypatch, broken):
    job = store.claim(add_job(store, callback={"url": "https://example.com/"}).id, "prepare", "host:1")
    store.mark_prepared(job)
    job: Job = store.claim(job.id, "understand", "host:1")

    def stop(*_: object) -> None:
        raise StoreError("the server went away")

    monkeypatch.setattr(module, broken, stop)
    with pytest.raises(StoreError):
        store.finish(job, "key", "complete", JobUsage())
    assert store.get(job.id) == job, "it is still this worker's"
    assert (count_rows(database, deliveries), count_rows(database, usage)) == (0, 0)
    monkeypatch.undo()
    assert store.finish(job, "key", "complete", JobUsage())
    assert (count_rows(database, deliveries), count_rows(database, usage)) == (1, 1)


def test_a_server_that_is_away_is_a_store_error_with_a_hint(tmp_path):
    with pytest.raises(StoreError) as caught:
        Database("postgresql://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value) and caught.value.hint


def test_jobs_of_a_database_without_these_rows_are_unknown_and_not_an_error(database, store):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    with database.writing() as connection:
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(id="f" * 32))
    assert not store.renew(job) and not store.mark_prepared(job)
