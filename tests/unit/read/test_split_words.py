"""Words without the blank between them: which are split, which are not, and where the parts stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Box, Page, Word
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.read.split_words import split_text, split_words
from docpipe.render import Renderer

SPLIT = [
    "04/21/20 - 04/27/20",
    "(03/09/20 - 03/09/20)",
    "01.02.2024 – 29.02.2024",
    "01/02/2024 to 29/02/2024",
    "- 05/31/20",
    "16/02/2018 12:04",
    "16/02/2018 12:04:58",
    "4/10/2015 1:22PM",
    "16/02/2018 - 12:04",
    "12/28/18, 03:12",
    "Time: 2014.10.16",
    "StNr.: DE946280061",
    "Date: 25/12/2018",
    "Date: 25/12/2018 12:04",
    "Date： 25/12/2018",
    ": 14-03-2018",
    "Nummer: 2",
    "TOTAL: 12.50",
    "Total(RM): -12.50",
    "TOTAL: RM12.50",
    "Time: 12:04",
    "Tel: +49-30-123-456",
    "IBAN: DE89370400440532013000",
    "Email: info@example.com",
    "Web: https://example.com/a:b",
    "Fälligkeitsdatum 16.09.2026",
    "vom 16.09.2026",
    "Datum 2014-07-03",
    "Zeitraum 01.02.2024 - 29.02.2024",
    "25/12/2018 Time: 12:04",
    "EUR/ kg",
    "€/ Std.",
    "n° FA-2025-6608",
    "Nr. 4711",
]
WHOLE = [
    "RE-2014-07-03/502",
    "RE2014-07-03",
    "INV16.09.2026",
    "2013-471331",
    "2014-07-03",
    "2014-07-03T12:04:00",
    "+49-30-123-456",
    "1,234.50",
    "500ml",
    "$12.00",
    "RM80.90",
    "RM5.00",
    "12:04",
    "12:04PM",
    ":30",
    ":30|10P-",
    "1:2",
    "A:B",
    "http://example.com",
    "https://example.com/2014/07/03",
    "mailto:info@example.com",
    "info@example.com",
    "urn:cen.eu:en16931:2017",
    "0088:4012345678901",
    "DE:AD:BE:EF:00:01",
    r"C:\Rechnung\2014",
    "DE89370400440532013000",
    "Kund:innen",
    "Datum:",
    "Version1.2.13",
    "192.168.10.20",
    "25.12.2018,",
    "10.00-24.00",
    "km/h",
    "USD/EUR",
    "N°",
    "Nr.",
    "",
]


@pytest.mark.parametrize("spaced", SPLIT)
def test_a_missing_blank_splits_a_word(spaced: str) -> None:
    assert " ".join(split_text(spaced.replace(" ", ""))) == spaced


@pytest.mark.parametrize("text", WHOLE)
def test_numbers_and_names_with_signs_inside_stay_whole(text: str) -> None:
    assert split_text(text) == (text,)


def test_long_words_cost_no_time() -> None:
    for text in ("a" * 50_000, "a." * 25_000 + ":", "1/" * 25_000, "Datum:" * 8_000, "01/01/2020Abc:" * 4_000):
        assert "".join(split_text(text)) == text


def test_the_parts_share_the_box_and_keep_all_else() -> None:
    word = Word("Date:25/12/2018", Box(0.1, 0.2, 0.5, 0.22), 0.8, "ocr", 3)
    label, value = split_words([word])
    assert (label.text, value.text) == ("Date:", "25/12/2018")
    assert (label.box.left, value.box.right) == (0.1, 0.5)
    assert label.box.right == value.box.left == pytest.approx(0.1 + 0.4 * 5 / 15, abs=0.02)
    assert {(part.box.top, part.box.bottom, part.confidence, part.source, part.line) for part in (label, value)} == {
        (0.2, 0.22, 0.8, "ocr", 3)
    }


def test_a_word_that_runs_up_the_page_stays_whole() -> None:
    word = Word("Date:25/12/2018", Box(0.1, 0.2, 0.12, 0.5), 0.8, "ocr", 3)
    assert split_words([word]) == (word,)


def read(path: Path) -> Page:
    with Renderer() as renderer:
        (page,) = PageRasteriser(renderer).pages(document := ingest(path, renderer=renderer))
        return PageReader(renderer, threads=1).read(document, page)


def test_a_text_layer_is_split_where_the_print_is(tmp_path: Path) -> None:
    path, text = tmp_path / "joined.pdf", "04/21/20-04/27/20"
    canvas = Canvas(str(path), pagesize=(400, 300))
    canvas.setFont("Helvetica", 12)
    for number in range(8):  # enough text to be believed without a check of the pixels
        canvas.drawString(40, 40 + 20 * number, "Some words of an order that nobody needs to split")
    canvas.drawString(40, 250, f"Flight {text} RE-2014-07-03/502")
    canvas.save()
    words = [word for word in read(path).words if word.line == 0]
    assert [word.text for word in words] == ["Flight", "04/21/20", "-", "04/27/20", "RE-2014-07-03/502"]
    begin = 40 + stringWidth("Flight 04/21/20-", "Helvetica", 12)
    assert words[3].box.left * 400 == pytest.approx(begin, abs=2)


def test_ocr_is_split_too(tmp_path: Path) -> None:
    font, image = ImageFont.load_default(28), Image.new("RGB", (700, 260), "white")
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(["Harbour Stationery Limited", "Date:25/12/2018", "Total 53.10"]):
        draw.text((40, 40 + 60 * number), line, font=font, fill="black")
    image.save(tmp_path / "joined.png")
    page = read(tmp_path / "joined.png")
    assert "25/12/2018" in [word.text for word in page.words]
    value = next(word for word in page.words if word.text == "25/12/2018")
    begin = 40 + draw.textlength("Date:", font=font)
    assert value.box.left * 700 == pytest.approx(begin, abs=8)
