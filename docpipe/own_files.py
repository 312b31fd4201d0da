"""Which files docpipe itself has made: they lie among documents, and are none.

In: a path. Out: what it is, in words, or None. What a file says counts, not its name: a user's own `results.csv` is
read, and says that it is no document. docpipe.toml, and logs beside a database, go by their names.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

MAKER = "docpipe"
"""Stands in what docpipe writes: `Software` of a PNG, `generator` of a page, `creator` of a workbook."""
BLOBS_MARK = ".docpipe-blobs"  # a file in the folder of the service's originals
CONFIG_NAME = "docpipe.toml"
HEAD_BYTES = 4_096
APPLICATION_ID = b"docp"  # of an SQLite database (https://sqlite.org/fileformat.html, 1.3.20)
SQLITE_APPLICATION_ID = slice(68, 72)
DATABASE_PARTS = ("-wal", "-shm", "-journal")
REASON_SUFFIX = ".reason.txt"  # beside a document that could not be read
_CSV_HEADER = re.compile(rb"(\xef\xbb\xbf)?file,(status,)?schema,[^\n]*\bdocument_id\r?\n")
_CREATOR = re.compile(rb"<dc:creator\b[^>]*>docpipe</dc:creator>")
_HTML_MARK = b'<meta name="generator" content="docpipe">'


def own_file(path: Path) -> str | None:
    """Raises nothing: who cannot read a file is told so when it is taken in."""
    name = path.name.lower()
    if name == CONFIG_NAME:
        return "settings"
    if name.endswith(REASON_SUFFIX) and path.with_name(path.name[: -len(REASON_SUFFIX)]).exists():
        return "why a document was not read"
    for part in DATABASE_PARTS:
        if name.endswith(part) and own_file(path.with_name(path.name[: -len(part)])) == "a database":
            return "a database"
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        return None
    with suppress(OSError, zipfile.BadZipFile, KeyError):
        return kind(path)
    return None


def is_own_folder(path: Path) -> bool:
    """Whether the service keeps its originals there."""
    return (path / BLOBS_MARK).is_file()


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _database(path: Path) -> str | None:
    head = _head(path)
    is_own = head.startswith(b"SQLite format 3\0") and head[SQLITE_APPLICATION_ID] == APPLICATION_ID
    return "a database" if is_own else None


def _result_lines(path: Path) -> str | None:
    line = _head(path).partition(b"\n")[0]
    is_result = line.startswith(b'{"file": "') and b'"document_id": ' in line and b'"schema": ' in line
    return "results" if is_result else None


def _result_table(path: Path) -> str | None:
    return "results" if _CSV_HEADER.match(_head(path)) else None


def _workbook(path: Path) -> str | None:
    with zipfile.ZipFile(path) as parts:
        properties = parts.read("docProps/core.xml")
    return "results" if _CREATOR.search(properties) else None


def _picture(path: Path) -> str | None:
    return "a picture of a result" if f"Software\0{MAKER}".encode() in _head(path) else None


def _errors_page(path: Path) -> str | None:
    return "a page of errors" if _HTML_MARK in _head(path) else None


_KINDS: Mapping[str, Callable[[Path], str | None]] = {
    ".db": _database, ".sqlite": _database, ".sqlite3": _database,
    ".jsonl": _result_lines, ".csv": _result_table, ".xlsx": _workbook, ".png": _picture, ".html": _errors_page,
}  # fmt: skip
