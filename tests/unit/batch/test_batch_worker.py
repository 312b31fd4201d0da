"""What a worker of a run does with a document is what the Python API does with it."""

from __future__ import annotations

import re
from pathlib import Path

import pikepdf
import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.messages import FileTask
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.schema import load_schema

NUMBER, AS_THE_FILE_SAYS = "TK-4718", "TK-4118"
PRINTED = [
    (60, 60, "Tischlerei Kranz GmbH"),
    (400, 60, "RECHNUNG"),
    (60, 140, "Bäckerei Sommer, Lindenweg 3, 04109 Leipzig"),
    (350, 140, f"Rechnungsnummer: {NUMBER}"),
    (350, 156, "Rechnungsdatum: 24.03.2026"),
    (60, 230, "Ladentheke aus Buche"),
    (490, 230, "500,00"),
    (350, 270, "Nettobetrag"),
    (490, 270, "500,00"),
    (350, 288, "USt. 19 %"),
    (490, 288, "95,00"),
    (350, 306, "Gesamtbetrag EUR"),
    (490, 306, "595,00"),
]


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    """An invoice in a font whose table says of a printed 7 that it is a 1, and the truth of all other characters."""
    pdfmetrics.registerFont(TTFont("Vera", "Vera.ttf"))
    canvas = Canvas(str(tmp_path / "right.pdf"), pagesize=A4)
    canvas.setFont("Vera", 10)
    for x, y, text in PRINTED:
        canvas.drawString(x, A4[1] - y, text)
    canvas.save()
    path = tmp_path / "rechnung.pdf"
    with pikepdf.open(tmp_path / "right.pdf") as file:
        for font in file.objects:
            if isinstance(font, pikepdf.Dictionary) and "/ToUnicode" in font:
                table = font.ToUnicode.read_bytes().decode("ascii")
                wrong = re.sub(r"(?m)^(<[0-9A-F]{2}>) <0037>$", r"\1 <0031>", table)
                font.ToUnicode = file.make_stream(wrong.encode("ascii"))
        file.save(path)
    return path


def test_values_that_the_picture_shows_otherwise_are_not_accepted_in_a_run(invoice):
    settings = load_settings({})
    worker = BatchPlan(load_schema("invoice"), ModelName.parse("embedded"), settings)()
    try:
        extraction = worker.process(FileTask(invoice), lambda _: {}).extraction
    finally:
        worker.close()
    number = next(field for field in extraction.fields if field.path == "invoice_number")
    assert number.value == AS_THE_FILE_SAYS
    assert not number.accepted
    assert [issue.code for issue in number.issues] == ["picture_differs"]
