"""How the commands of the service come to the database and the queue.

In: settings. Out: opened stores, closed after use. Who only looks needs the database alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from docpipe.config import Settings
from docpipe.errors import UsageError, install_hint
from docpipe.service.service import Service
from docpipe.store.connect import open_engine, parse_url
from docpipe.store.database import Database

QUEUE_PACKAGES = ("celery", "redis", "fsspec")


@contextmanager
def opened_service(settings: Settings, *, create: bool = True) -> Iterator[Service]:
    """With `create` false a missing SQLite file is an error. Raises UsageError without the packages for the queue."""
    missing = [name for name in QUEUE_PACKAGES if find_spec(name) is None]
    if missing:
        message = f"the queue needs {', '.join(missing)}, not installed here"
        raise UsageError(message, hint=install_hint("serve"))
    if not create:
        _check_exists(settings.database_url)
    service = Service.of(settings)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def opened_database(settings: Settings, *, create: bool = False) -> Iterator[Database]:
    """With `create` false a missing SQLite file is an error."""
    if not create:
        _check_exists(settings.database_url)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


def _check_exists(database_url: str) -> None:
    """Raises StoreError: a question makes no new database."""
    open_engine(parse_url(database_url), create=False).dispose()
