"""Pages between two workers: they come back as they went, and damage is noticed instead of read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docpipe import pipeline
from docpipe.components import ModelName, load_components
from docpipe.config import load_settings
from docpipe.data import Box, Document, Issue, Page, PageImage, PreparedDocument, Widget, Word
from docpipe.errors import MissingError, StoreError
from docpipe.ingest import ingest
from docpipe.page_images import CroppedImage, for_models
from docpipe.rasterise import PageRasteriser
from docpipe.render import Renderer
from docpipe.samples import draw
from docpipe.samples.pictures import image_pdf, rasterise
from docpipe.schema import load_schema
from docpipe.store.blobs import Blobs, job_prefix
from docpipe.store.jobs.prepared_pages import MAX_SIDE, StoredPages, load_pages, picture_key, save_pages

JOB = "ab" + "1" * 30
JSON = f"{job_prefix(JOB)}/pages.json"
TIMINGS = {"rasterise": 0.1, "read": 0.30000000000000004}
ODD = ("Zahlung\x00", "\ud800half", "日本語 🧾", 'quo"te', "", "1.234,50 €")


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(str(tmp_path / "blobs"))


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory, renderer: Renderer) -> Document:
    """A drawn invoice, a white page, and the same invoice as a coarse scan."""
    picture = rasterise(draw("invoice", 7_000_301, fonts="standard"), 110)[0]
    path = tmp_path_factory.mktemp("documents") / "Rechnung März.pdf"
    path.write_bytes(
        image_pdf([picture, Image.new("RGB", picture.size, "white"), picture.rotate(90, expand=True)], 110)
    )
    return ingest(path, renderer=renderer, password=None)


@pytest.fixture(scope="module")
def pages(document: Document, renderer: Renderer) -> list[Page]:
    """As a reader would return them: the third was turned."""
    first, second, third = PageRasteriser(renderer).pages(document)
    words = tuple(Word(text, Box(0.1, 1 / 3, 0.1 + 0.2, 1.0), 1 / 3, "ocr", n // 2) for n, text in enumerate(ODD))
    issues = (Issue("glued", "two words", "info", "gross_total", 1), Issue("low", "doubt"))
    assert second.blank
    turned = replace(
        third, image=third.image.turned(90), rotation=90, width=third.height, height=third.width, words=words[:1]
    )
    lost = Page(4, 0, 0, 0.0, issues=(Issue("page_unreadable", "damaged", "error", page=4),))
    return [replace(first, words=words, issues=issues), second, turned, lost]


def levels_apart(image: PageImage, other: PageImage, side: int | None) -> float:
    """The mean difference of two pictures, of 255."""
    first, second = image.open(max_side=side), other.open(max_side=side)
    if first.size != second.size:
        assert max(abs(a - b) for a, b in zip(first.size, second.size, strict=True)) <= 1, (first.size, second.size)
        second = second.resize(first.size)
    return float(np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32)).mean())


def test_pages_come_back_equal_with_words_boxes_issues_and_all(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    stored = load_pages(blobs, JOB)
    assert stored.pages == pages
    read = stored.document
    assert (read.id, read.name, read.page_count, read.size) == (document.id, "Rechnung März.pdf", 3, document.size)
    assert stored.timings == TIMINGS


def test_pictures_look_the_same_at_the_size_that_models_ask_for(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    read = load_pages(blobs, JOB).pages
    for page, original in ((read[0], pages[0]), (read[2], pages[2])):
        assert levels_apart(original.image, page.image, 1280) < 3.0
        assert levels_apart(original.image, page.image, 640) < 2.0
    upside_down = replace(pages[0], image=pages[0].image.turned(180))
    assert levels_apart(upside_down.image, read[0].image, 640) > 5.0, "the measure tells pictures apart"


def test_a_kept_picture_is_turned_as_the_original_is(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    (page, *_) = load_pages(blobs, JOB).pages
    for degrees in (90, 180, 270):
        assert levels_apart(pages[0].image.turned(degrees), page.image.turned(degrees), 640) < 2.0
    assert page.image.turned(90).turned(270).open(max_side=640).size == page.image.open(max_side=640).size


def test_blank_and_lost_pages_have_no_picture(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    read = load_pages(blobs, JOB).pages
    assert [page.image is not None for page in read] == [True, False, True, False]
    assert not blobs.has(picture_key(JOB, 2)) and not blobs.has(picture_key(JOB, 4))


def test_a_picture_is_no_larger_than_models_look_at(blobs, document, pages, renderer):
    large = replace(pages[0], image=_Drawn(Image.new("RGB", (3_000, 4_000), "grey")))
    save_pages(blobs, JOB, StoredPages(document, [large], TIMINGS))
    (page,) = load_pages(blobs, JOB).pages
    assert max(page.image.open().size) == MAX_SIDE
    assert page.image.open(max_side=100).size == (75, 100)


def test_each_model_gets_pictures_of_the_size_that_it_looks_at():
    for small in ("embedded", "embedded:/weights", "scripted:a.json"):
        assert ModelName.parse(small).picture_sides == (MAX_SIDE,)
    for larger, side in (
        ("hf:org/name@1", 2_048),
        ("openai:name", 2_048),
        ("anthropic:name", 2_000),
        ("gemini:name", 3_072),
    ):
        assert ModelName.parse(larger).picture_sides == (side,)
        assert ModelName.parse(f"embedded, {larger}").picture_sides == (MAX_SIDE, side)


def test_in_two_sizes_the_smaller_picture_is_as_drawn_and_the_larger_one_shows_more(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS), sides=(640, MAX_SIDE))
    read = load_pages(blobs, JOB).pages
    for page, original in ((read[0], pages[0]), (read[2], pages[2])):
        for side in (640, MAX_SIDE):
            stored_image, drawn = page.image.open(max_side=side), original.image.open(max_side=side)
            assert stored_image.size == drawn.size and stored_image.tobytes() == drawn.convert("RGB").tobytes()
        assert max(page.image.open().size) == max(page.image.open(max_side=5000).size) > 640
        assert max(page.image.open(max_side=700).size) == 700
        assert max(page.image.open(max_side=100).size) == 100
        assert page.image.turned(90).open(max_side=640).size == page.image.open(max_side=640).size[::-1]
    assert Image.open(io.BytesIO(blobs.get(picture_key(JOB, 1)))).size == read[0].image.open(max_side=640).size


def test_a_page_that_is_small_is_kept_once(blobs, document, pages):
    small = replace(pages[0], image=_Drawn(Image.new("RGB", (300, 400), "grey")))
    save_pages(blobs, JOB, StoredPages(document, [small, pages[1]], TIMINGS), sides=(640, MAX_SIDE))
    (page, blank) = load_pages(blobs, JOB).pages
    assert page.image.open().size == page.image.open(max_side=640).size == (300, 400)
    assert blank.image is None
    assert not blobs.has(picture_key(JOB, 1, MAX_SIDE))


def test_a_larger_picture_that_is_damaged_is_missing(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS), sides=(640, MAX_SIDE))
    blobs.put(picture_key(JOB, 1, MAX_SIDE), b"x" * 999)
    (page, *_) = load_pages(blobs, JOB).pages
    assert max(page.image.open(max_side=640).size) == 640
    with pytest.raises(MissingError):
        page.image.open(max_side=MAX_SIDE)


def test_the_first_model_of_a_cascade_is_as_sure_as_alone(blobs, tmp_path):
    """From the larger picture made smaller nearly every confidence is another (benchmarks/service/kept_pictures.py)."""
    components = load_components(ModelName("embedded"), load_settings({}), threads=1)
    try:
        path = tmp_path / "invoice.pdf"
        path.write_bytes(draw("receipt", 7_000_302, fonts="standard").pdf)
        document, schema = components.open(path), load_schema("receipt")
        run = pipeline.identify_run(document, schema, components.parts, components.policy)
        prepared = pipeline.prepare(document, rasteriser=components.parts.rasteriser, reader=components.parts.reader)
        understood = partial(
            pipeline.understand, schema=schema, extractor=components.parts.extractor, run=run, policy=components.policy
        )
        expected = understood(prepared).fields
        sides = ModelName.parse("embedded,hf:org/name@1").picture_sides
        save_pages(blobs, JOB, StoredPages(document, prepared.pages, TIMINGS), sides=sides)
        pages = load_pages(blobs, JOB).pages
        fields = understood(PreparedDocument(pages)).fields
    finally:
        components.close()
    assert fields == expected and len(fields) > 3
    assert max(pages[0].image.open().size) > MAX_SIDE


class _Drawn:
    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def open(self, *, max_side: int | None = None) -> Image.Image:
        image = self.image.copy()
        if max_side is not None:
            image.thumbnail((max_side, max_side))
        return image


@pytest.mark.parametrize("model", ["embedded", "gemini:name", "anthropic:name", "embedded,hf:org/name@1"])
def test_a_model_is_given_the_same_pictures_and_regions_as_in_docpipe_run(blobs, document, pages, model):
    """The run key is the same, so the pixels are: also of sizes that are not kept, and of what is cut from a page."""
    sides = ModelName.parse(model).picture_sides
    drawn = for_models(pages, sides)
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS), sides=sides)
    stored = load_pages(blobs, JOB, sides=sides).pages
    for number in (0, 2):
        image, other = drawn[number].image, stored[number].image
        for side in (300, 1_111, 1_280, 1_500, 5_000, None):  # as models ask: the first of a cascade has small ones
            assert same_pixels(image.open(max_side=side), other.open(max_side=side)), side
        crops = [CroppedImage(page_image, Box(0.1, 0.2, 0.6, 0.3)) for page_image in (image, other)]
        for side in (200, None):
            assert same_pixels(*(crop.open(max_side=side) for crop in crops)), side


def same_pixels(image: Image.Image, other: Image.Image) -> bool:
    return image.size == other.size and image.convert("RGB").tobytes() == other.convert("RGB").tobytes()


def test_pictures_for_a_model_that_is_given_others_are_missing(blobs, document, pages):
    """After an upgrade that gives a model larger ones, the pages of jobs that wait are read again."""
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS), sides=(2_048,))
    assert load_pages(blobs, JOB, sides=(2_048,)).pages
    with pytest.raises(MissingError, match="other sizes"):
        load_pages(blobs, JOB, sides=(3_072,))


def test_no_password_and_no_path_of_this_machine_is_kept(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(replace(document, password="geheim"), pages, TIMINGS))
    content = blobs.get(JSON).decode("utf-8", "surrogatepass")
    assert "geheim" not in content and str(document.path.parent) not in content
    assert load_pages(blobs, JOB).document.password is None


def test_pages_without_their_list_are_not_there(blobs, document, pages, monkeypatch):
    """A worker that dies while it keeps pages leaves nothing that another one would take for whole."""
    original_put = Blobs.put

    def stop_at_the_list(self, key, *args, **kwargs) -> None:
        if key == JSON:
            raise StoreError("the disk is full")
        original_put(self, key, *args, **kwargs)

    monkeypatch.setattr(Blobs, "put", stop_at_the_list)
    with pytest.raises(StoreError):
        save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    with pytest.raises(MissingError):
        load_pages(blobs, JOB)


DAMAGE = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "another thing": lambda content: b"[1, 2]",
    "a text": lambda content: b'"pages"',
    "null": lambda content: b"null",
    "not UTF-8": lambda content: b"\xff\xfe" + content,
    "of a newer version": lambda content: json.dumps({**json.loads(content), "format": 99}).encode(),
    "without words": lambda content: content.replace(b'"words"', b'"wards"'),
    "with half a word": lambda content: content.replace(b'"ocr", 0]', b'"ocr"]', 1),
    "with a number for a page": lambda content: json.dumps({**json.loads(content), "pages": [1]}).encode(),
    "with an issue of another kind": lambda content: content.replace(b'"severity"', b'"severe"'),
    "of a document with another field": lambda content: content.replace(b'"media_type"', b'"media"'),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_list_of_pages_that_is_damaged_is_missing(blobs, document, pages, damage):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    damaged = DAMAGE[damage](blobs.get(JSON))
    assert damaged != blobs.get(JSON)
    blobs.put(JSON, damaged)
    with pytest.raises(MissingError):
        load_pages(blobs, JOB)


PICTURES = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "noise": lambda _: b"x" * 999,
}


@pytest.mark.parametrize("damage", [*PICTURES, "gone"])
def test_a_picture_that_is_damaged_or_gone_is_missing(blobs, document, pages, damage):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    content = blobs.get(picture_key(JOB, 1))
    blobs.delete(picture_key(JOB, 1))
    if damage in PICTURES:
        blobs.put(picture_key(JOB, 1), PICTURES[damage](content))
    (page, *_) = load_pages(blobs, JOB).pages
    with pytest.raises(MissingError):
        page.image.open(max_side=640)


def test_pages_that_are_kept_again_are_the_later_ones(blobs, document, pages):
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    save_pages(blobs, JOB, StoredPages(document, pages[:1], {}))
    stored = load_pages(blobs, JOB)
    assert (stored.pages, stored.timings) == (pages[:1], {})


def test_a_picture_says_that_it_is_a_picture(blobs, document, pages):
    """Who looks at a document in a browser gets it as it lies there."""
    save_pages(blobs, JOB, StoredPages(document, pages, TIMINGS))
    assert Image.open(io.BytesIO(blobs.get(picture_key(JOB, 1)))).format == "WEBP"


def test_the_fields_of_a_form_come_back_as_they_went(blobs, document):
    box = Box(0.1, 0.2, 0.30000001192092896, 0.4)
    widgets = (Widget("Größe", "Your size", "radio_button", box, "XL", True), Widget("a.b", "", "text", box, 'quo"te'))
    page = Page(1, 100, 200, 96.0, widgets=widgets)
    save_pages(blobs, JOB, StoredPages(document, [page], TIMINGS))
    assert load_pages(blobs, JOB).pages == [page]
