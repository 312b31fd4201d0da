"""Rows of lists: empty and doubled ones go, the others are numbered in reading order.

In: decided fields. Out: the fields in the schema's order, rows from 0.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from docpipe.data import Field
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.text_search import PageIndex

_NOWHERE = (1 << 30, 0)  # a place behind all pages


def in_reading_order(fields: Iterable[Field], schema: Schema, indexes: Mapping[int, PageIndex]) -> tuple[Field, ...]:
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
        for number, row in enumerate(_sorted_rows(rows[list_path], indexes)):
            cells = sorted(row, key=lambda cell: columns.index(FieldPath.parse(cell.path).template))
            ordered += [_renumbered(cell, number) for cell in cells]
    return tuple(ordered)


def _sorted_rows(rows: Mapping[int, Sequence[Field]], indexes: Mapping[int, PageIndex]) -> list[Sequence[Field]]:
    """By the place of their first word; a row that was found nowhere stays behind the one before it."""
    placed: list[tuple[tuple[int, int], int, Sequence[Field]]] = []
    seen: set[frozenset[object]] = set()
    place = (0, 0)
    for number in sorted(rows):
        row = rows[number]
        prints = frozenset((FieldPath.parse(cell.path).template, cell.evidence) for cell in row)
        if all(cell.evidence for cell in row) and prints in seen:
            continue  # the same print read twice, as from overlapping parts of a long page
        seen.add(prints)
        own = min((_place(cell, indexes) for cell in row), default=_NOWHERE)
        place = place if own == _NOWHERE else own
        placed.append((place, number, row))
    return [row for _, _, row in sorted(placed, key=lambda item: item[:2])]


def _place(cell: Field, indexes: Mapping[int, PageIndex]) -> tuple[int, int]:
    """Page and number of the first word."""
    for quote in cell.evidence:
        words = indexes[quote.page].words_in(quote.box) if quote.page in indexes else []
        if words:
            return quote.page, words[0]
    return _NOWHERE


def _renumbered(cell: Field, number: int) -> Field:
    path = str(FieldPath.parse(cell.path).renumbered(number))
    issues = tuple(replace(issue, field=path) for issue in cell.issues)
    return replace(cell, path=path, issues=issues)
