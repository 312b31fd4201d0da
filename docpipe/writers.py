"""Whether somebody is still writing a file. In: a path. Out: who, in words, or None.

A lock tells of any writer that takes one; on Linux the system also tells which of the processes that we may look at
have the file open for writing. A scanner that writes over the network from another machine tells neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: opening a file fails there while it is written
    fcntl = None  # type: ignore[assignment]

PROCESSES = Path("/proc")


def writer_of(path: Path) -> str | None:
    """Raises OSError where the file cannot be opened."""
    if _is_locked(path):
        return "it is locked by its writer"
    writers = sorted(_writing_processes(path.resolve()))
    return f"process {', '.join(map(str, writers))} has it open for writing" if writers else None


def _is_locked(path: Path) -> bool:
    if fcntl is None:
        return False
    with path.open("rb") as file:
        for lock in (fcntl.flock, fcntl.lockf):
            try:
                lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                lock(file, fcntl.LOCK_UN)
            except BlockingIOError:
                return True
            except OSError:  # a file system without locks
                continue
    return False


def _writing_processes(path: Path) -> Iterator[int]:
    for process in PROCESSES.glob("[0-9]*") if PROCESSES.is_dir() else ():
        if process.name != str(os.getpid()):
            with suppress(OSError):  # it has ended, or is another user's
                if any(_is_writing(process, descriptor, path) for descriptor in (process / "fd").iterdir()):
                    yield int(process.name)


def _is_writing(process: Path, descriptor: Path, path: Path) -> bool:
    try:
        if os.readlink(descriptor) != str(path):  # noqa: PTH115 - Path.readlink would make 10,000 objects a poll
            return False
        info = (process / "fdinfo" / descriptor.name).read_text()
    except OSError:
        return False
    flags = next((line.split()[1] for line in info.splitlines() if line.startswith("flags:")), "0")
    return bool(int(flags, 8) & (os.O_WRONLY | os.O_RDWR))
