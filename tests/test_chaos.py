"""A small version of benchmarks.chaos: real workers, Redis and PostgreSQL, killed while documents come in."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from sqlalchemy import select

from benchmarks.chaos import Plan, chaos
from docpipe.errors import StoreError
from docpipe.store import connect, waiting
from docpipe.store.database import Database
from docpipe.store.jobs import JobStore
from docpipe.store.service_tables import jobs
from tests.serving import add


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # by Celery, when it keeps an answer
def test_each_document_ends_once_whatever_is_killed_and_forgotten(monkeypatch: pytest.MonkeyPatch):
    """The keeper is less patient than in life, where it waits half a minute before it calls a message lost."""
    monkeypatch.setattr(waiting, "SILENT", timedelta(seconds=2))
    monkeypatch.setattr(waiting, "OVERTAKEN", timedelta(seconds=2))
    events = ((0.25, "Redis emptied (FLUSHALL)"), (0.75, "PostgreSQL killed"))
    course, found = chaos(
        Plan(documents=40, kills=4, workers=2, interval=1.5, seconds=150, keeper=False, events=events, away=1.0)
    )
    assert found.broken == []
    assert course.kills.total() >= 4 and len(course.events) == len(events)


def test_a_worker_that_froze_while_it_wrote_holds_up_neither_the_keeper_nor_for_ever(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
):
    """PostgreSQL keeps the locks of a process that stands still, or of a machine that is gone."""
    monkeypatch.setattr(connect, "IDLE_MILLISECONDS", 500)
    impatient = Database(f"{postgres_url}&options=-c%20lock_timeout%3D5000")
    frozen = Database(postgres_url)
    try:
        store = JobStore(impatient, lease=timedelta(seconds=-1))
        taken = [store.claim(add(store, f"{name}.pdf").id, "prepare", "host:1") for name in ("held", "free")]
        keeper = waiting.Waiting(impatient)
        with pytest.raises(StoreError), frozen.writing() as connection:
            connection.execute(select(jobs.c.id).where(jobs.c.id == taken[0].id).with_for_update())
            assert keeper.free_the_lost("prepare") == 1, "the other one"
            time.sleep(1)
            assert keeper.free_the_lost("prepare") == 1, "its transaction was ended"
            connection.execute(select(jobs.c.id))
        assert {store.get(job.id).state for job in taken} == {"queued"}
    finally:
        impatient.close()
        frozen.close()
