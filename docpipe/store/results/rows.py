"""An extraction as rows, and rows as an extraction, without loss.

In: an Extraction (or its rows). Out: its rows (or the Extraction, equal to the one that was saved).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import RowMapping

from docpipe.data import Box, Evidence, Extraction, Field, Issue
from docpipe.errors import StoreError
from docpipe.store.tables import clean

PLAIN_DIGITS = 40  # an amount is written without an exponent (1000, not 1E+3) unless it has more digits than this


def _plain(amount: Decimal) -> str:
    short = amount.is_finite() and abs(amount.adjusted()) < PLAIN_DIGITS
    return format(amount, "f") if short else str(amount)


WRITERS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (str, "text", str),
    (bool, "boolean", lambda value: "true" if value else "false"),  # before int: a bool is one
    (int, "integer", lambda value: str(int(value))),
    (float, "float", repr),
    (Decimal, "decimal", _plain),
    (datetime, "datetime", datetime.isoformat),  # before date: a datetime is one
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
)
READERS: Mapping[str, Callable[[str], object]] = {
    "text": str,
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
    "integer": int,
    "boolean": lambda text: text == "true",
    "float": float,
}


def without_enum(value: object) -> object:
    """The value of an enum's member, and any other value itself."""
    return value.value if isinstance(value, Enum) else value


def to_text(value: object) -> tuple[str | None, str | None]:
    """A typed value as exact text and the name of its type. Raises StoreError for a type that no schema has."""
    value = without_enum(value)
    if value is None:
        return None, None
    for kind, name, write in WRITERS:
        if isinstance(value, kind):
            return write(value), name
    raise StoreError(f"cannot store a value of the type {type(value).__name__}", hint="Give the field a simpler type.")


def from_text(text: str | None, kind: str | None) -> object:
    return None if text is None or kind is None else READERS[kind](text)


def field_rows(extraction_id: int, extraction: Extraction) -> list[dict[str, Any]]:
    rows = []
    for position, item in enumerate(extraction.fields):
        value, kind = to_text(item.value)
        rows.append(
            {
                "extraction_id": extraction_id,
                "position": position,
                "path": item.path,
                "value": value,
                "type": kind,
                "raw": item.raw,
                "confidence": float(item.confidence),
                "accepted": bool(item.accepted),
                "evidence": [_evidence_json(evidence) for evidence in item.evidence],
                "signals": {name: float(signal) for name, signal in item.signals.items()},
            }
        )
    return rows


def issue_rows(extraction_id: int, extraction: Extraction) -> list[dict[str, Any]]:
    """The document's issues first, then those of each field; `field_position` tells them apart."""
    owned: list[tuple[Issue, int | None]] = [(issue, None) for issue in extraction.issues]
    owned += [(issue, position) for position, item in enumerate(extraction.fields) for issue in item.issues]
    return [
        {
            "extraction_id": extraction_id,
            "position": position,
            "code": issue.code,
            "field": issue.field,
            "page": issue.page,
            "message": issue.message,
            "severity": issue.severity,
            "field_position": owner,
        }
        for position, (issue, owner) in enumerate(owned)
    ]


def to_extraction(row: RowMapping, field_rows: Iterable[RowMapping], issue_rows: Iterable[RowMapping]) -> Extraction:
    """`field_rows` and `issue_rows` are those of this extraction, by position."""
    of_field: dict[int | None, list[Issue]] = {}
    for issue in issue_rows:
        of_field.setdefault(issue["field_position"], []).append(
            Issue(issue["code"], issue["message"], issue["severity"], issue["field"], issue["page"])
        )
    return Extraction(
        document_id=row["document_id"],
        schema=row["schema"],
        schema_version=row["schema_version"],
        extractor=row["extractor"],
        run_key=row["run_key"],
        status=row["status"],
        pages=row["pages"],
        fields=tuple(
            Field(
                path=item["path"],
                value=from_text(item["value"], item["type"]),
                raw=item["raw"],
                confidence=item["confidence"],
                evidence=tuple(_evidence(entry) for entry in item["evidence"]),
                accepted=item["accepted"],
                issues=tuple(of_field.get(item["position"], ())),
                signals=item["signals"],
            )
            for item in field_rows
        ),
        issues=tuple(of_field.get(None, ())),
        timings=row["timings"],
        cost=row["cost"],
    )


def _evidence_json(evidence: Evidence) -> dict[str, Any]:
    box = evidence.box
    return {
        "page": evidence.page,
        "box": [float(side) for side in (box.left, box.top, box.right, box.bottom)],
        "text": clean(evidence.text),
        "match": evidence.match,
    }


def _evidence(entry: Mapping[str, Any]) -> Evidence:
    left, top, right, bottom = entry["box"]
    return Evidence(entry["page"], Box(left, top, right, bottom), entry["text"], entry["match"])
