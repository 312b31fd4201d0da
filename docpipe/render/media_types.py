"""What a file is, from its first bytes. In: HEAD_BYTES of a file. Out: a media type that the renderer opens,
or words for what it is instead.

Our own small table: the known libraries either need libmagic or go by single signatures, and the words
are for people ("a Word document"), not for programs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEAD_BYTES = 4096  # %PDF- may stand anywhere in the first 1,024; names inside a zip come a little later
PDF_HEADER_WITHIN = 1024  # Acrobat's own tolerance
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_PDF_OBJECT = re.compile(rb"\d \d+ obj\s*<<")  # a PDF that lost its header is a damaged PDF, not an unknown format
_UTF16 = (b"\xff\xfe", b"\xfe\xff")

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"II+\x00", "image/tiff"),  # BigTIFF
    (b"MM\x00+", "image/tiff"),
)
_REFUSED_SIGNATURES = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document (doc, xls, ppt or msg)"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript file"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"8BPS", "a Photoshop image"),
    (b"AT&TFORM", "a DjVu document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_IN_ZIP = (
    (b"word/", "a Word document"),
    (b"xl/", "an Excel workbook"),
    (b"ppt/", "a PowerPoint presentation"),
    (b"mimetypeapplication/vnd.oasis.opendocument", "an OpenDocument file"),
    (b"mimetypeapplication/epub", "an e-book"),
)
_TEXTS = (
    (re.compile(rb"<html|<!doctype html"), "a web page (HTML)"),
    (re.compile(rb"<svg"), "an SVG drawing"),
    (re.compile(rb"^<\?xml"), "an XML file"),
    (re.compile(rb"^(from|received|return-path|mime-version|subject|delivered-to|message-id): "), "an e-mail"),
)


@dataclass(frozen=True, slots=True)
class FileKind:
    """`type` is a media type that the renderer opens, or None; `words` name the kind, with its article."""

    type: str | None
    words: str


def detect(head: bytes) -> FileKind:
    """What the first bytes say. Names and extensions do not count."""
    for signature, media_type in _SIGNATURES:
        if head.startswith(signature):
            return FileKind(media_type, f"a {media_type.removeprefix('image/').upper()} image")
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileKind("image/webp", "a WebP image")
    if head[4:8] == b"ftyp":
        return _from_iso_base_media(head)
    if b"%PDF-" in head[:PDF_HEADER_WITHIN] or _PDF_OBJECT.search(head):
        return FileKind("application/pdf", "a PDF")
    return FileKind(None, _refused_kind(head))


def _from_iso_base_media(head: bytes) -> FileKind:
    """The container of HEIC photos (ISO/IEC 14496-12), but also of AVIF images and videos."""
    brands = head[8 : max(16, min(int.from_bytes(head[:4], "big"), len(head)))]
    if brands.startswith((b"avif", b"avis")):
        return FileKind(None, "an AVIF image")
    if any(brand in brands for brand in _HEIC_BRANDS):
        return FileKind("image/heic", "a HEIC image")
    return FileKind(None, "a video or sound file")


def _refused_kind(head: bytes) -> str:
    for signature, words in _REFUSED_SIGNATURES:
        if head.startswith(signature):
            return words
    if head.startswith(b"PK\x03\x04"):
        return next((words for part, words in _IN_ZIP if part in head), "a zip archive")
    if head.startswith(_UTF16) or _CONTROL.search(head) is None:
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
        return next((words for pattern, words in _TEXTS if pattern.search(start)), "a text file")
    return "of an unknown kind"
