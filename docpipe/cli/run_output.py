"""The result file of a run: a JSON line for each file as soon as it is done, or a table when all are.

In: outcomes. Out: FILE.jsonl (or standard output) line by line; FILE.csv or FILE.xlsx whole, at the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docpipe.batch.outcome import Outcome
from docpipe.data import Document
from docpipe.errors import DocpipeError
from docpipe.export import LineWriter, check_target, json_line, write
from docpipe.ports import StoredResult
from docpipe.result import failed_record, record
from docpipe.schema import Schema
from docpipe.store.results.result_store import SqlStore

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class Done:
    """What a table needs to know of a file until the end: its result is fetched from the store again."""

    shown: str
    document_id: str | None
    run_key: str | None
    error: DocpipeError | None


class ResultFile:
    """`target` None: nothing but the database is wanted. Raises UsageError for a target that cannot be written."""

    def __init__(self, target: str | None, schema: Schema, store: SqlStore, shown: Callable[[Path], str]) -> None:
        self._target, self._schema, self._store, self._shown = target, schema, store, shown
        self._done: list[Done] = []
        self._lines: LineWriter | None = None
        self._is_table = False
        if target is not None and target != STANDARD_OUTPUT:
            self._is_table = check_target(target) != ".jsonl"
            if not self._is_table:
                self._lines = LineWriter(Path(target))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lines is not None:
            self._lines.close()

    def add(self, outcome: Outcome) -> None:
        if self._lines is not None:
            self._lines.write(self._record(outcome))
        elif self._target == STANDARD_OUTPUT:
            sys.stdout.buffer.write(json_line(self._record(outcome)))
            sys.stdout.buffer.flush()
        elif self._is_table:
            run_key = outcome.extraction.run_key if outcome.extraction else None
            self._done.append(Done(self._shown(outcome.path), outcome.document_id, run_key, outcome.error))

    def finish(self) -> None:
        """Write the table, if one is wanted."""
        if self._is_table and self._target is not None:
            write(self._results(), self._target, self._schema)

    def _record(self, outcome: Outcome) -> dict[str, Any]:
        shown = self._shown(outcome.path)
        if outcome.extraction is not None:
            return record(outcome.extraction, shown, self._schema.chosen(outcome.extraction.schema))
        assert outcome.error is not None  # noqa: S101 - an outcome has one of the two
        failed = failed_record(shown, self._schema.name, outcome.error, outcome.document_id)
        return {**failed, "pages": outcome.pages}

    def _results(self) -> Iterator[StoredResult]:
        for done in sorted(self._done, key=lambda done: done.shown):
            known = self._store.find(done.run_key) if done.run_key else None
            if known is not None:
                yield replace(known, document=replace(known.document, name=done.shown))
            elif done.error is not None:
                document = Document(done.document_id or "", done.shown, Path(done.shown), "", 0, 0)
                reason = {"code": done.error.code, "message": done.error.message, "hint": done.error.hint}
                yield StoredResult(document, self._schema.name, None, reason, 1)
