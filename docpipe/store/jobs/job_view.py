"""Jobs as those see and change them who sent them: pages of a list, another try, deletion with all that belongs to it.

In: filters and ids. Out: jobs. Whose they are is a filter like others: who may ask is decided elsewhere.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, or_, select, update

from docpipe.errors import UsageError
from docpipe.store.database import Database
from docpipe.store.jobs.job import ENDED, WAITING_STATE, Job, JobState, job_from_row
from docpipe.store.jobs.tables import deliveries, jobs
from docpipe.store.tables import document_files, documents, extractions

MAX_PAGE_SIZE = 200  # jobs
HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class JobFilter:
    """`owner`: only that one's jobs; None: everybody's. `status` is complete or needs_review."""

    states: Sequence[JobState] = ()
    status: str | None = None
    schema: str | None = None
    document_id: str | None = None
    owner: str | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None


class JobView:
    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, where: JobFilter, *, limit: int = 50, after: str | None = None) -> tuple[list[Job], str | None]:
        """Newest first, and the cursor of the next page. Raises UsageError for a cursor that is not ours."""
        conditions = _conditions(where)
        if after is not None:
            created, job_id = _parse_cursor(after)
            conditions.append(or_(jobs.c.created < created, and_(jobs.c.created == created, jobs.c.id < job_id)))
        limit = max(1, min(limit, MAX_PAGE_SIZE))
        query = select(jobs).where(*conditions).order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit + 1)
        with self._database.reading() as connection:
            matches = [job_from_row(row) for row in connection.execute(query).mappings()]
        return matches[:limit], _cursor(matches[limit - 1]) if len(matches) > limit else None

    def all(self, where: JobFilter) -> Iterator[Job]:
        """Every job that fits, page by page."""
        after: str | None = None
        while True:
            page, after = self.page(where, limit=MAX_PAGE_SIZE, after=after)
            yield from page
            if after is None:
                return

    def by_ids(self, ids: Sequence[str]) -> dict[str, Job]:
        """The jobs with these ids; those that are not there are left out."""
        by_id: dict[str, Job] = {}
        with self._database.reading() as connection:
            for start in range(0, len(ids), MAX_PAGE_SIZE):
                query = select(jobs).where(jobs.c.id.in_(ids[start : start + MAX_PAGE_SIZE]))
                by_id |= {row["id"]: job_from_row(row) for row in connection.execute(query).mappings()}
        return by_id

    def by_prefix(self, prefix: str) -> Job:
        """By its id or the beginning of it. Raises UsageError unless it is exactly one job."""
        prefix = prefix.lower()
        matches: list[Job] = []
        if prefix and HEX.issuperset(prefix):
            # "g" follows all hex digits: a range uses the index where LIKE may not
            query = select(jobs).where(jobs.c.id >= prefix, jobs.c.id < prefix + "g").limit(2)
            with self._database.reading() as connection:
                matches = [job_from_row(row) for row in connection.execute(query).mappings()]
        if len(matches) > 1:
            raise UsageError(f"several jobs begin with {prefix}", hint="Give more of the id.")
        if not matches:
            raise UsageError(f"there is no job {prefix}", hint="`docpipe status` shows the newest ones; see --db.")
        return matches[0]

    def oldest(self, states: Sequence[JobState]) -> Job | None:
        """The one that was taken in first."""
        query = select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.created).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
            return None if row is None else job_from_row(row)

    def retrying(self) -> tuple[int, Job | None]:
        """How many wait for another try after an error, and the one that had the last error."""
        waiting = and_(jobs.c.state.in_(WAITING_STATE.values()), jobs.c.error_code.is_not(None))
        with self._database.reading() as connection:
            count = connection.scalar(select(func.count()).select_from(jobs).where(waiting)) or 0
            newest = select(jobs).where(waiting).order_by(jobs.c.changed.desc()).limit(1)
            row = connection.execute(newest).mappings().one_or_none()
            return count, None if row is None else job_from_row(row)

    def counts(self, where: JobFilter = JobFilter()) -> dict[str, int]:
        """How many jobs are in each state."""
        query = select(jobs.c.state, func.count()).where(*_conditions(where)).group_by(jobs.c.state)
        with self._database.reading() as connection:
            return dict(connection.execute(query).all())

    def undelivered(self) -> dict[str, int]:
        """Messages that wait for another try, and those that were given up."""
        query = select(deliveries.c.given_up, func.count()).where(deliveries.c.delivered.is_(None))
        with self._database.reading() as connection:
            counts: dict[bool, int] = dict(connection.execute(query.group_by(deliveries.c.given_up)).all())
        return {"waiting": counts.get(False, 0), "given_up": counts.get(True, 0)}

    def retry(self, job_id: str) -> Job | None:
        """An ended job from the beginning, with attempts of its own. None when it is at work, unknown, or its original
        is gone."""
        values: dict[str, Any] = dict.fromkeys(("not_before", "ended", "run_key", "status"))
        values |= dict.fromkeys(("error_code", "error_message", "error_hint"))
        now = datetime.now(UTC)
        values |= {"state": "queued", "attempts": 0, "environment_retries": 0, "sent": now, "changed": now}
        ended = and_(jobs.c.id == job_id, jobs.c.state.in_(ENDED), jobs.c.purged.is_(None))
        with self._database.writing() as connection:
            row = connection.execute(update(jobs).where(ended).values(values).returning(jobs)).mappings().one_or_none()
            return None if row is None else job_from_row(row)

    def delete(self, job_id: str) -> Job | None:
        """The job that was deleted, with its result, and with its document where nothing else refers to that: no other
        job and no file that the command line read. None when it is unknown."""
        with self._database.writing() as connection:
            # whoever submits the same document meanwhile waits; our cascade would take that job along
            of_job = select(jobs.c.document_id).where(jobs.c.id == job_id).scalar_subquery()
            connection.execute(select(documents.c.id).where(documents.c.id == of_job).with_for_update())
            row = connection.execute(delete(jobs).where(jobs.c.id == job_id).returning(jobs)).mappings().one_or_none()
            if row is None:
                return None
            job = job_from_row(row)
            _delete_result(connection, job)
            return job

    def delete_remains(self, job: Job) -> None:
        """What was written about a job after it was deleted; as in `delete`."""
        with self._database.writing() as connection:
            connection.execute(select(documents.c.id).where(documents.c.id == job.document_id).with_for_update())
            _delete_result(connection, job)


def _conditions(where: JobFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [jobs.c.state.in_(where.states)] if where.states else []
    for name in ("status", "schema", "document_id", "owner"):
        value = getattr(where, name)
        if value is not None:
            conditions.append(jobs.c[name] == value)
    if where.created_since is not None:
        conditions.append(jobs.c.created >= where.created_since)
    if where.created_before is not None:
        conditions.append(jobs.c.created < where.created_before)
    return conditions


def _delete_result(connection: Connection, job: Job) -> None:
    others = exists().where(jobs.c.document_id == job.document_id)
    files = exists().where(document_files.c.document_id == job.document_id)
    connection.execute(delete(documents).where(documents.c.id == job.document_id, ~others, ~files))
    # one at work may have found this result and be about to end with it
    at_work = and_(jobs.c.document_id == job.document_id, jobs.c.ended.is_(None))
    same_work = exists().where(or_(jobs.c.run_key == job.run_key, at_work))
    result = and_(extractions.c.run_key == job.run_key, ~same_work, ~files)
    connection.execute(delete(extractions).where(result))


def _cursor(job: Job) -> str:
    return base64.urlsafe_b64encode(f"{job.created.isoformat()}|{job.id}".encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        created, _, job_id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        created_at = datetime.fromisoformat(created)
        if created_at.tzinfo is None or not job_id.isalnum():
            raise ValueError(cursor)
        return created_at.astimezone(UTC), job_id
    except (ValueError, OverflowError, binascii.Error) as error:
        raise UsageError(
            "this cursor is none of ours", hint="Begin without a cursor, then take `next` as it is."
        ) from error
