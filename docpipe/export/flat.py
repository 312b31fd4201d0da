"""Results as flat tables, for formats that have rows and columns.

In: stored results, one at a time. Out: which tables and columns there are, and then the rows, from a spool on disk:
the columns are known only after the last result, and the results may not fit into memory.
"""

from __future__ import annotations

import pickle
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from docpipe.data import Field, Issue
from docpipe.paths import FieldPath
from docpipe.ports import StoredResult

Mark = Literal["accepted", "to_check", "unparsed", "missing"]
MISSING = "missing_required"
MAX_WIDTH = 60  # characters of a column that is sized by what is in it


@dataclass(slots=True)
class FlatValue:
    """A value for a typed column: None where what is printed could not be parsed, or where nothing was found that has
    to be there. `printed` is the text on the page."""

    value: object
    mark: Mark
    printed: str | None = None


@dataclass
class FlatResult:
    """One document. `single_values` maps column to value; `lists` maps list to rows by their number from 1. `paths` are
    the files that it lies in; `picture` is a file with a picture of a page, where one was drawn."""

    file: str
    document_id: str
    schema: str
    status: str
    pages: int
    single_values: dict[str, FlatValue] = field(default_factory=dict)
    lists: dict[str, dict[int, dict[str, FlatValue]]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    error: dict[str, str] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    picture: str | None = None

    @property
    def issue_text(self) -> str:
        return "; ".join(issue.message for issue in self.issues if issue.severity != "info")

    @property
    def error_text(self) -> str:
        return ": ".join(part for part in (self.error.get("code"), self.error.get("message")) if part)

    @property
    def to_check(self) -> list[str]:
        """The values that are not accepted, by their paths."""
        cells = (
            (f"{name}[{number - 1}].{column}", value)
            for name, rows in self.lists.items()
            for number, row in rows.items()
            for column, value in row.items()
        )
        return [described(path, value) for path, value in (*self.single_values.items(), *cells) if needs_look(value)]


def needs_look(value: FlatValue) -> bool:
    return value.mark in ("to_check", "unparsed")


def described(path: str, value: FlatValue) -> str:
    """A value to be checked: its name, and what is printed where that could not be read as a value."""
    return f"{path}: printed {value.printed!r}" if value.mark == "unparsed" else path


def flatten(result: StoredResult, picture: str | None = None) -> FlatResult:
    document, extraction = result.document, result.extraction
    flat = FlatResult(document.name, document.id, result.schema, "failed", document.page_count)
    flat.error, flat.picture = dict(result.error or {}), picture
    flat.paths = tuple(str(path) for path in result.files if path != Path())
    if extraction is None:
        return flat
    flat.status, flat.pages = extraction.status, extraction.pages
    field_issues = (issue for decided in extraction.fields for issue in decided.issues)
    flat.issues = list(dict.fromkeys((*extraction.issues, *field_issues)))
    missing = {issue.field for issue in flat.issues if issue.code == MISSING}
    for decided in extraction.fields:
        _add_value(flat, decided, missing)
    return flat


def _add_value(flat: FlatResult, decided: Field, missing: set[str | None]) -> None:
    path = FieldPath.parse(decided.path)
    value = _flat_value(decided, is_missing=decided.path in missing)
    if path.list_path is None or path.row_number is None:
        flat.single_values[decided.path] = value
    else:
        rows = flat.lists.setdefault(path.list_path, {})
        rows.setdefault(path.row_number + 1, {})[path.column] = value


def _flat_value(decided: Field, *, is_missing: bool) -> FlatValue:
    """What could not be parsed has no value: a typed column holds values of its type, and nothing else."""
    if decided.value is None and decided.raw is not None:
        return FlatValue(None, "unparsed", decided.raw)
    if decided.value is None:
        return FlatValue(None, "missing" if is_missing else "accepted")
    return FlatValue(decided.value, "accepted" if decided.accepted else "to_check", decided.raw)


class Spool:
    """Flat results on disk, with the columns that they have: of each schema, and of each list of it."""

    def __init__(
        self, results: Iterable[StoredResult], picture_of: Callable[[str], str | None] = lambda _: None
    ) -> None:
        """`picture_of`: of a document's id, the file with a picture of it."""
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  closed in __exit__
        self.columns: dict[str, dict[str, None]] = {}
        self.lists: dict[tuple[str, str], dict[str, None]] = {}
        # of schema, list ("" for the document's own) and column; columns that no document fills are not in it
        self.widths: dict[tuple[str, str, str], int] = {}
        self.counts: Counter[str] = Counter()  # documents by status
        self.has_pictures = False
        try:
            for result in results:
                self._add(flatten(result, picture_of(result.document.id)))
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
        self.counts[flat.status] += 1
        self.has_pictures = self.has_pictures or flat.picture is not None
        for column, value in flat.single_values.items():
            self._widen((flat.schema, "", column), value)
        for name, rows in flat.lists.items():
            for row in rows.values():
                for column, value in row.items():
                    self._widen((flat.schema, name, column), value)
        if flat.schema and (flat.single_values or flat.lists):
            self.columns.setdefault(flat.schema, {}).update(dict.fromkeys(flat.single_values))
        for name, rows in flat.lists.items():
            columns = self.lists.setdefault((flat.schema, name), {})
            for row in rows.values():
                columns.update(dict.fromkeys(row))
        pickle.dump(flat, self._file)

    def _widen(self, column: tuple[str, str, str], value: FlatValue) -> None:
        if value.value is not None or value.mark != "accepted":
            text = "" if value.value is None else str(value.value)
            self.widths[column] = max(self.widths.get(column, 0), min(len(text), MAX_WIDTH))

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


def row_values(columns: Iterable[str], row: Mapping[str, FlatValue]) -> list[FlatValue | None]:
    return [row.get(column) for column in columns]


def list_file(path: Path, name: str) -> Path:
    """`out.csv` and `line_items` -> `out.line_items.csv`."""
    return path.with_name(f"{path.stem}.{re.sub(r'[^0-9A-Za-z_-]', '_', name)}{path.suffix}")
