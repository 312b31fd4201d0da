"""Results as flat tables, for formats that have rows and columns.

In: stored results, one at a time. Out: which tables and columns there are, and then the rows, from a spool on disk:
the columns are known only after the last result, and the results may not fit into memory.
"""

from __future__ import annotations

import pickle
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from docpipe.data import Field, Issue
from docpipe.paths import FieldPath
from docpipe.ports import StoredResult


@dataclass
class FlatResult:
    """One document. `single_values` maps column to value; `lists` maps list to rows by their number from 1."""

    file: str
    document_id: str
    schema: str
    status: str
    pages: int
    single_values: dict[str, object] = field(default_factory=dict)
    lists: dict[str, dict[int, dict[str, object]]] = field(default_factory=dict)
    to_check: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)

    @property
    def issue_text(self) -> str:
        return "; ".join(issue.message for issue in self.issues if issue.severity != "info")

    @property
    def error_text(self) -> str:
        return ": ".join(part for part in (self.error.get("code"), self.error.get("message")) if part)


def flatten(result: StoredResult) -> FlatResult:
    document, extraction = result.document, result.extraction
    flat = FlatResult(document.name, document.id, result.schema, "failed", document.page_count)
    flat.error = dict(result.error or {})
    if extraction is None:
        return flat
    flat.status, flat.pages = extraction.status, extraction.pages
    field_issues = (issue for decided in extraction.fields for issue in decided.issues)
    flat.issues = list(dict.fromkeys((*extraction.issues, *field_issues)))
    for decided in extraction.fields:
        _add_value(flat, decided)
        if not decided.accepted and (decided.value is not None or decided.raw is not None):
            flat.to_check.append(decided.path)
    return flat


def _add_value(flat: FlatResult, decided: Field) -> None:
    """A value that could not be parsed shows as it was printed."""
    value = decided.raw if decided.value is None else decided.value
    path = FieldPath.parse(decided.path)
    if path.list_path is None or path.row_number is None:
        flat.single_values[decided.path] = value
    else:
        rows = flat.lists.setdefault(path.list_path, {})
        rows.setdefault(path.row_number + 1, {})[path.column] = value


class Spool:
    """Flat results on disk, with the columns that they have: of each schema, and of each list of it."""

    def __init__(self, results: Iterable[StoredResult]) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
        self.columns: dict[str, dict[str, None]] = {}
        self.lists: dict[tuple[str, str], dict[str, None]] = {}
        try:
            for result in results:
                self._add(flatten(result))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()

    def _add(self, flat: FlatResult) -> None:
        if flat.schema and (flat.single_values or flat.lists):
            self.columns.setdefault(flat.schema, {}).update(dict.fromkeys(flat.single_values))
        for name, rows in flat.lists.items():
            columns = self.lists.setdefault((flat.schema, name), {})
            for row in rows.values():
                columns.update(dict.fromkeys(row))
        pickle.dump(flat, self._file)

    def __iter__(self) -> Iterator[FlatResult]:
        self._file.seek(0)
        while True:
            try:
                yield pickle.load(self._file)  # noqa: S301  written above, by this process
            except EOFError:
                return


def distinct_headings(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """Field name -> column heading; one that is taken gets a trailing underscore, as in the database."""
    used = set(taken)
    headings: dict[str, str] = {}
    for name in names:
        heading = name
        while heading in used:
            heading += "_"
        used.add(heading)
        headings[name] = heading
    return headings


def header(first: Sequence[str], columns: Iterable[str], last: Sequence[str]) -> list[str]:
    """A table's heading row: fixed columns around those of the fields."""
    return [*first, *distinct_headings(columns, (*first, *last)).values(), *last]


def row_values(columns: Iterable[str], row: dict[str, Any]) -> list[Any]:
    return [row.get(column) for column in columns]


def list_file(path: Path, name: str) -> Path:
    """`out.csv` and `line_items` -> `out.line_items.csv`."""
    return path.with_name(f"{path.stem}.{re.sub(r'[^0-9A-Za-z_-]', '_', name)}{path.suffix}")
