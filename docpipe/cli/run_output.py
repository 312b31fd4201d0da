"""The result file of a run: a JSON line for each file as soon as it is done, or a table when all are.

In: outcomes. Out: FILE.jsonl (or standard output) line by line; FILE.csv or FILE.xlsx whole, at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docpipe.batch.outcome import Outcome
from docpipe.cli.terminal import print_record
from docpipe.data import Document
from docpipe.errors import DocpipeError
from docpipe.export import LineWriter, check_target, write
from docpipe.export.output_lock import output_lock
from docpipe.ports import StoredResult
from docpipe.result import failed_record, record
from docpipe.schema import Schema
from docpipe.store.results.result_store import SqlStore

STANDARD_OUTPUT = "-"


@dataclass(frozen=True, slots=True)
class TableEntry:
    """What is kept of a file until the table is written: its result is fetched from the store again."""

    name: str
    document_id: str | None
    run_key: str | None
    error: DocpipeError | None


class ResultFile:
    """`target` None: nothing but the database is wanted. `name_of` says how a file is named in the result. Raises
    UsageError for a target that cannot be written, or that another process is writing."""

    def __init__(self, target: str | None, schema: Schema, store: SqlStore, name_of: Callable[[Path], str]) -> None:
        self._target, self._schema, self._store, self._name_of = target, schema, store, name_of
        self._table_entries: list[TableEntry] = []
        self._lines: LineWriter | None = None
        self._is_table = False
        self._stack = ExitStack()
        if target is not None and target != STANDARD_OUTPUT:
            self._is_table = check_target(target) != ".jsonl"
            with ExitStack() as stack:
                stack.enter_context(output_lock(Path(target)))
                if not self._is_table:
                    self._lines = LineWriter(Path(target))
                self._stack = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._lines is not None:
            self._lines.close()
        self._stack.close()

    def add(self, outcome: Outcome) -> None:
        if self._lines is not None:
            self._lines.write(self._record(outcome))
        elif self._target == STANDARD_OUTPUT:
            print_record(self._record(outcome))
        elif self._is_table:
            run_key = outcome.extraction.run_key if outcome.extraction else None
            name = self._name_of(outcome.path)
            self._table_entries.append(TableEntry(name, outcome.document_id, run_key, outcome.error))

    def finish(self) -> None:
        """Write the table, if one is wanted."""
        if self._is_table and self._target is not None:
            write(self._results(), self._target, self._schema)

    def _record(self, outcome: Outcome) -> dict[str, Any]:
        name = self._name_of(outcome.path)
        if outcome.extraction is not None:
            return record(outcome.extraction, name, self._schema.chosen(outcome.extraction.schema))
        assert outcome.error is not None  # noqa: S101 - an outcome has one of the two
        failed = failed_record(name, self._schema.name, outcome.error, outcome.document_id)
        return {**failed, "pages": outcome.pages}

    def _results(self) -> Iterator[StoredResult]:
        for entry in sorted(self._table_entries, key=lambda entry: entry.name):
            stored = self._store.find(entry.run_key) if entry.run_key else None
            if stored is not None:
                yield replace(stored, document=replace(stored.document, name=entry.name))
            elif entry.error is not None:
                document = Document(entry.document_id or "", entry.name, Path(entry.name), "", 0, 0)
                reason = {"code": entry.error.code, "message": entry.error.message, "hint": entry.error.hint}
                yield StoredResult(document, self._schema.name, None, reason, 1)
