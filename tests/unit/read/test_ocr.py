"""OCR on pictures that the tests draw: words, boxes, skew, turned pages, long and small print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from docpipe.data import Box, Document, Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader, detect
from docpipe.read.detect import find_regions
from docpipe.read.ocr import Ocr
from docpipe.read.ocr_models import OcrModels
from docpipe.render import Renderer

LETTER = [
    "Harbour Stationery Limited",
    "14 Market Street, Bristol BS1 5TR",
    "Invoice number HS-20417",
    "Date: 17 March 2021",
    "Ten boxes of printer paper 45.90",
    "Two packs with blue pencils 7.20",
    "Amount due within thirty days 53.10",
    "Thank you for your order",
]


@dataclass(frozen=True)
class PrintedSheet:
    image: Image.Image
    boxes: dict[str, Box]  # of each word that is printed once


def printed(lines: list[str], *, size: int = 28, width: int = 900, spacing: float = 2.0) -> PrintedSheet:
    """A white sheet with these lines, and where the words' ink is."""
    font = ImageFont.load_default(size)
    image = Image.new("RGB", (width, round(size * spacing * (len(lines) + 2))), "white")
    draw = ImageDraw.Draw(image)
    boxes: dict[str, Box] = {}
    for number, line in enumerate(lines):
        x, y = 60.0, size * spacing * (number + 1)
        for word in line.split():
            left, top, right, bottom = draw.textbbox((x, y), word, font=font)
            draw.text((x, y), word, font=font, fill="black")
            boxes[word] = Box(left / image.width, top / image.height, right / image.width, bottom / image.height)
            x += draw.textlength(word + " ", font=font)
    return PrintedSheet(image, boxes)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as opened:
        yield opened


@pytest.fixture(scope="module")
def reader(renderer: Renderer) -> PageReader:
    return PageReader(renderer, threads=1)


def pages(image: Image.Image, folder: Path, renderer: Renderer) -> tuple[Document, list[Page]]:
    path = folder / "page.png"
    image.save(path)
    document = ingest(path, renderer=renderer)
    return document, list(PageRasteriser(renderer).pages(document))


def read(image: Image.Image, folder: Path, renderer: Renderer, reader: PageReader) -> Page:
    document, (page,) = pages(image, folder, renderer)
    return reader.read(document, page)


def lines(page: Page) -> list[str]:
    grouped: dict[int, list[str]] = {}
    for word in page.words:
        grouped.setdefault(word.line, []).append(word.text)
    return [" ".join(texts) for texts in grouped.values()]


def test_a_printed_page_is_read_line_by_line(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    page = read(printed(LETTER).image, tmp_path, renderer, reader)
    assert lines(page) == LETTER
    assert page.rotation == 0
    assert page.issues == ()
    assert all(word.source == "ocr" and 0.8 < word.confidence <= 1 for word in page.words)


def test_word_boxes_lie_tight_around_the_ink(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    sheet = printed(LETTER)
    page = read(sheet.image, tmp_path, renderer, reader)
    overlaps = [word.box.iou(sheet.boxes[word.text]) for word in page.words if word.text in sheet.boxes]
    assert len(overlaps) > 30
    assert min(overlaps) > 0.5
    assert sum(overlaps) / len(overlaps) > 0.75


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_page_scanned_the_wrong_way_up_is_turned(
    degrees: int, tmp_path: Path, renderer: Renderer, reader: PageReader
) -> None:
    upright = printed(LETTER, width=1000)
    wrong = upright.image.rotate(degrees, expand=True)  # Pillow turns counter-clockwise
    page = read(wrong, tmp_path, renderer, reader)
    assert page.rotation == degrees
    assert lines(page) == LETTER
    assert (page.width, page.height) == upright.image.size
    assert page.image is not None
    assert page.image.open().size == upright.image.size
    assert [(issue.code, issue.severity) for issue in page.issues] == [("page_turned", "info")]
    number = next(word for word in page.words if word.text == "HS-20417")
    assert number.box.iou(upright.boxes["HS-20417"]) > 0.5


@pytest.mark.parametrize("degrees", [-4, 4])
def test_a_skewed_scan_keeps_its_lines_together(
    degrees: int, tmp_path: Path, renderer: Renderer, reader: PageReader
) -> None:
    rows = ["Pencils 7.20", "Paper 45.90", "Total 53.10"]
    sheet = Image.new("RGB", (1000, 500), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(28)
    for number, row in enumerate(rows):
        item, price = row.split()
        draw.text((80, 150 + 60 * number), item, font=font, fill="black")
        draw.text((800, 150 + 60 * number), price, font=font, fill="black")
    skewed = sheet.rotate(degrees, fillcolor="white", resample=Image.Resampling.BICUBIC)
    page = read(skewed, tmp_path, renderer, reader)
    assert lines(page) == rows


def test_a_long_till_roll_is_read_to_its_end(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    roll = [f"Article {number:03d} {number}.50" for number in range(100, 160)]
    page = read(printed(roll, width=500, size=26).image, tmp_path, renderer, reader)
    assert lines(page) == roll


def test_small_print_is_read_at_a_higher_resolution(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    small = [f"{line} {line} {line}" for line in LETTER * 8]
    sheet = printed(small, size=17, width=2000, spacing=2.0).image
    page = read(sheet, tmp_path, renderer, reader)
    texts = {word.text for word in page.words}
    assert {word for line in LETTER for word in line.split()} <= texts
    assert len(lines(page)) == len(small)


@pytest.mark.parametrize("degrees", [0, 1])
def test_a_large_sheet_is_searched_in_bands_and_no_line_is_lost_or_doubled(
    degrees: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = printed([f"Article {number} {number}.50 {number}" for number in range(100, 160)], size=24, width=1500)
    picture = sheet.image.rotate(degrees, fillcolor="white", resample=Image.Resampling.BICUBIC)
    ocr = Ocr()
    whole = find_regions(np.asarray(picture), ocr.models, side=2400)
    assert len(whole) == 60
    detector_pixels: list[int] = []
    text_map = OcrModels.text_map

    def counted(self: OcrModels, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        detector_pixels.append(pixels.size // 3)
        return text_map(self, pixels)

    monkeypatch.setattr(OcrModels, "text_map", counted)
    monkeypatch.setattr(detect, "MAX_PIXELS", 600_000)
    in_bands = find_regions(np.asarray(picture), ocr.models, side=2400)
    assert max(detector_pixels) < 1.1 * detect.MAX_PIXELS
    assert len(detector_pixels) > 2
    centres = sorted((region.y, region.x) for region in in_bands)
    for centre, expected in zip(centres, sorted((region.y, region.x) for region in whole), strict=True):
        assert centre == pytest.approx(expected, abs=10)


def test_light_print_on_a_dark_ground_is_read(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    sheet = printed(LETTER).image.point([255 - value for value in range(256)] * 3)
    assert lines(read(sheet, tmp_path, renderer, reader)) == LETTER


def test_a_page_with_nothing_to_read_comes_back_without_words(
    tmp_path: Path, renderer: Renderer, reader: PageReader
) -> None:
    picture = Image.new("RGB", (800, 600), "white")
    ImageDraw.Draw(picture).line((100, 100, 700, 500), fill="black", width=2)
    page = read(picture, tmp_path, renderer, reader)
    assert page.words == ()
    assert page.issues == ()


def test_blank_and_missing_pages_are_left_alone(tmp_path: Path, renderer: Renderer, reader: PageReader) -> None:
    document, (blank,) = pages(Image.new("RGB", (800, 600), "white"), tmp_path, renderer)
    assert blank.blank
    assert reader.read(document, blank) == blank
    missing = Page(1, 0, 0, 0.0)
    assert reader.read(document, missing) is missing
