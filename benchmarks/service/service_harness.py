"""A whole service on this machine, to be measured and to be broken: Redis, PostgreSQL, blobs, workers,
maintenance.

In: an empty folder and settings. Out: its parts, each a process that can be killed and started again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service.network_namespace import NetworkNamespace
from benchmarks.service.servers import PostgresServer, Program, RedisServer, docpipe, environment, worker
from docpipe.config import load_settings
from docpipe.service.service import Service


@dataclass
class ServiceHarness:
    """`settings` are those of all its processes."""

    folder: Path
    redis: RedisServer
    postgres: PostgresServer
    settings: dict[str, str]
    programs: list[Program]

    def service(self) -> Service:
        """As a shell has it; close it."""
        names = {f"DOCPIPE_{name.upper()}": value for name, value in self.settings.items()}
        return Service.of(load_settings(names))

    def worker(self, name: str, *arguments: str, children: int = 1, queues: str = "") -> Program:
        """Not yet started."""
        started = worker(self._environment(), self.folder / f"{name}.log", *arguments, queues=queues, children=children)
        self.programs.append(started)
        return started

    def maintenance(self) -> Program:
        """Not yet started."""
        started = docpipe(self._environment(), self.folder / "maintenance.log", "maintain")
        self.programs.append(started)
        return started

    def _environment(self) -> dict[str, str]:
        return environment(**self.settings)


@contextmanager
def service_harness(
    model: str, *, folder: Path | None = None, network: NetworkNamespace | None = None, **settings: Any
) -> Iterator[ServiceHarness]:
    """Servers are started, in a network of their own if there is one; the caller starts workers and maintenance. In the
    end all of it is killed."""
    with tempfile.TemporaryDirectory(prefix="docpipe-service-", ignore_cleanup_errors=True) as name:
        root = folder or Path(name)
        redis_folder, postgres_folder = root / "redis", root / "postgres"
        for server_folder in (redis_folder, postgres_folder):
            server_folder.mkdir()
        server_options = {"host": network.address, "prefix": network.prefix} if network is not None else {}
        redis = RedisServer(redis_folder, **server_options)
        postgres = PostgresServer(postgres_folder, **server_options)
        chosen = {
            "broker_url": redis.url, "database_url": postgres.url, "blob_url": root / "blobs", "model": model,
            **settings,
        }  # fmt: skip
        harness = ServiceHarness(root, redis, postgres, {key: str(value) for key, value in chosen.items()}, [])
        try:
            redis.start()
            postgres.start()
            yield harness
        finally:
            for program in harness.programs:
                if program.process is not None:
                    program.kill()
            redis.stop()
            postgres.stop()
