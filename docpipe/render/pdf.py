"""PDF through PDFium. In: a path and a password. Out: page sizes, what carries a page, drawings.

Runs in the child. The document stays open and so does the last page, nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2 as pdfium
import pypdfium2.raw as api

from docpipe.errors import CorruptError, EncryptedError, TooLargeError
from docpipe.render.characters import is_unpainted, read_characters
from docpipe.render.limits import Limits
from docpipe.render.results import fitted

if TYPE_CHECKING:
    from docpipe.render.decoder_server import Answer

MAX_OBJECTS = 20_000  # a map has a hundred thousand paths; its images come early or do not carry the page
CARRIES_PAGE = 0.4  # part of the page that one image must cover for its resolution to be the page's own
TILES_CARRY_PAGE = 0.5  # the same for many strips or tiles together
MAX_PAGE_POINTS = 200_000.0  # 2,777 inches; the PDF standard allows 14,400 points and big plotters ten times that


class PdfFile:
    def __init__(self, path: Path, password: str | None, limits: Limits) -> None:
        self._limits = limits
        self._page: tuple[int, pdfium.PdfPage] | None = None
        self._pdf = _load(path, password)
        with suppress(pdfium.PdfiumError):  # without its form environment the page itself can still be drawn
            self._pdf.init_forms()

    def sizes(self) -> list[tuple[float, float, float]]:
        count = len(self._pdf)
        if count == 0:
            raise CorruptError("the PDF has no page")
        if count > self._limits.max_pages:
            raise TooLargeError(f"it has {count:,} pages, more than the {self._limits.max_pages:,} allowed")
        return [self._size(index) for index in range(count)]

    def look(self, number: int) -> tuple[float, float, int, int]:
        """Cover and resolution of the images that carry the page; the numbers of painted texts and of paths."""
        page = self._open(number)
        left, bottom, right, top = page.get_bbox()
        whole = max(1.0, (right - left) * (top - bottom))
        texts, paths, images = 0, 0, []
        for item in islice(page.get_objects(), MAX_OBJECTS):
            if item.type == api.FPDF_PAGEOBJ_TEXT:
                texts += not is_unpainted(item.raw)
            elif item.type == api.FPDF_PAGEOBJ_PATH:
                paths += 1
            elif item.type == api.FPDF_PAGEOBJ_IMAGE:
                images.append(_area_and_pixels(item))
        covered = sum(area for area, _ in images) / whole
        carriers = [pixels / area for area, pixels in images if area >= CARRIES_PAGE * whole]
        density = max(carriers, default=0.0)  # pixels per square point
        if not carriers and covered >= TILES_CARRY_PAGE:
            density = sum(pixels for _, pixels in images) / sum(area for area, _ in images)
        return min(1.0, covered), 72.0 * density**0.5, texts, paths

    def draw(self, number: int, max_side: int) -> Answer:
        page = self._open(number)
        width, height = page.get_size()
        if not 0 < min(width, height) <= max(width, height) <= MAX_PAGE_POINTS:
            raise CorruptError(f"page {number} claims a size of {width:,.0f} x {height:,.0f} points")
        size = fitted(width, height, max_side)
        bitmap = pdfium.PdfBitmap.new_native(*size, api.FPDFBitmap_BGR, rev_byteorder=True)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        view = (bitmap, page, 0, 0, *size, 0, api.FPDF_ANNOT | api.FPDF_REVERSE_BYTE_ORDER)
        api.FPDF_RenderPageBitmap(*view)
        if self._pdf.formenv:
            api.FPDF_FFLDraw(self._pdf.formenv, *view)
        header = {"size": size, "stride": bitmap.stride, "complete": 1.0, "frames": 1}
        return header, memoryview(bitmap.buffer).cast("B")

    def characters(self, number: int) -> Answer:
        return read_characters(self._open(number))

    def close(self) -> None:
        self._close_page()
        self._pdf.close()

    def _size(self, index: int) -> tuple[float, float, float]:
        """One damaged page among good ones has no size; drawing it will say why."""
        size = api.FS_SIZEF()
        found = api.FPDF_GetPageSizeByIndexF(self._pdf, index, size)
        return (size.width, size.height, 72.0) if found else (0.0, 0.0, 72.0)

    def _open(self, number: int) -> pdfium.PdfPage:
        if self._page is None or self._page[0] != number:
            self._close_page()
            try:
                self._page = (number, self._loaded(number - 1))
            except pdfium.PdfiumError as error:
                raise CorruptError(f"page {number} cannot be opened") from error
        return self._page[1]

    def _loaded(self, index: int) -> pdfium.PdfPage:
        """What was typed into a form's fields becomes part of the page, so that it is in its text layer too."""
        page = self._pdf[index]
        if self._pdf.formenv is None or api.FPDFPage_GetAnnotCount(page) <= 0:
            return page
        page.flatten()
        page.close()
        return self._pdf[index]

    def _close_page(self) -> None:
        if self._page is not None:
            self._page[1].close()
            self._page = None


def _load(path: Path, password: str | None) -> pdfium.PdfDocument:
    # PDFium keeps its last error, and a PDF without pages sets none: it would inherit the last file's "password".
    api.FPDF_LoadMemDocument64(b"-", 1, None)  # sets "format"
    try:
        return pdfium.PdfDocument(path, password=password)
    except pdfium.PdfiumError as error:
        if getattr(error, "err_code", None) == api.FPDF_ERR_PASSWORD:
            raise EncryptedError("the password is wrong" if password else "it is encrypted") from error
        if getattr(error, "err_code", None) == api.FPDF_ERR_SECURITY:
            hint = "Save a copy without encryption in the program that made it."
            raise EncryptedError("its kind of encryption is not supported", hint=hint) from error
        raise CorruptError("the PDF is damaged and cannot be opened, or has no page") from error


def _area_and_pixels(item: pdfium.PdfObject) -> tuple[float, float]:
    """Area on the page in square points, and number of pixels. Images inside forms are placed by the forms."""
    box, container = item.get_bounds(), item.container
    while container is not None:
        box, container = container.get_matrix().on_rect(*box), container.container
    left, bottom, right, top = box
    width, height = item.get_px_size()
    return max(1e-6, abs((right - left) * (top - bottom))), float(width * height)
