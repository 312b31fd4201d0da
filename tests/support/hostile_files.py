"""Files made to break things, and how each ends."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pikepdf
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError
from docpipe.render import Limits

MIB = 1024**2
LIMITS = Limits(max_pages=500, seconds=300.0, memory_bytes=700 * MIB)  # none needs so long, even on a busy computer


@dataclass(frozen=True)
class HostileFile:
    """`ends` is the error with which it is refused, or how many pages are drawn; None where either is right."""

    build: Callable[[], bytes]
    ends: type[InputError] | int | None

    def ends_as(self, outcome: int | InputError) -> bool:
        if self.ends is None or isinstance(self.ends, int):
            return self.ends in (None, outcome)
        return isinstance(outcome, self.ends)


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


def picture_bomb(side: int = 60_000) -> bytes:
    """A page that shows an image of `side` x `side` pixels, all of one colour."""
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(good_pdf())) as file:
        rows = zlib.compressobj(9)
        line = b"\x00" * (side * 3)
        data = b"".join(rows.compress(line) for _ in range(2_000)) + rows.flush()
        image = file.make_stream(data)
        image.update(
            {
                "/Type": pikepdf.Name.XObject,
                "/Subtype": pikepdf.Name.Image,
                "/Width": side,
                "/Height": side,
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


HOSTILE_FILES = {
    "a PNG that claims 30,000 x 30,000 pixels": HostileFile(lambda: png(30_000, 30_000, b""), TooLargeError),
    "a PNG whose header claims 4 billion columns": HostileFile(lambda: png(2**31 - 1, 1, b""), TooLargeError),
    "a PDF cut in half": HostileFile(lambda: good_pdf()[: len(good_pdf()) // 2], CorruptError),
    "a PDF of its header alone": HostileFile(lambda: b"%PDF-1.7\n", CorruptError),
    "a PDF with noise in it": HostileFile(lambda: b"%PDF-1.7\n" + bytes(range(256)) * 16, CorruptError),
    "a PDF that lost its header": HostileFile(lambda: b"1 0 obj << /Type /Catalog >> endobj", CorruptError),
    "an encrypted PDF": HostileFile(locked_pdf, EncryptedError),
    "a PDF of 5,000 entries for one page": HostileFile(lambda: many_pages(5_000), TooLargeError),
    "150 MiB of blanks as a page": HostileFile(lambda: with_stream(b" " * (150 * MIB)), 1),
    "a million nested states": HostileFile(lambda: with_stream(b"q " * 1_000_000), 1),
    "a page of 200 x 200 inches": HostileFile(lambda: with_stream(b"", "[0 0 14400 14400]"), 1),
    "a page of 30 million inches": HostileFile(lambda: with_stream(b"", "[0 0 595 2147483648]"), CorruptError),
    "a page with an image of 3.6 billion pixels": HostileFile(picture_bomb, None),
    "a TIFF whose directories loop": HostileFile(looping_tiff, 2),
    "a TIFF cut in its directory": HostileFile(lambda: looping_tiff()[:40], CorruptError),
    "a JPEG of its first bytes": HostileFile(lambda: b"\xff\xd8\xff\xe0" + b"\0" * 40, CorruptError),
    "a HEIC of its first bytes": HostileFile(lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", CorruptError),
    "a WebP of its first bytes": HostileFile(lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 ", CorruptError),
}
