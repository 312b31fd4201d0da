"""Taking files in. In: a path. Out: a Document, or the InputError that says what is wrong with it and what to do.

What a file is comes from its bytes, never from its name. Nothing is decoded here: that is for the renderer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from docpipe.data import Document
from docpipe.errors import CorruptError, InputError, TooLargeError, UnsupportedError
from docpipe.own_files import is_own_folder
from docpipe.render import Renderer, SourceFile
from docpipe.render.media_types import HEAD_BYTES, detect

SIDECARS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})  # in lower case


@dataclass(frozen=True, slots=True)
class _FileFacts:
    """What one pass over a file gives: its first bytes, the sha256 of all of them, their number."""

    head: bytes
    sha256: str
    size: int


def ingest(source: Path | str, *, renderer: Renderer, password: str | None = None) -> Document:
    """The file as a Document, its pages counted. Raises UnsupportedError, EncryptedError, CorruptError,
    TooLargeError, or InputError when it cannot be read at all. A password that is not needed is ignored."""
    path = Path(source)
    facts = _read(path, renderer.limits.max_bytes)
    if facts.size == 0:
        raise CorruptError("the file is empty (0 bytes)", hint="Ask the sender for it again.")
    kind = detect(facts.head)
    if kind.type is None:
        raise UnsupportedError(f"the file is {kind.words}, not a PDF or an image that docpipe reads")
    return Document(
        id=facts.sha256,
        name=path.name,
        path=path,
        media_type=kind.type,
        size=facts.size,
        page_count=len(renderer.sizes(SourceFile(path, kind.type, password))),
        password=password,
    )


def _read(path: Path, max_bytes: int) -> _FileFacts:
    """In one pass and constant memory."""
    try:
        if path.is_dir():
            raise InputError("this is a folder, not a file", hint="Name a file in it, or check that it can be listed.")
        if path.exists() and not path.is_file():
            raise InputError("this is a device or a pipe, not a file", hint="Save it as a file first.")
        size = path.stat().st_size
        if size > max_bytes:
            raise TooLargeError(f"the file has {size:,} bytes, more than the {max_bytes:,} allowed")
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            return _FileFacts(head, hashlib.file_digest(file, "sha256").hexdigest(), size)
    except FileNotFoundError as error:
        raise InputError("there is no such file", hint="Check the path.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file cannot be read ({reason})", hint="Check its permissions and the disk.") from error


def find_files(paths: Iterable[Path | str]) -> Iterator[Path]:
    """The files named, and all files in the folders named, sorted within each folder, each path once.

    Skipped inside folders: hidden names (`.DS_Store`, `.git`, ...), what Windows' file manager leaves behind
    (SIDECARS), and the service's own originals, nothing else: a file that is no document gets its result too, and so
    does a path that does not exist or a folder that cannot be listed.
    """
    yielded: set[Path] = set()
    entered: set[tuple[int, int]] = set()
    for named in paths:
        for path in _walk(Path(named), entered):
            if path.absolute() not in yielded:
                yielded.add(path.absolute())
                yield path


def _walk(path: Path, entered: set[tuple[int, int]]) -> Iterator[Path]:
    """Depth first. `entered` are the folders, by device and inode: each is entered once however many links lead to it,
    so a loop of links ends."""
    if not path.is_dir():
        yield path
        return
    status = path.stat()
    if (status.st_dev, status.st_ino) in entered:
        return
    entered.add((status.st_dev, status.st_ino))
    try:
        children = sorted(path.iterdir())
    except OSError:
        yield path  # `ingest` says that it is a folder; silence would lose what is in it
        return
    for child in children:
        if not child.name.startswith(".") and child.name.lower() not in SIDECARS and not is_own_folder(child):
            yield from _walk(child, entered)
