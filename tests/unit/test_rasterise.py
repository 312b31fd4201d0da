"""Pages from documents: the right way up, in the right colours, at a resolution that small print survives."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Page
from docpipe.errors import CorruptError, InputError
from docpipe.ingest import ingest
from docpipe.rasterise import MAX_PIXELS, PageRasteriser
from docpipe.render import Renderer
from docpipe.render.blank import is_blank

A4 = (595.28, 841.89)
# 64 x 96 pixels, a red corner on white, drawn for this test; libraries that only decode cannot make one.
HEIC = (
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAA"
    "AA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAAMAAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEA"
    "AGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMA"
    "AAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBhZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3Bl"
    "AAAAAAAAAEAAAABgAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAA4bWRhdAAAACwoAa8ZgPd8hTf/+KGH"
    "/mta/6/Evaz9t0vXrT9/2cQ9kPzyEAcz6v9N/FjMbw=="
)


@pytest.fixture
def pages_of(renderer: Renderer):
    def pages(path: Path, **options: float) -> list[Page]:
        return list(PageRasteriser(renderer, **options).pages(ingest(path, renderer=renderer)))

    return pages


def scan(path: Path, size: tuple[int, int] = (850, 1_100), text: str = "Total 12.50", ink: int = 0) -> Image.Image:
    image = Image.new("L", size, 255)
    ImageDraw.Draw(image).text((100, 100), text, fill=ink, font=ImageFont.load_default(40))
    image.save(path)
    return image


def text_pdf(path: Path, size: tuple[float, float] = A4, text: str = "Total 12.50") -> Path:
    canvas = Canvas(str(path), pagesize=size)
    canvas.drawString(20, size[1] - 40, text)
    canvas.save()
    return path


def scan_pdf(path: Path, picture: Path, size: tuple[float, float] = (612, 792), over: str = "") -> Path:
    canvas = Canvas(str(path), pagesize=size)
    canvas.drawImage(str(picture), 0, 0, *size)
    if over:
        canvas.drawString(72, 72, over)
    canvas.save()
    return path


def middle(page: Page) -> tuple[int, ...]:
    image = page.image.open()
    return image.getpixel((image.width // 2, image.height // 2))


def test_a_text_page_is_drawn_at_200_dpi_and_says_so(tmp_path, pages_of):
    [page] = pages_of(text_pdf(tmp_path / "a.pdf"))
    assert page.dpi == pytest.approx(200, abs=0.2)
    assert page.image.open().size == (page.width, page.height) == (1654, 2339)
    assert max(page.image.open(max_side=500).size) == 500
    [page] = pages_of(tmp_path / "a.pdf", dpi=100)
    assert page.height == pytest.approx(1170, abs=1)


def test_a_scan_inside_a_pdf_keeps_its_own_pixels(tmp_path, pages_of):
    scan(tmp_path / "scan.png")
    [page] = pages_of(scan_pdf(tmp_path / "a.pdf", tmp_path / "scan.png"))
    assert (page.width, page.height) == (850, 1_100)
    assert page.dpi == pytest.approx(100, abs=0.5)


def test_text_over_a_coarse_background_picture_is_drawn_as_text(tmp_path, pages_of):
    scan(tmp_path / "scan.png", (400, 500))
    [page] = pages_of(scan_pdf(tmp_path / "a.pdf", tmp_path / "scan.png", over="Small print"))
    assert page.dpi == pytest.approx(200, abs=0.5)


def test_a_label_gets_enough_pixels_and_a_poster_not_too_many(tmp_path, pages_of):
    [label] = pages_of(text_pdf(tmp_path / "label.pdf", (144, 100)))
    assert label.width == 1_000 and label.dpi == pytest.approx(500, abs=1)
    [poster] = pages_of(text_pdf(tmp_path / "poster.pdf", (7_200, 10_000)))
    assert 0.95 * MAX_PIXELS < poster.width * poster.height < 1.05 * MAX_PIXELS
    assert poster.dpi < 60


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_are_turned_as_exif_says(tmp_path, pages_of, orientation):
    upright = Image.new("RGB", (60, 90), "white")
    upright.paste("red", (0, 0, 30, 30))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that the orientation takes back
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.jpg", "a.tif", "a.png", "a.webp"):
        stored.save(tmp_path / name, exif=exif)
        [page] = pages_of(tmp_path / name)
        image = page.image.open()
        assert image.size == (page.width, page.height) == (60, 90), name
        assert image.getpixel((5, 5))[1] < 60 < 200 < image.getpixel((50, 80))[1], name


def test_cmyk_and_16_bit_and_1_bit_and_transparent_palettes_come_out_as_seen(tmp_path, pages_of):
    cmyk = Image.merge("CMYK", [Image.new("L", (50, 50), value) for value in (0, 255, 255, 0)])
    cmyk.save(tmp_path / "cmyk.jpg", quality=95)
    cmyk.save(tmp_path / "cmyk.tif")
    grey = Image.fromarray(np.full((50, 50), 40_000, dtype=np.uint16))
    grey.save(tmp_path / "grey16.png")
    Image.fromarray(np.linspace(0, 4_095, 2_500).astype(np.uint16).reshape(50, 50)).save(tmp_path / "grey12.tif")
    Image.new("1", (50, 50), 1).save(tmp_path / "bit.tif", compression="group4")
    palette = Image.new("P", (50, 50), 0)
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(tmp_path / "palette.png", transparency=0)
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(tmp_path / "clear.webp", lossless=True)

    def colour(name: str) -> tuple[int, ...]:
        return middle(pages_of(tmp_path / name)[0])

    for name in ("cmyk.jpg", "cmyk.tif"):
        red, green, blue = colour(name)
        assert red > 200 and green < 60 and blue < 60, name
    assert abs(colour("grey16.png")[0] - 155) <= 1
    assert 110 < colour("grey12.tif")[0] < 145
    assert colour("bit.tif") == colour("palette.png") == colour("clear.webp") == (255, 255, 255)


def test_an_adobe_cmyk_jpeg_in_which_ink_is_inverted_is_not_a_negative(tmp_path, pages_of):
    inverted = Image.new("CMYK", (50, 50), (0, 0, 0, 0))
    inverted.save(tmp_path / "a.jpg", quality=95)  # Pillow writes the Adobe marker and inverts, as Photoshop does
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    assert min(middle(pages_of(tmp_path / "a.jpg")[0])) > 250


def test_each_page_of_a_tiff_is_a_page_and_its_thumbnail_is_not(tmp_path, pages_of):
    sizes = [(300, 400), (400, 300)]
    pictures = [Image.new("L", size, 200) for size in sizes]
    pictures[0].save(tmp_path / "a.tif", save_all=True, append_images=pictures[1:], dpi=(150, 150))
    pages = pages_of(tmp_path / "a.tif")
    assert [(page.number, page.width, page.height) for page in pages] == [(1, 300, 400), (2, 400, 300)]
    assert pages[0].dpi == 150
    thumbnail = Image.new("L", (30, 40), 200)
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    pictures[0].save(tmp_path / "b.tif", save_all=True, append_images=[thumbnail])
    assert len(pages_of(tmp_path / "b.tif")) == 1


def test_a_heic_photo_is_drawn(tmp_path, pages_of):
    (tmp_path / "IMG_1.HEIC").write_bytes(base64.b64decode(HEIC))
    [page] = pages_of(tmp_path / "IMG_1.HEIC")
    image = page.image.open()
    assert image.size == (page.width, page.height) == (64, 96)
    assert image.getpixel((5, 5))[1] < 60 < 200 < image.getpixel((50, 80))[1]


def test_an_animation_gives_its_first_picture_and_says_so(tmp_path, pages_of):
    frames = [Image.new("RGB", (60, 40), colour) for colour in ("red", "blue")]
    for name in ("a.webp", "a.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        [page] = pages_of(tmp_path / name)
        assert middle(page)[0] > 240
        assert [issue.code for issue in page.issues if issue.code != "page_blank"] == ["animation_first_frame"]


def test_a_blank_page_is_marked_and_a_faint_line_is_not_blank(tmp_path, pages_of):
    canvas = Canvas(str(tmp_path / "a.pdf"), pagesize=A4)
    canvas.showPage()
    canvas.setFont("Helvetica", 8)
    canvas.setFillGray(0.75)
    canvas.drawString(72, 400, "continued overleaf")
    canvas.showPage()
    canvas.save()
    blank, faint = pages_of(tmp_path / "a.pdf")
    assert blank.blank and [issue.code for issue in blank.issues] == ["page_blank"]
    assert blank.image is not None
    assert not faint.blank and not faint.issues


def test_a_blank_scan_with_dust_shadow_and_punch_holes_is_blank():
    noise = np.random.default_rng(7)
    paper = 240 + noise.normal(0, 3, (2_200, 1_700)) - np.linspace(0, 60, 1_700)[None, :]
    dust = noise.integers(0, (2_200, 1_700), (40, 2))
    paper[dust[:, 0], dust[:, 1]] = 60
    paper[:, :20] = 40
    image = Image.fromarray(paper.clip(0, 255).astype(np.uint8))
    ImageDraw.Draw(image).ellipse((5, 1_000, 45, 1_040), fill=30)
    assert is_blank(image)
    ImageDraw.Draw(image).text((400, 900), "page 2", fill=90, font=ImageFont.load_default(28))
    assert not is_blank(image)


def test_a_page_that_cannot_be_drawn_is_reported_among_the_others(tmp_path, pages_of):
    with pikepdf.open(text_pdf(tmp_path / "a.pdf")) as file:
        file.pages.append(file.pages[0])
        file.pages[1].MediaBox = [0, 0, 595, 2_147_483_648]
        file.pages.append(file.pages[0])
        file.save(tmp_path / "b.pdf")
    pages = pages_of(tmp_path / "b.pdf")
    assert [page.number for page in pages] == [1, 2, 3]
    assert pages[1].image is None
    [issue] = pages[1].issues
    assert (issue.code, issue.severity, issue.page) == ("page_unreadable", "error", 2)
    assert pages[0].image is not None and pages[2].image is not None


def cut(path: Path, part: float) -> Path:
    noise = np.random.default_rng(7).integers(0, 255, (400, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    return path


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_an_image_that_is_nearly_whole_is_drawn_with_a_warning_and_half_an_image_is_refused(tmp_path, pages_of, name):
    [page] = pages_of(cut(tmp_path / name, 0.9))
    assert [issue.code for issue in page.issues] == ["image_truncated"]
    assert page.image.open().size == (300, 400)
    with pytest.raises(CorruptError, match="can be decoded"):
        pages_of(cut(tmp_path / name, 0.5))


def test_a_page_image_can_be_turned(tmp_path, pages_of):
    image = Image.new("RGB", (60, 40), "white")
    image.paste("red", (0, 0, 20, 20))
    image.save(tmp_path / "a.png")
    [page] = pages_of(tmp_path / "a.png")
    turned = page.image.turned(90).open()
    assert turned.size == (40, 60)
    assert turned.getpixel((35, 5)) == (255, 0, 0)
    assert page.image.turned(90).turned(270).open().tobytes() == image.tobytes()


def test_pages_come_one_by_one(tmp_path, renderer):
    with pikepdf.open(text_pdf(tmp_path / "a.pdf")) as file:
        for _ in range(99):
            file.pages.append(file.pages[0])
        file.save(tmp_path / "b.pdf")
    pages = PageRasteriser(renderer).pages(ingest(tmp_path / "b.pdf", renderer=renderer))
    assert next(pages).number == 1
    (tmp_path / "b.pdf").unlink()
    with pytest.raises(InputError, match="no longer"):
        next(pages)
