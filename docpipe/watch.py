"""A folder that is watched: what is put into it is handed on when it has stopped growing, and moved to `done` or
`failed` when it has ended, with the reason beside.

In: a folder. Out: files that are ready; later, where they lie. The folder itself is the memory: what lies in it is
still to be done, so a restart loses nothing and needs no list. It is looked at again and again: network file systems
tell nobody of a new file.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.errors import UsageError
from docpipe.ingest import SIDECARS

log = logging.getLogger("docpipe.watch")
DONE, FAILED = "done", "failed"
REASON = ".reason.txt"
PARTIAL = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart")
LOCKS = "~$"  # what Office leaves beside an open document
QUIET_LOOKS = 2  # of equal size and time after the first one: then a file has stopped growing
POLL = 2.0  # seconds between two looks; a copy over a slow line may stand still for a second or two
EMPTY_SECONDS = 60.0  # a file that is still empty then stays so: some scanners make it long before they fill it
LONGEST_NAME = 255  # bytes of a file name, on nearly every file system
LINK = "it is a link to a folder, which is not followed; watch that folder itself"
NO_FILE = "it is neither a file nor a folder"


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was seen. `name` is its place in the folder; another `size` or `changed` (ns) is another file;
    `arrived` is when it came here, in seconds: a move changes that, and leaves `changed` as it was."""

    path: Path
    name: str
    size: int
    changed: int
    arrived: float

    def same(self, other: Found) -> bool:
        return (self.size, self.changed) == (other.size, other.changed)


@dataclass(frozen=True, slots=True)
class _Seen:
    found: Found
    looks: int
    since: float


@dataclass
class WatchedFolder:
    """One per process. What cannot be moved away is said once, handed on no more, and moved as soon as it can be."""

    folder: Path
    empty_seconds: float = EMPTY_SECONDS
    clock: Callable[[], float] = time.monotonic
    _seen: dict[Path, _Seen] = field(default_factory=dict)
    _held: dict[Path, tuple[Found, str | None]] = field(default_factory=dict)
    _troubles: dict[Path, str] = field(default_factory=dict)

    def prepare(self) -> None:
        """Make `done` and `failed`. Raises UsageError where nothing can be moved."""
        hint = "Files are moved out of it when they have ended: check its rights, or choose another."
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise UsageError(f"{self.folder} cannot be read or written", hint=hint)
        for name in (DONE, FAILED):
            place = self.folder / name
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"{place} cannot be made: {error.strerror or error}", hint=hint) from error

    def look(self) -> list[Found]:
        """One look. The files that have not changed for QUIET_LOOKS looks, those that came first at the head. A file
        comes again at every look until it is settled."""
        now = self.clock()
        seen: dict[Path, _Seen] = {}
        troubles: dict[Path, str] = {}
        for path in self._files(troubles):
            found = self._stat(path, troubles)
            if found is not None:
                before = self._seen.get(path, _Seen(found, -1, now))
                is_quiet = before.found.same(found)
                seen[path] = _Seen(found, before.looks + 1, before.since) if is_quiet else _Seen(found, 0, now)
        self._seen = seen
        self._say(troubles)
        self._move_held()
        ready = [
            each.found
            for each in seen.values()
            if each.looks >= QUIET_LOOKS
            and (each.found.size or now - each.since >= self.empty_seconds)
            and each.found.path not in self._held
        ]
        return sorted(ready, key=lambda found: (found.changed, found.name))

    def settle(self, found: Found, failure: str | None = None) -> Path | None:
        """Move a file that has ended: to `done`, or to `failed` with the reason beside. An older one of that name
        stays. None: it was not moved, because another one has come meanwhile under its name, or because it cannot be.
        """
        now = self._stat(found.path, {})
        if now is None or not now.same(found):
            log.info("%s was taken away or changed meanwhile", found.name)
            self._seen.pop(found.path, None)
            return None
        try:
            target = self._move(found, failure)
        except OSError as error:
            self._held[found.path] = (found, failure)
            reason = error.strerror or str(error)
            log.warning(
                "%s cannot be moved away: %s. It is not read again; make room or give rights", found.name, reason
            )
            return None
        self._seen.pop(found.path, None)
        return target

    def _files(self, troubles: dict[Path, str]) -> Iterator[Path]:
        """Depth first; what cannot be listed is a trouble."""

        def cannot(error: OSError) -> None:
            troubles[Path(error.filename)] = f"it cannot be listed: {error.strerror}"

        own = {self.folder / DONE, self.folder / FAILED}
        for root, folders, names in os.walk(self.folder, onerror=cannot):
            inside = [Path(root, name) for name in folders if not name.startswith(".")]
            inside = [path for path in inside if path not in own]
            troubles.update((path, LINK) for path in inside if path.is_symlink())
            folders[:] = [path.name for path in inside if not path.is_symlink()]
            yield from (Path(root, name) for name in names if is_document(name))

    def _stat(self, path: Path, troubles: dict[Path, str]) -> Found | None:
        try:
            status = path.stat()
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or path.is_symlink():  # otherwise it was taken away just now
                troubles[path] = error.strerror or str(error)
            return None
        if not stat.S_ISREG(status.st_mode):
            troubles[path] = NO_FILE
            return None
        name = path.relative_to(self.folder).as_posix()
        return Found(path, name, status.st_size, status.st_mtime_ns, status.st_ctime)

    def _say(self, troubles: dict[Path, str]) -> None:
        """Each trouble once, and again when it comes back."""
        for path, reason in troubles.items():
            if self._troubles.get(path) != reason:
                log.warning("%s is passed over: %s", path, reason)
        self._troubles = troubles

    def _move_held(self) -> None:
        for path, (found, failure) in list(self._held.items()):
            now = self._seen.get(path)
            if now is None or not now.found.same(found):
                del self._held[path]  # it is gone, or another one
                continue
            try:
                self._move(found, failure)
            except OSError:
                continue  # it was said
            log.info("%s could be moved away now", found.name)
            del self._held[path], self._seen[path]

    def _move(self, found: Found, failure: str | None) -> Path:
        target = _free(self.folder / (DONE if failure is None else FAILED) / found.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if failure is not None:  # before the move: no file lies there without a reason
            target.with_name(target.name + REASON).write_text(failure + "\n", encoding="utf-8")
        try:
            return found.path.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        beside = target.with_name(f".{target.name[:100]}.part")  # `done` may be a link to another disk
        shutil.copy2(found.path, beside)
        beside.replace(target)
        found.path.unlink()
        return target


def is_document(name: str) -> bool:
    """Neither hidden, nor still being written under a name for that, nor the file manager's or ours."""
    low = name.lower()
    return not name.startswith((".", LOCKS)) and low not in SIDECARS and not low.endswith((*PARTIAL, REASON))


def _free(target: Path) -> Path:
    """A name that nobody has, with room for the reason's."""
    number, free = 1, _short(target, "")
    while free.exists() or free.is_symlink():
        number += 1
        free = _short(target, f" ({number})")
    return free


def _short(target: Path, mark: str) -> Path:
    """With a mark before the ending; the name is cut where it would be longer than names may be."""
    stem, ending = target.stem, mark + target.suffix
    while stem and len(os.fsencode(stem + ending + REASON)) > LONGEST_NAME:
        stem = stem[:-1]
    return target.with_name(stem + ending)
