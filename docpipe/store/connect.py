"""Opening a database: the URL, the engine, the version of its tables, and errors in plain words.

In: a URL or a path to an SQLite file. Out: an engine whose database is at this code's version.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from docpipe.errors import StoreError, install_hint
from docpipe.own_files import APPLICATION_ID
from docpipe.private_files import create_file

HEAD = "0005"
"""The newest migration. Read here so that opening a database that is up to date need not load Alembic."""

VERSION_TABLE = "docpipe_version"  # not Alembic's default: a shared database may have one already
LOCK_SECONDS = 30  # a writer holds the lock for milliseconds; a backup may hold it for seconds
POSTGRES_OPTIONS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""Of PostgreSQL's client: a server whose machine is gone without a word is noticed in a minute at most, not after TCP's
quarter of an hour. The URL may have others."""
IDLE_SECONDS = 60  # in a transaction that writes; the longest pause of a healthy one is a deletion of blobs
SETUP_LOCK = 0x646F6370  # "docp": PostgreSQL's advisory lock while tables are made or changed
WAL_TRIES = 50
SERVER_DIALECTS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}

HINTS = (  # what a message has in it, and what to do then
    ("disk is full", "Free some disk space and run again; what was saved is whole."),
    ("no space left", "Free some disk space on the server and run again; what was saved is whole."),
    ("database is locked", "Another program holds the database: close it, or wait and run again."),
    ("unable to open", "Check that the folder exists and that you may write there."),
    ("readonly", "You may not write to this file or its folder: choose another with --db."),
    ("not a database", "The file is something else: choose another with --db."),
    ("malformed", "The file is damaged: restore a backup, or try `sqlite3 FILE .recover`."),
    ("already exists", "The database belongs to another program: give docpipe its own with --db."),
    ("password", "Check user and password in the URL: postgresql://user:password@host/database."),
    ("role ", "Check the user in the URL: postgresql://user:password@host/database."),
    ("does not exist", "Create the database first (`createdb NAME`), or correct its name in the URL."),
    ("connect", "Check that the server runs and that host and port in the URL are right."),
    ("resolve host", "Check the host name in the URL."),
)


def parse_url(text_url: str) -> URL:
    """`sqlite:///file.db`, `postgresql://…` or simply the path of an SQLite file. Raises StoreError."""
    if "://" not in text_url:
        return URL.create("sqlite+pysqlite", database=text_url)
    try:
        url = make_url(text_url)
        backend = url.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"not a database URL: {text_url.partition('://')[0]}://…", hint=_url_hint()) from error
    if backend == "sqlite":
        return url.set(drivername="sqlite+pysqlite")
    if backend in SERVER_DIALECTS:
        return url.set(drivername=SERVER_DIALECTS[backend])
    raise StoreError(f"docpipe does not write to {backend}", hint=_url_hint())


def _url_hint() -> str:
    return "Use sqlite:///file.db, or postgresql://user:password@host/database."


def open_engine(url: URL, *, create: bool = True) -> Engine:
    """An engine on a database that has this code's tables. With `create` false a missing SQLite file is an error."""
    with store_errors(url):
        engine = _engine(url, create=create)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        return engine


def migrate(text_url: str) -> str | None:
    """Bring a database to HEAD. Returns the version that it had; None: it was new. Raises StoreError."""
    url = parse_url(text_url)
    with store_errors(url):
        engine = _engine(url, create=True)
        try:
            return upgrade(engine)
        finally:
            engine.dispose()


def _engine(url: URL, *, create: bool) -> Engine:
    return _sqlite_engine(url, create=create) if url.get_backend_name() == "sqlite" else _server_engine(url)


def _sqlite_engine(url: URL, *, create: bool) -> Engine:
    path = Path(url.database or "")
    if not create and not path.is_file():
        raise StoreError(f"there is no database {path}", hint="`docpipe run` makes one; or give another with --db.")
    if create and not path.exists() and not path.name.startswith((":", "file:")):
        with suppress(OSError):  # SQLite itself says why it cannot be made
            create_file(path)  # SQLite would ask the umask; its log beside the file has the rights of the file
    engine = create_engine(url, connect_args={"timeout": LOCK_SECONDS})

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # transactions begin where we say, DDL included
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten, and not only forgotten

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # a writer takes the lock at once: a reader that turns writer half-way fails instead of waiting
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    try:
        _use_wal(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _use_wal(engine: Engine) -> None:
    """Readers and one writer at a time do not wait for each other. The mode stays with the file; where the
    file system cannot do it (network drives), SQLite keeps its own journal and all still works."""
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        for attempt in range(WAL_TRIES):
            try:
                if cursor.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                    cursor.execute("PRAGMA journal_mode = WAL")
                if cursor.execute("PRAGMA application_id").fetchone()[0] == 0:  # nobody's, or of an older version
                    cursor.execute(f"PRAGMA application_id = {int.from_bytes(APPLICATION_ID, 'big')}")
                return
            except sqlite3.OperationalError as error:
                # changing the mode does not wait for other openers as BEGIN does
                if "locked" not in str(error) or attempt == WAL_TRIES - 1:
                    raise
                time.sleep(0.1)
    finally:
        raw.close()


def overwrite_deleted(engine: Engine) -> None:
    """SQLite's log beside the file still has what was deleted: it is brought into the file and emptied, unless somebody
    reads or writes just now; then the last one to close the database does it. PostgreSQL's VACUUM runs by itself."""
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            raw.close()


def _server_engine(url: URL) -> Engine:
    url = url.update_query_dict({name: value for name, value in POSTGRES_OPTIONS.items() if name not in url.query})
    try:
        return create_engine(url, pool_pre_ping=True)
    except ModuleNotFoundError as error:
        raise StoreError("PostgreSQL needs the driver psycopg", hint=install_hint("postgres")) from error


@contextmanager
def write_transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes: committed whole at the end, or nothing of it."""
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            # a process that stops in the middle of it would keep its locks, and others would wait for ever
            connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'"))
        yield connection


@contextmanager
def store_errors(url: URL) -> Iterator[None]:
    """Database errors come out as StoreError, with a hint and without the password."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        reason = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
        raise StoreError(f"{url.render_as_string()}: {reason}", hint=_hint(reason)) from error
    except SQLAlchemyError as error:
        raise StoreError(f"{url.render_as_string()}: {error}") from error


def _hint(reason: str) -> str | None:
    lowercase = reason.lower()
    return next((hint for pattern, hint in HINTS if pattern in lowercase), None)


def lock_setup(connection: Connection) -> None:
    """Until this transaction ends nobody else makes or changes tables. SQLite's writers exclude each other anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SETUP_LOCK})


def upgrade(engine: Engine) -> str | None:
    """Bring the database to HEAD, in one transaction. Several processes may do so at once. Returns the version that it
    had; None: it was new."""
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return HEAD
    with write_transaction(engine) as connection:
        lock_setup(connection)
        version = _version(connection)
        if version != HEAD:
            _migrate(connection, version)
        return version


def ensure_current(connection: Connection) -> None:
    """The same in a transaction that the caller has."""
    if _version(connection) != HEAD:
        lock_setup(connection)
        version = _version(connection)
        if version != HEAD:
            _migrate(connection, version)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608  a constant


def _migrate(connection: Connection, version: str | None) -> None:
    from alembic import command  # heavy: 0.2 s, needed only when the database is new or old
    from alembic.config import Config  # heavy: as above
    from alembic.script import ScriptDirectory  # heavy: as above

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise StoreError(
            f"the database has version {version}, which is newer than this docpipe ({HEAD})",
            hint="Install a newer docpipe, or use another database with --db.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
