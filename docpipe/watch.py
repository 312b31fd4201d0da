"""A folder that is watched: what is put into it is processed, and moved to `done` or `failed` with the reason beside.

In: a folder. Out: files handed on when they have stopped growing. The folder itself is the memory: what lies in it is
still to be done, so a restart loses nothing and needs no list. Polling, not events: network file systems send none.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.ingest import SIDECARS

DONE, FAILED = "done", "failed"
PARTIAL = (".part", ".tmp", ".crdownload", ".partial", ".filepart")
QUIET_LOOKS = 2  # of equal size and time, one poll apart: then it has stopped growing


@dataclass
class WatchedFolder:
    """`poll` is the time between two looks, in seconds."""

    folder: Path
    poll: float = 2.0
    _seen: dict[Path, tuple[tuple[int, int], int]] = field(default_factory=dict)

    def ready(self) -> Iterator[Path]:
        """Files that have not changed for QUIET_LOOKS looks, oldest first; one look."""
        now: dict[Path, tuple[tuple[int, int], int]] = {}
        for path in self._files():
            try:
                status = path.stat()
            except OSError:
                continue  # moved away meanwhile
            mark = (status.st_size, status.st_mtime_ns)
            before, looks = self._seen.get(path, (mark, 0))
            now[path] = (mark, looks + 1 if before == mark else 0)
        self._seen = now
        yield from sorted(
            (path for path, ((size, _), looks) in now.items() if looks >= QUIET_LOOKS and size),
            key=lambda path: now[path][0][1],
        )

    def settle(self, path: Path, failure: str | None = None) -> Path:
        """Move a file to `done` or `failed`, the reason in a text file beside it. An older file of that name stays."""
        target = self._free(self.folder / (FAILED if failure else DONE) / path.relative_to(self.folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        if failure:
            target.with_name(target.name + ".reason.txt").write_text(failure + "\n", encoding="utf-8")
        os.replace(path, target)
        self._seen.pop(path, None)
        return target

    def run(self, process: Callable[[Path], str | None], stop: Callable[[], bool]) -> None:
        """Until `stop` says so: every ready file goes through `process`, which returns why it failed, or None."""
        while not stop():
            for path in list(self.ready()):
                if stop():
                    return
                self.settle(path, process(path))
            time.sleep(self.poll)

    def _files(self) -> Iterator[Path]:
        own = {self.folder / DONE, self.folder / FAILED}
        for root, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if not name.startswith(".") and Path(root, name) not in own]
            for name in names:
                if not name.startswith(".") and name.lower() not in SIDECARS and not name.lower().endswith(PARTIAL):
                    yield Path(root, name)

    @staticmethod
    def _free(target: Path) -> Path:
        number = 1
        free = target
        while free.exists():
            number += 1
            free = target.with_name(f"{target.stem} ({number}){target.suffix}")
        return free
