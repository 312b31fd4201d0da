"""Opening a database: every way in which a URL can be wrong is told, with what to do about it."""

from __future__ import annotations

import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from docpipe.errors import StoreError
from docpipe.store import SqlStore
from docpipe.store.connect import parse_url

look_up = socket.getaddrinfo


def numbers_alone(host: str, *rest: Any, **more: Any) -> Any:
    """As without a network: some name servers know every name."""
    if not host[0].isdigit():
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return look_up(host, *rest, **more)


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("mysql://me:secret@host/db", "does not write to mysql", "postgresql://"),
        ("sqlite:///no/such/folder/x.db", "unable to open", "folder exists"),
        ("postgresql://me:secret@127.0.0.1:1/db", "connection failed", "server runs"),
        ("postgresql://me:secret@no.such.host.invalid/db", "resolve", "host name"),
        ("postgresql://me:secret@host:port/db", "not a database URL", "sqlite:///file.db"),
    ],
)
def test_a_url_that_cannot_work_is_explained_without_its_password(
    url: str, message: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", numbers_alone)
    with pytest.raises(StoreError, match=message) as caught:
        SqlStore(url)
    assert hint in caught.value.hint
    assert "secret" not in caught.value.message


def test_a_missing_postgresql_database_is_named(postgres_url: str) -> None:
    with pytest.raises(StoreError, match='"not_there" does not exist') as caught:
        SqlStore(postgres_url.rpartition("/")[0] + "/not_there")
    assert "createdb" in caught.value.hint


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes, and long enough to be mistaken for a header\n" * 20)
    with pytest.raises(StoreError, match="not a database"):
        SqlStore(f"sqlite:///{path}")
    assert path.read_text().startswith("these are notes")


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE documents (title TEXT)")
    with pytest.raises(StoreError, match="already exists") as caught:
        SqlStore(str(path))
    assert "another program" in caught.value.hint
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("documents",)]


def test_without_create_a_missing_file_stays_missing(tmp_path: Path) -> None:
    path = tmp_path / "typo.db"
    with pytest.raises(StoreError, match="there is no database"):
        SqlStore(str(path), create=False)
    assert not path.exists()


def test_sqlite_waits_for_writers_and_checks_references(tmp_path: Path) -> None:
    with SqlStore(str(tmp_path / "a.db")) as store, store._engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys")
        }
    assert settings == {"journal_mode": "wal", "busy_timeout": 30_000, "foreign_keys": 1}


def test_both_spellings_of_a_postgresql_url_reach_the_same_driver() -> None:
    spellings = ("postgresql://u@h/d", "postgresql+psycopg://u@h/d", "postgres://u@h/d")
    assert {parse_url(url).drivername for url in spellings} == {"postgresql+psycopg"}
    assert parse_url("folder/my docs.db").database == "folder/my docs.db"
