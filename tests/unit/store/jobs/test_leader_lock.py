"""A lock in SQL of which one process at a time is the holder, on both databases."""

from __future__ import annotations

from datetime import timedelta

from docpipe.store.database import Database
from docpipe.store.jobs.leader_lock import LeaderLock

MINUTE = timedelta(seconds=60)


def test_one_holder_has_the_lock_and_another_takes_over_after_its_time(database: Database) -> None:
    lock = LeaderLock(database, "maintenance")
    assert lock.acquire("a", MINUTE)
    assert not lock.acquire("b", MINUTE)
    assert lock.acquire("a", timedelta(seconds=-1)), "its holder may acquire it again"
    assert lock.holder() is None
    assert lock.acquire("b", MINUTE)
    assert not lock.acquire("a", MINUTE)
    assert lock.holder() == "b"
    assert LeaderLock(database, "another").acquire("a", MINUTE)


def test_a_lock_that_was_released_is_free_at_once(database: Database) -> None:
    lock = LeaderLock(database, "maintenance")
    lock.acquire("a", MINUTE)
    lock.release("b")
    assert lock.holder() == "a", "it was not b's"
    lock.release("a")
    assert lock.acquire("b", MINUTE)
