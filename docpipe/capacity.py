"""How many workers this computer can take, and how long each may take.

In: the cores and the memory that this process may use (affinity, cgroup). Out: a number of worker processes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

WORKER_BYTES = 700 * 1024**2
"""A worker with OCR, the embedded network and its renderer child (see docs/decisions/0007)."""

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds: for a worker to load its models; for a document, a fixed part and one for each page."""

    start_seconds: float = 180.0
    document_seconds: float = 60.0
    page_seconds: float = 20.0

    def for_document(self, pages: int = 1) -> float:
        return self.document_seconds + self.page_seconds * pages


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What a model allows: `jobs` worker processes, each with so many `threads` for its libraries."""

    jobs: int
    threads: int
    deadlines: Deadlines


def usable_cores() -> int:
    """Cores that this process may use: its affinity, cut by the container's share."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _first_line(CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def usable_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not say."""
    available = []
    if MEMINFO.exists():
        fields = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        available.append(int(fields["MemAvailable"].split()[0]) * 1024)
    limit, used = _first_line(CGROUP / "memory.max"), _first_line(CGROUP / "memory.current")
    if limit.isdigit() and used.isdigit():
        available.append(max(0, int(limit) - int(used)))
    return min(available, default=None)


def default_jobs() -> int:
    """One worker a core, as many as fit into memory, at least one."""
    memory = usable_memory()
    in_memory = usable_cores() if memory is None else memory // WORKER_BYTES
    return max(1, min(usable_cores(), in_memory))


def _first_line(file: Path) -> str:
    try:
        return file.read_text().strip().splitlines()[0]
    except (OSError, IndexError):  # not Linux, no cgroup v2, or not readable from inside the container
        return ""
