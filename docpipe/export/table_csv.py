"""CSV: a file with a row per document, and a file per list with a row per item.

In: the spool. Out: rows of text for each file. UTF-8 with a byte order mark and CRLF, as Excel expects it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

from docpipe.export.flat import FlatValue, Spool, described, header, list_file, needs_look, row_values
from docpipe.result import plain

FIRST_COLUMNS = ("file", "status", "schema")
LAST_COLUMNS = ("to_check", "issues", "error", "hint", "pages", "document_id")
LIST_FIRST_COLUMNS = ("file", "schema", "position")
LIST_LAST_COLUMNS = ("to_check", "document_id")
# A cell that begins so is run as a formula by spreadsheet programs (OWASP: CSV injection). Numbers are not text.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_paths(spool: Spool, path: Path) -> dict[str, Path]:
    """List name -> file; the empty name is the file of the documents, the last to be put in place."""
    names = dict.fromkeys(name for _, name in spool.lists)
    return {**{name: list_file(path, name) for name in names}, "": path}


def write_csv(spool: Spool, paths: dict[str, Path]) -> None:
    with ExitStack() as stack:
        writers = {
            name: csv.writer(stack.enter_context(path.open("w", encoding="utf-8-sig", errors="replace", newline="")))
            for name, path in paths.items()
        }
        single_columns = dict.fromkeys(column for columns in spool.columns.values() for column in columns)
        writers[""].writerow(header(FIRST_COLUMNS, single_columns, LAST_COLUMNS))
        list_columns: dict[str, dict[str, None]] = {}
        for (_, name), columns in spool.lists.items():
            list_columns.setdefault(name, {}).update(columns)
        for name, columns in list_columns.items():
            writers[name].writerow(header(LIST_FIRST_COLUMNS, columns, LIST_LAST_COLUMNS))
        for flat in spool:
            first = [flat.file, flat.status, flat.schema]
            last = ["; ".join(flat.to_check), flat.issue_text, flat.error_text, flat.error.get("hint")]
            values = map(_typed, row_values(single_columns, flat.single_values))
            writers[""].writerow(_cells([*first, *values, *last, flat.pages, flat.document_id]))
            for name, rows in flat.lists.items():
                for position, row in sorted(rows.items()):
                    values = map(_typed, row_values(list_columns[name], row))
                    to_check = "; ".join(described(column, value) for column, value in row.items() if needs_look(value))
                    cells = [flat.file, flat.schema, position, *values, to_check, flat.document_id]
                    writers[name].writerow(_cells(cells))


def _cells(values: Iterable[object]) -> list[object]:
    return [_safe(value) if isinstance(value, str) else plain(value) for value in values]


def _typed(value: FlatValue | None) -> object:
    return None if value is None else value.value


def _safe(text: str) -> str:
    """Text that no spreadsheet program runs: an apostrophe before it, which Excel takes as "this is text"."""
    text = text.replace("\x00", "")
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_SIGNS) else text
