"""Poppler through pdf2image, for PDFs that PDFium refuses. In: a path. Out: page sizes and drawings.

Runs in the child. Poppler is a separate program (`pdftoppm`, `pdfinfo`) that inherits the child's limits.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pdf2image import convert_from_path, pdfinfo_from_path
from pdf2image.exceptions import PDFPopplerTimeoutError

from docpipe.errors import CorruptError, TooLargeError
from docpipe.render.limits import Limits
from docpipe.render.results import fitted

if TYPE_CHECKING:
    from docpipe.render.decoder_server import Answer

_SIZE = re.compile(r"([\d.]+) x ([\d.]+) pts")


class PopplerFile:
    def __init__(self, path: Path, password: str | None, limits: Limits) -> None:
        self._path, self._limits = path, limits
        self._secret: dict[str, Any] = (
            {} if password is None else {"userpw": password, "ownerpw": password}
        )  # either may open it
        self._info = self._ask_pdfinfo()

    def sizes(self) -> list[tuple[float, float, float]]:
        return [self._size(number) for number in range(1, self._pages() + 1)]

    def look(self, number: int) -> tuple[float, float, int, int]:  # noqa: ARG002 (Poppler does not tell)
        return 0.0, 0.0, 0, 0

    def draw(self, number: int, max_side: int) -> Answer:
        width, height, _ = self._size(number)
        try:
            images = convert_from_path(
                self._path,
                size=max_side,  # of the longer side: with two sides given Poppler forgets /Rotate
                first_page=number,
                last_page=number,
                use_cropbox=True,
                timeout=math.ceil(self._limits.seconds),
                **self._secret,
            )
        except PDFPopplerTimeoutError as error:
            raise TooLargeError(f"page {number} takes longer than {self._limits.seconds:g} seconds to draw") from error
        if not images:
            raise CorruptError(f"page {number} cannot be drawn (neither PDFium nor Poppler can)")
        size = fitted(width, height, max_side)
        image = images[0].convert("RGB").resize(size)  # Poppler rounds otherwise
        return {"size": size, "stride": 0, "complete": 1.0, "frames": 1}, image.tobytes()

    def characters(self, number: int) -> Answer:  # noqa: ARG002 (Poppler's own text would need a second reader)
        return {"text": "", "box": (0, 0, 1, 1), "rotation": 0}, b""

    def close(self) -> None:
        """Nothing stays open: each drawing is its own process."""

    def _ask_pdfinfo(self) -> dict[str, object]:
        info: dict[str, object] = pdfinfo_from_path(
            str(self._path),
            first_page=1,
            last_page=self._limits.max_pages + 1,
            timeout=math.ceil(self._limits.seconds),
            **self._secret,
        )
        return info

    def _pages(self) -> int:
        count = int(str(self._info.get("Pages", 0)))
        if count > self._limits.max_pages:
            raise TooLargeError(f"it has {count:,} pages, more than the {self._limits.max_pages:,} allowed")
        return count

    def _size(self, number: int) -> tuple[float, float, float]:
        """Upright: pdfinfo prints the size before /Rotate and the angle beside it."""
        found = re.match(_SIZE, str(self._info.get(f"Page {number:>4} size", self._info.get("Page size", ""))))
        if found is None:
            raise CorruptError(f"page {number} has no size")
        width, height = float(found[1]), float(found[2])
        turned = str(self._info.get(f"Page {number:>4} rot", self._info.get("Page rot", "0"))) in ("90", "270")
        return (height, width, 72.0) if turned else (width, height, 72.0)
