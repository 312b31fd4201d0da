"""Files made to break things: each ends as pages or as a clear error, and the next file is read as usual."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pytest

from docpipe.errors import CorruptError, EncryptedError, InputError
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.render import Renderer
from tests.support.hostile_files import HOSTILE_FILES, LIMITS, good_pdf, locked_pdf, picture_bomb, png
from tests.support.poppler import needs_poppler


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    """Each test has its own: what its decoder finds in PATH and has in memory is of this test."""
    with Renderer(LIMITS) as renderer:
        yield renderer


def pages_or_error(path: Path, renderer: Renderer) -> int | InputError:
    """How many pages could be drawn, or why the file is refused."""
    try:
        document = ingest(path, renderer=renderer)
        return sum(page.image is not None for page in PageRasteriser(renderer).pages(document))
    except InputError as error:
        assert error.message and error.hint
        return error


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_a_hostile_file_ends_as_pages_or_as_an_error_and_the_next_file_is_read(
    tmp_path, renderer, without_poppler, name
):
    hostile, good = tmp_path / "hostile.pdf", tmp_path / "good.pdf"
    hostile.write_bytes(HOSTILE_FILES[name].build())
    good.write_bytes(good_pdf())
    outcome = pages_or_error(hostile, renderer)
    assert HOSTILE_FILES[name].ends_as(outcome), outcome
    assert pages_or_error(good, renderer) == 1


@needs_poppler
def test_what_poppler_makes_of_hostile_pdfs_ends_in_the_same_way(tmp_path, renderer):
    """Which of them it reads is its own affair: each version does better."""
    largest = "a page with an image of 3.6 billion pixels"  # for Poppler a smaller one: each pixel takes its time
    builds = {name: file.build for name, file in HOSTILE_FILES.items()} | {largest: lambda: picture_bomb(15_000)}
    for number, build in enumerate(builds.values()):
        hostile, good = tmp_path / f"{number}.pdf", tmp_path / "good.pdf"
        content = build()
        if content.startswith(b"%PDF-"):
            hostile.write_bytes(content.removeprefix(b"%PDF-"))  # so that PDFium refuses it
            good.write_bytes(good_pdf())
            assert isinstance(pages_or_error(hostile, renderer), int | InputError)
            assert pages_or_error(good, renderer) == 1


def test_an_encrypted_file_does_not_change_the_error_of_the_next(tmp_path, renderer):
    """PDFium keeps its last error: a PDF without pages was once called encrypted after an encrypted one."""
    (tmp_path / "locked.pdf").write_bytes(locked_pdf())
    with pikepdf.new() as file:
        file.save(tmp_path / "empty.pdf")
    with pytest.raises(EncryptedError):
        ingest(tmp_path / "locked.pdf", renderer=renderer)
    with pytest.raises(CorruptError):
        ingest(tmp_path / "empty.pdf", renderer=renderer)


@pytest.mark.skipif(sys.platform == "darwin", reason="its file system refuses names that are not UTF-8")
def test_a_name_that_is_not_utf_8_is_no_obstacle(tmp_path, renderer):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/Rechnung \xfc.pdf"))
    path.write_bytes(good_pdf())
    [page] = PageRasteriser(renderer).pages(ingest(path, renderer=renderer))
    assert page.image is not None
    image = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xfc.png"))
    image.write_bytes(png(16, 16, b"\x00\xff\xff" * 16))
    assert ingest(image, renderer=renderer).page_count == 1
