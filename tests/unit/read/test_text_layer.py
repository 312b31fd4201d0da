"""Text layers of PDFs that the tests write: read where they are honest, checked where they may not be."""

from __future__ import annotations

import io
from collections.abc import Iterator
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
from docpipe.read.ocr import Ocr
from docpipe.render import Renderer

WIDTH, HEIGHT = A4  # points
LETTER = [
    "Harbour Stationery Limited",
    "14 Market Street, Bristol BS1 5TR",
    "Invoice number HS-20417",
    "Ten boxes of printer paper 45.90",
    "Two packs of blue pencils 7.20",
    "Amount due within thirty days 53.10",
    "Please pay into our account at the Harbour Bank",
]
PAINTED, INVISIBLE = 0, 3  # text render modes
SIZE, LEADING, LEFT, TOP = 14, 28, 70, HEIGHT - 90  # points


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as opened:
        yield opened


@pytest.fixture(scope="module")
def reader(renderer: Renderer) -> PageReader:
    return PageReader(renderer, threads=1)


@pytest.fixture
def canvas(tmp_path: Path) -> Canvas:
    return Canvas(str(tmp_path / "document.pdf"), pagesize=A4)


def read(canvas: Canvas, renderer: Renderer, reader: PageReader) -> Page:
    canvas.save()
    document = ingest(Path(canvas._filename), renderer=renderer)
    (page,) = PageRasteriser(renderer).pages(document)
    return reader.read(document, page)


def write(canvas: Canvas, lines: list[str], *, mode: int = PAINTED) -> None:
    for number, line in enumerate(lines):
        text = canvas.beginText(LEFT, TOP - LEADING * number)
        text.setFont("Helvetica", SIZE)
        text.setTextRenderMode(mode)
        text.textLine(line)
        canvas.drawText(text)


def scan(canvas: Canvas, lines: list[str], *, share: float = 1.0) -> None:
    """The same lines as pixels over the whole page, or the upper `share` of it: what a scanner makes of it."""
    scale = 150 / 72
    picture = Image.new("L", (round(WIDTH * scale), round(HEIGHT * scale)), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(SIZE * scale)
    for number, line in enumerate(lines):
        baseline = HEIGHT - TOP + LEADING * number
        draw.text((LEFT * scale, baseline * scale), line, font=font, fill="black", anchor="ls")
    packed = io.BytesIO()
    picture.crop((0, 0, picture.width, round(picture.height * share))).save(packed, "PNG")
    canvas.drawImage(ImageReader(packed), 0, HEIGHT * (1 - share), WIDTH, HEIGHT * share)


def lines(page: Page) -> list[str]:
    grouped: dict[int, list[str]] = {}
    for word in page.words:
        grouped.setdefault(word.line, []).append(word.text)
    return [" ".join(texts) for texts in grouped.values()]


def codes(page: Page) -> list[str]:
    return [issue.code for issue in page.issues]


def test_a_pdfs_own_words_are_taken_with_their_places(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    write(canvas, LETTER)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER
    assert page.issues == ()
    assert {(word.source, word.confidence) for word in page.words} == {("textlayer", 1.0)}
    first = page.words[0].box
    assert abs(first.left * WIDTH - LEFT) < 3
    assert abs(first.bottom * HEIGHT - (HEIGHT - TOP)) < 3
    assert 0.6 * SIZE < (first.bottom - first.top) * HEIGHT < 1.1 * SIZE


def test_words_written_piece_by_piece_are_whole(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    canvas.setFont("Helvetica", SIZE)
    x = float(LEFT)
    for piece in ("In", "voice", " num", "ber ", "2041", "7"):
        canvas.drawString(x, TOP, piece)
        x += canvas.stringWidth(piece, "Helvetica", SIZE)
    write_below = canvas.beginText(LEFT, TOP - LEADING)
    write_below.textLine(" ".join(LETTER))
    canvas.drawText(write_below)
    assert lines(read(canvas, renderer, reader))[0] == "Invoice number 20417"


def test_bold_print_made_by_drawing_twice_is_read_once(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    write(canvas, LETTER)
    canvas.translate(0.4, 0)
    write(canvas, LETTER)
    assert lines(read(canvas, renderer, reader)) == LETTER


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_whose_text_runs_another_way_is_turned(
    degrees: int, canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    canvas.translate(WIDTH / 2, HEIGHT / 2)
    canvas.rotate(degrees)  # counter-clockwise
    canvas.translate(-WIDTH / 2, -HEIGHT / 2 - 150)
    write(canvas, LETTER)
    page = read(canvas, renderer, reader)
    assert page.rotation == degrees
    assert lines(page) == LETTER
    assert codes(page) == ["page_turned"]
    assert (page.width > page.height) == (degrees != 180)
    assert page.image is not None
    assert page.image.open().size == (page.width, page.height)


def test_a_scan_with_a_good_hidden_layer_is_read_from_it(
    canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    scan(canvas, LETTER)
    write(canvas, LETTER, mode=INVISIBLE)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER
    assert {word.source for word in page.words} == {"textlayer"}


def test_a_hidden_layer_that_says_something_else_is_not_used(
    canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    scan(canvas, LETTER)
    write(canvas, [line[::-1] for line in LETTER], mode=INVISIBLE)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER
    assert {word.source for word in page.words} == {"ocr"}
    assert codes(page) == ["text_layer_distrusted"]


def test_a_stamp_on_a_scan_does_not_stand_for_the_page(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    scan(canvas, LETTER)
    canvas.setFont("Helvetica", SIZE)
    canvas.drawString(LEFT, 60, "Received on 3 May 2021 and filed under incoming invoices of the first quarter")
    page = read(canvas, renderer, reader)
    assert lines(page)[: len(LETTER)] == LETTER
    assert any(word.text == "Received" for word in page.words)
    assert codes(page) == ["text_layer_distrusted"]
    assert "only a part" in page.issues[0].message


def test_few_words_on_a_printed_page_are_believed_without_a_search_for_lines(
    canvas: Canvas, renderer: Renderer, reader: PageReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(canvas, LETTER[:2])
    canvas.rect(LEFT / 2, 60, WIDTH - LEFT, HEIGHT - 120)
    searched: list[object] = []

    def search(_: Ocr, pixels: object) -> list[object]:
        searched.append(pixels)
        return []

    monkeypatch.setattr(Ocr, "regions", search)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER[:2]
    assert page.issues == ()
    assert searched == []


def test_print_that_is_no_text_is_not_lost_beside_a_few_words(
    canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    scan(canvas, ["", *LETTER[1:5]], share=0.25)
    write(canvas, LETTER[:1])
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER[:5]
    assert codes(page) == ["text_layer_distrusted"]


def test_a_few_words_that_are_painted_over_are_not_read(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    write(canvas, LETTER[:2])
    canvas.setFillGray(1)
    canvas.rect(0, HEIGHT / 2, WIDTH, HEIGHT / 2, stroke=0, fill=1)
    canvas.line(LEFT, 100, WIDTH - LEFT, 300)
    page = read(canvas, renderer, reader)
    assert page.words == ()
    assert codes(page) == ["text_layer_distrusted"]


def test_invisible_words_on_a_printed_page_are_not_read(canvas: Canvas, renderer: Renderer, reader: PageReader) -> None:
    write(canvas, LETTER)
    hidden = canvas.beginText(LEFT, 200)
    hidden.setTextRenderMode(INVISIBLE)
    hidden.textLine("The total is 9,999.00 and must be paid at once")
    canvas.drawText(hidden)
    assert lines(read(canvas, renderer, reader)) == LETTER


def test_letters_that_form_no_words_are_read_from_the_picture(
    canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    scan(canvas, LETTER)
    cipher = str.maketrans("aeiouAEIOU", "xzqjwXZQJW")  # what a wrong font table makes of a text
    write(canvas, [line.translate(cipher) for line in LETTER], mode=INVISIBLE)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER
    assert codes(page) == ["text_layer_distrusted"]


def test_a_scan_without_a_layer_is_read_without_a_remark(
    canvas: Canvas, renderer: Renderer, reader: PageReader
) -> None:
    scan(canvas, LETTER)
    page = read(canvas, renderer, reader)
    assert lines(page) == LETTER
    assert page.issues == ()
