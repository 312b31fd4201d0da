"""A lock in SQL for what one process at a time does. In: a name, and who wants it. Out: whether it is theirs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, or_, select, update

from docpipe.store.database import Database, upsert
from docpipe.store.jobs.tables import leader_locks


class LeaderLock:
    """A holder that dies is followed by another when its time is over."""

    def __init__(self, database: Database, name: str) -> None:
        self._database, self._name = database, name

    def acquire(self, holder: str, duration: timedelta) -> bool:
        """Whether the lock is this holder's, for so long from now. Its holder renews it in the same way."""
        now = datetime.now(UTC)
        held = {"holder": holder, "held_until": now + duration}
        with self._database.writing() as connection:
            insert = upsert(connection, leader_locks, {"name": self._name, **held})
            free = or_(leader_locks.c.held_until < now, leader_locks.c.holder == holder)
            insert = insert.on_conflict_do_update(index_elements=[leader_locks.c.name], set_=held, where=free)
            return connection.execute(insert.returning(leader_locks.c.name)).first() is not None

    def release(self, holder: str) -> None:
        """The next one need not wait."""
        own = and_(leader_locks.c.name == self._name, leader_locks.c.holder == holder)
        with self._database.writing() as connection:
            connection.execute(update(leader_locks).where(own).values(held_until=datetime.now(UTC)))

    def holder(self) -> str | None:
        """Who has it now; None: nobody."""
        valid = and_(leader_locks.c.name == self._name, leader_locks.c.held_until >= datetime.now(UTC))
        with self._database.reading() as connection:
            return connection.scalar(select(leader_locks.c.holder).where(valid))
