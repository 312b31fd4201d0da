"""Files and folders that docpipe makes are for their owner alone, unless somebody asks for more.

In: paths. Out: open files and folders with these rights, whatever the umask. What was there before keeps its rights:
they are somebody's choice. A shell says once for its process who may read (`DOCPIPE_FILE_ACCESS`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

FileAccess = Literal["owner", "group", "all"]
FILE_MODES: dict[FileAccess, int] = {"owner": 0o600, "group": 0o640, "all": 0o644}
FOLDER_MODES: dict[FileAccess, int] = {"owner": 0o700, "group": 0o750, "all": 0o755}
_access: FileAccess = "owner"


def allow_access(access: FileAccess) -> None:
    """Who may read what this process makes from now on."""
    global _access  # noqa: PLW0603 - as the umask, it is one for the process
    _access = access


def file_mode() -> int:
    return FILE_MODES[_access]


def create_file(path: Path) -> None:
    """An empty file, where there is none."""
    with open_file(path, "ab"):
        pass


def open_file(path: Path, mode: str, **options: Any) -> IO[Any]:
    """As `path.open`, for writing. A file that is made has the rights of this module. Raises OSError."""

    def opener(name: str, flags: int) -> int:
        try:
            descriptor = os.open(name, flags | os.O_EXCL, file_mode())
        except FileExistsError:
            return os.open(name, flags, file_mode())
        if hasattr(os, "fchmod"):
            os.fchmod(descriptor, file_mode())  # the umask may have taken what was asked for
        return descriptor

    return open(path, mode, opener=opener, **options)


def write_text(path: Path, text: str) -> None:
    with open_file(path, "w", encoding="utf-8") as file:
        file.write(text)


def create_folder(path: Path) -> None:
    """With those above it that are missing; they have the same rights. Raises OSError."""
    missing = [folder for folder in (path, *path.parents) if not folder.is_dir()]
    for folder in reversed(missing):
        folder.mkdir(FOLDER_MODES[_access], exist_ok=True)
        if not folder.is_symlink():
            folder.chmod(FOLDER_MODES[_access])


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` to write into, which takes its place at the end, with the rights that the old one had; when
    anything fails, the old one stays. Raises OSError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        create_file(partial)
        yield partial
        if path.exists():
            partial.chmod(path.stat().st_mode & 0o777)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def readable_by_others(path: Path) -> bool:
    """Whether anybody but the owner can read a file."""
    return path.exists() and bool(path.stat().st_mode & 0o077)
