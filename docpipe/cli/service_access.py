"""How the commands of the service come to the database and the queue.

In: options and settings. Out: opened stores, closed after use. Who only looks needs the database alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from urllib.parse import urlsplit

import click

from docpipe.config import Settings, load_settings
from docpipe.errors import UsageError, install_hint
from docpipe.service.submit import Service
from docpipe.store.connect import open_engine, parse_url
from docpipe.store.database import Database

NEEDED = ("celery", "redis", "fsspec")
ID_SHOWN = 12  # hex digits; enough to be unique among millions

database_option = click.option(
    "--db", "database", metavar="URL", help="The database. Default: DOCPIPE_DATABASE_URL, or docpipe.db here."
)


def settings_with(database: str | None) -> Settings:
    """The settings in force; the option counts before them."""
    settings = load_settings()
    return settings.model_copy(update={"database_url": database}) if database else settings


@contextmanager
def opened_service(settings: Settings, *, create: bool = True) -> Iterator[Service]:
    """With `create` false a missing SQLite file is an error. Raises UsageError without the packages for the queue."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        message = f"the queue needs {', '.join(missing)}, not installed here"
        raise UsageError(message, hint=install_hint("serve"))
    if not create:
        _must_be_there(settings.database_url)
    service = Service.of(settings)
    try:
        yield service
    finally:
        service.close()


@contextmanager
def opened_database(settings: Settings, *, create: bool = False) -> Iterator[Database]:
    if not create:
        _must_be_there(settings.database_url)
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        database.close()


def shown_url(database_url: str) -> str:
    """A database's URL as it may be printed, and as it is given."""
    url = parse_url(database_url)
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def without_password(url: str) -> str:
    """A broker's URL as it may be printed."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{parts.username or ''}:***@{host}").geturl()


def _must_be_there(database_url: str) -> None:
    """Raises StoreError: a question makes no new database."""
    open_engine(parse_url(database_url), create=False).dispose()
