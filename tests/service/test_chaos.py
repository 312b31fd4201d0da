"""A small version of benchmarks.service.chaos: real workers, Redis and PostgreSQL, killed while documents come in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from benchmarks.service.chaos import ChaosPlan, run_chaos
from docpipe.store.jobs import job_sweeper


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # by Celery, when it keeps an answer
def test_each_document_ends_once_whatever_is_killed_and_forgotten(monkeypatch: pytest.MonkeyPatch):
    """The maintenance waits two seconds before it calls a message lost, and not half a minute."""
    monkeypatch.setattr(job_sweeper, "LOST_AFTER", timedelta(seconds=2))
    monkeypatch.setattr(job_sweeper, "OVERTAKEN_AFTER", timedelta(seconds=2))
    events = ((0.25, "Redis emptied (FLUSHALL)"), (0.75, "PostgreSQL killed"))
    course, found = run_chaos(
        ChaosPlan(
            documents=40,
            kills=4,
            workers=2,
            interval=1.5,
            seconds=600,
            maintenance_process=False,
            events=events,
            outage_seconds=1.0,
        )
    )
    assert found.broken == []
    assert course.kills.total() >= 4 and len(course.events) == len(events)
