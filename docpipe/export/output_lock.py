"""One writer at a time for a result file. In: its path. Out: a lock that ends with its process."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from docpipe.errors import UsageError
from docpipe.export.lines import write_error
from docpipe.private_files import open_file

try:
    import fcntl
except ImportError:  # Windows: a file that is open for writing is locked there anyway
    fcntl = None  # type: ignore[assignment]


@contextmanager
def output_lock(target: Path) -> Iterator[None]:
    """Held until the block ends. A hidden file beside the target carries the lock and says who has it; a process that
    is killed leaves the file, and no lock. Raises UsageError where another process is writing the target."""
    path = target.with_name(f".{target.name}.lock")
    lock = _locked(path, target) if fcntl is not None else None
    try:
        yield
    finally:
        if lock is not None:
            with suppress(OSError):
                path.unlink()  # before it is free: who opens it now makes a new one
            lock.close()


def _locked(path: Path, target: Path) -> IO[str]:
    while True:
        try:
            lock = open_file(path, "a+", encoding="utf-8")
        except OSError as error:
            raise write_error(target, error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            lock.close()
            message = f"{target} is being written by {holder}"
            raise UsageError(message, hint="Wait until it has ended, or give another file.") from None
        with suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(lock.fileno()).st_ino:  # not one that was just given up
                lock.truncate(0)
                lock.write(f"process {os.getpid()} on {socket.gethostname()}")
                lock.flush()
                return lock
        lock.close()
