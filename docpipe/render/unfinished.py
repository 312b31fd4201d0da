"""Whether a file is still without its end, as one that a scanner writes page by page.

In: a path. Out: what is missing, in words, or None. Nothing is decoded: formats say where they end. A file that is
damaged may say so for ever, so whoever asks waits for a while and then takes it as it is.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from docpipe.render.media_types import HEAD_BYTES, detect

JPEG_TAIL_BYTES = 262_144  # within which the end of a JPEG is looked for first
TAIL_BYTES = 1024  # within which a PDF has its end marker (Acrobat's tolerance) and a PNG its last chunk
MAX_TIFF_PAGES = 10_000
STRIP_TAGS = {273: 279, 324: 325}  # TIFF 6.0: where strips or tiles begin -> how many bytes they have
PLACE_TAGS = {*STRIP_TAGS, *STRIP_TAGS.values()}
TIFF_NUMBERS = {3: "H", 4: "I", 16: "Q"}  # type of an entry -> letter of struct; others say nothing about places


def missing_end(path: Path) -> str | None:
    """Raises OSError where the file cannot be read. It is read, and not mapped into memory: a writer may cut it off."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        if not head:
            return "it is empty"
        check = _CHECKS.get(detect(head).type or "")
        return check(file) if check is not None else None


def _size(file: BinaryIO) -> int:
    return file.seek(0, os.SEEK_END)


def _at(file: BinaryIO, start: int, count: int) -> bytes:
    """What is there of these bytes; a damaged file names places that no file has."""
    if start >= _size(file):
        return b""
    file.seek(start)
    return file.read(count)


def _tail(file: BinaryIO, count: int) -> bytes:
    return _at(file, max(0, _size(file) - count), count)


def _pdf(file: BinaryIO) -> str | None:
    tail = _tail(file, TAIL_BYTES).rstrip(b"\0 \r\n\t\x1a")
    return None if b"%%EOF" in tail else "the PDF has no end (%%EOF) yet"


def _png(file: BinaryIO) -> str | None:
    return None if b"IEND\xaeB`\x82" in _tail(file, TAIL_BYTES) else "the PNG has no end (IEND) yet"


def _jpeg(file: BinaryIO) -> str | None:
    """An end marker after the last start of a scan: a thumbnail at the beginning has an end of its own."""
    for count in (JPEG_TAIL_BYTES, _size(file)):  # behind the end a camera may have put another picture
        tail = _tail(file, count)
        end, scan = tail.rfind(b"\xff\xd9"), tail.rfind(b"\xff\xda")
        if end > scan:
            return None
        if scan >= 0:
            break
    return "the JPEG has no end yet"


def _webp(file: BinaryIO) -> str | None:
    (size,) = struct.unpack("<I", _at(file, 4, 4))
    return None if _size(file) >= size + 8 else f"the WebP is to have {size + 8:,} bytes"


def _heic(file: BinaryIO) -> str | None:
    """ISO/IEC 14496-12: boxes one after the other, each with its size; 0 is up to the end of the file."""
    place, length = 0, _size(file)
    while place + 8 <= length:
        header = _at(file, place, 16)
        size = int.from_bytes(header[:4], "big")
        size = int.from_bytes(header[8:], "big") if size == 1 else size
        if size < 8:  # up to the end, or damaged: it no longer grows into something else
            return None
        place += size
    return None if place == length else "the last part of the HEIC is not whole yet"


def _tiff(file: BinaryIO) -> str | None:
    try:
        is_whole = _Tiff(file).end() <= _size(file)
    except struct.error:
        is_whole = False
    return None if is_whole else "pages of the TIFF are not whole yet"


class _Tiff:
    """The chain of directories (TIFF 6.0, BigTIFF) with the places of strips and tiles. Methods raise struct.error
    where a directory itself is not there."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._length = file, _size(file)
        head = _at(file, 0, 4)
        self._order = "<" if head[:2] == b"II" else ">"
        self._is_big = head[2:] in (b"+\0", b"\0+")
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
        if letter is None or tag not in PLACE_TAGS or count > self._length:
            return tag, ()
        inline = 8 if self._is_big else 4
        start = entry + 4 + inline
        if count * struct.calcsize(letter) > inline:
            start = self._numbers(self._place_format, start)[0]
        return tag, self._numbers(f"{count}{letter}", start)

    def _numbers(self, form: str, start: int) -> tuple[int, ...]:
        size = struct.calcsize(self._order + form)
        return struct.unpack(self._order + form, _at(self._file, start, size))


_CHECKS: Mapping[str, Callable[[BinaryIO], str | None]] = {
    "application/pdf": _pdf, "image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp, "image/heic": _heic,
    "image/tiff": _tiff,
}  # fmt: skip
