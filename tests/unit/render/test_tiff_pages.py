"""TIFFs with several pages: of any sizes, modes and compressions, each page is drawn as itself, in any order, again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.render import Renderer, SourceFile

SIZES = ((64, 96), (64, 96), (96, 64), (61, 83))  # a size twice: pages of one size share Pillow's memory
COMPRESSIONS = {
    "1": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "group3", "group4"),
    "L": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"),
    "P": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"),
    "RGB": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"),
    "RGBA": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"),
    "CMYK": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"),
    "I;16": ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"),
}
STYLES = [(mode, compression) for mode, names in COMPRESSIONS.items() for compression in names]
BANDS = 8  # one byte in black and white bands, from the left: which page this is


def numbered(number: int, size: tuple[int, int], mode: str) -> Image.Image:
    """A white page with its number in black bands."""
    picture = Image.new("L", size, 255)
    pen = ImageDraw.Draw(picture)
    for band in range(BANDS):
        if number >> band & 1:
            pen.rectangle((band * size[0] // BANDS, 0, (band + 1) * size[0] // BANDS - 1, size[1]), fill=0)
    if mode == "I;16":
        return picture.convert("I").point(lambda value: value * 257).convert("I;16")
    return picture.convert("RGB").convert(mode) if mode in ("P", "RGBA", "CMYK") else picture.convert(mode)


def number_of(image: Image.Image) -> int:
    grey = image.convert("L")
    middles = [(2 * band + 1) * grey.width // (2 * BANDS) for band in range(BANDS)]
    return sum((grey.getpixel((middle, grey.height // 2)) < 128) << band for band, middle in enumerate(middles))


def write(path: Path, pages: list[Image.Image], compressions: list[str]) -> None:
    """One page after the other, each with its own compression."""
    for page, compression in zip(pages, compressions, strict=True):
        page.encoderinfo = {"compression": compression}
    pages[0].save(path, format="TIFF", save_all=True, append_images=pages[1:], compression=compressions[0])


def check_pages(path: Path, sizes: list[tuple[int, int]], dice: random.Random, renderer: Renderer) -> None:
    """In order, backwards, in any order, and each twice; small and large."""
    source = SourceFile(path, "image/tiff")
    count = len(sizes)
    orders = [
        *range(count),
        *reversed(range(count)),
        *dice.sample(range(count), count),
        *dice.choices(range(count), k=8),
    ]
    for page in orders:
        for max_side in (64, 1000):
            drawn = renderer.draw(source, page + 1, max_side=max_side).image
            assert number_of(drawn) == page + 1
        assert drawn.size == sizes[page]


@pytest.mark.parametrize("mode", COMPRESSIONS)
def test_a_page_is_drawn_beside_pages_of_any_other_sort(mode, tmp_path, renderer: Renderer):
    """Each compression of this mode, then a page of another mode and compression, in sizes that change and repeat."""
    dice = random.Random(mode)
    for compression in COMPRESSIONS[mode]:
        styles = [(mode, compression), dice.choice(STYLES), (mode, compression), *dice.sample(STYLES, 4)]
        sizes = [dice.choice(SIZES) for _ in styles]
        pages = [
            numbered(number, size, style[0]) for number, (size, style) in enumerate(zip(sizes, styles, strict=True), 1)
        ]
        path = tmp_path / f"{compression}.tif"
        write(path, pages, [style[1] for style in styles])
        check_pages(path, sizes, dice, renderer)


@pytest.mark.parametrize("same_size", [True, False])
def test_a_file_may_hold_pages_of_all_sorts_at_once(same_size, tmp_path, renderer: Renderer):
    dice = random.Random(7)
    sizes = [SIZES[0] if same_size else dice.choice(SIZES) for _ in STYLES]
    numbers = range(1, len(STYLES) + 1)
    pages = [numbered(number, size, mode) for number, size, (mode, _) in zip(numbers, sizes, STYLES, strict=True)]
    write(tmp_path / "all.tif", pages, [compression for _, compression in STYLES])
    check_pages(tmp_path / "all.tif", sizes, dice, renderer)


def test_the_pages_of_a_mixed_file_are_no_damaged_file(tmp_path, renderer: Renderer):
    """As a fax and a scanner in grey behind it leave them in one file."""
    pages = [numbered(1, (172, 220), "1"), numbered(2, (85, 110), "L"), numbered(3, (172, 220), "1")]
    write(tmp_path / "fax.tif", pages, ["group4", "raw", "group3"])
    read = list(PageRasteriser(renderer).pages(ingest(tmp_path / "fax.tif", renderer=renderer)))
    assert [(page.width, page.height) for page in read] == [(172, 220), (85, 110), (172, 220)]
    for page in reversed(read):
        assert page.issues == ()
        assert number_of(page.image.open()) == page.number


def test_a_fax_is_drawn_in_its_true_shape(tmp_path, renderer: Renderer):
    """Of normal resolution it has half as many lines an inch down as dots across; a scan has about as many."""
    for dpi, size in (
        ((204, 98), (170, 229)),
        ((100, 300), (510, 110)),
        ((204, 196), (170, 110)),
        ((1, 300), (170, 110)),
    ):
        numbered(5, (170, 110), "1").save(tmp_path / "fax.tif", compression="group4", dpi=dpi)
        drawn = renderer.draw(SourceFile(tmp_path / "fax.tif", "image/tiff"), 1, max_side=1000).image
        assert drawn.size == size
        assert number_of(drawn) == 5


def test_pages_before_the_end_of_a_file_that_is_cut_off_are_read(tmp_path, renderer: Renderer):
    """What a file says of its last page stands at its end."""
    write(tmp_path / "whole.tif", [numbered(number, SIZES[0], "L") for number in (1, 2, 3)], ["tiff_lzw"] * 3)
    content = (tmp_path / "whole.tif").read_bytes()
    with Image.open(tmp_path / "whole.tif") as whole:
        whole.seek(2)
        last = whole._frame_pos[2]
    for end in (last + 30, last - 1):
        (tmp_path / "cut.tif").write_bytes(content[:end])
        read = list(PageRasteriser(renderer).pages(ingest(tmp_path / "cut.tif", renderer=renderer)))
        assert [number_of(page.image.open()) for page in read[:2]] == [1, 2]
        assert [issue.code for page in read[:2] for issue in page.issues] == []
        assert all(issue.code == "page_unreadable" for page in read[2:] for issue in page.issues)
        assert len(read) == 3
