"""A whole service on this machine, to be measured and to be broken: Redis, PostgreSQL, blobs, workers, a keeper.

In: an empty folder and settings. Out: its parts, each a process that can be killed and started again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service.network_namespace import OwnNetwork
from benchmarks.service.servers import PostgresServer, Program, RedisServer, docpipe, environment, worker
from docpipe.config import load_settings
from docpipe.service.service import Service


@dataclass
class Stand:
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

    def worker(self, name: str, *more: str, children: int = 1, queues: str = "") -> Program:
        """Not yet started."""
        started = worker(self._environment(), self.folder / f"{name}.log", *more, queues=queues, children=children)
        self.programs.append(started)
        return started

    def keeper(self) -> Program:
        """Not yet started."""
        started = docpipe(self._environment(), self.folder / "maintenance.log", "maintain")
        self.programs.append(started)
        return started

    def _environment(self) -> dict[str, str]:
        return environment(**self.settings)


@contextmanager
def stand(
    model: str, *, folder: Path | None = None, network: OwnNetwork | None = None, **settings: Any
) -> Iterator[Stand]:
    """Servers are started, in a network of their own if there is one; workers and keepers are whose they are asked for.
    In the end all of it is killed."""
    with tempfile.TemporaryDirectory(prefix="docpipe-stand-", ignore_cleanup_errors=True) as name:
        place = folder or Path(name)
        redis_folder, postgres_folder = place / "redis", place / "postgres"
        for each in (redis_folder, postgres_folder):
            each.mkdir()
        place_of_servers = {"host": network.address, "prefix": network.prefix} if network is not None else {}
        redis = RedisServer(redis_folder, **place_of_servers)
        postgres = PostgresServer(postgres_folder, **place_of_servers)
        made = {
            "broker_url": redis.url, "database_url": postgres.url, "blob_url": place / "blobs", "model": model,
            **settings,
        }  # fmt: skip
        whole = Stand(place, redis, postgres, {key: str(value) for key, value in made.items()}, [])
        try:
            redis.start()
            postgres.start()
            yield whole
        finally:
            for program in whole.programs:
                if program.process is not None:
                    program.kill()
            redis.stop()
            postgres.stop()
