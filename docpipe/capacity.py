"""How many workers this computer can take.

In: the cores and the memory that this process may use (affinity, cgroup). Out: a number of jobs.
"""

from __future__ import annotations

import os
from pathlib import Path

WORKER_BYTES = 700 * 1024**2
"""A worker with OCR, the embedded network and its renderer child (see docs/decisions/0007)."""

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def usable_cores() -> int:
    """Cores that this process may use: its affinity, cut by the container's share."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _first_line(CGROUP / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        cores = min(cores, max(1, int(quota) // int(period)))
    return cores


def usable_memory() -> int | None:
    """Bytes that can be had without swapping; None where the system does not say."""
    free = []
    if MEMINFO.exists():
        fields = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines() if ":" in line)
        free.append(int(fields["MemAvailable"].split()[0]) * 1024)
    limit, used = _first_line(CGROUP / "memory.max"), _first_line(CGROUP / "memory.current")
    if limit.isdigit() and used.isdigit():
        free.append(max(0, int(limit) - int(used)))
    return min(free, default=None)


def default_jobs() -> int:
    """One worker a core, as many as fit into memory, at least one."""
    memory = usable_memory()
    fit = usable_cores() if memory is None else memory // WORKER_BYTES
    return max(1, min(usable_cores(), fit))


def _first_line(file: Path) -> str:
    try:
        return file.read_text().strip().splitlines()[0]
    except (OSError, IndexError):  # not Linux, no cgroup v2, or not readable from inside the container
        return ""
