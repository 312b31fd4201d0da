"""A file without its end is known as one, in every format that is read; a whole one never waits."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pi_heif
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe.render.unfinished import missing_end


def page(size: tuple[int, int] = (300, 400), mode: str = "RGB") -> Image.Image:
    """Of noise, which no compression makes small."""
    return Image.effect_noise(size, 80).convert(mode)


def saved(kind: str, **options: object) -> Callable[[], bytes]:
    def content() -> bytes:
        buffer = io.BytesIO()
        page(mode=str(options.pop("mode", "RGB"))).save(buffer, kind, **options)
        return buffer.getvalue()

    return content


def pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for number in range(5):
        canvas.drawString(80, 700, f"page {number}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def photo_with_thumbnail() -> bytes:
    """A JPEG that has another whole JPEG in its first segment."""
    small = io.BytesIO()
    page((60, 80)).save(small, "JPEG")
    segment = b"Exif\0\0" + small.getvalue()
    whole = saved("JPEG")()
    return whole[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + whole[2:]


def pages_of_tiff(**options: object) -> Callable[[], bytes]:
    def content() -> bytes:
        buffer = io.BytesIO()
        first, *others = [page((200 + 40 * number, 300)) for number in range(3)]
        first.save(buffer, "TIFF", save_all=True, append_images=others, **options)
        return buffer.getvalue()

    return content


FORMATS = {
    "PDF": pdf, "PNG": saved("PNG"), "JPEG": saved("JPEG"), "progressive JPEG": saved("JPEG", progressive=True),
    "JPEG with a thumbnail": photo_with_thumbnail, "WebP": saved("WEBP"), "TIFF": pages_of_tiff(),
    "TIFF in LZW": pages_of_tiff(compression="tiff_lzw"), "BigTIFF": pages_of_tiff(big_tiff=True),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("behind", [b"", b"\0" * 40, b"\r\n"])
def test_a_whole_file_has_its_end(tmp_path: Path, name: str, behind: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(FORMATS[name]() + behind)
    assert missing_end(path) is None


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_file_of_which_a_part_is_there_has_none(tmp_path: Path, name: str, share: float) -> None:
    whole = FORMATS[name]()
    path = tmp_path / "file"
    path.write_bytes(whole[: max(64, round(len(whole) * share))])
    assert missing_end(path)


def test_an_empty_file_has_no_end_and_a_text_has_no_end_to_wait_for(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("some text")
    assert missing_end(tmp_path / "empty") == "it is empty"
    assert missing_end(tmp_path / "text") is None


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"II+\0\x08\0\0\0", b"\xff\xd8\xff", b"RIFFxxxxWEBP", b"%PDF-"])
def test_what_is_damaged_is_waited_for_and_harms_nobody(tmp_path: Path, head: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(head + bytes(range(256)) * 3)
    missing_end(path)


def test_a_chain_of_directories_that_leads_back_to_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "loop.tif"
    path.write_bytes(b"II*\0" + (8).to_bytes(4, "little") + (0).to_bytes(2, "little") + (8).to_bytes(4, "little"))
    assert missing_end(path) is None


def test_a_photo_of_a_telephone_is_waited_for(tmp_path: Path) -> None:
    """HEIC is made of boxes; there is no encoder here, so they are drawn."""
    boxes = [(b"ftyp", b"heic\0\0\0\0mif1heic"), (b"meta", b"\0" * 40), (b"mdat", b"\1" * 5_000)]
    whole = b"".join((len(content) + 8).to_bytes(4, "big") + name + content for name, content in boxes)
    path = tmp_path / "photo.heic"
    path.write_bytes(whole)
    assert missing_end(path) is None
    for length in (30, len(whole) - 2_000, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert missing_end(path)
    assert pi_heif.is_supported(whole[:16])
