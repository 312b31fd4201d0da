"""Pages on their way from the worker that reads them to the one that understands them.

In: a document and its prepared pages. Out: one JSON and one picture a page among the blobs, or one for each size that
the job's models look at, and back. That is smaller than what OCR read. Pictures are stored without loss: from JPEGs of
1,700 pixels the network was not as sure as in `docpipe run`, and of 369 values 2 were accepted there and not here.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.data import Document, Page, PageImage
from docpipe.errors import MissingError
from docpipe.page_images import reduced, source_side
from docpipe.serialise import page_from_json, page_to_json
from docpipe.store.blobs import Blobs, job_prefix

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 1_280  # pixels: what the shipped network asks for, so that it sees the same as in `docpipe run`
WEBP_OPTIONS = {"lossless": True, "quality": 0, "method": 0}  # 15 to 75 ms, 90 to 900 kB a page; PNG takes double
FORMAT = 4  # of the JSON; raised when it changes, so that a newer worker reads the pages again


@dataclass(frozen=True, slots=True)
class StoredImage:
    """A PageImage among the blobs, the same as the ModelImage of a page that is drawn (docpipe/page_images.py). `sides`
    are the sizes in which it is stored: pixels of the longer side, ascending."""

    blobs: Blobs
    job_id: str
    number: int
    sides: tuple[int, ...]
    rotation: int = 0

    def open(self, *, max_side: int | None = None) -> Image:
        from PIL import Image as Pillow  # heavy: native library

        key = self._key(source_side(self.sides, max_side))
        content = self.blobs.get(key)
        try:
            image = Pillow.open(io.BytesIO(content)).convert("RGB")
        except OSError as error:
            raise MissingError(f"{self.blobs.url}: {key} is damaged") from error
        if self.rotation:
            image = image.rotate(-self.rotation, expand=True)
        return reduced(image, max_side)

    def turned(self, degrees: int) -> PageImage:
        return replace(self, rotation=(self.rotation + degrees) % 360)

    def _key(self, side: int) -> str:
        return picture_key(self.job_id, self.number, None if side == self.sides[0] else side)


@dataclass(frozen=True, slots=True)
class StoredPages:
    """What the first stage leaves for the second; `timings` in seconds by step."""

    document: Document
    pages: list[Page]
    timings: Mapping[str, float]


def save_pages(blobs: Blobs, job_id: str, prepared: StoredPages, *, sides: Sequence[int] = (MAX_SIDE,)) -> None:
    """With a picture of each page for each of the `sides`; no page is made larger than it is. Small ones first, as
    `docpipe run` draws them: the renderer makes a smaller one out of a larger one that it has. The JSON last: it proves
    that all pictures are there. Raises StoreError."""
    sides_by_page = {page.number: _save_pictures(blobs, job_id, page, sides) for page in prepared.pages}
    document = {**asdict(replace(prepared.document, password=None)), "path": ""}
    pages = [_page_row(page, sides_by_page[page.number]) for page in prepared.pages]
    content = {
        "format": FORMAT, "document": document, "pages": pages, "timings": dict(prepared.timings), "sides": list(sides),
    }  # fmt: skip
    blobs.put(_json_key(job_id), json.dumps(content, ensure_ascii=False).encode("utf-8", "surrogatepass"))


def load_pages(blobs: Blobs, job_id: str, *, sides: Sequence[int] | None = None) -> StoredPages:
    """What `save_pages` stored. Raises MissingError when it is not there, damaged, of another version of docpipe, or
    has pictures of other `sides` than these."""
    key = _json_key(job_id)
    content = blobs.get(key)
    try:
        fields = json.loads(content.decode("utf-8", "surrogatepass"))
        if fields["format"] != FORMAT:
            raise MissingError(f"{blobs.url}: {key} is of another version of docpipe")
        if sides is not None and fields["sides"] != list(sides):
            raise MissingError(f"{blobs.url}: {key} has pictures of other sizes than the model is given")
        document = Document(**{**fields["document"], "path": Path()})
        pages = [_page(blobs, job_id, row) for row in fields["pages"]]
        return StoredPages(document, pages, fields["timings"])
    except (ValueError, KeyError, TypeError) as error:
        raise MissingError(f"{blobs.url}: {key} is damaged") from error


def picture_key(job_id: str, number: int, side: int | None = None) -> str:
    """Of the smallest picture of a page, or of a larger one of this size."""
    return f"{job_prefix(job_id)}/{number}{f'.{side}' if side else ''}.webp"


def _json_key(job_id: str) -> str:
    return f"{job_prefix(job_id)}/pages.json"


def _save_pictures(blobs: Blobs, job_id: str, page: Page, sides: Sequence[int]) -> tuple[int, ...]:
    """The sizes that were stored: a larger one only where it shows more."""
    if page.image is None or page.blank:
        return ()
    saved: list[int] = []
    largest = 0
    for side in sides:
        image = page.image.open(max_side=side)
        if max(image.size) > largest:
            blobs.put(picture_key(job_id, page.number, side if saved else None), _webp(image))
            saved.append(side)
            largest = max(image.size)
    return tuple(saved)


def _webp(image: Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **WEBP_OPTIONS)
    return buffer.getvalue()


def _page_row(page: Page, sides: tuple[int, ...]) -> dict[str, Any]:
    return {**page_to_json(page), "sides": sides}


def _page(blobs: Blobs, job_id: str, row: dict[str, Any]) -> Page:
    sides = tuple(int(side) for side in row["sides"])
    return page_from_json(row, StoredImage(blobs, job_id, row["number"], sides) if sides else None)
