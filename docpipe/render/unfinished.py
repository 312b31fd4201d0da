"""Whether a file is still without its end, as one that a scanner writes page by page.

In: a path. Out: what is missing, in words, or None. Nothing is decoded: formats say where they end. A file that is
damaged may say so for ever, so whoever asks waits for a while and then takes it as it is.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable, Mapping
from pathlib import Path

from docpipe.render.media_types import HEAD_BYTES, detect

TAIL_BYTES = 1024  # within which a PDF has its end marker (Acrobat's tolerance) and a PNG its last chunk
MAX_TIFF_PAGES = 10_000
STRIP_TAGS = {273: 279, 324: 325}  # TIFF 6.0: where strips or tiles begin -> how many bytes they have
PLACE_TAGS = {*STRIP_TAGS, *STRIP_TAGS.values()}
TIFF_NUMBERS = {3: "H", 4: "I", 16: "Q"}  # type of an entry -> letter of struct; others say nothing about places


def missing_end(path: Path) -> str | None:
    """Raises OSError where the file cannot be read."""
    with path.open("rb") as file:
        if not file.read(1):
            return "it is empty"
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            check = _CHECKS.get(detect(content[:HEAD_BYTES]).type or "")
            return check(content) if check is not None else None


def _pdf(content: mmap.mmap) -> str | None:
    tail = content[-TAIL_BYTES:].rstrip(b"\0 \r\n\t\x1a")
    return None if b"%%EOF" in tail else "the PDF has no end (%%EOF) yet"


def _png(content: mmap.mmap) -> str | None:
    return None if b"IEND\xaeB`\x82" in content[-TAIL_BYTES:] else "the PNG has no end (IEND) yet"


def _jpeg(content: mmap.mmap) -> str | None:
    """An end marker after the last start of a scan: a thumbnail at the beginning has an end of its own."""
    is_whole = content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda")
    return None if is_whole else "the JPEG has no end yet"


def _webp(content: mmap.mmap) -> str | None:
    (size,) = struct.unpack("<I", content[4:8])
    return None if len(content) >= size + 8 else f"the WebP is to have {size + 8:,} bytes"


def _heic(content: mmap.mmap) -> str | None:
    """ISO/IEC 14496-12: boxes one after the other, each with its size; 0 is up to the end of the file."""
    place = 0
    while place + 8 <= len(content):
        size = int.from_bytes(content[place : place + 4], "big")
        size = int.from_bytes(content[place + 8 : place + 16], "big") if size == 1 else size
        if size == 0:
            return None
        if size < 8:
            return None  # damaged, and no longer growing into something else
        place += size
    return None if place == len(content) else "the last part of the HEIC is not whole yet"


def _tiff(content: mmap.mmap) -> str | None:
    try:
        is_whole = _Tiff(content).end() <= len(content)
    except (struct.error, IndexError):
        is_whole = False
    return None if is_whole else "pages of the TIFF are not whole yet"


class _Tiff:
    """The chain of directories (TIFF 6.0, BigTIFF) with the places of strips and tiles. Methods raise struct.error
    where a directory itself is not there."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._order = "<" if content[:2] == b"II" else ">"
        self._is_big = content[2:4] in (b"+\0", b"\0+")
        self._place_format = "Q" if self._is_big else "I"

    def end(self) -> int:
        """Behind the last byte that the directories speak of."""
        place = self._numbers(self._place_format, 8 if self._is_big else 4)[0]
        end, seen = 8, set[int]()
        while place and place not in seen and len(seen) < MAX_TIFF_PAGES:
            seen.add(place)
            entries = self._numbers("Q" if self._is_big else "H", place)[0]
            first, entry_size = (place + 8, 20) if self._is_big else (place + 2, 12)
            of_tag = dict(self._places(first + number * entry_size) for number in range(entries))
            for tag, size_tag in STRIP_TAGS.items():
                pairs = zip(of_tag.get(tag, ()), of_tag.get(size_tag, ()), strict=False)
                end = max([end, *(offset + size for offset, size in pairs)])
            place = self._numbers(self._place_format, first + entries * entry_size)[0]
        return end

    def _places(self, entry: int) -> tuple[int, tuple[int, ...]]:
        """The tag of an entry, and its numbers where they are places or sizes."""
        tag, kind = self._numbers("HH", entry)
        count = self._numbers(self._place_format, entry + 4)[0]
        letter = TIFF_NUMBERS.get(kind)
        if letter is None or tag not in PLACE_TAGS or count > len(self._content):
            return tag, ()
        inline = 8 if self._is_big else 4
        start = entry + 4 + inline
        if count * struct.calcsize(letter) > inline:
            start = self._numbers(self._place_format, start)[0]
        return tag, self._numbers(f"{count}{letter}", start)

    def _numbers(self, form: str, start: int) -> tuple[int, ...]:
        return struct.unpack_from(self._order + form, self._content, start)


_CHECKS: Mapping[str, Callable[[mmap.mmap], str | None]] = {
    "application/pdf": _pdf, "image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp, "image/heic": _heic,
    "image/tiff": _tiff,
}  # fmt: skip
