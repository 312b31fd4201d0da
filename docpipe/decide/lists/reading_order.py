"""Rows of lists: empty and doubled ones go, the others are numbered in reading order.

In: decided fields. Out: the fields in the schema's order, rows from 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from docpipe.data import Field
from docpipe.document_index import DocumentIndex
from docpipe.paths import FieldPath
from docpipe.schema import Schema


class _WordPosition(NamedTuple):
    """A word of the document: its page, and its number on the page in reading order."""

    page: int
    word: int


_NO_POSITION = _WordPosition(1 << 30, 0)  # behind all pages


def in_reading_order(fields: Iterable[Field], schema: Schema, document: DocumentIndex) -> tuple[Field, ...]:
    """Single fields in the schema's order, then each list with its rows as they stand on the pages."""
    single: dict[str, Field] = {}
    rows: dict[str, dict[int, list[Field]]] = defaultdict(lambda: defaultdict(list))
    for field in fields:
        list_path = schema.spec(field.path).list_path
        if list_path is None:
            single[field.path] = field
        elif field.raw is not None:
            rows[list_path][FieldPath.parse(field.path).row_number or 0].append(field)
    ordered = [single[spec.path] for spec in schema.fields if spec.path in single]
    for list_path, specs in schema.lists().items():
        columns = [spec.path for spec in specs]
        for number, row in enumerate(_sorted_rows(rows[list_path], document)):
            cells = sorted(row, key=lambda cell: columns.index(FieldPath.parse(cell.path).template))
            ordered += [_renumbered(cell, number) for cell in cells]
    return tuple(ordered)


def _sorted_rows(rows: Mapping[int, Sequence[Field]], document: DocumentIndex) -> list[Sequence[Field]]:
    """By the place of their first word; a row without a place on the pages stays behind the one before it."""
    with_positions: list[tuple[tuple[_WordPosition, int], Sequence[Field]]] = []
    printed_rows: set[frozenset[object]] = set()
    position = _WordPosition(0, 0)
    for number in sorted(rows):
        row = rows[number]
        printed = frozenset((FieldPath.parse(cell.path).template, cell.evidence) for cell in row)
        if all(cell.evidence for cell in row) and printed in printed_rows:
            continue  # the same print read twice, as from overlapping parts of a long page
        printed_rows.add(printed)
        first_word = min((_position_of(cell, document) for cell in row), default=_NO_POSITION)
        position = position if first_word == _NO_POSITION else first_word
        with_positions.append(((position, number), row))
    return [row for _, row in sorted(with_positions, key=lambda pair: pair[0])]


def _position_of(cell: Field, document: DocumentIndex) -> _WordPosition:
    """Of its first word."""
    for quote in cell.evidence:
        words = document.pages[quote.page].words_in(quote.box) if quote.page in document.pages else []
        if words:
            return _WordPosition(quote.page, words[0])
    return _NO_POSITION


def _renumbered(cell: Field, number: int) -> Field:
    path = str(FieldPath.parse(cell.path).renumbered(number))
    issues = tuple(replace(issue, field=path) for issue in cell.issues)
    return replace(cell, path=path, issues=issues)
