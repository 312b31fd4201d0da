"""Text layers whose digits are not those of the page: the picture is believed, and an issue says where."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer

WIDTH, HEIGHT = A4  # points
PRINTED = [
    "Papeterie Lenoir et Fils",
    "Facture 2024-8317 du 26 juin 2024",
    "Ramettes de papier blanc 148,20",
    "Crayons et gommes 35,60",
    "Montant total 183,80",
]
SIZE, LEADING, LEFT, TOP = 14, 30, 70, HEIGHT - 90  # points


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as opened:
        yield opened


@pytest.fixture(scope="module")
def read(renderer: Renderer) -> Callable[[Path], Page]:
    reader = PageReader(renderer, threads=1)

    def read(path: Path) -> Page:
        document = ingest(path, renderer=renderer)
        (page,) = PageRasteriser(renderer).pages(document)
        return reader.read(document, page)

    return read


def text_of(page: Page) -> str:
    return " ".join(word.text for word in page.words)


def issues_of(page: Page) -> list[tuple[str, str]]:
    return [(issue.code, issue.message) for issue in page.issues]


def scan_with_layer(path: Path, layer: list[str]) -> Path:
    """PRINTED as pixels, and other words as its invisible layer."""
    canvas = Canvas(str(path), pagesize=A4)
    scale = 200 / 72
    picture = Image.new("L", (round(WIDTH * scale), round(HEIGHT * scale)), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(SIZE * scale)
    packed = io.BytesIO()
    for number, line in enumerate(PRINTED):
        draw.text((LEFT * scale, (HEIGHT - TOP + LEADING * number) * scale), line, font=font, fill="black", anchor="ls")
    picture.save(packed, "PNG")
    canvas.drawImage(ImageReader(packed), 0, 0, WIDTH, HEIGHT)
    for number, (line, printed) in enumerate(zip(layer, PRINTED, strict=True)):
        text = canvas.beginText(LEFT, TOP - LEADING * number)
        text.setFont("Helvetica", SIZE)
        text.setTextRenderMode(3)
        text.setHorizScale(100 * font.getlength(printed) / scale / canvas.stringWidth(line, "Helvetica", SIZE))
        text.textLine(line)
        canvas.drawText(text)
    canvas.save()
    return path


def test_false_digits_of_a_scanners_own_layer_are_read_from_the_picture(
    tmp_path: Path, read: Callable[[Path], Page]
) -> None:
    layer = [line.replace("148,20", "743,20").replace("183,80", "188,80") for line in PRINTED]
    page = read(scan_with_layer(tmp_path / "scan.pdf", layer))
    assert text_of(page) == " ".join(PRINTED)
    assert [word.text for word in page.words if word.source == "ocr"] == ["148,20", "183,80"]
    message = "Of the text layer of page 1, 2 words were read from the picture: 743,20 is 148,20, 188,80 is 183,80"
    assert issues_of(page) == [("text_layer_differs", message)]


def test_a_scanners_layer_with_the_right_digits_stays(tmp_path: Path, read: Callable[[Path], Page]) -> None:
    page = read(scan_with_layer(tmp_path / "scan.pdf", PRINTED))
    assert text_of(page) == " ".join(PRINTED)
    assert {word.source for word in page.words} == {"textlayer"}
    assert issues_of(page) == []


def test_a_font_whose_table_exchanges_digits_is_not_believed(tmp_path: Path, read: Callable[[Path], Page]) -> None:
    lines = [*PRINTED, *(f"Ligne {number} de la facture, sans remise" for number in (31, 47, 56, 62))]
    path = pdf_with_table(tmp_path / "font.pdf", lines, {str(digit): str((digit + 3) % 10) for digit in range(10)})
    page = read(path)
    assert text_of(page) == " ".join(lines)
    assert {word.source for word in page.words if re.search(r"\d", word.text)} == {"ocr"}
    assert [code for code, _ in issues_of(page)] == ["text_layer_differs"]


def test_a_font_with_a_right_table_is_believed(tmp_path: Path, read: Callable[[Path], Page]) -> None:
    lines = [*PRINTED, *(f"Ligne {number} de la facture, sans remise" for number in (31, 47, 56, 62))]
    page = read(pdf_with_table(tmp_path / "font.pdf", lines, {}))
    assert text_of(page) == " ".join(lines)
    assert {word.source for word in page.words} == {"textlayer"}
    assert issues_of(page) == []


def pdf_with_table(path: Path, lines: list[str], said_for_printed: Mapping[str, str]) -> Path:
    """A font whose ToUnicode table says other characters than it prints."""
    pairs = [(chr(code), said_for_printed.get(chr(code), chr(code))) for code in range(32, 127)]
    ranges = "\n".join(f"<{ord(printed):02X}> <{ord(said):04X}>" for printed, said in pairs)
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n"
        "1 begincodespacerange <00> <FF> endcodespacerange\n"
        f"{len(pairs)} beginbfchar\n{ranges}\nendbfchar endcmap end end"
    )
    content = "\n".join(
        f"BT /F {SIZE} Tf {LEFT} {TOP - LEADING * number:.0f} Td ({line}) Tj ET" for number, line in enumerate(lines)
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding /ToUnicode 6 0 R >>",
        f"<< /Length {len(table)} >>\nstream\n{table}\nendstream",
    ]
    body, offsets = "%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    xref = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}"
    trailer = f"trailer << /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{len(body)}\n%%EOF"
    path.write_bytes(f"{body}{xref}{trailer}".encode())
    return path
