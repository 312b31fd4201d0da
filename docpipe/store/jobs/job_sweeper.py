"""What the maintenance looks for: jobs of dead workers, jobs that the broker has forgotten, originals past their time.

In: the table of jobs. Out: what is to be done about them. Each sweep touches open jobs only, however many have ended.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from docpipe.store.database import Database
from docpipe.store.jobs.job import BULK, INTERACTIVE, WAITING_STATE, WORKING_STATE, Job, Stage, job_from_row
from docpipe.store.jobs.job_store import release_expired_leases
from docpipe.store.jobs.tables import jobs

OVERTAKEN_AFTER = timedelta(seconds=30)
"""A job whose message is older by so much than that of one at work has lost its message: the broker hands them out in
order. Ten times what was measured between two workers that take from one list."""

PRIORITIES = (INTERACTIVE, BULK)  # in the order in which they are handed out
LOST_AFTER = timedelta(seconds=30)  # a message of this age counts as lost, if the queue is empty


class JobSweeper:
    def __init__(self, database: Database) -> None:
        self._database = database

    def release_expired(self, stage: Stage) -> int:
        """Release what dead workers held. Returns how many."""
        with self._database.writing() as connection:
            return release_expired_leases(connection, stage)

    def take_unsent(self, stage: Stage, *, queue_is_empty: bool, limit: int) -> list[Job]:
        """Waiting jobs that the broker does not know of, interactive ones first. They count as sent from now on."""
        now = datetime.now(UTC)
        due = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
        waiting = and_(jobs.c.state == WAITING_STATE[stage], jobs.c.ended.is_(None), due)
        unsent: list[Job] = []
        with self._database.writing() as connection:
            if queue_is_empty:
                lost_before = dict.fromkeys(PRIORITIES, now - LOST_AFTER)
            else:
                lost_before = _overtaken(connection, stage)
            # one query for each end of the index ix_jobs_open: a sweep takes as long with ten million that wait
            for priority in PRIORITIES:
                conditions: list[ColumnElement[bool]] = [jobs.c.sent.is_(None)]
                if priority in lost_before:
                    conditions.append(jobs.c.sent < lost_before[priority])
                for condition in conditions:
                    query = select(jobs).where(waiting, jobs.c.priority == priority, condition).order_by(jobs.c.sent)
                    query = query.limit(limit - len(unsent)).with_for_update(skip_locked=True)
                    unsent += [job_from_row(row) for row in connection.execute(query).mappings()]
            if unsent:
                connection.execute(update(jobs).where(_still_waiting(unsent)).values(sent=now))
        return unsent

    def mark_unsent(self, unsent: Sequence[Job]) -> None:
        """The broker could not be reached after all."""
        if unsent:
            with self._database.writing() as connection:
                connection.execute(update(jobs).where(_still_waiting(unsent)).values(sent=None))

    def expired(self, age: timedelta, limit: int) -> list[Job]:
        """Ended jobs whose originals and pictures have been kept for long enough."""
        due = and_(jobs.c.ended < datetime.now(UTC) - age, jobs.c.purged.is_(None))
        with self._database.reading() as connection:
            query = select(jobs).where(due).order_by(jobs.c.ended).limit(limit)
            return [job_from_row(row) for row in connection.execute(query).mappings()]

    @contextmanager
    def purging(self, job: Job) -> Iterator[bool]:
        """Whether its bytes may be deleted, inside: whoever wants to try it again meanwhile waits, and is refused. What
        is raised inside leaves the job as it was."""
        with self._database.writing() as connection:
            unchanged = and_(jobs.c.id == job.id, jobs.c.ended == job.ended, jobs.c.purged.is_(None))
            purged = connection.execute(update(jobs).where(unchanged).values(purged=datetime.now(UTC)))
            yield purged.rowcount > 0


def _overtaken(connection: Connection, stage: Stage) -> dict[int, datetime]:
    """By priority, the time before which a message is lost, as younger ones are at work already."""
    # what docpipe.process began at once has passed no queue: it overtook nobody
    queued = and_(jobs.c.ended.is_(None), jobs.c.sent.is_not(None))
    newest = select(jobs.c.priority, func.max(jobs.c.sent), func.max(jobs.c.changed))
    newest = newest.where(jobs.c.state == WORKING_STATE[stage], queued).group_by(jobs.c.priority)
    overtaken: dict[int, datetime] = {}
    for working_priority, sent, begun in connection.execute(newest).all():
        for priority in PRIORITIES:
            # one of less priority is begun only when those of more have all been handed out
            youngest = begun if priority > working_priority else sent if priority == working_priority else None
            if youngest is not None:
                overtaken[priority] = max(overtaken.get(priority, youngest), youngest)
    return {priority: youngest - OVERTAKEN_AFTER for priority, youngest in overtaken.items()}


def _still_waiting(chosen: Sequence[Job]) -> ColumnElement[bool]:
    return and_(jobs.c.id.in_([job.id for job in chosen]), jobs.c.state.in_(WAITING_STATE.values()))
