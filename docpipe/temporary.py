"""Temporary files that do not stay behind, whatever ends the process.

In: nothing. Out: a folder for this process, which is removed when it ends; what a killed one left is removed by the
next docpipe process of the same user. A lock on a file in the folder says that its process lives: a number may be
another process's by now, or of another container.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows: folders of killed processes stay there
    fcntl = None  # type: ignore[assignment]

PREFIX = "docpipe-"
LOCK_NAME = ".docpipe-lock"


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """For its owner alone, until the block ends."""
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def keep_temporary_files_together() -> None:
    """What this process, its libraries and its children put into the temporary folder goes into one of its own, which
    is removed at the end. For a program, once; a library leaves its host's settings alone."""
    folder, lock = _locked_folder()
    owner = os.getpid()
    tempfile.tempdir = str(folder)
    os.environ["TMPDIR"] = str(folder)  # for children

    def remove() -> None:
        if os.getpid() == owner:  # not in a fork
            lock.close()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(remove)


def _locked_folder() -> tuple[Path, IO[bytes]]:
    """A new folder and its lock, held as long as the file is open."""
    parent = Path(tempfile.gettempdir())
    _remove_left_behind(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    new_lock = folder / f"{LOCK_NAME}-new"
    lock = new_lock.open("wb")
    if fcntl is not None:
        fcntl.flock(lock, fcntl.LOCK_EX)
    new_lock.rename(folder / LOCK_NAME)  # nobody sees it without its lock
    return folder, lock


def _remove_left_behind(parent: Path) -> None:
    """The folders of this user whose processes are gone. One that is being made has no lock file yet, and stays."""
    if fcntl is None:
        return
    for path in parent.glob(f"{PREFIX}*/{LOCK_NAME}"):
        with contextlib.suppress(OSError):  # another user's, or just being removed
            if path.stat().st_uid != os.getuid():
                continue
            with path.open("rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its process lives
                shutil.rmtree(path.parent, ignore_errors=True)
