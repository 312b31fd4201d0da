"""Pages of files as pictures, turned as docpipe turned them when it read them.

In: a file, a page number, the messages of the result's issues. Out: the upright page as an image.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from docpipe.config import load_settings
from docpipe.data import Document
from docpipe.ingest import ingest
from docpipe.render import Renderer, SourceFile

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 2400  # pixels: an A4 page at 200 dpi, and enough for a crop
# results keep how far a page was turned in the words of its `page_turned` issue (docpipe/read/reader.py)
_TURNED = re.compile(r"Page (\d+) was turned by (\d+)°")


class PagePictures:
    """Opens files and draws their pages, in a process of its own with the limits in force."""

    def __init__(self) -> None:
        self._renderer = Renderer(load_settings().limits())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._renderer.close()

    def open(self, path: Path, password: str | None = None) -> Document:
        """Raises InputError when the file cannot be read."""
        return ingest(path, renderer=self._renderer, password=password)

    def page(self, document: Document, number: int, messages: Iterable[str]) -> Image:
        """Page `number` (from 1), upright: result boxes fit it. Raises InputError."""
        image = self._renderer.draw(SourceFile.of(document), number, max_side=MAX_SIDE).image
        degrees = rotations(messages).get(number, 0)
        return image.rotate(-degrees, expand=True) if degrees else image


def rotations(messages: Iterable[str]) -> dict[int, int]:
    """Page number -> degrees clockwise, from the messages of a result's issues."""
    matches = map(_TURNED.match, messages)
    return {int(match[1]): int(match[2]) for match in matches if match}
