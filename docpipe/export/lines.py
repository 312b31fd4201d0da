"""JSON Lines. In: a result. Out: its line. A killed process leaves whole lines, and at most one begun after them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from docpipe.errors import DocpipeError, StoreError
from docpipe.ports import StoredResult
from docpipe.private_files import open_file
from docpipe.result import failed_record, record

if TYPE_CHECKING:
    from docpipe.schema import Schema

LINE_BREAKS = {ord(mark): f"\\u{ord(mark):04x}" for mark in "\x85\u2028\u2029"}  # some readers end a line here


def to_record(result: StoredResult, schema: Schema | None = None) -> dict[str, Any]:
    """A stored result as the dict of its line. `schema` adds fields that the extraction does not mention, as null."""
    file, error = result.document.name, result.error
    if result.extraction is not None:
        own_schema = schema if schema is not None and schema.name == result.schema else None
        return {**record(result.extraction, file, own_schema), "error": None if error is None else dict(error)}
    error_record = error or {"code": DocpipeError.code, "message": "", "hint": ""}
    failure = DocpipeError(error_record["message"], hint=error_record["hint"])
    failed = failed_record(file, result.schema, failure, result.document.id or None)
    return {**failed, "schema": result.schema or None, "pages": result.document.page_count, "error": dict(error_record)}


def json_line(record: Mapping[str, Any]) -> bytes:
    """A record as one line of UTF-8 with its line feed."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False).translate(LINE_BREAKS)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # a file name that is not UTF-8: escapes keep it
        return json.dumps(record, allow_nan=False).encode() + b"\n"


class LineWriter:
    """Writes records one by one while a run goes on. Each line is written in one piece with its line feed. A
    process that is killed leaves every line that `write` returned from, whole; of the one that it was writing the
    system may have taken a part (Linux looks for a fatal signal at each page of memory), which then has no line feed.
    What could not be written is an error, not a gap."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = open_file(path, "wb", buffering=0)
        except OSError as error:
            raise write_error(path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, record: Mapping[str, Any]) -> None:
        line = json_line(record)
        try:
            while line:  # a disk that fills up takes a part and refuses the rest
                line = line[self._file.write(line) :]
        except OSError as error:
            raise write_error(self.path, error) from error

    def close(self) -> None:
        self._file.close()


def write_error(path: Path, error: OSError) -> StoreError:
    reason = error.strerror or str(error)
    return StoreError(f"cannot write {path}: {reason}", hint="Check the folder, its permissions and the disk's space.")
