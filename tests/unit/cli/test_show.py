"""`docpipe show` and the pictures it draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from docpipe.annotate import ACCEPTED, TO_CHECK, _column_height, _tops, annotate, page_marks
from docpipe.cli import invoke
from docpipe.cli.page_pictures import rotations
from docpipe.data import Box, Evidence, Extraction, Field, Issue, Page
from docpipe.ingest import ingest
from docpipe.read import reader
from docpipe.render import Renderer
from docpipe.schema import load_schema
from docpipe.store.results.result_store import SqlStore

TOTAL = Box(0.70, 0.60, 0.85, 0.63)
NAME = Box(0.10, 0.10, 0.50, 0.14)


def field(path: str, text: str, box: Box, *, accepted: bool = True, page: int = 1) -> Field:
    return Field(path, text, text, 0.97, (Evidence(page, box, text),), accepted)


def has_colour(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    """Some pixel is of about this colour (lines are smoothed)."""
    distance = np.abs(np.asarray(image, dtype=np.int16) - np.array(colour)).max(axis=2)
    return bool((distance < 24).any())


def drawn_receipt(path: Path, *, turned: int = 0) -> Path:
    page = Image.new("RGB", (600, 1000), "white")
    draw = ImageDraw.Draw(page)
    draw.text((60, 100), "CORNER SHOP", fill="black", font_size=36)
    draw.text((420, 600), "12.50", fill="black", font_size=28)
    page.rotate(turned, expand=True).save(path)
    return path


class StoredFiles:
    """A database with results for files that were drawn into a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, str(folder / "docpipe.db")
        self.renderer = Renderer()

    def put(self, path: Path, *fields: Field, issues: tuple[Issue, ...] = ()) -> str:
        document = ingest(path, renderer=self.renderer)
        fields = fields or (
            replace(field("merchant_name", "CORNER SHOP", NAME), confidence=0.99),
            replace(field("total", "12.50", TOTAL, accepted=False), value=Decimal("12.50"), confidence=0.41),
        )
        schema = load_schema("receipt")
        extraction = Extraction(
            document_id=document.id,
            schema="receipt",
            schema_version=schema.version,
            extractor="scripted:test",
            run_key=document.id[::-1],
            status="needs_review",
            pages=document.page_count,
            fields=fields,
            issues=issues,
        )
        with SqlStore(self.database) as store:
            store.add(document)
            store.save(extraction, schema)
        return document.id

    def show(self, *arguments: str) -> int:
        return invoke(["show", *arguments, "--db", self.database])


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoredFiles]:
    monkeypatch.chdir(tmp_path)
    files = StoredFiles(tmp_path)
    yield files
    files.renderer.close()


def test_show_prints_the_fields_and_draws_the_page_into_the_working_directory(
    files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    document_id = files.put(drawn_receipt(files.folder / "r.png"))
    assert files.show(document_id[:8]) == 0
    printed = capsys.readouterr()
    for text in ("CORNER SHOP", "12.50", "99%", "41%", "accepted", "to check"):
        assert text in printed.out
    assert "r-page-1.png" in printed.err
    with Image.open(files.folder / "r-page-1.png") as picture:
        assert has_colour(picture, ACCEPTED)
        assert has_colour(picture, TO_CHECK)


@pytest.mark.parametrize("name", ["r.png", "scans/r.png", "{folder}/scans/r.png"])
def test_a_document_is_found_by_its_name_or_its_file(files: StoredFiles, name: str) -> None:
    (files.folder / "scans").mkdir()
    files.put(drawn_receipt(files.folder / "scans" / "r.png"))
    assert files.show(name.format(folder=files.folder), "--output", "here.png") == 0
    assert (files.folder / "here.png").is_file()


def test_two_documents_with_one_name_are_told_apart_by_id(
    files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = []
    for subfolder, turned in (("a", 0), ("b", 180)):
        (files.folder / subfolder).mkdir()
        ids.append(files.put(drawn_receipt(files.folder / subfolder / "r.png", turned=turned)))
    assert files.show("r.png") == 7
    output = capsys.readouterr().err
    assert all(document_id[:12] in output for document_id in ids)
    assert files.show("b/r.png") == 0


def test_an_unknown_document_is_an_error_that_says_where_to_look(
    files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    files.put(drawn_receipt(files.folder / "r.png"))
    assert files.show("other.pdf") == 7
    assert "docpipe list" in capsys.readouterr().err


def test_a_file_that_is_gone_is_said_and_its_fields_are_printed(
    files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    path = drawn_receipt(files.folder / "r.png")
    files.put(path)
    path.unlink()
    assert files.show("r.png") == 0
    printed = capsys.readouterr()
    assert "CORNER SHOP" in printed.out
    assert "is gone" in printed.err
    assert not (files.folder / "r-page-1.png").exists()


def test_a_file_that_has_changed_is_not_drawn_with_old_boxes(
    files: StoredFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    path = drawn_receipt(files.folder / "r.png")
    files.put(path)
    drawn_receipt(path, turned=180)
    assert files.show("r.png") == 0
    assert "has changed" in capsys.readouterr().err
    assert not (files.folder / "r-page-1.png").exists()


def test_a_page_that_docpipe_turned_is_drawn_upright(files: StoredFiles) -> None:
    turned = Issue("page_turned", "Page 1 was turned by 90° to stand upright.", "info", page=1)
    files.put(drawn_receipt(files.folder / "r.png", turned=90), issues=(turned,))
    assert files.show("r.png", "--output", "shown.png") == 0
    files.put(drawn_receipt(files.folder / "upright.png"))
    assert files.show("upright.png", "--output", "expected.png") == 0
    with Image.open("shown.png") as shown, Image.open("expected.png") as expected:
        assert shown.size == expected.size
        below_title = (0, 58, *shown.size)
        assert shown.crop(below_title).tobytes() == expected.crop(below_title).tobytes()


def test_the_words_of_the_reader_s_issue_say_how_a_page_was_turned() -> None:
    """`docpipe show` turns pages by these words: they must stay what the reader writes."""

    class Picture:
        def open(self, *, max_side: int | None = None) -> Image.Image:
            return Image.new("RGB", (10, 10))

        def turned(self, degrees: int) -> Picture:
            return self

    page = reader._rotated(Page(3, 10, 20, 200.0, image=Picture()), 270)
    assert rotations(issue.message for issue in page.issues) == {3: 270}


def test_each_page_with_a_field_is_drawn_and_one_can_be_chosen(files: StoredFiles) -> None:
    pages = [Image.new("RGB", (600, 800), "white") for _ in range(3)]
    pages[0].save(files.folder / "d.tiff", save_all=True, append_images=pages[1:])
    files.put(files.folder / "d.tiff", field("merchant_name", "Shop", NAME), field("total", "12.50", TOTAL, page=3))
    assert files.show("d.tiff") == 0
    assert sorted(path.name for path in files.folder.glob("*.png")) == ["d-page-1.png", "d-page-3.png"]
    assert files.show("d.tiff", "--page", "2", "--output", "second.png") == 0
    assert (files.folder / "second.png").is_file()
    assert files.show("d.tiff", "--page", "4") == 3


def test_nothing_but_thin_lines_is_drawn_on_the_page_outside_the_boxes() -> None:
    page = Image.new("RGB", (600, 800), "white")
    fields = [field(f"field_{index}", "text", Box(0.4, 0.1, 0.6, 0.12)) for index in range(30)]
    full = annotate(page, fields, 1, "title")
    left = (full.width - 1125) // 2  # the page is 1500 pixels high and stands in the middle
    below_boxes = full.crop((left + 10, 300, left + 1115, 1500))
    touched = (np.asarray(below_boxes) != 255).any(axis=2).mean()
    assert touched < 0.06


def test_cards_of_many_fields_do_not_overlap() -> None:

    fields = [
        field(f"line_items[{row}].amount", "1.00", Box(0.8, 0.5 + row / 400, 0.9, 0.502 + row / 400))
        for row in range(90)
    ]
    marks = page_marks(fields, 1)
    height = max(1500, _column_height(marks))
    tops = _tops(marks, 1500, height)
    assert all(later - top >= mark.card_height for mark, top, later in zip(marks, tops, tops[1:], strict=False))
    assert tops[0] >= 0
    assert tops[-1] + marks[-1].card_height <= height


def test_a_row_has_one_card_and_is_doubtful_when_one_cell_is() -> None:

    cells = [
        field("line_items[0].description", "Nougat", Box(0.1, 0.5, 0.3, 0.52)),
        field("line_items[0].amount", "81.90", Box(0.8, 0.5, 0.9, 0.52), accepted=False),
    ]
    (mark,) = page_marks(cells, 1)
    assert (mark.name, mark.accepted, len(mark.boxes)) == ("line_items[0]", False, 2)
    assert mark.outer_box == Box(0.1, 0.5, 0.9, 0.52)
