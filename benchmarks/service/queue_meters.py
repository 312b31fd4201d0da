"""Meters for a service at work: processor seconds and memory by kind of process, and what the database and the folders
have grown by.

In: a service harness. Out: numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import redis
from sqlalchemy import text

from benchmarks.service.service_harness import ServiceHarness
from docpipe.service.service import Service

MEBIBYTE = 1024**2
DECODER_MODULE = "docpipe.render.decoder_server"  # on its command line
PROCESS_KINDS = ("worker child", "page renderer", "worker parent", "maintenance", "redis", "postgres")


def processes(harness: ServiceHarness) -> Iterator[tuple[str, psutil.Process]]:
    """Every process of the service, with its kind."""
    roots = [("redis", harness.redis.process), ("postgres", harness.postgres.process)]
    roots += [("maintenance" if "maintain" in child.command else "worker", child.process) for child in harness.programs]
    for kind, started in roots:
        if started is None:
            continue
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(started.pid)
            family = root.children(recursive=True)
            yield ("worker parent" if kind == "worker" else kind), root
            for child in family:
                yield (_kind_of_child(child) if kind == "worker" else kind), child


def _kind_of_child(process: psutil.Process) -> str:
    try:
        return "page renderer" if DECODER_MODULE in process.cmdline() else "worker child"
    except psutil.Error:
        return "worker child"


def processor_seconds(harness: ServiceHarness) -> Counter[str]:
    """Since they began, with their children that have ended."""
    seconds: Counter[str] = Counter()
    for kind, process in processes(harness):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds[kind] += times.user + times.system + times.children_user + times.children_system
    return seconds


def resident(harness: ServiceHarness) -> dict[str, float]:
    """MiB of the largest process of each kind."""
    mebibytes: dict[str, float] = {}
    for kind, process in processes(harness):
        with suppress(psutil.NoSuchProcess):
            mebibytes[kind] = max(mebibytes.get(kind, 0.0), process.memory_info().rss / MEBIBYTE)
    return mebibytes


@dataclass(frozen=True)
class DatabaseCounters:
    """Counters of PostgreSQL since it began."""

    commits: int
    log_bytes: int
    log_syncs: int
    page_writes: int

    @classmethod
    def read(cls, service: Service) -> DatabaseCounters:
        with service.database.reading() as connection:

            def number(query: str) -> int:
                return int(connection.scalar(text(query)) or 0)

            return cls(
                number("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"),
                number("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"),
                number("SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"),
                number("SELECT sum(writes) FROM pg_stat_io WHERE object = 'relation'"),
            )

    def since(self, earlier: DatabaseCounters, documents: int) -> dict[str, float]:
        """A document."""
        names = ("commits", "log_bytes", "log_syncs", "page_writes")
        return {name: (getattr(self, name) - getattr(earlier, name)) / documents for name in names}


def checkpoint(service: Service) -> None:
    with service.database.writing() as connection:
        connection.execute(text("CHECKPOINT"))


def table_bytes(service: Service) -> dict[str, int]:
    """With indexes."""
    query = text(
        "SELECT c.relname, pg_total_relation_size(c.oid) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname = 'public'"
    )
    with service.database.reading() as connection:
        return {name: int(size) for name, size in connection.execute(query)}


def index_bytes(service: Service) -> dict[str, int]:
    """Of all indexes of a table."""
    with service.database.reading() as connection:
        rows = connection.execute(text("SELECT relname, pg_indexes_size(relid) FROM pg_stat_user_tables"))
        return {name: int(size) for name, size in rows}


def rows_updated(service: Service) -> dict[str, tuple[int, int]]:
    """By table: rows updated, and those of them for which no index was updated (HOT)."""
    query = text("SELECT relname, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE n_tup_upd > 0")
    with service.database.reading() as connection:
        return {name: (int(updates), int(hot)) for name, updates, hot in connection.execute(query)}


def blob_bytes(folder: Path) -> dict[str, int]:
    """By kind: originals, pictures of pages, words of pages."""
    kinds = {"original": "original", ".webp": "pictures", ".json": "words"}
    sizes: Counter[str] = Counter()
    for file in folder.glob("*/*/*"):
        sizes[kinds.get(file.suffix or file.name, "other")] += file.stat().st_size
    return dict(sizes)


def redis_bytes(harness: ServiceHarness) -> int:
    with redis.Redis(harness.redis.host, harness.redis.port) as client:
        memory: dict[str, Any] = client.info("memory")
    return int(memory["used_memory"])


def first_and_last(samples: list[tuple[int, dict[str, float]]], documents: int) -> dict[str, tuple[float, float]]:
    """MiB by kind: the median over the first tenth of the documents, and over the last."""
    early = [memory for ended, memory in samples if documents * 0.02 <= ended <= documents * 0.12]
    late = [memory for ended, memory in samples if documents * 0.9 <= ended < documents]
    medians = {}
    for kind in PROCESS_KINDS:
        first, last = ([memory[kind] for memory in part if kind in memory] for part in (early, late))
        if first and last:
            medians[kind] = median(first), median(last)
    return medians
