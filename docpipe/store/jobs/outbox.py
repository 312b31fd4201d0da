"""The outbox: messages about ended jobs, for those who wait for them. They are written in the transaction that ends the
job, so none is lost and none is sent for what did not happen.

In: ended jobs, and how sending went. Out: what is due, to one sender at a time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, insert, select, update

from docpipe.store.database import Database
from docpipe.store.jobs.tables import deliveries

RETRY_SECONDS = (10, 60, 300, 1800, 7200, 21600, 43200, 86400)  # seconds before the next try: two days in all
LEASE_DURATION = timedelta(minutes=1)  # of a sender: others take its messages after that; a try takes 40 s at most


@dataclass(frozen=True, slots=True)
class Delivery:
    """`attempts` counts this try; `body` is the same at every try."""

    id: str
    job_id: str
    target: Mapping[str, Any]
    body: Mapping[str, Any]
    attempts: int


def add_delivery(connection: Connection, row: Mapping[Any, Any]) -> None:
    """Put the end of a job into the outbox, if somebody asked for it."""
    if not row["callback"]:
        return
    now = datetime.now(UTC)
    job_fields = {name: row[name] for name in ("id", "document_id", "name", "schema", "state", "status")}
    error = {"code": row["error_code"], "message": row["error_message"]} if row["error_code"] else None
    body = {"type": f"document.{row['state']}", "timestamp": now.isoformat(), "data": {**job_fields, "error": error}}
    values = {
        "id": f"evt_{uuid.uuid4().hex}", "job_id": row["id"], "target": row["callback"], "body": body, "attempts": 0,
        "not_before": now, "given_up": False, "created": now,
    }  # fmt: skip
    connection.execute(insert(deliveries).values(values))


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, limit: int = 20) -> list[Delivery]:
        """What is due; no other sender gets it for the duration of a lease."""
        now = datetime.now(UTC)
        due = and_(deliveries.c.delivered.is_(None), ~deliveries.c.given_up, deliveries.c.not_before <= now)
        query = select(deliveries).where(due).order_by(deliveries.c.not_before).limit(limit)
        with self._database.writing() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings().all()
            if rows:
                acquired = update(deliveries).where(deliveries.c.id.in_([row["id"] for row in rows]))
                connection.execute(acquired.values(not_before=now + LEASE_DURATION, attempts=deliveries.c.attempts + 1))
        return [Delivery(row["id"], row["job_id"], row["target"], row["body"], row["attempts"] + 1) for row in rows]

    def mark_delivered(self, delivery: Delivery) -> None:
        self._update(delivery, {"delivered": datetime.now(UTC), "last_error": None})

    def mark_failed(self, delivery: Delivery, reason: str, *, permanent: bool = False) -> None:
        """To be tried again later; given up after the last of RETRY_SECONDS."""
        given_up = permanent or delivery.attempts > len(RETRY_SECONDS)
        wait = RETRY_SECONDS[min(delivery.attempts, len(RETRY_SECONDS)) - 1]
        next_try = datetime.now(UTC) + timedelta(seconds=wait)
        self._update(delivery, {"last_error": reason[:500], "given_up": given_up, "not_before": next_try})

    def _update(self, delivery: Delivery, values: Mapping[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(values))
