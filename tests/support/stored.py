"""Documents and extractions that tests of the store and of the export make up. Nothing here is from a real document."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from docpipe.data import Box, Document, Evidence, Extraction, Field, Issue
from docpipe.ports import StoredResult
from docpipe.schema import Schema


def document(name: str = "a.pdf", *, path: Path | None = None) -> Document:
    """The id follows from the name; the file itself need not exist."""
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return Document(sha256, name, path or Path("/inbox") / name, "application/pdf", 1234, 2)


def field(path: str, value: object, **changes: Any) -> Field:
    raw = changes.pop("raw", None if value is None else str(value))
    return Field(path, value, raw, changes.pop("confidence", 0.9), **changes)


def invoice_fields(total: str = "1234.50", seller: str = "Müller & Söhne GmbH") -> tuple[Field, ...]:
    quotes = (Evidence(2, Box(0.71, 0.8, 0.83, 0.1 + 0.2), "1.234,50", "normalised"), Evidence(1, Box(0, 0, 1, 1), "x"))
    doubt = Issue("sum_mismatch", "12.00 is not 13.00", "error", "gross_total", 2)
    return (
        field("invoice_number", "R-000123"),
        field("issue_date", date(2024, 2, 29), raw="29.02.2024", evidence=quotes[1:]),
        field("due_date", None, raw="soon", issues=(Issue("unparsed", "not a date", field="due_date"),)),
        field("purchase_order", None, confidence=0.2),
        field("seller_name", seller),
        field(
            "gross_total",
            Decimal(total),
            raw="1.234,50 €",
            confidence=1 / 3,
            evidence=quotes,
            accepted=True,
            issues=(doubt,),
            signals={"margin": 0.1, "ocr": 1.0},
        ),
        field("line_items[0].description", 'Screws,\n"M4"'),
        field("line_items[0].amount", Decimal("100.00")),
        field("line_items[1].description", "Nuts"),
        field("line_items[1].amount", Decimal("-0.10")),
    )


def extraction(of: Document, schema: Schema, fields: tuple[Field, ...] | None = None, **changes: Any) -> Extraction:
    extracted = Extraction(
        document_id=of.id,
        schema=schema.name,
        schema_version=schema.version,
        extractor="embedded:test@1",
        run_key=f"key of {of.name}",
        status="needs_review",
        pages=of.page_count,
        fields=invoice_fields() if fields is None else fields,
        issues=(Issue("blank_page", "page 2 is blank", "info", page=2), Issue("rule", "net + tax is not gross")),
        timings={"rasterise": 0.1, "read": 0.30000000000000004},
        cost={"tokens_in": 10.0},
    )
    return replace(extracted, **changes)


def stored_result(of: Document, extracted: Extraction | None, **changes: Any) -> StoredResult:
    changes.setdefault("schema", "" if extracted is None else extracted.schema)
    changes.setdefault("error", None)
    return StoredResult(document=of, extraction=extracted, attempts=1, **changes)


VALUES_OF_EVERY_TYPE: tuple[object, ...] = (
    Decimal("1234567890123456789.123456789"),
    Decimal("100.00"),
    Decimal("-0.00"),
    Decimal("1E+3"),
    date(1, 1, 1),
    date(9999, 12, 31),
    time(23, 59),
    time(1, 2, 3, 456),
    0,
    -(2**80),
    True,
    False,
    0.1,
    1e300,
    "",
    "  blanks, 'quotes' and\nlines ",
    "日本語 – Ελληνικά 🧾",
    None,
)
