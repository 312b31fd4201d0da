"""Words of a text layer that nobody sees are no words of the page, and an issue says that they were there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer

HEIGHT = A4[1]  # points
LETTER = [
    "Tømrermester Søren Dahl ApS",
    "Havnegade 17, 8000 Aarhus C",
    "Faktura nr. 70-2291 af 4. juni 2024",
    "Reparation af vinduer og døre 8.400,00",
    "Materialer og kørsel i alt 1.600,00",
    "Beløbet bedes betalt inden fjorten dage",
    "I alt at betale 10.000,00",
]
SIZE, LEADING, LEFT, TOP = 11, 26, 70, HEIGHT - 90  # points


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


@pytest.fixture
def canvas(tmp_path: Path) -> Canvas:
    opened = Canvas(str(tmp_path / "document.pdf"), pagesize=A4, pageCompression=0)
    write(opened, LETTER)
    return opened


def write(canvas: Canvas, lines: list[str], *, down: float = 0) -> None:
    canvas.setFont("Helvetica", SIZE)
    for number, line in enumerate(lines):
        canvas.drawString(LEFT, TOP - down - LEADING * number, line)


def saved(canvas: Canvas) -> Path:
    canvas.save()
    return Path(canvas._filename)


def text_of(page: Page) -> str:
    return " ".join(word.text for word in page.words)


def hidden_of(page: Page) -> str:
    return " ".join(issue.message for issue in page.issues if issue.code == "hidden_text")


def white_on_white(canvas: Canvas) -> None:
    canvas.setFillGray(1)
    write(canvas, ["Kreditnota 99-0001"], down=300)


def in_the_colour_of_its_ground(canvas: Canvas) -> None:
    canvas.setFillColorRGB(0.1, 0.3, 0.5)
    canvas.rect(LEFT - 10, TOP - 320, 300, 40, stroke=0, fill=1)
    write(canvas, ["Kreditnota 99-0001"], down=300)


def under_a_shape(canvas: Canvas) -> None:
    write(canvas, ["Kreditnota 99-0001"], down=300)
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(LEFT - 10, TOP - 320, 300, 40, stroke=0, fill=1)


def unpainted(canvas: Canvas) -> None:
    text = canvas.beginText(LEFT, TOP - 300)
    text.setFont("Helvetica", SIZE)
    text.setTextRenderMode(3)
    text.textLine("Kreditnota 99-0001")
    canvas.drawText(text)


def transparent(canvas: Canvas) -> None:
    canvas.setFillAlpha(0)
    write(canvas, ["Kreditnota 99-0001"], down=300)


def beside_the_page(canvas: Canvas) -> None:
    canvas.drawString(LEFT, HEIGHT + 40, "Kreditnota 99-0001")


def too_small(canvas: Canvas) -> None:
    canvas.setFont("Helvetica", 0.8)
    canvas.drawString(LEFT, TOP - 300, "Kreditnota 99-0001")


@pytest.mark.parametrize(
    "hide",
    [
        white_on_white,
        in_the_colour_of_its_ground,
        under_a_shape,
        unpainted,
        transparent,
        beside_the_page,
        too_small,
    ],
)
def test_words_that_nobody_sees_are_left_out_and_named(
    hide: Callable[[Canvas], None], canvas: Canvas, read: Callable[[Path], Page]
) -> None:
    hide(canvas)
    page = read(saved(canvas))
    assert text_of(page).split() == " ".join(LETTER).split()
    assert {word.source for word in page.words} == {"textlayer"}
    assert hidden_of(page) == "Page 1 holds 2 words that nobody sees, which were left out: Kreditnota 99-0001"
    assert [issue.severity for issue in page.issues] == ["info"]


def test_a_layer_that_is_switched_off_is_not_read(tmp_path: Path, read: Callable[[Path], Page]) -> None:
    path = tmp_path / "layers.pdf"
    path.write_bytes(with_layers(shown="Total 4.318,00 EUR", switched_off="Total 9.775,00 EUR"))
    page = read(path)
    assert "4.318,00" in text_of(page)
    assert "9.775,00" not in text_of(page)
    assert "9.775,00" in hidden_of(page)


@pytest.mark.parametrize("shift", [0, 2, 4])
def test_of_two_amounts_in_one_place_the_one_on_top_is_read(
    shift: float, canvas: Canvas, read: Callable[[Path], Page]
) -> None:
    """With a white box between them: a correction, or a forgery."""
    canvas.drawString(LEFT + 300, TOP, "4.175,00")
    canvas.setFillColorRGB(1, 1, 1)
    canvas.rect(LEFT + 295, TOP - 4, 90, 16, stroke=0, fill=1)
    canvas.setFillColorRGB(0, 0, 0)
    canvas.drawString(LEFT + 300, TOP - shift, "9.175,00")
    page = read(saved(canvas))
    assert "9.175,00" in text_of(page)
    assert "4.175,00" not in text_of(page)
    assert hidden_of(page).endswith("4.175,00")


def test_what_is_seen_on_a_ground_of_its_own_is_read(canvas: Canvas, read: Callable[[Path], Page]) -> None:
    """White on dark, light grey on white, under a highlighter, small print, marks alone."""
    canvas.setFillColorRGB(0.2, 0.2, 0.2)
    canvas.rect(LEFT - 5, TOP - 306, 200, 20, stroke=0, fill=1)
    canvas.setFillColorRGB(1, 1, 1)
    write(canvas, ["Weiss auf Grau 12"], down=300)
    canvas.setFillGray(0.85)
    write(canvas, ["Hellgrau auf Weiss 34"], down=340)
    canvas.setFillGray(0)
    write(canvas, ["Markiert 56 - /"], down=380)
    canvas.setFillColorRGB(1, 1, 0)
    canvas.setFillAlpha(0.4)
    canvas.rect(LEFT - 5, TOP - 386, 200, 20, stroke=0, fill=1)
    canvas.setFillAlpha(1)
    canvas.setFillGray(0)
    canvas.setFont("Helvetica", 4)
    canvas.drawString(LEFT, TOP - 420, "Kleingedrucktes 78")
    page = read(saved(canvas))
    seen = "Weiss auf Grau 12 Hellgrau auf Weiss 34 Markiert 56 - / Kleingedrucktes 78"
    assert sorted(text_of(page).split()) == sorted(f"{' '.join(LETTER)} {seen}".split())
    assert not page.issues


def test_words_across_the_page_hide_none_of_its_words(canvas: Canvas, read: Callable[[Path], Page]) -> None:
    canvas.saveState()
    canvas.setFillGray(0.8)
    canvas.translate(LEFT, TOP - 160)
    canvas.rotate(30)
    canvas.setFont("Helvetica-Bold", 60)
    canvas.drawString(0, 0, "KOPI 2")
    canvas.restoreState()
    page = read(saved(canvas))
    assert set(" ".join(LETTER).split()) <= set(text_of(page).split())
    assert not hidden_of(page)


def with_layers(*, shown: str, switched_off: str) -> bytes:
    """A PDF with an optional content group that is off, and both texts in the same place."""
    texts = "\n".join(
        f"BT /F 12 Tf 70 {700 - 20 * number} Td (Line {number} of the letter) Tj ET" for number in range(9)
    )
    content = (
        f"{texts}\nBT /F 12 Tf 300 700 Td ({shown}) Tj ET\n"
        f"/OC /Off BDC BT /F 12 Tf 300 700 Td ({switched_off}) Tj ET EMC"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R /OCProperties << /OCGs [6 0 R] /D << /ON [] /OFF [6 0 R] >> >> >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        " /Resources << /Font << /F 5 0 R >> /Properties << /Off 6 0 R >> >> >>",
        f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< /Type /OCG /Name (Off) >>",
    ]
    body, offsets = "%PDF-1.7\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{text}\nendobj\n"
    rows = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    table = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}"
    return f"{body}{table}trailer << /Root 1 0 R /Size {len(objects) + 1} >>\nstartxref\n{len(body)}\n%%EOF".encode()
