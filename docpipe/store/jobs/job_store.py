"""Jobs: what was submitted, how far it is, who works on it. The record from which the queue can be filled again.

In: submissions, and what workers say. Out: `Job`s, each change one transaction; a change that came too late changes
nothing and says so. Safe with many processes.

    queued --claim--> preparing --hand_on--> prepared --claim--> understanding --finish--> done
       ^                  |                      ^                     |
       +---- give_back ---+                      +----- give_back -----+       fail: failed, quarantined

A worker that dies leaves its lease; when that is over the job is free again, and the attempt has been counted.
Times are those of the machines that write them: keep their clocks together to within a second (NTP).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from docpipe.errors import BudgetError, ConflictError, DocpipeError, ModelError, QueueError, StoreError
from docpipe.store.database import Database, upsert
from docpipe.store.jobs.outbox import told_of
from docpipe.store.jobs.tables import jobs
from docpipe.store.jobs.usage import Usage, count
from docpipe.store.tables import documents

State = Literal["queued", "preparing", "prepared", "understanding", "done", "failed", "quarantined"]
Stage = Literal["prepare", "understand"]
STAGES: tuple[Stage, ...] = ("prepare", "understand")
WAITING: Mapping[Stage, State] = {"prepare": "queued", "understand": "prepared"}
WORKING: Mapping[Stage, State] = {"prepare": "preparing", "understand": "understanding"}
ENDED: tuple[State, ...] = ("done", "failed", "quarantined")
STATES: tuple[State, ...] = (*WAITING.values(), *WORKING.values(), *ENDED)
MOST_ATTEMPTS = 3  # a document that has ended three workers is the cause
MOST_SETBACKS = 60  # tries while a disk, a database or a model is away: over nine hours with the waits below
BULK, INTERACTIVE = 0, 1
LOCAL = "local"  # the owner of what comes from the command line and from the queue
SURROUNDINGS = (StoreError, QueueError, ModelError)  # their failures are not the document's
LOOKED_THROUGH = 1_000
"""Waiting jobs of which company is chosen: a look takes as long with a million that wait for another model."""
BUDGET_WAIT = timedelta(minutes=30)  # however often: tomorrow there is a new budget, and today's may be raised
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=10)


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
    owner: str = LOCAL
    idempotency_key: str | None = None
    callback: Mapping[str, Any] | None = None
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """A row of `jobs`, as far as others need it. `lease` is whose claim this is."""

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
    state: State
    attempts: int
    setbacks: int
    lease: str | None
    worker: str | None
    run_key: str | None
    status: str | None
    error: Mapping[str, str] | None
    created: datetime
    changed: datetime
    ended: datetime | None
    purged: datetime | None


class JobStore:
    def __init__(self, database: Database, lease: timedelta = timedelta(minutes=1)) -> None:
        self.database, self.lease = database, lease

    def submit(self, job_id: str, wanted: Submission, *, told: bool = True) -> tuple[Job, bool]:
        """The job, and whether it is new: the same idempotency key of the same owner is the same job, under the id it
        had. `told`: the caller tells the broker at once. Raises ConflictError when that key was used for something
        else."""
        now = _now()
        row = {name: getattr(wanted, name) for name in Submission.__slots__ if name != "size"}
        row |= {"id": job_id, "state": "queued", "attempts": 0, "setbacks": 0, "created": now, "changed": now}
        with self.database.writing() as connection:
            known = {"id": wanted.document_id, "name": wanted.name, "size": wanted.size, "first_seen": now}
            # an update even of what is there: who deletes the document at this moment is waited for
            adding = upsert(connection, documents, known)
            locking = adding.on_conflict_do_update(index_elements=[documents.c.id], set_={"size": wanted.size})
            connection.execute(locking)
            again = upsert(connection, jobs, row | {"sent": now if told else None}).on_conflict_do_nothing(
                index_elements=[jobs.c.owner, jobs.c.idempotency_key]
            )
            made = connection.execute(again.returning(jobs)).mappings().one_or_none()
            if made is not None:
                return job_of(made), True
            same = and_(jobs.c.owner == wanted.owner, jobs.c.idempotency_key == wanted.idempotency_key)
            first = job_of(connection.execute(select(jobs).where(same)).mappings().one())
            _same_or_refused(first, wanted)
            return first, False

    def get(self, job_id: str) -> Job | None:
        return self._one(jobs.c.id == job_id)

    def known(self, owner: str, idempotency_key: str) -> Job | None:
        """What was submitted under this key."""
        return self._one(and_(jobs.c.owner == owner, jobs.c.idempotency_key == idempotency_key))

    def claim(self, job_id: str, stage: Stage, worker: str) -> Job | None:
        """The job, for this worker and the length of a lease; None when it is not free, ended or gone: then the message
        was a second one for the same work. A job that has used up its attempts is quarantined instead."""
        with self.database.writing() as connection:
            job = self._take(connection, job_id, stage, worker)
            if job is not None and job.attempts > MOST_ATTEMPTS:
                close(connection, jobs.c.id == job_id, _quarantine())
                return None
            return job

    def claim_more(self, job: Job, worker: str, most: int) -> list[Job]:
        """Company for a job that this worker begins to understand: up to `most` others that wait for the same model and
        schema, urgent ones first, then old ones. Nobody waits for what is less urgent. A job of which an attempt was
        lost gets no company and is none: one that kills its worker takes others with it once at most. Setbacks do not
        count: after a model was away, all that waited for it would go one by one."""
        if most < 1 or job.attempts > 1:
            return []
        with self.database.writing() as connection:
            ids: list[str] = []
            for priority in range(INTERACTIVE, job.priority - 1, -1):
                ids += connection.scalars(_company(job, priority, most - len(ids)))
            # they have passed no queue, so they overtook nobody (store/waiting.py)
            taken = [self._take(connection, number, "understand", worker, sent=None) for number in ids]
            return [one for one in taken if one is not None]

    def renew(self, job: Job) -> bool:
        """Whether the worker still has the job: another one may, when this one was silent for longer than its lease."""
        return self._change(job, {"leased_until": _now() + self.lease, "changed": jobs.c.changed})

    def hand_on(self, job: Job) -> bool:
        """Pages are read and kept: the next stage begins, with attempts of its own."""
        return self._change(job, {"state": "prepared", "attempts": 0, **_at_rest(sent=True)})

    def finish(self, job: Job, run_key: str, status: str, used: Usage) -> bool:
        ended = {"state": "done", "run_key": run_key, "status": status, **_reason(None)}
        return self._close(job, ended, used)

    def fail(self, job: Job, error: DocpipeError) -> bool:
        """For good: the document cannot be processed, however often it is tried."""
        return self._close(job, {"state": "failed", **_reason(error)}, Usage.spent(error.cost, 1))

    def give_back(self, job: Job, stage: Stage, error: DocpipeError) -> bool:
        """To be tried again after a while; when the tries are used up it is quarantined with this reason. What failed
        around the document (a disk, a database, a model) costs it no attempt, and a budget that is used up nothing."""
        around, broke = isinstance(error, SURROUNDINGS), isinstance(error, BudgetError)
        if not broke and (job.setbacks >= MOST_SETBACKS if around else job.attempts >= MOST_ATTEMPTS):
            return self._close(job, {"state": "quarantined", **_reason(error)}, Usage.spent(error.cost, 1))
        tries = job.setbacks if around else job.attempts - 1
        wait = BUDGET_WAIT if broke else min(FIRST_WAIT * 2 ** min(tries, 10), LONGEST_WAIT)
        again = {"state": WAITING[stage], "not_before": _now() + wait, **_at_rest(), **_reason(error)}
        if around:
            again |= {"attempts": job.attempts - 1, "setbacks": job.setbacks + (not broke)}
        return self._change(job, again, Usage.spent(error.cost, 0) if error.cost else None)

    def _take(self, connection: Connection, job_id: str, stage: Stage, worker: str, **more: Any) -> Job | None:
        """Compare and swap."""
        now = _now()
        taken = {
            "state": WORKING[stage], "attempts": jobs.c.attempts + 1, "lease": uuid.uuid4().hex, "worker": worker,
            "leased_until": now + self.lease, "not_before": None, "changed": now, **more,
        }  # fmt: skip
        free = and_(jobs.c.id == job_id, _free(stage, now))
        row = connection.execute(update(jobs).where(free).values(taken).returning(jobs)).mappings().one_or_none()
        return None if row is None else job_of(row)

    def _one(self, where: ColumnElement[bool]) -> Job | None:
        with self.database.reading() as connection:
            row = connection.execute(select(jobs).where(where)).mappings().one_or_none()
            return None if row is None else job_of(row)

    def _close(self, job: Job, values: Mapping[str, Any], used: Usage | None = None) -> bool:
        with self.database.writing() as connection:
            return close(connection, _own(job), values, used) > 0

    def _change(self, job: Job, values: Mapping[str, Any], used: Usage | None = None) -> bool:
        """Only by the worker that has the job, and only while it works on it."""
        with self.database.writing() as connection:
            change = update(jobs).where(_own(job)).values({"changed": _now(), **values}).returning(jobs)
            row = connection.execute(change).mappings().one_or_none()
            if row is not None and used is not None:
                count(connection, row, used)
            return row is not None


def close(
    connection: Connection, where: ColumnElement[bool], values: Mapping[str, Any], used: Usage | None = None
) -> int:
    """End jobs, tell the outbox and count them, all in the caller's transaction. Returns how many."""
    now = _now()
    ended = {"ended": now, "changed": now, "lease": None, "leased_until": None, "not_before": None, **values}
    rows = connection.execute(update(jobs).where(where).values(ended).returning(jobs)).mappings().all()
    for row in rows:
        told_of(connection, row)
        count(connection, row, used or Usage())
    return len(rows)


def free_the_lost(connection: Connection, stage: Stage) -> int:
    """What dead workers held: back to waiting, or into quarantine. Returns how many. A job to which somebody is just
    writing is left for another look: a worker that froze while it wrote would hold up the keeper as well."""
    over = and_(jobs.c.state == WORKING[stage], jobs.c.leased_until < _now())
    query = select(jobs.c.id, jobs.c.worker, jobs.c.attempts).where(over).with_for_update(skip_locked=True)
    lost = connection.execute(query).all()
    worn = [row for row in lost if row.attempts >= MOST_ATTEMPTS]
    ended = sum(close(connection, jobs.c.id == row.id, _quarantine(row.worker)) for row in worn)
    again = [row.id for row in lost if row.attempts < MOST_ATTEMPTS]
    if again:
        free = {"state": WAITING[stage], "changed": _now(), **_at_rest()}
        connection.execute(update(jobs).where(jobs.c.id.in_(again)).values(free))
    return ended + len(again)


def _own(job: Job) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, jobs.c.lease == job.lease, jobs.c.state.in_(WORKING.values()))


def _free(stage: Stage, now: datetime) -> ColumnElement[bool]:
    """Waiting, or held by a worker whose lease is over."""
    waiting = and_(jobs.c.state == WAITING[stage], or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now))
    return or_(waiting, and_(jobs.c.state == WORKING[stage], jobs.c.leased_until < now))


def _company(job: Job, priority: int, most: int) -> Select[tuple[str]]:
    """Ids of jobs that wait with this priority and can be understood with this one; nobody else may take them now."""
    waits = and_(jobs.c.state == WAITING["understand"], jobs.c.ended.is_(None), jobs.c.priority == priority)
    waits = and_(waits, jobs.c.sent.is_not(None))  # whoever is not told of yet is told within a second
    far = select(jobs.c.sent).where(waits).order_by(jobs.c.sent).offset(LOOKED_THROUGH).limit(1).scalar_subquery()
    near = jobs.c.sent < func.coalesce(far, _now() + timedelta(days=1), type_=jobs.c.sent.type)
    alike = [jobs.c[name] == getattr(job, name) for name in ("schema", "model", "accept_error")]
    untried = jobs.c.attempts == 0
    query = select(jobs.c.id).where(waits, near, untried, *alike)
    return query.order_by(jobs.c.sent).limit(most).with_for_update(skip_locked=True)


def _at_rest(*, sent: bool = False) -> dict[str, Any]:
    """Nobody has it. `sent`: the caller tells the broker at once; otherwise the keeper does."""
    return {"lease": None, "leased_until": None, "sent": _now() if sent else None}


def _quarantine(worker: str | None = None) -> dict[str, Any]:
    return {
        "state": "quarantined",
        "attempts": MOST_ATTEMPTS,
        "error_code": "worker_lost",
        "error_message": f"{MOST_ATTEMPTS} workers died or ran out of time over it"
        + (f" (the last one: {worker})" if worker else ""),
        "error_hint": "Look at the document and at the workers' logs; `docpipe queue retry ID` tries it again.",
    }


def _reason(error: DocpipeError | None) -> dict[str, Any]:
    if error is None:
        return {"error_code": None, "error_message": None, "error_hint": None}
    return {"error_code": error.code, "error_message": error.message, "error_hint": error.hint}


def _same_or_refused(known: Job, wanted: Submission) -> None:
    """The model does not count: the operator may have changed it since, which who repeats a submission cannot know."""
    if (known.document_id, known.schema) != (wanted.document_id, wanted.schema):
        raise ConflictError(f"the idempotency key {wanted.idempotency_key!r} was used for another document or schema")


def job_of(row: Mapping[Any, Any]) -> Job:
    error = None
    if row["error_code"]:
        error = {"code": row["error_code"], "message": row["error_message"], "hint": row["error_hint"] or ""}
    return Job(error=error, **{name: row[name] for name in Job.__slots__ if name != "error"})


def _now() -> datetime:
    return datetime.now(UTC)
