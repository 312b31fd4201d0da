"""A table of documents for people, as wide as their screen: `docpipe run` ends with one, `docpipe list` is one.

In: a row for each document, the width of the screen in characters. Out: a table in which nothing is wrapped.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table
from rich.text import Text

from docpipe.cli.terminal import COLOURS, plain_table
from docpipe.cli.wording import ID_DIGITS
from docpipe.data import Status

SEPARATOR, MORE = " · ", " …"
COLUMN_GAPS = 8  # characters between columns and at the edges
WIDE = 120  # columns of a screen from which on a document has one line


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document. Outcomes are not kept: those of ten thousand documents would fill the memory."""

    name: str
    document_id: str
    status: Status
    status_text: str
    values: tuple[str, ...]
    issue_text: str


def document_table(rows: Sequence[DocumentRow], width: int) -> Table:
    """A line a document where there is room; on a narrow screen a second one with what to look at. Nothing is
    wrapped: `docpipe show ID` has all of it."""
    table = plain_table()
    status_width = max((len(row.status_text) for row in rows), default=0)
    room = width - ID_DIGITS - status_width - COLUMN_GAPS
    table.add_column("id", no_wrap=True, width=ID_DIGITS)
    table.add_column("status", no_wrap=True, width=status_width)
    if width >= WIDE:
        widths = [int(room * share) - 2 for share in (0.25, 0.35, 0.4)]
        for title, column_width in zip(("file", "values", "look at"), widths, strict=True):
            table.add_column(title, no_wrap=True, overflow="ellipsis", width=column_width)
        cells = [_side_by_side(row, widths[1], widths[2]) for row in rows]
    else:
        table.add_column("file, values, what to look at", no_wrap=True, overflow="ellipsis", width=room)
        cells = [(_stacked(row, room),) for row in rows]
    for row, texts in zip(rows, cells, strict=True):
        table.add_row(row.document_id[:ID_DIGITS], Text(row.status_text, COLOURS[row.status]), *texts)
    return table


def _side_by_side(row: DocumentRow, values_width: int, issue_width: int) -> tuple[Text, ...]:
    texts = (row.name, whole_values(row.values, values_width), whole_words(row.issue_text, issue_width))
    return tuple(map(Text, texts))


def _stacked(row: DocumentRow, width: int) -> Text:
    """File and values, and below them what to look at."""
    first = Text(whole_values((row.name, *row.values), width))
    return Text("\n").join([first, Text(whole_words(row.issue_text, width), "dim")]) if row.issue_text else first


def whole_values(values: Sequence[str], width: int) -> str:
    """Those that fit, in their order, none cut in the middle but a first one that is too long by itself; a long one in
    the middle is left out for those behind it."""
    text, *others = values or ("",)
    is_cut = False
    for value in others:
        longer = f"{text}{SEPARATOR}{value}"
        if len(longer) + len(MORE) <= width or (value is others[-1] and not is_cut and len(longer) <= width):
            text = longer
        else:
            is_cut = True
    return text + MORE if is_cut and len(text) + len(MORE) <= width else text


def whole_words(text: str, width: int) -> str:
    """Shortened at a blank; a single word that is too long is cut by the table."""
    return text if len(text) <= width else textwrap.shorten(text, max(width, 10), placeholder="…")
