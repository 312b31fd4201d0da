"""What was used: sums that are right whoever adds to them at once, by day, host, schema, extractor and outcome."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest

from docpipe.errors import UnsupportedError
from docpipe.schema import load_schema
from docpipe.store.database import Database
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.usage import AMOUNTS, JobUsage, UsageStore
from tests.support.serving import add_job, set_columns
from tests.support.stored import document, extraction


@pytest.fixture
def store(database: Database) -> JobStore:
    return JobStore(database)


@pytest.fixture
def sums(database: Database) -> UsageStore:
    return UsageStore(database)


def end(store: JobStore, name: str, used: JobUsage | None = None, *, worker: str = "host:1", **more) -> None:
    job = store.claim(add_job(store, name, **more).id, "prepare", worker)
    store.mark_prepared(job)
    store.finish(store.claim(job.id, "understand", worker), "key", "complete", used or JobUsage(extractor="embedded"))


def test_a_document_counts_with_its_pages_values_and_seconds():
    cost = {"tokens_in": 12.0, "image_tokens": 8.0, "tokens_out": 3.0, "money": 0.5}
    extracted = extraction(document(), load_schema("invoice"), cost=cost)
    used = JobUsage.of(extracted)
    assert (used.extractor, used.documents, used.pages) == ("embedded:test@1", 1, 2)
    assert (used.fields, used.accepted) == (8, 1), "fields without a value do not count"
    assert (used.tokens_in, used.image_tokens, used.tokens_out, used.money) == (12.0, 8.0, 3.0, 0.5)
    assert (used.rasterise_seconds, used.read_seconds, used.extract_seconds) == (0.1, 0.30000000000000004, 0.0)


def test_what_was_used_is_summed_up_by_what_one_asks_for(store, sums):
    end(store, "a.pdf", JobUsage(extractor="embedded", pages=2, tokens_in=10.0, image_tokens=6.0))
    further = JobUsage(extractor="embedded", pages=3, tokens_in=0.5, image_tokens=0.25)
    end(store, "b.pdf", further, worker="other:7", schema="receipt")
    store.fail(store.claim(add_job(store, "c.pdf").id, "prepare", "host:2"), UnsupportedError("a film"))
    total = sums.sums()
    assert [(row["documents"], row["pages"], row["tokens_in"], row["image_tokens"]) for row in total] == [
        (3.0, 5.0, 10.5, 6.25)
    ]
    by = {(row["schema"], row["outcome"]): row["pages"] for row in sums.sums("schema", "outcome")}
    assert by == {("invoice", "complete"): 2.0, ("invoice", "failed"): 0.0, ("receipt", "complete"): 3.0}
    assert [(row["host"], row["documents"]) for row in sums.sums("host")] == [("host", 2.0), ("other", 1.0)]
    assert [row["extractor"] for row in sums.sums("extractor")] == ["embedded", "scripted:none"]


def test_a_day_is_a_day_in_utc_and_older_ones_may_be_left_out(store, sums):
    before = f"{datetime.now(UTC):%Y-%m-%d}"
    end(store, "a.pdf")
    (today,) = [row["day"] for row in sums.sums("day")]
    assert before <= today <= f"{datetime.now(UTC):%Y-%m-%d}"
    assert sums.sums("day", since="9999-01-01") == []
    assert sums.sums("day", since=today) != []


def test_attempts_count_those_that_failed_before(database, store, sums):
    job = store.claim(add_job(store).id, "prepare", "host:1")
    set_columns(database, job, attempts=3)
    store.fail(job, UnsupportedError("a film"))
    assert sums.sums()[0]["attempts"] == 3.0


def test_nothing_used_is_nothing_and_not_an_error(sums):
    assert sums.sums("schema") == []
    assert sums.sums() == [dict.fromkeys(AMOUNTS, 0.0)]


def test_workers_that_end_documents_at_once_lose_none(store, sums):
    claimed = []
    for number in range(12):
        job = store.claim(add_job(store, f"{number}.pdf").id, "prepare", "host:1")
        store.mark_prepared(job)
        claimed.append(store.claim(job.id, "understand", "host:1"))

    def finish(some) -> None:
        for job in some:
            store.finish(job, "key", "complete", JobUsage(extractor="embedded", pages=1, money=0.25))

    threads = [threading.Thread(target=finish, args=(claimed[part::3],)) for part in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = sums.sums("day", "host", "schema", "extractor", "outcome")
    assert (row["documents"], row["pages"], row["money"]) == (12.0, 12.0, 3.0)
