"""A folder that is watched: files put into it are handed on when they have stopped growing, and moved to `done` or
`failed` when they have been processed; beside a failed one lies the reason.

In: a folder. Out: files that are ready; later, where they were moved. The folder itself is the state: what lies in it
is still to be done, so a restart loses nothing and needs no list. It is polled: network file systems send no events.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from docpipe.errors import UsageError
from docpipe.ingest import SIDECARS
from docpipe.own_files import REASON_SUFFIX
from docpipe.private_files import create_folder, write_text
from docpipe.render.unfinished import missing_end
from docpipe.writers import writer_of

log = logging.getLogger("docpipe.watch")
DONE, FAILED = "done", "failed"
PARTIAL_SUFFIXES = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart")
LOCK_PREFIX = "~$"  # what Office leaves beside an open document
STABLE_POLLS = 2  # with equal size and time after the first one: then a file has stopped growing
POLL_SECONDS = 2.0  # between two polls; a copy over a slow line may stand still for a second or two
RETRY_SECONDS = 15.0  # after which a database that was away is tried again
UNFINISHED_SECONDS = 60.0  # a file that is still empty or without its end then stays so: scanners pause between pages
MAX_NAME_BYTES = 255  # of a file name, on nearly every file system
LINKED_FOLDER = "it is a link to a folder, which is not followed; watch that folder itself"
NOT_A_FILE = "it is neither a file nor a folder"


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file at one poll. `name` is its path in the folder; `arrived` is when it came here, in seconds (ctime): a move
    changes that, and leaves `modified_ns` as it was. `unfinished` says what its end lacked, where it was handed on all
    the same."""

    path: Path
    name: str
    size: int
    modified_ns: int
    arrived: float
    unfinished: str = ""

    def same_version(self, other: WatchedFile) -> bool:
        """With another size or time it counts as another file."""
        return (self.size, self.modified_ns) == (other.size, other.modified_ns)


@dataclass(frozen=True, slots=True)
class _Observation:
    """`unchanged_polls`: how often it was found again as it was `since` (seconds of the clock)."""

    file: WatchedFile
    unchanged_polls: int
    since: float


@dataclass
class WatchedFolder:
    """One per process. What cannot be moved away is logged once, handed on no more, and moved as soon as it can be."""

    folder: Path
    unfinished_seconds: float = UNFINISHED_SECONDS
    clock: Callable[[], float] = time.monotonic
    _observations: dict[Path, _Observation] = field(default_factory=dict, init=False)
    _unmoved: dict[Path, tuple[WatchedFile, str | None]] = field(default_factory=dict, init=False)
    _problems: dict[Path, str] = field(default_factory=dict, init=False)
    _waiting: dict[Path, str] = field(default_factory=dict, init=False)

    def prepare(self) -> None:
        """Make `done` and `failed`. Raises UsageError where nothing can be moved."""
        hint = "Files are moved out of it when they have ended: check its rights, or choose another."
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise UsageError(f"{self.folder} cannot be read or written", hint=hint)
        for name in (DONE, FAILED):
            subfolder = self.folder / name
            try:
                self._make_folder(subfolder)
            except OSError as error:
                raise UsageError(f"{subfolder} cannot be made: {error.strerror or error}", hint=hint) from error

    def poll(self) -> list[WatchedFile]:
        """The files that have not changed for STABLE_POLLS polls, the oldest first. A file comes again at every poll
        until it is moved."""
        now = self.clock()
        observations: dict[Path, _Observation] = {}
        problems: dict[Path, str] = {}
        for path in self._walk(problems):
            file = self._stat(path, problems)
            if file is None:
                continue
            before = self._observations.get(path, _Observation(file, -1, now))
            if before.file.same_version(file):
                observations[path] = _Observation(file, before.unchanged_polls + 1, before.since)
            else:
                observations[path] = _Observation(file, 0, now)
        self._observations = observations
        self._waiting = {path: reason for path, reason in self._waiting.items() if path in observations}
        self._log_problems(problems)
        self._retry_moves()
        stable = [
            observation
            for observation in observations.values()
            if observation.unchanged_polls >= STABLE_POLLS and observation.file.path not in self._unmoved
        ]
        ready = [file for observation in stable if (file := self._finished(observation, now)) is not None]
        return sorted(ready, key=lambda file: (file.modified_ns, file.name))

    def _finished(self, observation: _Observation, now: float) -> WatchedFile | None:
        """The file, when its writer is done with it, or it has waited long enough for an end that does not come."""
        file = observation.file
        try:
            writer = writer_of(file.path)
            reason = "" if writer else missing_end(file.path) or ""
        except OSError:  # taken away just now, or nobody may read it: taking it in says which
            return file
        if writer or (reason and now - observation.since < self.unfinished_seconds):
            self._log_waiting(file, writer or reason)
            return None
        return replace(file, unfinished=reason)

    def _log_waiting(self, file: WatchedFile, reason: str) -> None:
        """Once for each file and reason."""
        if self._waiting.get(file.path) != reason:
            log.info("%s is waited for: %s", file.name, reason)
        self._waiting[file.path] = reason

    def move_away(self, file: WatchedFile, failure_note: str | None = None) -> Path | None:
        """A processed file goes to `done`, or to `failed` with the note beside it. An older one of that name stays.
        None: it was not moved, because another one has come meanwhile under its name, or because it cannot be."""
        current = self._stat(file.path, {})
        if current is None or not current.same_version(file):
            log.info("%s was taken away or changed meanwhile", file.name)
            self._observations.pop(file.path, None)
            return None
        try:
            target = self._move(file, failure_note)
        except OSError as error:
            self._unmoved[file.path] = (file, failure_note)
            reason = error.strerror or str(error)
            log.warning(
                "%s cannot be moved away: %s. It is not read again; make room or give rights", file.name, reason
            )
            return None
        self._observations.pop(file.path, None)
        return target

    def _make_folder(self, path: Path) -> None:
        """With the rights of the watched folder: who puts documents in takes them out again."""
        missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
        create_folder(path)
        for folder in missing:
            shutil.copymode(self.folder, folder)

    def _walk(self, problems: dict[Path, str]) -> Iterator[Path]:
        """All files, depth first. What cannot be listed is a problem."""

        def cannot_list(error: OSError) -> None:
            problems[Path(error.filename)] = f"it cannot be listed: {error.strerror}"

        own_folders = {self.folder / DONE, self.folder / FAILED}
        for root, folders, names in os.walk(self.folder, onerror=cannot_list):
            subfolders = [Path(root, name) for name in folders if not name.startswith(".")]
            subfolders = [path for path in subfolders if path not in own_folders]
            problems.update((path, LINKED_FOLDER) for path in subfolders if path.is_symlink())
            folders[:] = [path.name for path in subfolders if not path.is_symlink()]
            yield from (Path(root, name) for name in names if is_document(name))

    def _stat(self, path: Path, problems: dict[Path, str]) -> WatchedFile | None:
        try:
            status = path.stat()
        except OSError as error:
            if not isinstance(error, FileNotFoundError) or path.is_symlink():  # otherwise it was taken away just now
                problems[path] = error.strerror or str(error)
            return None
        if not stat.S_ISREG(status.st_mode):
            problems[path] = NOT_A_FILE
            return None
        name = path.relative_to(self.folder).as_posix()
        return WatchedFile(path, name, status.st_size, status.st_mtime_ns, status.st_ctime)

    def _log_problems(self, problems: dict[Path, str]) -> None:
        """Each once, and again when it comes back."""
        for path, reason in problems.items():
            if self._problems.get(path) != reason:
                log.warning("%s is passed over: %s", path, reason)
        self._problems = problems

    def _retry_moves(self) -> None:
        for path, (file, failure_note) in list(self._unmoved.items()):
            current = self._observations.get(path)
            if current is None or not current.file.same_version(file):
                del self._unmoved[path]  # it is gone, or another one
                continue
            try:
                self._move(file, failure_note)
            except OSError:
                continue  # it was logged
            log.info("%s could be moved away now", file.name)
            del self._unmoved[path], self._observations[path]

    def _move(self, file: WatchedFile, failure_note: str | None) -> Path:
        target = _unused_path(self.folder / (DONE if failure_note is None else FAILED) / file.name)
        self._make_folder(target.parent)
        if failure_note is not None:  # before the move: no file lies there without a reason
            note = target.with_name(target.name + REASON_SUFFIX)
            write_text(note, failure_note + "\n")
            shutil.copymode(file.path, note)  # whoever may read the document may know why it was not read
        try:
            return file.path.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        partial = target.with_name(f".{target.name[:100]}.part")  # `done` may be a link to another disk
        shutil.copy2(file.path, partial)
        partial.replace(target)
        file.path.unlink()
        return target


def is_document(name: str) -> bool:
    """Neither hidden, nor still being written under a name for that, nor the file manager's or ours."""
    lower = name.lower()
    is_partial_or_reason = lower.endswith((*PARTIAL_SUFFIXES, REASON_SUFFIX))
    return not name.startswith((".", LOCK_PREFIX)) and lower not in SIDECARS and not is_partial_or_reason


def _unused_path(target: Path) -> Path:
    """A name that no file has, with room for the suffix of its note."""
    number, path = 1, _numbered(target, "")
    while path.exists() or path.is_symlink():
        number += 1
        path = _numbered(target, f" ({number})")
    return path


def _numbered(target: Path, number_text: str) -> Path:
    """With the number before the suffix; the name is cut where it would be longer than names may be."""
    stem, ending = target.stem, number_text + target.suffix
    while stem and len(os.fsencode(stem + ending + REASON_SUFFIX)) > MAX_NAME_BYTES:
        stem = stem[:-1]
    return target.with_name(stem + ending)
