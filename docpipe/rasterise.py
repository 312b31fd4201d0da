"""From a document to its pages. In: a Document. Out: Pages with an image that is drawn when it is opened,
its resolution, and what is wrong with it: blank, unreadable, truncated.

Turning pages whose text does not stand upright is the reader's business; `turned` is there for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from docpipe.data import Document, Issue, Page, PageImage
from docpipe.errors import CorruptError, InputError, TooLargeError
from docpipe.render import PDF, Drawing, PageObjects, PageSize, RenderEngine, Renderer, SourceFile
from docpipe.render.blank import is_blank
from docpipe.render.rendered_page import fitted

if TYPE_CHECKING:
    from PIL.Image import Image, Transpose

POINTS_PER_INCH = 72.0
TEXT_DPI = 200.0  # 6 point print is 17 pixels high; more costs OCR time and reads no better
MAX_SCAN_DPI = 300.0  # finer scans hold no more to read
MIN_SIDE = 1_000  # pixels of the longer side of a PDF page: a label of 2 x 3 inches has small print too
MAX_SIDE = 20_000  # pixels: a till roll of 2.5 m at 200 dpi
MAX_PIXELS = 16_000_000  # A4 at 400 dpi, a phone photo; 48 MB as RGB
SCAN_COVER = 0.4  # part of a page under images from which it will be read by OCR, in full resolution
VECTOR_PATHS = 50  # painted paths from which a page is more than a scan with a frame: outlined letters, a table
PREVIEW_SIDE = 1_000  # pixels of the drawing that tells blank pages: 85 dpi on A4, 8 point strokes show
MAX_SECONDS_LOST = 15.0  # spent on pages that failed; then the document's other pages are given up


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A PageImage: which page, how large, how far turned clockwise. The renderer draws it when it is opened, always
    with the same `engine` once that is known."""

    renderer: Renderer
    source: SourceFile
    number: int
    side: int
    rotation: int = 0
    engine: RenderEngine | None = None

    def open(self, *, max_side: int | None = None) -> Image:
        image = self.draw(max_side).image
        return image.transpose(_transposition(self.rotation)) if self.rotation else image

    def turned(self, degrees: int) -> PageImage:
        return replace(self, rotation=(self.rotation + degrees) % 360)

    def draw(self, max_side: int | None) -> Drawing:
        """As stored, with what the renderer says about it."""
        side = self.side if max_side is None else min(max_side, self.side)
        return self.renderer.draw(self.source, self.number, max_side=side, engine=self.engine)


class PageRasteriser:
    """Implements ports.Rasteriser for PDFs and images. `dpi` is for pages that are not scans."""

    def __init__(self, renderer: Renderer, *, dpi: float = TEXT_DPI) -> None:
        self._renderer = renderer
        self._dpi = dpi

    def pages(self, document: Document) -> Iterator[Page]:
        """Every page in order; one that cannot be drawn has no image and an issue. When not a single page could
        be drawn, the reason is raised after the last: there is nothing to go on with."""
        source = SourceFile.of(document)
        sizes = self._renderer.sizes(source)
        reason: InputError | None = None
        any_drawn = False
        seconds_lost = 0.0
        for number, size in enumerate(sizes, start=1):
            if reason is not None and seconds_lost > MAX_SECONDS_LOST:
                yield _unreadable(number, f"not tried, as the pages before it took too long; the last: {reason}")
                continue
            start = time.monotonic()
            try:
                page = self._page(source, number, size)
                any_drawn = True
            except (CorruptError, TooLargeError) as error:
                seconds_lost += time.monotonic() - start
                reason = error
                page = _unreadable(number, error.message)
            yield page
        if reason is not None and not any_drawn:
            raise reason

    def _page(self, source: SourceFile, number: int, size: PageSize) -> Page:
        if min(size.width, size.height) <= 0:
            raise CorruptError("it has no size")
        objects = self._renderer.page_objects(source, number)
        is_pdf = source.media_type == PDF
        side, dpi = _pdf_resolution(size, objects, self._dpi) if is_pdf else _image_resolution(size)
        image = DrawnPage(self._renderer, source, number, side)
        # A scan is opened in full by OCR right away, and the renderer keeps it; other pages may never be.
        drawing = image.draw(None if objects.image_cover >= SCAN_COVER else PREVIEW_SIDE)
        blank = is_blank(drawing.image)
        width, height = fitted(size.width, size.height, side)
        issues = tuple(_issues(number, drawing, blank))
        image = replace(image, engine=drawing.engine)
        return Page(number, width, height, dpi, image, blank=blank, issues=issues)


def _pdf_resolution(size: PageSize, objects: PageObjects, text_dpi: float) -> tuple[int, float]:
    """Pixels of the longer side, and the dpi that makes. A scan keeps its own resolution: drawing it finer adds
    nothing. Text over a coarse background picture is still drawn as text."""
    dpi = text_dpi
    if objects.image_dpi:
        is_scan = objects.texts == 0 and objects.paths < VECTOR_PATHS
        image_dpi = min(objects.image_dpi, MAX_SCAN_DPI)
        dpi = image_dpi if is_scan else max(image_dpi, text_dpi)
    inches = max(size.width, size.height, 1.0) / POINTS_PER_INCH
    side = _bounded(size, max(inches * dpi, MIN_SIDE))
    return side, side / inches


def _image_resolution(size: PageSize) -> tuple[int, float]:
    """Its own pixels. Files that do not say their dpi, or nonsense, count as 72, as most photos say."""
    longer = max(size.width, size.height)
    side = _bounded(size, longer)
    return side, max(size.dpi, POINTS_PER_INCH) * side / longer


def _bounded(size: PageSize, side: float) -> int:
    """No more than MAX_SIDE and MAX_PIXELS for a page of this shape."""
    shorter_to_longer = max(1e-6, min(size.width, size.height)) / max(size.width, size.height, 1e-6)
    side_of_max_pixels = math.sqrt(MAX_PIXELS / shorter_to_longer)
    return max(1, round(min(side, side_of_max_pixels, MAX_SIDE)))


def _issues(number: int, drawing: Drawing, blank: bool) -> Iterator[Issue]:
    if blank:
        yield Issue("page_blank", f"page {number} is blank", "info", page=number)
    if drawing.engine == "poppler":
        message = f"page {number} was drawn by Poppler, as PDFium could not open or draw it"
        yield Issue("drawn_by_poppler", message, "info", page=number)
    if drawing.complete < 1.0:
        message = f"page {number}: the image is cut off; {drawing.complete:.0%} of it could be decoded"
        yield Issue("image_truncated", message, "warning", page=number)
    if drawing.frames > 1:
        message = f"the file is an animation of {drawing.frames} pictures; only the first is read"
        yield Issue("animation_first_frame", message, "info", page=number)


def _unreadable(number: int, reason: str) -> Page:
    issue = Issue("page_unreadable", f"page {number} could not be drawn: {reason}", "error", page=number)
    return Page(number, 0, 0, 0.0, issues=(issue,))


def _transposition(clockwise: int) -> Transpose:
    """Pillow counts counter-clockwise."""
    from PIL.Image import Transpose  # heavy: Pillow

    return {90: Transpose.ROTATE_270, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_90}[clockwise]
