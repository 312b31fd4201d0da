"""Excel: a sheet of documents, a sheet per schema and list, and a sheet of issues.

In: the spool. Out: a workbook with real numbers and dates and a header that stays in view; written row by row.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from docpipe.export.flat import FlatResult, Spool, header, row_values
from docpipe.own_files import MAKER

MAX_ROWS = 1_048_576  # of a sheet, header included; more go on in a further sheet
MAX_TEXT = 32_767  # characters of a cell
EXACT_DIGITS = 15  # Excel calculates with doubles; longer numbers stay text
FIRST_YEAR = 1900
WIDTHS = {"file": 30, "document_id": 14, "message": 60, "error": 40, "hint": 40, "to_check": 40, "description": 40}
WIDTH = 16  # characters; for all other columns

RESULT_COLUMNS = ("file", "status", "schema", "pages", "issue_count", "to_check")
OVERVIEW_COLUMNS = (*RESULT_COLUMNS, "error_code", "error", "hint", "document_id")
ISSUE_COLUMNS = ("file", "schema", "code", "field", "page", "severity", "message", "document_id")
SCHEMA_COLUMNS = ("file", "status")
LIST_COLUMNS = ("file", "position")


class _GrowingSheet:
    """A sheet that goes on in a further one when it is full."""

    def __init__(self, book: Workbook, name: str, header: Sequence[str]) -> None:
        self._book, self._name, self._header = book, name, header
        self._start()

    def _start(self) -> None:
        self._sheet = self._book.create_sheet(_title(self._name, self._book.sheetnames))
        self._sheet.freeze_panes = "B2"
        for number, heading in enumerate(self._header, 1):
            self._sheet.column_dimensions[get_column_letter(number)].width = WIDTHS.get(heading, WIDTH)
        cells = [self._cell(heading) for heading in self._header]
        for cell in cells:
            cell.font = Font(bold=True)
        self._sheet.append(cells)
        self._rows = 1

    def append(self, values: Iterable[object]) -> None:
        if self._rows == MAX_ROWS:
            self._start()
        self._sheet.append([self._cell(value) for value in values])
        self._rows += 1

    def _cell(self, value: object) -> Any:
        content, number_format = excel_value(value)
        cell = WriteOnlyCell(self._sheet, value=content)
        if isinstance(content, str):
            cell.data_type = "s"  # never a formula, never an error value, whatever it looks like
        elif number_format is not None:
            cell.number_format = number_format
        return cell


def write_xlsx(spool: Spool, path: Path) -> None:
    book = Workbook(write_only=True)
    book.properties.creator = MAKER
    overview = _GrowingSheet(book, "documents", OVERVIEW_COLUMNS)
    schema_sheets = {
        schema: _GrowingSheet(book, schema, header(SCHEMA_COLUMNS, columns, ("document_id",)))
        for schema, columns in spool.columns.items()
    }
    list_sheets = {
        (schema, name): _GrowingSheet(book, f"{schema}_{name}", header(LIST_COLUMNS, columns, ("document_id",)))
        for (schema, name), columns in spool.lists.items()
    }
    issues = _GrowingSheet(book, "issues", ISSUE_COLUMNS)
    for flat in spool:
        overview.append(_overview(flat))
        if flat.schema in schema_sheets and (flat.single_values or flat.lists):
            columns = spool.columns[flat.schema]
            schema_sheets[flat.schema].append(
                [flat.file, flat.status, *row_values(columns, flat.single_values), flat.document_id]
            )
        for name, rows in flat.lists.items():
            columns = spool.lists[flat.schema, name]
            for position, row in sorted(rows.items()):
                values = row_values(columns, row)
                list_sheets[flat.schema, name].append([flat.file, position, *values, flat.document_id])
        for issue in flat.issues:
            issue_cells = (issue.code, issue.field, issue.page, issue.severity, issue.message)
            issues.append([flat.file, flat.schema, *issue_cells, flat.document_id])
    book.save(path)


def _overview(flat: FlatResult) -> list[object]:
    error = (flat.error.get("code"), flat.error.get("message"), flat.error.get("hint"))
    counts = (flat.pages, len(flat.issues), "; ".join(flat.to_check))
    return [flat.file, flat.status, flat.schema, *counts, *error, flat.document_id]


def excel_value(value: object) -> tuple[Any, str | None]:
    """The value as Excel keeps it, and its number format. What Excel cannot keep exactly becomes text."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, Decimal) and value.is_finite() and len(value.as_tuple().digits) <= EXACT_DIGITS:
        decimals = max(0, -int(value.as_tuple().exponent))
        return value, "#,##0." + "0" * decimals if decimals else "#,##0"
    if value is None or (isinstance(value, int | float) and math.isfinite(value) and abs(value) < 10**EXACT_DIGITS):
        return value, None
    if isinstance(value, datetime) and value.year >= FIRST_YEAR:
        return value.replace(tzinfo=None), "yyyy-mm-dd hh:mm:ss"
    if isinstance(value, date) and not isinstance(value, datetime) and value.year >= FIRST_YEAR:
        return value, "yyyy-mm-dd"
    if isinstance(value, time):
        return value.replace(tzinfo=None), "hh:mm:ss"
    text = ILLEGAL_CHARACTERS_RE.sub("", str(value)).encode("utf-8", "replace").decode()
    return (text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"), None


def _title(name: str, taken: Sequence[str]) -> str:
    r"""A sheet's name: at most 31 characters, none of []:*?/\, and unlike the others, upper and lower case alike."""
    used = {title.lower() for title in taken}
    base = re.sub(r"[\[\]:*?/\\']", "_", name) or "sheet"
    title, number = base[:31], 2
    while title.lower() in used:
        suffix = f" ({number})"
        title, number = base[: 31 - len(suffix)] + suffix, number + 1
    return title
