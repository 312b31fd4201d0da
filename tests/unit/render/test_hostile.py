"""Files made to break things: each ends as pages or as a clear error, and the next file is read as usual."""

from __future__ import annotations

import io
import os
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.render import Limits, Renderer
from tests.support.poppler import needs_poppler

MIB = 1024**2
LIMITS = Limits(max_pages=500, seconds=20.0, memory_bytes=700 * MIB)


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(LIMITS) as renderer:
        yield renderer


def good_pdf() -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, "Invoice 4711")
    canvas.save()
    return buffer.getvalue()


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A 1-bit PNG whose header may claim anything."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def with_stream(content: bytes, mediabox: str = "[0 0 612 792]") -> bytes:
    """One page whose content is these compressed bytes."""
    stream = zlib.compress(content, 9)
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox %s /Contents 4 0 R /Resources << >> >>" % mediabox.encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    body = b"%PDF-1.7\n"
    offsets = []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer << /Root 1 0 R /Size 5 >>\nstartxref\n%d\n%%%%EOF" % len(body)
    return body + b"xref\n0 5\n0000000000 65535 f \n" + table + end


def many_pages(count: int) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_pdf())) as file:
        page = file.pages[0].obj
        file.Root.Pages.Kids = pikepdf.Array([page] * count)
        file.Root.Pages.Count = count
        file.save(buffer)
    return buffer.getvalue()


def picture_bomb() -> bytes:
    """A page that shows an image of 60,000 x 60,000 pixels, all of one colour."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_pdf())) as file:
        rows = zlib.compressobj(9)
        line = b"\x00" * (60_000 * 3)
        data = b"".join(rows.compress(line) for _ in range(2_000)) + rows.flush()
        image = file.make_stream(data)
        image.update(
            {
                "/Type": pikepdf.Name.XObject,
                "/Subtype": pikepdf.Name.Image,
                "/Width": 60_000,
                "/Height": 60_000,
                "/BitsPerComponent": 8,
                "/ColorSpace": pikepdf.Name.DeviceRGB,
                "/Filter": pikepdf.Name.FlateDecode,
            }
        )
        page = file.pages[0]
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=image))
        page.Contents = file.make_stream(b"q 500 0 0 700 50 50 cm /Im Do Q")
        file.save(buffer)
    return buffer.getvalue()


def locked_pdf() -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_pdf())) as file:
        file.save(buffer, encryption=pikepdf.Encryption(user="u", owner="o", R=6))
    return buffer.getvalue()


def looping_tiff() -> bytes:
    """Two directories, each naming the other as the next."""
    buffer = io.BytesIO()
    Image.new("L", (40, 30), 128).save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    [first] = struct.unpack("<I", content[4:8])
    [entries] = struct.unpack("<H", content[first : first + 2])
    end = first + 2 + 12 * entries
    second = len(content) + len(content) % 2
    copy = content[first : first + 2 + 12 * entries] + struct.pack("<I", first)
    content[end : end + 4] = struct.pack("<I", second)
    return bytes(content.ljust(second, b"\0") + copy)


def refused(kind: type[InputError]) -> Callable[[object], bool]:
    return lambda outcome: isinstance(outcome, kind)


def drawn(pages: int) -> Callable[[object], bool]:
    return lambda outcome: outcome == pages


CASES = {
    "a PNG that claims 30,000 x 30,000 pixels": (lambda: png(30_000, 30_000, b""), refused(TooLargeError)),
    "a PNG whose header claims 4 billion columns": (lambda: png(2**31 - 1, 1, b""), refused(TooLargeError)),
    "a PDF cut in half": (lambda: good_pdf()[: len(good_pdf()) // 2], refused(CorruptError)),
    "a PDF of its header alone": (lambda: b"%PDF-1.7\n", refused(CorruptError)),
    "a PDF with noise in it": (lambda: b"%PDF-1.7\n" + bytes(range(256)) * 16, refused(CorruptError)),
    "a PDF that lost its header": (lambda: b"1 0 obj << /Type /Catalog >> endobj", refused(CorruptError)),
    "an encrypted PDF": (locked_pdf, refused(EncryptedError)),
    "a PDF of 5,000 entries for one page": (lambda: many_pages(5_000), refused(TooLargeError)),
    "150 MiB of blanks as a page": (lambda: with_stream(b" " * (150 * MIB)), drawn(1)),
    "a million nested states": (lambda: with_stream(b"q " * 1_000_000), drawn(1)),
    "a page of 200 x 200 inches": (lambda: with_stream(b"", "[0 0 14400 14400]"), drawn(1)),
    "a page of 30 million inches": (lambda: with_stream(b"", "[0 0 595 2147483648]"), refused(CorruptError)),
    "a page with an image of 3.6 billion pixels": (picture_bomb, lambda outcome: True),
    "a TIFF whose directories loop": (looping_tiff, drawn(2)),
    "a TIFF cut in its directory": (lambda: looping_tiff()[:40], refused(CorruptError)),
    "a JPEG of its first bytes": (lambda: b"\xff\xd8\xff\xe0" + b"\0" * 40, refused(CorruptError)),
    "a HEIC of its first bytes": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", refused(CorruptError)),
    "a WebP of its first bytes": (lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 ", refused(CorruptError)),
}


def pages_or_error(path: Path, renderer: Renderer) -> int | InputError:
    """How many pages could be drawn, or why the file is refused."""
    try:
        document = ingest(path, renderer=renderer)
        return sum(page.image is not None for page in PageRasteriser(renderer).pages(document))
    except InputError as error:
        assert error.message and error.hint
        return error


@pytest.mark.parametrize("name", CASES)
def test_a_hostile_file_ends_as_pages_or_as_an_error_and_the_next_file_is_read(
    tmp_path, renderer, without_poppler, name
):
    build, expected = CASES[name]
    hostile, good = tmp_path / "hostile.pdf", tmp_path / "good.pdf"
    hostile.write_bytes(build())
    good.write_bytes(good_pdf())
    outcome = pages_or_error(hostile, renderer)
    assert expected(outcome), outcome
    assert pages_or_error(good, renderer) == 1


@needs_poppler
def test_what_poppler_makes_of_hostile_pdfs_ends_in_the_same_way(tmp_path):
    """Which of them it reads is its own affair: each version does better."""
    with Renderer(replace(LIMITS, seconds=5.0)) as with_poppler:
        for number, (build, _) in enumerate(CASES.values()):
            hostile, good = tmp_path / f"{number}.pdf", tmp_path / "good.pdf"
            content = build()
            if content.startswith(b"%PDF-"):
                hostile.write_bytes(content.removeprefix(b"%PDF-"))  # so that PDFium refuses it
                good.write_bytes(good_pdf())
                assert isinstance(pages_or_error(hostile, with_poppler), int | InputError)
                assert pages_or_error(good, with_poppler) == 1


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
