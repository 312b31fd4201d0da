"""Fixtures that several test modules share: an empty database of each kind that the store supports, a renderer, a
system without Poppler."""

from __future__ import annotations

import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service.servers import PostgresServer, RedisServer
from docpipe.log import VERBOSE_LOGGERS
from docpipe.render import Limits, Renderer
from docpipe.store.database import Database

OF_THE_USER = (
    *("DOCPIPE_", "CELERY_", "OTEL_", "PG", "AWS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"),
    *("OPENAI_", "ANTHROPIC_", "GOOGLE_", "GEMINI_", "HF_"),
    *("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR", "CLICOLOR", "TTY_", "MYPY"),
)
"""Beginnings of variables that change what docpipe, or a client of a server, does."""


@pytest.fixture(scope="session", autouse=True)
def environment_of_nobody() -> Iterator[None]:
    """Settings, keys and proxies of whoever runs the tests are not theirs, nor is the width of the screen or a
    graphics card."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.upper().startswith(OF_THE_USER)]:
            patch.delenv(name)
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        patch.setenv("XDG_CONFIG_HOME", os.devnull)  # no docpipe.toml
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, os.devnull)
        yield


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """A shell starts what runs in its background with Ctrl-C ignored, and the programs that tests interrupt inherit
    that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """`configure_logging` is for a whole process, and `-v` calls it; this one belongs to pytest, and to the tests that
    come after."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in VERBOSE_LOGGERS}
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL from a wheel, started when the first test asks for it. Not under pytest's own folder: as root
    the server runs as another user, who must be able to reach its data."""
    with tempfile.TemporaryDirectory(prefix="docpipe-pg-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder), save=False)
        try:
            yield server.start()
        finally:
            server.stop()


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of a new, empty database on the server."""
    with postgres.new_database() as url:
        yield url


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
        server = RedisServer(Path(folder), save=False)
        try:
            yield server.start()
        finally:
            server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    redis_server.wipe()
    return redis_server.url


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    """A renderer with a limit of time that no sound file meets, however busy the computer is."""
    with Renderer(Limits(seconds=300.0)) as renderer:
        yield renderer


@pytest.fixture
def without_poppler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a system where Poppler is not installed: no program is found."""
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
