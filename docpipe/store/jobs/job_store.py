"""Jobs as workers change them: submitted, claimed, passed on, ended. From here the queue can be filled again.

In: submissions, and what workers report. Out: `Job`s, each change one transaction; a change that came too late changes
nothing and returns False. Safe with many processes.

    queued --claim--> preparing --mark_prepared--> prepared --claim--> understanding --finish--> done
       ^                  |                           ^                     |
       +-- retry_later ---+                           +---- retry_later ----+       fail: failed, quarantined

A worker that dies leaves its lease; when that is over the job is free again, and the attempt has been counted.
Times are those of the machines that write them: keep their clocks together to within a second (NTP).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from docpipe.errors import BudgetError, ConflictError, DocpipeError, ModelError, QueueError, StoreError
from docpipe.store.database import Database, upsert
from docpipe.store.jobs.job import INTERACTIVE, WAITING_STATE, WORKING_STATE, Job, Stage, Submission, job_from_row
from docpipe.store.jobs.outbox import add_delivery
from docpipe.store.jobs.tables import jobs
from docpipe.store.jobs.usage import JobUsage, add_usage
from docpipe.store.tables import documents

MAX_ATTEMPTS = 3  # a document that has ended three workers is the cause
ENVIRONMENT_ERRORS = (StoreError, QueueError, ModelError)  # their failures are not the document's
MAX_ENVIRONMENT_RETRIES = 60  # tries while a disk, a database or a model is away: over nine hours with the waits below
FIRST_WAIT, MAX_WAIT = timedelta(seconds=5), timedelta(minutes=10)  # before another try; doubled each time
BUDGET_WAIT = timedelta(minutes=30)  # however often: tomorrow there is a new budget, and today's may be raised
BATCH_SEARCH_LIMIT = 1_000
"""Waiting jobs among which batch mates are looked for: it takes as long with a million that wait for another model."""


class JobStore:
    def __init__(self, database: Database, lease_duration: timedelta = timedelta(minutes=1)) -> None:
        self.database, self.lease_duration = database, lease_duration

    def submit(self, job_id: str, submission: Submission, *, sent: bool = True) -> tuple[Job, bool]:
        """The job, and whether it is new: the same idempotency key of the same owner is the same job, under the id it
        had. `sent`: the caller sends its message to the broker at once. Raises ConflictError when that key was used for
        something else."""
        now = _now()
        row = {name: getattr(submission, name) for name in Submission.__slots__ if name != "size"}
        row |= {"id": job_id, "state": "queued", "attempts": 0, "environment_retries": 0}
        row |= {"created": now, "changed": now, "sent": now if sent else None}
        document = {"id": submission.document_id, "name": submission.name, "size": submission.size, "first_seen": now}
        with self.database.writing() as connection:
            # an update even of what is there: who deletes the document at this moment is waited for
            adding = upsert(connection, documents, document)
            locking = adding.on_conflict_do_update(index_elements=[documents.c.id], set_={"size": submission.size})
            connection.execute(locking)
            submitting = upsert(connection, jobs, row).on_conflict_do_nothing(
                index_elements=[jobs.c.owner, jobs.c.idempotency_key]
            )
            new = connection.execute(submitting.returning(jobs)).mappings().one_or_none()
            if new is not None:
                return job_from_row(new), True
            same_key = and_(jobs.c.owner == submission.owner, jobs.c.idempotency_key == submission.idempotency_key)
            existing = job_from_row(connection.execute(select(jobs).where(same_key)).mappings().one())
            _check_same_work(existing, submission)
            return existing, False

    def get(self, job_id: str) -> Job | None:
        return self._find(jobs.c.id == job_id)

    def find_by_idempotency_key(self, owner: str, idempotency_key: str) -> Job | None:
        """What was submitted under this key."""
        return self._find(and_(jobs.c.owner == owner, jobs.c.idempotency_key == idempotency_key))

    def claim(self, job_id: str, stage: Stage, worker: str) -> Job | None:
        """The job, for this worker and the length of a lease; None when it is not free, ended or gone: then the message
        was a second one for the same work. A job that has used up its attempts is quarantined instead."""
        with self.database.writing() as connection:
            job = self._claim(connection, job_id, stage, worker)
            if job is not None and job.attempts > MAX_ATTEMPTS:
                end_jobs(connection, jobs.c.id == job_id, _quarantine())
                return None
            return job

    def claim_batch_mates(self, job: Job, worker: str, limit: int) -> list[Job]:
        """Up to `limit` others that wait for the same model and schema as a job that this worker begins to understand:
        urgent ones first, then old ones; none that is less urgent than it. A job of which an attempt was lost is tried
        alone: one that kills its worker takes others with it once at most. Tries that failed because the environment
        did are no such attempts: after a model was away, all that waited for it would go one by one."""
        if limit < 1 or job.attempts > 1:
            return []
        with self.database.writing() as connection:
            ids: list[str] = []
            for priority in range(INTERACTIVE, job.priority - 1, -1):
                ids += connection.scalars(_batch_mates(job, priority, limit - len(ids)))
            # they have passed no queue, so they overtook nobody (job_sweeper.py)
            claimed = [self._claim(connection, job_id, "understand", worker, sent=None) for job_id in ids]
            return [mate for mate in claimed if mate is not None]

    def renew(self, job: Job) -> bool:
        """Whether the worker still has the job: another one may, when this one did not renew its lease in time."""
        return self._change(job, {"leased_until": _now() + self.lease_duration, "changed": jobs.c.changed})

    def mark_prepared(self, job: Job) -> bool:
        """Its pages are read and stored: the next stage begins, with attempts of its own."""
        return self._change(job, {"state": "prepared", "attempts": 0, **_unleased(sent=True)})

    def finish(self, job: Job, run_key: str, status: str, usage: JobUsage) -> bool:
        return self._end(job, {"state": "done", "run_key": run_key, "status": status, **_error_columns(None)}, usage)

    def fail(self, job: Job, error: DocpipeError) -> bool:
        """For good: the document cannot be processed, however often it is tried."""
        return self._end(job, {"state": "failed", **_error_columns(error)}, JobUsage.of_failed_attempt(error.cost, 1))

    def retry_later(self, job: Job, stage: Stage, error: DocpipeError) -> bool:
        """To be tried again after a while; when the tries are used up it is quarantined with this reason. An error of
        the environment (a disk, a database, a model) costs it no attempt, and a budget that is used up nothing."""
        is_environment, is_budget = isinstance(error, ENVIRONMENT_ERRORS), isinstance(error, BudgetError)
        tries = job.environment_retries if is_environment else job.attempts - 1
        exhausted = tries >= (MAX_ENVIRONMENT_RETRIES if is_environment else MAX_ATTEMPTS - 1)
        if exhausted and not is_budget:
            values = {"state": "quarantined", **_error_columns(error)}
            return self._end(job, values, JobUsage.of_failed_attempt(error.cost, 1))
        wait = BUDGET_WAIT if is_budget else min(FIRST_WAIT * 2 ** min(tries, 10), MAX_WAIT)
        now = _now()
        values = {"state": WAITING_STATE[stage], "changed": now, "not_before": now + wait}
        values |= {**_unleased(), **_error_columns(error)}
        if is_environment:
            retries = job.environment_retries + (not is_budget)
            values |= {"attempts": job.attempts - 1, "environment_retries": retries}
        return self._change(job, values, JobUsage.of_failed_attempt(error.cost, 0) if error.cost else None)

    def _claim(self, connection: Connection, job_id: str, stage: Stage, worker: str, **overrides: Any) -> Job | None:
        """Compare and swap."""
        now = _now()
        values = {
            "state": WORKING_STATE[stage], "attempts": jobs.c.attempts + 1, "lease": uuid.uuid4().hex, "worker": worker,
            "leased_until": now + self.lease_duration, "not_before": None, "changed": now, **overrides,
        }  # fmt: skip
        claimable = and_(jobs.c.id == job_id, _claimable(stage, now))
        row = connection.execute(update(jobs).where(claimable).values(values).returning(jobs)).mappings().one_or_none()
        return None if row is None else job_from_row(row)

    def _find(self, where: ColumnElement[bool]) -> Job | None:
        with self.database.reading() as connection:
            row = connection.execute(select(jobs).where(where)).mappings().one_or_none()
            return None if row is None else job_from_row(row)

    def _end(self, job: Job, values: Mapping[str, Any], usage: JobUsage | None = None) -> bool:
        with self.database.writing() as connection:
            return end_jobs(connection, _held(job), values, usage) > 0

    def _change(self, job: Job, values: Mapping[str, Any], usage: JobUsage | None = None) -> bool:
        """Only by the worker that has the job, and only while it works on it."""
        with self.database.writing() as connection:
            change = update(jobs).where(_held(job)).values({"changed": _now(), **values}).returning(jobs)
            row = connection.execute(change).mappings().one_or_none()
            if row is not None and usage is not None:
                add_usage(connection, row, usage)
            return row is not None


def end_jobs(
    connection: Connection, where: ColumnElement[bool], values: Mapping[str, Any], usage: JobUsage | None = None
) -> int:
    """End jobs, put that into the outbox and count their usage, all in the caller's transaction. Returns how many."""
    now = _now()
    ended = {"ended": now, "changed": now, "lease": None, "leased_until": None, "not_before": None, **values}
    rows = connection.execute(update(jobs).where(where).values(ended).returning(jobs)).mappings().all()
    for row in rows:
        add_delivery(connection, row)
        add_usage(connection, row, usage or JobUsage())
    return len(rows)


def release_expired_leases(connection: Connection, stage: Stage) -> int:
    """What dead workers held: back to waiting, or into quarantine. Returns how many. A job to which somebody is just
    writing is left for the next sweep: a worker that froze while it wrote would hold up the maintenance as well."""
    expired = and_(jobs.c.state == WORKING_STATE[stage], jobs.c.leased_until < _now())
    query = select(jobs.c.id, jobs.c.worker, jobs.c.attempts).where(expired).with_for_update(skip_locked=True)
    rows = connection.execute(query).all()
    exhausted = [row for row in rows if row.attempts >= MAX_ATTEMPTS]
    ended = sum(end_jobs(connection, jobs.c.id == row.id, _quarantine(row.worker)) for row in exhausted)
    released = [row.id for row in rows if row.attempts < MAX_ATTEMPTS]
    if released:
        values = {"state": WAITING_STATE[stage], "changed": _now(), **_unleased()}
        connection.execute(update(jobs).where(jobs.c.id.in_(released)).values(values))
    return ended + len(released)


def _held(job: Job) -> ColumnElement[bool]:
    """By the worker that made this claim."""
    return and_(jobs.c.id == job.id, jobs.c.lease == job.lease, jobs.c.state.in_(WORKING_STATE.values()))


def _claimable(stage: Stage, now: datetime) -> ColumnElement[bool]:
    """Waiting, or held by a worker whose lease is over."""
    waiting = and_(jobs.c.state == WAITING_STATE[stage], or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now))
    return or_(waiting, and_(jobs.c.state == WORKING_STATE[stage], jobs.c.leased_until < now))


def _batch_mates(job: Job, priority: int, limit: int) -> Select[tuple[str]]:
    """Ids of jobs that wait with this priority and can be understood with this one; locked for the transaction."""
    waiting = and_(jobs.c.state == WAITING_STATE["understand"], jobs.c.ended.is_(None), jobs.c.priority == priority)
    waiting = and_(waiting, jobs.c.sent.is_not(None))  # what is not sent yet is sent within a second
    past_limit = select(jobs.c.sent).where(waiting).order_by(jobs.c.sent).offset(BATCH_SEARCH_LIMIT).limit(1)
    tomorrow = _now() + timedelta(days=1)
    within_limit = jobs.c.sent < func.coalesce(past_limit.scalar_subquery(), tomorrow, type_=jobs.c.sent.type)
    same_work = [jobs.c[name] == getattr(job, name) for name in ("schema", "model", "accept_error")]
    is_untried = jobs.c.attempts == 0
    query = select(jobs.c.id).where(waiting, within_limit, is_untried, *same_work)
    return query.order_by(jobs.c.sent).limit(limit).with_for_update(skip_locked=True)


def _unleased(*, sent: bool = False) -> dict[str, Any]:
    """No worker has it. `sent`: the caller sends its message to the broker at once; otherwise the maintenance does."""
    return {"lease": None, "leased_until": None, "sent": _now() if sent else None}


def _quarantine(worker: str | None = None) -> dict[str, Any]:
    last = f" (the last one: {worker})" if worker else ""
    return {
        "state": "quarantined",
        "attempts": MAX_ATTEMPTS,
        "error_code": "worker_lost",
        "error_message": f"{MAX_ATTEMPTS} workers died or ran out of time over it{last}",
        "error_hint": "Look at the document and at the workers' logs; `docpipe queue retry ID` tries it again.",
    }


def _error_columns(error: DocpipeError | None) -> dict[str, Any]:
    if error is None:
        return {"error_code": None, "error_message": None, "error_hint": None}
    return {"error_code": error.code, "error_message": error.message, "error_hint": error.hint}


def _check_same_work(existing: Job, submission: Submission) -> None:
    """The model does not count: the operator may have changed it since, which who repeats a submission cannot know."""
    if (existing.document_id, existing.schema) != (submission.document_id, submission.schema):
        key = submission.idempotency_key
        raise ConflictError(f"the idempotency key {key!r} was used for another document or schema")


def _now() -> datetime:
    return datetime.now(UTC)
