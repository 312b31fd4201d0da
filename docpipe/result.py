"""An extraction as JSON: the structure that the result file, the API and the store's readers share.

In: an Extraction. Out: plain dicts and lists; dates in ISO form, amounts as decimal strings, absent fields null.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from typing import Any

from docpipe.data import Evidence, Extraction, Field, Issue
from docpipe.errors import DocpipeError
from docpipe.paths import FieldPath
from docpipe.schema import Schema

_BOX_DIGITS = 5  # a hundredth of a pixel on an A4 page at 200 dpi


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What a result is the result of. The same `key` means the same work."""

    document_id: str
    extractor: str
    key: str


def record(extraction: Extraction, file: str, schema: Schema | None = None) -> dict[str, Any]:
    """One line of the result file."""
    return {
        "file": file,
        "document_id": extraction.document_id,
        "schema": extraction.schema,
        "schema_version": extraction.schema_version,
        "status": extraction.status,
        "pages": extraction.pages,
        "fields": nested(extraction, schema),
        "issues": [issue_record(issue) for issue in extraction.issues],
        "error": None,
        "extractor": extraction.extractor,
        "run_key": extraction.run_key,
        "timings": {stage: round(seconds, 4) for stage, seconds in extraction.timings.items()},
        "cost": dict(extraction.cost),
    }


def failed_record(file: str, schema: str, error: DocpipeError, document_id: str | None = None) -> dict[str, Any]:
    """The line of a file that could not be processed."""
    return {
        "file": file,
        "document_id": document_id,
        "schema": schema,
        "status": "failed",
        "pages": 0,
        "fields": {},
        "issues": [],
        "error": {"code": error.code, "message": error.message, "hint": error.hint},
    }


def nested(extraction: Extraction, schema: Schema | None = None) -> dict[str, Any]:
    """The fields as the schema nests them. With the schema, absent fields are null and empty lists `[]`
    even when the extraction does not mention them."""
    tree: dict[str, Any] = {}
    if schema is not None:
        for spec in schema.fields:
            put(tree, spec.list_path or spec.path, [] if spec.list_path else None)
    for field in extraction.fields:
        put(tree, field.path, field_record(field))
    if schema is not None:
        _fill_rows(tree, schema)
    return tree


def field_record(field: Field) -> dict[str, Any] | None:
    """A field; None when it is absent."""
    if field.raw is None and field.value is None:
        return None
    return {
        "value": plain(field.value),
        "raw": field.raw,
        "confidence": round(field.confidence, 4),
        "accepted": field.accepted,
        "evidence": [evidence_record(quote) for quote in field.evidence],
        "issues": [issue_record(issue) for issue in field.issues],
        "signals": {name: round(signal, 3) for name, signal in field.signals.items()},
    }


def evidence_record(quote: Evidence) -> dict[str, Any]:
    box = (quote.box.left, quote.box.top, quote.box.right, quote.box.bottom)
    return {
        "page": quote.page,
        "box": [round(side, _BOX_DIGITS) for side in box],
        "text": quote.text,
        "match": quote.match,
    }


def issue_record(issue: Issue) -> dict[str, Any]:
    content = {"code": issue.code, "field": issue.field, "message": issue.message, "severity": issue.severity}
    return content if issue.page is None else {**content, "page": issue.page}


def plain(value: object) -> Any:
    """A typed value as JSON has it."""
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date | time):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """`put(tree, "line_items[1].amount", x)`: rows that are skipped become empty dicts, so rows go in by number; of
    plain values (`put(tree, "tags[1]", x)`) those that are skipped are None."""
    steps = FieldPath.parse(path).steps
    node: Any = tree
    for step, following in pairwise(steps):
        node = _entered(node, step, [] if isinstance(following, int) else {})
    last = steps[-1]
    if isinstance(node, list):  # of plain values
        node.extend([None] * (int(last) + 1 - len(node)))
    elif isinstance(node.get(last), list | dict) and value is None:
        return  # what holds something is not emptied by a null
    node[last] = value


def _entered(node: Any, step: str | int, empty: Any) -> Any:
    if isinstance(step, int):
        while len(node) <= step:
            node.append({})
    elif node.get(step) is None:
        node[step] = empty
    return node[step]


def _fill_rows(tree: Mapping[str, Any], schema: Schema) -> None:
    """Cells that a row lacks become null. Plain values have no cells."""
    for list_path, specs in schema.lists().items():
        cells = [leaf for spec in specs if (leaf := FieldPath.parse(spec.path).leaf) and "." not in leaf]
        for row in _rows_at(tree, list_path) if cells else ():
            for cell in cells:
                row.setdefault(cell, None)


def _rows_at(tree: Mapping[str, Any], list_path: str) -> Iterator[dict[str, Any]]:
    node: Any = tree
    for step in list_path.split("."):
        node = node.get(step) or {}
    yield from node or ()
