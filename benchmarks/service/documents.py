"""Documents for the service's benchmarks: small PDFs with a text layer, each of its own bytes, and a script that
answers for them, so that queue, database and blobs are what is measured.

In: numbers. Out: PDFs, and the scripted extractor's JSON.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

SELLER = "Papierhaus Nord GmbH"
NET, TAX, GROSS = "100,00", "19,00", "119,00"
COLUMNS = ("description", "quantity", "unit_price", "amount")
ITEMS = (("Paper", "2", "20,00", "40,00"), ("Ink", "1", "35,00", "35,00"), ("Folders", "5", "5,00", "25,00"))
WORDS = " of the order that was delivered to the warehouse in the last week of the month"
FEWEST_LINES = 3


def invoice(number: int, *, lines: int = FEWEST_LINES, pages: int = 1) -> bytes:
    """An invoice of its own number. `lines` of text make it as long as real ones are."""
    from reportlab.lib.pagesizes import A4  # heavy: only what draws needs it
    from reportlab.pdfgen.canvas import Canvas

    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=True)
    for page in range(pages):
        text = canvas.beginText(60, 780)
        text.setFont("Helvetica", 11)
        for line in _head(number) if page == 0 else []:
            text.textLine(line)
        for line in range(lines):
            text.textLine(f"{page + 1}.{line + 1} item {number}{WORDS}")
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _head(number: int) -> list[str]:
    return [
        SELLER, "Invoice", f"Invoice number: {printed(number)}", f"Date: {1 + number % 28:02d}.01.2026",
        *("   ".join(item) for item in ITEMS), f"Net total EUR {NET}", f"Tax EUR {TAX}", f"Total EUR {GROSS}",
    ]  # fmt: skip


def printed(number: int) -> str:
    """The invoice number on document `number`; none is a part of another."""
    return f"RE-2026-{number:07d}"


def write_script(path: Path, numbers: Iterable[int] = ()) -> str:
    """Write the extractor's answers and return the name of the model. With `numbers` each document is answered with its
    own invoice number and date; without, all of them alike."""
    common = {
        "seller_name": SELLER, "currency": "EUR", "net_total": NET, "tax_total": TAX, "gross_total": GROSS,
        "buyer_name": None, "due_date": None,
        "line_items": [dict(zip(COLUMNS, item, strict=True)) for item in ITEMS],
    }  # fmt: skip
    answers = [
        {"when": printed(number), "invoice_number": printed(number), "issue_date": f"{1 + number % 28:02d}.01.2026"}
        for number in numbers
    ]
    path.write_text(json.dumps([{**answer, **common} for answer in answers] or [common]), encoding="utf-8")
    return f"scripted:{path}"
