"""Words on the line of a row that nobody used, where the row lacks what they would say.

In: decided fields, the schema, the document's words. Out: an issue for each list with rows that lack their text (the
description of an article) although words stand left of their numbers. The words are named, not guessed at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from docpipe.data import Evidence, Field, Issue
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_ports import group_of

MIN_LETTERS = 3  # of the words together: position numbers and currency marks say nothing
MAX_ROWS_NAMED = 3  # in one sentence


def unused_row_words(fields: Sequence[Field], schema: Schema, index: DocumentIndex) -> Iterator[Issue]:
    texts = _text_columns(schema)
    used = {(quote.page, word) for field in fields for quote in field.evidence for word in _words(quote, index)}
    lost: dict[str, dict[str, str]] = defaultdict(dict)  # column -> path of the empty cell -> the words of its line
    for row, cells in _rows(fields).items():
        column = texts.get(FieldPath.parse(cells[0].path).list_path or "")
        if column is None or any(FieldPath.parse(cell.path).template == column for cell in cells):
            continue
        text = " ".join(_unused_left_of(cells, used, index))
        if sum(character.isalpha() for character in text) >= MIN_LETTERS:
            lost[column][f"{row}.{FieldPath.parse(column).leaf}"] = text
    for by_path in lost.values():
        named = ", ".join(f"{path} ({text!r})" for path, text in [*by_path.items()][:MAX_ROWS_NAMED])
        more = f" and {len(by_path) - MAX_ROWS_NAMED} more" if len(by_path) > MAX_ROWS_NAMED else ""
        message = f"empty, though words that belong to nothing stand on the line: {named}{more}"
        yield Issue("row_words_unused", message, field=next(iter(by_path)))


def _text_columns(schema: Schema) -> dict[str, str]:
    """List path -> the template of its first column of words."""
    columns: dict[str, str] = {}
    for list_path, specs in schema.lists().items():
        text = next((spec.path for spec in specs if group_of(spec.kind) == "text" and not spec.is_plain_value), None)
        if text is not None:
            columns[list_path] = text
    return columns


def _rows(fields: Iterable[Field]) -> dict[str, list[Field]]:
    """Cells that stand somewhere, by their rows."""
    rows: dict[str, list[Field]] = defaultdict(list)
    for field in fields:
        path = FieldPath.parse(field.path)
        if path.is_cell and field.raw is not None and field.evidence:
            rows[path.row].append(field)
    return rows


def _words(quote: Evidence, index: DocumentIndex) -> list[int]:
    return index.pages[quote.page].words_in(quote.box) if quote.page in index.pages else []


def _unused_left_of(cells: Sequence[Field], used: set[tuple[int, int]], index: DocumentIndex) -> list[str]:
    """The words of the first cell's line that stand left of all of the row's cells there and are of no field."""
    quotes = [quote for cell in cells for quote in cell.evidence]
    first = min(quotes, key=lambda quote: (quote.page, quote.box.left))
    places = _words(first, index)
    if not places:
        return []
    page = index.pages[first.page]
    line = page.words[places[0]].line
    return [
        word.text
        for number, word in enumerate(page.words)
        if word.line == line and word.box.right <= first.box.left and (first.page, number) not in used
    ]
