"""Taking files in. In: a path. Out: a Document, or the InputError that says what is wrong with it and what to do.

What a file is comes from its bytes, never from its name. Nothing is decoded here: that is the renderer's child.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from docpipe.data import Document
from docpipe.errors import CorruptError, InputError, TooLargeError, UnsupportedError
from docpipe.render import Renderer
from docpipe.render.media_types import HEAD_BYTES, detect

SIDECARS = frozenset({"thumbs.db", "ehthumbs.db", "desktop.ini"})  # in lower case


def ingest(source: Path | str, *, renderer: Renderer, password: str | None = None) -> Document:
    """The file as a Document, its pages counted. Raises UnsupportedError, EncryptedError, CorruptError,
    TooLargeError, or InputError when it cannot be read at all. A password that is not needed is ignored."""
    path = Path(source)
    head, sha256, size = _read(path, renderer.limits.max_bytes)
    if size == 0:
        raise CorruptError("the file is empty (0 bytes)", hint="Ask the sender for it again.")
    media = detect(head)
    if media.type is None:
        raise UnsupportedError(f"the file is {media.what}, not a PDF or an image that docpipe reads")
    return Document(
        id=sha256,
        name=path.name,
        path=path,
        media_type=media.type,
        size=size,
        page_count=len(renderer.inspect(path, media.type, password)),
        password=password,
    )


def _read(path: Path, max_bytes: int) -> tuple[bytes, str, int]:
    """First bytes, sha256 and size, in one pass and constant memory."""
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
            return head, hashlib.file_digest(file, "sha256").hexdigest(), size
    except FileNotFoundError as error:
        raise InputError("there is no such file", hint="Check the path.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file cannot be read ({reason})", hint="Check its permissions and the disk.") from error


def find_files(paths: Iterable[Path | str]) -> Iterator[Path]:
    """The files named, and all files in the folders named, sorted within each folder, each path once.

    Skipped inside folders: hidden names (`.DS_Store`, `.git`, ...) and what Windows' file manager leaves behind
    (SIDECARS), nothing else: a file that is no document gets its result too, and so does a path
    that does not exist or a folder that cannot be listed.
    """
    files: set[Path] = set()
    folders: set[tuple[int, int]] = set()
    for given in paths:
        for path in _walk(Path(given), folders):
            if path.absolute() not in files:
                files.add(path.absolute())
                yield path


def _walk(path: Path, folders: set[tuple[int, int]]) -> Iterator[Path]:
    """Depth first. A folder is entered once however many links lead to it, so a loop of links ends."""
    if not path.is_dir():
        yield path
        return
    status = path.stat()
    if (status.st_dev, status.st_ino) in folders:
        return
    folders.add((status.st_dev, status.st_ino))
    try:
        inside = sorted(path.iterdir())
    except OSError:
        yield path  # `ingest` says that it is a folder; silence would lose what is in it
        return
    for each in inside:
        if not each.name.startswith(".") and each.name.lower() not in SIDECARS:
            yield from _walk(each, folders)
