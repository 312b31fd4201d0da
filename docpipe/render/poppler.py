"""Poppler through pdf2image, for PDFs that PDFium refuses. In: a path. Out: page sizes and drawings.

Runs in the decoder process. Poppler is separate programs (`pdftoppm`, `pdfinfo`) that inherit its limit of memory.
Their output comes through pipes and is bounded by that limit, too; nothing is written to the disk. When a program takes
too long, the whole group of processes is killed (DecoderProcess.kill); should nobody be left to do that, the limit of
processor time ends it.
"""

from __future__ import annotations

import math
import re
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pdf2image import convert_from_path, pdfinfo_from_path
from pdf2image.exceptions import PDFPageCountError, PDFPopplerTimeoutError

from docpipe.errors import CorruptError, EncryptedError, TooLargeError
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import Bitmap, CharacterRows, FormRows
from docpipe.render.rendered_page import PageObjects, PageSize, fitted

_SIZE = re.compile(r"([\d.]+) x ([\d.]+) pts")


class PopplerFile:
    def __init__(self, path: Path, password: str | None, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._passwords: dict[str, Any] = (
            {} if password is None else {"userpw": password, "ownerpw": password}
        )  # either may open it
        self._info = self._pdfinfo()

    def sizes(self) -> list[PageSize]:
        return [self._size(number) for number in range(1, self._page_count() + 1)]

    def page_objects(self, number: int) -> PageObjects:  # noqa: ARG002 (Poppler's programs do not list them)
        return PageObjects(0.0, 0.0, 0, 0)

    def draw(self, number: int, max_side: int) -> Bitmap:
        size = self._size(number)
        try:
            with _processor_limit(self._limits.seconds):
                images = convert_from_path(
                    self._path,
                    size=max_side,  # of the longer side: with two sides given Poppler forgets /Rotate
                    first_page=number,
                    last_page=number,
                    use_cropbox=True,
                    timeout=math.ceil(self._limits.seconds),
                    **self._passwords,
                )
        except PDFPopplerTimeoutError as error:
            raise TooLargeError(f"page {number} takes longer than {self._limits.seconds:g} seconds to draw") from error
        if not images:
            raise CorruptError(f"page {number} cannot be drawn (neither PDFium nor Poppler can)")
        width, height = fitted(size.width, size.height, max_side)
        image = images[0]
        if image.width * image.height > self._limits.max_pixels:
            raise TooLargeError(f"Poppler draws page {number} as {image.width:,} x {image.height:,} pixels")
        image = image.convert("RGB").resize((width, height))  # Poppler rounds otherwise
        return Bitmap(width, height, image.tobytes())

    def characters(self, number: int) -> CharacterRows:  # noqa: ARG002 (its text would need a second reader)
        return CharacterRows()

    def form(self, number: int) -> FormRows:  # noqa: ARG002 (its programs do not list them)
        return FormRows()

    def close(self) -> None:
        """Nothing stays open: each drawing is its own process."""

    def _pdfinfo(self) -> dict[str, object]:
        """What `pdfinfo` prints, by the words before the colon; `Page    2 size` and `Page    2 rot` of each page."""
        try:
            with _processor_limit(self._limits.seconds):
                info: dict[str, object] = pdfinfo_from_path(
                    str(self._path),
                    first_page=1,
                    last_page=self._limits.max_pages + 1,
                    timeout=math.ceil(self._limits.seconds),
                    **self._passwords,
                )
        except PDFPageCountError as error:
            if "Incorrect password" in str(error):
                raise EncryptedError("the password is wrong" if self._passwords else "it is encrypted") from error
            raise CorruptError("the PDF is damaged and cannot be opened, or has no page") from error
        return info

    def _page_count(self) -> int:
        count = int(str(self._info.get("Pages", 0)))
        if count == 0:
            raise CorruptError("the PDF has no page")
        if count > self._limits.max_pages:
            raise TooLargeError(f"it has {count:,} pages, more than the {self._limits.max_pages:,} allowed")
        return count

    def _size(self, number: int) -> PageSize:
        """Upright: pdfinfo prints the size before /Rotate and the angle beside it."""
        printed = re.match(_SIZE, str(self._info.get(f"Page {number:>4} size", self._info.get("Page size", ""))))
        if printed is None:
            raise CorruptError(f"page {number} has no size")
        width, height = float(printed[1]), float(printed[2])
        rotation = str(self._info.get(f"Page {number:>4} rot", self._info.get("Page rot", "0")))
        return PageSize(height, width) if rotation in ("90", "270") else PageSize(width, height)


@contextmanager
def _processor_limit(seconds: float) -> Iterator[None]:
    """A program that is started inside ends when it has used so much processor time. It inherits the limit as a sum
    since its start, and this process must stay below it, too: so what this one has used is added."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    limits = [math.ceil(time.process_time() + seconds) + 1, soft, hard]
    lowest = min(limit for limit in limits if limit != resource.RLIM_INFINITY)
    resource.setrlimit(resource.RLIMIT_CPU, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
