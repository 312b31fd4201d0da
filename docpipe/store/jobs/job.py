"""What a job is: one document that was sent in, its states, and who has it.

In: rows of the table `jobs`. Out: `Job`s. job_store.py changes them, and draws how one state follows another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

JobState = Literal["queued", "preparing", "prepared", "understanding", "done", "failed", "quarantined"]
Stage = Literal["prepare", "understand"]
STAGES: tuple[Stage, ...] = ("prepare", "understand")
WAITING_STATE: Mapping[Stage, JobState] = {"prepare": "queued", "understand": "prepared"}
WORKING_STATE: Mapping[Stage, JobState] = {"prepare": "preparing", "understand": "understanding"}
ENDED: tuple[JobState, ...] = ("done", "failed", "quarantined")
STATES: tuple[JobState, ...] = (*WAITING_STATE.values(), *WORKING_STATE.values(), *ENDED)
BULK, INTERACTIVE = 0, 1  # priorities
LOCAL_OWNER = "local"  # of what comes from the command line and from the queue; others are ids of API keys


@dataclass(frozen=True, slots=True)
class Submission:
    """What is asked for. `callback` is {"url": …}, {"answer": id of the Celery task that asked}, or that together with
    the "task" and the "queue" that get the answer instead."""

    document_id: str
    name: str
    size: int
    schema: str
    model: str
    accept_error: float
    priority: int = BULK
    owner: str = LOCAL_OWNER
    idempotency_key: str | None = None
    callback: Mapping[str, Any] | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `jobs`, as far as others need it. `lease` is a random token of the worker that has the job: it has
    another one at each claim."""

    id: str
    document_id: str
    name: str
    schema: str
    model: str
    accept_error: float
    priority: int
    owner: str
    callback: Mapping[str, Any] | None
    trace: str | None
    state: JobState
    attempts: int
    environment_retries: int
    lease: str | None
    worker: str | None
    run_key: str | None
    status: str | None
    error: Mapping[str, str] | None
    created: datetime
    changed: datetime
    ended: datetime | None
    purged: datetime | None


def job_from_row(row: Mapping[Any, Any]) -> Job:
    error = None
    if row["error_code"]:
        error = {"code": row["error_code"], "message": row["error_message"], "hint": row["error_hint"] or ""}
    return Job(error=error, **{name: row[name] for name in Job.__slots__ if name != "error"})
