"""Excel: a sheet that an accountant works with, not a dump.

In: the spool. Out: a workbook with a sheet of documents, one for each schema, one for each list with the document's own
values beside every row, the issues, and a legend. Each has one heading row that stays in view and a filter; cells have
the types of their values, and colours say what to look at. Rows are written one by one, so memory does not grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from docpipe.export.flat import FlatResult, FlatValue, Spool, described, needs_look, row_values
from docpipe.export.xlsx_cells import (
    AMBER,
    FILLS,
    GREEN,
    RED,
    STATUS_FILLS,
    STATUS_TEXTS,
    cell,
    heading,
    link,
)
from docpipe.own_files import MAKER

MAX_ROWS = 1_048_576  # of a sheet, header included; more go on in a further sheet
MAX_LINKS = 10_000  # of a sheet: openpyxl keeps them in memory, and Excel has room for 65,530
KEY_COLUMNS = 3  # of the document's own values, beside each row of a list
MIN_WIDTH, WIDE = 11, 50  # characters
ROOM = 4  # characters beside the longest text: the filter's arrow stands on the heading
ID_DIGITS = 12  # as many as `docpipe show` is given
DOCUMENTS, ISSUES, LEGEND = "Documents", "Issues", "Legend"
OVERVIEW = ("File", "Status", "Schema", "Pages", "To check", "Look at", "Hint", "Picture", "Folder", "Id")
ISSUE_COLUMNS = ("File", "Schema", "Code", "Field", "Page", "Severity", "Message", "Id")
WIDTHS = {
    "File": 28, "Look at": WIDE, "Hint": 40, "Message": 80, "Folder": 40, "Id": 15, "Field": 26, "Code": 22,
}  # fmt: skip
LEGEND_LINES = (
    ("amber", AMBER, "To be checked: docpipe is not sure enough. The column Look at and the sheet Issues say why."),
    ("red", RED, "Missing though it has to be there, or printed in a way that could not be read as a value; then the"
     " text on the page stands under Look at. Of a document: it could not be read."),
    ("green", GREEN, "The document is complete: every value that has to be there is there and accepted."),
    ("no colour", None, "Accepted, or rightly empty."),
)  # fmt: skip


class _GrowingSheet:
    """A sheet that goes on in a further one when it is full. `widths` are those of its columns, in characters."""

    def __init__(self, book: Workbook, name: str, headings: Sequence[str], widths: Sequence[int] = ()) -> None:
        self._book, self._name, self._headings = book, name, headings
        self._widths = widths or [WIDTHS.get(title, MIN_WIDTH) for title in headings]
        self._start()

    def _start(self) -> None:
        self.sheet = self._book.create_sheet(_title(self._name, self._book.sheetnames))
        self.sheet.freeze_panes = "B2"
        for number, width in enumerate(self._widths, 1):
            self.sheet.column_dimensions[get_column_letter(number)].width = width
        self.sheet.append([heading(self.sheet, title) for title in self._headings])
        self._rows = 1
        self.links = 0

    def append(self, cells: Iterable[Any]) -> None:
        self.sheet.append(list(cells))
        self._rows += 1
        self.sheet.auto_filter.ref = f"A1:{get_column_letter(len(self._headings))}{self._rows}"

    def make_room(self) -> None:
        """Before a row's cells are made: they belong to a sheet."""
        if self._rows == MAX_ROWS:
            self._start()

    def link(self, text: str, target: str | None) -> Any:
        """A cell that opens a file; the text alone where there is none, or where there are too many links."""
        if target is None or self.links >= MAX_LINKS:
            return cell(self.sheet, text)
        self.links += 1
        return link(self.sheet, text, target)

    def value(self, flat: FlatValue | None) -> Any:
        if flat is None:
            return cell(self.sheet, None)
        return cell(self.sheet, flat.value, fill=FILLS[flat.mark])


def write_xlsx(spool: Spool, path: Path) -> None:
    book = Workbook(write_only=True)
    book.properties.creator = MAKER
    writer = _Writer(book, spool)
    for flat in spool:
        writer.add(flat)
    _add_legend(book, spool)
    book.save(path)


class _Writer:
    """The sheets, of which each document fills some."""

    def __init__(self, book: Workbook, spool: Spool) -> None:
        self._spool = spool
        self._overview = [title for title in OVERVIEW if title != "Picture" or spool.has_pictures]
        self._documents = _GrowingSheet(book, DOCUMENTS, self._overview)
        self._schemas = {schema: self._schema_sheet(book, schema) for schema in spool.columns}
        self._lists = {key: self._list_sheet(book, *key) for key in spool.lists}
        self._issues = _GrowingSheet(book, ISSUES, ISSUE_COLUMNS)

    def add(self, flat: FlatResult) -> None:
        self._add_to_documents(flat)
        if flat.schema in self._schemas and (flat.single_values or flat.lists):
            self._add_to_schema(flat)
        for name, rows in flat.lists.items():
            for number, row in sorted(rows.items()):
                self._add_to_list(flat, name, number, row)
        for issue in flat.issues:
            self._issues.make_room()
            values = (flat.file, flat.schema, issue.code, issue.field, issue.page, issue.severity, issue.message)
            sheet = self._issues.sheet
            self._issues.append(
                cell(sheet, value, wrap=value == issue.message) for value in (*values, flat.document_id)
            )

    def _schema_sheet(self, book: Workbook, schema: str) -> _GrowingSheet:
        columns = self._columns(schema)
        titles = ["File", "Status", *_titles(columns), "Look at", "Id"]
        widths = [WIDTHS["File"], 12, *self._widths(schema, "", columns), WIDE, WIDTHS["Id"]]
        return _GrowingSheet(book, schema, titles, widths)

    def _list_sheet(self, book: Workbook, schema: str, name: str) -> _GrowingSheet:
        keys, columns = self._keys(schema), self._columns(schema, name)
        titles = ["File", *_titles(keys), "Row", *_titles(columns, taken=_titles(keys)), "Look at", "Id"]
        widths = [
            WIDTHS["File"], *self._widths(schema, "", keys), 6, *self._widths(schema, name, columns), 40,
            WIDTHS["Id"],
        ]  # fmt: skip
        return _GrowingSheet(book, f"{schema}_{name}", titles, widths)

    def _widths(self, schema: str, name: str, columns: Iterable[str]) -> list[int]:
        longest = (max(self._spool.widths.get((schema, name, column), 0), len(_heading(column))) for column in columns)
        return [min(WIDE, max(MIN_WIDTH, width + ROOM)) for width in longest]

    def _columns(self, schema: str, name: str = "") -> list[str]:
        """Those that some document fills: forty columns of nothing would hide the others."""
        columns = self._spool.lists[schema, name] if name else self._spool.columns[schema]
        return [column for column in columns if (schema, name, column) in self._spool.widths]

    def _keys(self, schema: str) -> list[str]:
        """The document's values that stand beside each row of its lists: the first ones of the schema."""
        return self._columns(schema)[:KEY_COLUMNS] if schema in self._spool.columns else []

    def _add_to_documents(self, flat: FlatResult) -> None:
        self._documents.make_room()
        sheet = self._documents.sheet
        folder = str(Path(flat.paths[0]).parent) if flat.paths else ""
        look_at = flat.error_text or flat.issue_text
        cells = {
            "File": self._documents.link(flat.file, _uri(flat)),
            "Status": cell(sheet, STATUS_TEXTS.get(flat.status, flat.status), fill=STATUS_FILLS.get(flat.status)),
            "Schema": cell(sheet, flat.schema), "Pages": cell(sheet, flat.pages),
            "To check": cell(sheet, len(flat.to_check)), "Look at": cell(sheet, look_at),
            "Hint": cell(sheet, flat.error.get("hint")),
            "Picture": self._documents.link("page", flat.picture) if flat.picture else cell(sheet, None),
            "Folder": cell(sheet, folder), "Id": cell(sheet, flat.document_id[:ID_DIGITS]),
        }  # fmt: skip
        self._documents.append(cells[title] for title in self._overview)

    def _add_to_schema(self, flat: FlatResult) -> None:
        target = self._schemas[flat.schema]
        target.make_room()
        values = row_values(self._columns(flat.schema), flat.single_values)
        unread = [described(path, value) for path, value in flat.single_values.items() if value.mark == "unparsed"]
        look_at = "; ".join(filter(None, (*unread, flat.issue_text)))
        target.append([
            target.link(flat.file, _uri(flat)),
            cell(target.sheet, STATUS_TEXTS.get(flat.status, flat.status), fill=STATUS_FILLS.get(flat.status)),
            *map(target.value, values), cell(target.sheet, look_at), cell(target.sheet, flat.document_id[:ID_DIGITS]),
        ])  # fmt: skip

    def _add_to_list(self, flat: FlatResult, name: str, number: int, row: Mapping[str, FlatValue]) -> None:
        target = self._lists[flat.schema, name]
        target.make_room()
        keys = row_values(self._keys(flat.schema), flat.single_values)
        values = row_values(self._columns(flat.schema, name), row)
        to_check = "; ".join(described(_heading(column), value) for column, value in row.items() if needs_look(value))
        target.append([
            cell(target.sheet, flat.file), *map(target.value, keys), cell(target.sheet, number),
            *map(target.value, values), cell(target.sheet, to_check),
            cell(target.sheet, flat.document_id[:ID_DIGITS]),
        ])  # fmt: skip


def _uri(flat: FlatResult) -> str | None:
    """Of the document's file: blanks and signs in its name are escaped."""
    return Path(flat.paths[0]).as_uri() if flat.paths and Path(flat.paths[0]).is_absolute() else None


def _add_legend(book: Workbook, spool: Spool) -> None:
    sheet = book.create_sheet(_title(LEGEND, book.sheetnames))
    for letter, width in (("A", 16), ("B", 110)):
        sheet.column_dimensions[letter].width = width
    sheet.append([heading(sheet, "What"), heading(sheet, "What it means")])
    for name, fill, text in LEGEND_LINES:
        sheet.append([cell(sheet, name, fill=fill), cell(sheet, text, wrap=True)])
    for name, value in _facts(spool):
        sheet.append([cell(sheet, name), cell(sheet, value, wrap=True)])


def _facts(spool: Spool) -> Iterator[tuple[str, object]]:
    yield "Documents", sum(spool.counts.values())
    for status, text in STATUS_TEXTS.items():
        yield text, spool.counts[status]
    yield "Made", datetime.now(UTC).replace(microsecond=0)
    yield "By", f"docpipe {version('docpipe-extract')}"
    yield "Values", "as they are printed; confidence and place of each: docpipe show, or export to .jsonl"


def _titles(columns: Iterable[str], taken: Iterable[str] = ()) -> list[str]:
    """Headings for people: `seller_name` is Seller name. One that is taken already is named by its path."""
    used = {"File", "Status", "Row", "Look at", "Id", *taken}
    titles: list[str] = []
    for column in columns:
        title = _heading(column)
        while title in used:
            title = f"{title} ({column})" if not title.endswith(")") else f"{title}_"
        used.add(title)
        titles.append(title)
    return titles


def _heading(column: str) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", column).replace("_", " ").replace(".", " ").split()
    text = " ".join(words)
    return text[:1].upper() + text[1:] or column


def _title(name: str, taken: Sequence[str]) -> str:
    r"""A sheet's name: at most 31 characters, none of []:*?/\, and unlike the others, upper and lower case alike."""
    used = {title.lower() for title in taken}
    base = re.sub(r"[\[\]:*?/\\']", "_", name) or "sheet"
    title, number = base[:31], 2
    while title.lower() in used:
        suffix = f" ({number})"
        title, number = base[: 31 - len(suffix)] + suffix, number + 1
    return title
