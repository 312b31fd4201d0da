"""What the keeper finds: jobs that dead workers hold, jobs that the broker has forgotten, originals past their time.

In: the jobs. Out: what is to be done about them. Each look touches open jobs only, however many have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from docpipe.store.database import Database, upsert
from docpipe.store.jobs.job_store import (
    BULK,
    INTERACTIVE,
    WAITING_STATE,
    WORKING_STATE,
    Job,
    Stage,
    job_from_row,
    release_expired_leases,
)
from docpipe.store.jobs.tables import duties, jobs

OVERTAKEN_AFTER = timedelta(seconds=30)
"""A job whose message is older by so much than that of one at work has lost its message: the broker hands them out in
order. Ten times what was seen between two workers that take from one list."""
PRIORITIES = (INTERACTIVE, BULK)  # in the order in which they are handed out
LOST_AFTER = timedelta(seconds=30)  # after which a message counts as lost, if the queue is empty


class JobSweeper:
    def __init__(self, database: Database) -> None:
        self._database = database

    def release_expired(self, stage: Stage) -> int:
        """Free what dead workers held. Returns how many."""
        with self._database.writing() as connection:
            return release_expired_leases(connection, stage)

    def take_unsent(self, stage: Stage, *, queue_is_empty: bool, limit: int) -> list[Job]:
        """Waiting jobs that the broker does not know of, interactive ones first; they count as told now."""
        now = datetime.now(UTC)
        due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
        waiting = and_(jobs.c.state == WAITING_STATE[stage], jobs.c.ended.is_(None), due)
        unsent: list[Job] = []
        with self._database.writing() as connection:
            lost_before = (
                dict.fromkeys(PRIORITIES, now - LOST_AFTER) if queue_is_empty else _overtaken(connection, stage)
            )
            # one query for each end of the index ix_jobs_open: a look takes as long with ten million that wait
            for priority in PRIORITIES:
                conditions = [
                    jobs.c.sent.is_(None),
                    *([jobs.c.sent < lost_before[priority]] if priority in lost_before else []),
                ]
                for condition in conditions:
                    query = select(jobs).where(waiting, jobs.c.priority == priority, condition).order_by(jobs.c.sent)
                    query = query.limit(limit - len(unsent)).with_for_update(skip_locked=True)
                    unsent += [job_from_row(row) for row in connection.execute(query).mappings()]
            if unsent:
                connection.execute(update(jobs).where(_among(unsent)).values(sent=now))
        return unsent

    def mark_unsent(self, unsent: Sequence[Job]) -> None:
        """The broker could not be told after all."""
        if unsent:
            with self._database.writing() as connection:
                connection.execute(update(jobs).where(_among(unsent)).values(sent=None))

    def expired(self, age: timedelta, limit: int) -> list[Job]:
        """Ended jobs whose originals and pictures have been kept for long enough."""
        old = and_(jobs.c.ended < datetime.now(UTC) - age, jobs.c.purged.is_(None))
        with self._database.reading() as connection:
            query = select(jobs).where(old).order_by(jobs.c.ended).limit(limit)
            return [job_from_row(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def purging(self, job: Job) -> Iterator[bool]:
        """Whether its bytes may be deleted, inside: whoever wants to try it again meanwhile waits, and is refused. What
        is raised inside leaves the job as it was."""
        with self._database.writing() as connection:
            same = and_(jobs.c.id == job.id, jobs.c.ended == job.ended, jobs.c.purged.is_(None))
            done = connection.execute(update(jobs).where(same).values(purged=datetime.now(UTC)))
            yield done.rowcount > 0


class LeaderLock:
    """What one process at a time does. A holder that dies is followed by another when its time is over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, holder: str, length: timedelta) -> bool:
        """Whether the duty is this holder's, for so long from now."""
        now = datetime.now(UTC)
        mine = {"holder": holder, "until": now + length}
        with self._database.writing() as connection:
            taking = upsert(connection, duties, {"name": name, **mine})
            free = or_(duties.c.until < now, duties.c.holder == holder)
            taking = taking.on_conflict_do_update(index_elements=[duties.c.name], set_=mine, where=free)
            return connection.execute(taking.returning(duties.c.name)).first() is not None

    def release(self, name: str, holder: str) -> None:
        """Somebody else need not wait."""
        own = and_(duties.c.name == name, duties.c.holder == holder)
        with self._database.writing() as connection:
            connection.execute(update(duties).where(own).values(until=datetime.now(UTC)))

    def holder(self, name: str) -> str | None:
        """Who has it now; None: nobody does it."""
        with self._database.reading() as connection:
            valid = and_(duties.c.name == name, duties.c.until >= datetime.now(UTC))
            return connection.scalar(select(duties.c.holder).where(valid))


def _overtaken(connection: Connection, stage: Stage) -> dict[int, datetime]:
    """By priority: which messages are lost, as younger ones are at work already."""
    # what docpipe.process began at once has passed no queue: it overtook nobody
    queued = and_(jobs.c.ended.is_(None), jobs.c.sent.is_not(None))
    newest = select(jobs.c.priority, func.max(jobs.c.sent), func.max(jobs.c.changed))
    newest = newest.where(jobs.c.state == WORKING_STATE[stage], queued).group_by(jobs.c.priority)
    lost: dict[int, datetime] = {}
    for at_work, sent, begun in connection.execute(newest).all():
        for priority in PRIORITIES:
            # one of less priority is begun only when those of more have all been handed out
            youngest = begun if priority > at_work else sent if priority == at_work else None
            if youngest is not None:
                lost[priority] = max(lost.get(priority, youngest), youngest)
    return {priority: youngest - OVERTAKEN_AFTER for priority, youngest in lost.items()}


def _among(chosen: Sequence[Job]) -> ColumnElement[bool]:
    return and_(jobs.c.id.in_([job.id for job in chosen]), jobs.c.state.in_(WAITING_STATE.values()))
