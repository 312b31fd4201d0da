"""PDF through PDFium. In: a path and a password. Out: page sizes, what a page is made of, drawings.

Runs in the decoder process. The document stays open and so does the last page, nothing else.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as api

from docpipe.errors import CorruptError, EncryptedError, TooLargeError
from docpipe.render.characters import is_unpainted, read_characters
from docpipe.render.form_widgets import is_xfa, read_widgets
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import Bitmap, CharacterRows, FormRows, PageBox, WidgetRow
from docpipe.render.rendered_page import PageObjects, PageSize, fitted

MAX_OBJECTS = 20_000  # a map has a hundred thousand paths; its images come early or do not carry the page
CARRIER_COVER = 0.4  # part of the page that one image must cover for its resolution to be the page's own
TILES_COVER = 0.5  # the same for many strips or tiles together
MAX_PAGE_POINTS = 200_000.0  # 2,777 inches; the PDF standard allows 14,400 points and big plotters ten times that


class _PlacedImage(NamedTuple):
    """A raster image on a page: its area there in square points, and how many pixels it has."""

    area: float
    pixels: float


class PdfFile:
    def __init__(self, path: Path, password: str | None, limits: Limits) -> None:
        self._limits = limits
        self._page: tuple[int, pdfium.PdfPage] | None = None
        self._widgets: dict[int, tuple[WidgetRow, ...]] = {}  # by page, from before it was flattened
        self._pdf = _open_pdf(path, password)
        with suppress(pdfium.PdfiumError):  # without its form environment the page itself can still be drawn
            self._pdf.init_forms()

    def sizes(self) -> list[PageSize]:
        count = len(self._pdf)
        if count == 0:
            raise CorruptError("the PDF has no page")
        if count > self._limits.max_pages:
            raise TooLargeError(f"it has {count:,} pages, more than the {self._limits.max_pages:,} allowed")
        return [self._size(index) for index in range(count)]

    def page_objects(self, number: int) -> PageObjects:
        page = self._open(number)
        left, bottom, right, top = page.get_bbox()
        page_area = max(1.0, (right - left) * (top - bottom))
        texts, paths = 0, 0
        images: list[_PlacedImage] = []
        for item in islice(page.get_objects(), MAX_OBJECTS):
            if item.type == api.FPDF_PAGEOBJ_TEXT:
                texts += not is_unpainted(item.raw)
            elif item.type == api.FPDF_PAGEOBJ_PATH:
                paths += 1
            elif item.type == api.FPDF_PAGEOBJ_IMAGE:
                images.append(_placed_image(item))
        covered = sum(image.area for image in images) / page_area
        carriers = [image.pixels / image.area for image in images if image.area >= CARRIER_COVER * page_area]
        density = max(carriers, default=0.0)  # pixels per square point
        if not carriers and covered >= TILES_COVER:
            density = sum(image.pixels for image in images) / sum(image.area for image in images)
        return PageObjects(min(1.0, covered), 72.0 * density**0.5, texts, paths)

    def draw(self, number: int, max_side: int) -> Bitmap:
        page = self._open(number)
        width, height = page.get_size()
        if not 0 < min(width, height) <= max(width, height) <= MAX_PAGE_POINTS:
            raise CorruptError(f"page {number} claims a size of {width:,.0f} x {height:,.0f} points")
        size = fitted(width, height, max_side)
        bitmap = pdfium.PdfBitmap.new_native(*size, api.FPDFBitmap_BGR, rev_byteorder=True)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, *size)
        drawing_arguments = (bitmap, page, 0, 0, *size, 0, api.FPDF_ANNOT | api.FPDF_REVERSE_BYTE_ORDER)
        api.FPDF_RenderPageBitmap(*drawing_arguments)
        if self._pdf.formenv:
            api.FPDF_FFLDraw(self._pdf.formenv, *drawing_arguments)
        return Bitmap(*size, memoryview(bitmap.buffer).cast("B"), stride=bitmap.stride)

    def characters(self, number: int) -> CharacterRows:
        return read_characters(self._open(number))

    def form(self, number: int) -> FormRows:
        page = self._open(number)
        widgets = self._widgets.get(number, ())
        return FormRows(widgets, PageBox(*page.get_bbox()), page.get_rotation(), is_xfa(self._pdf))

    def close(self) -> None:
        self._close_page()
        self._pdf.close()

    def _size(self, index: int) -> PageSize:
        """One damaged page among good ones has no size; drawing it will say why."""
        size = api.FS_SIZEF()
        is_known = api.FPDF_GetPageSizeByIndexF(self._pdf, index, size)
        return PageSize(size.width, size.height) if is_known else PageSize(0.0, 0.0)

    def _open(self, number: int) -> pdfium.PdfPage:
        if self._page is None or self._page[0] != number:
            self._close_page()
            try:
                self._page = (number, self._load_page(number - 1))
            except pdfium.PdfiumError as error:
                raise CorruptError(f"page {number} cannot be opened") from error
        return self._page[1]

    def _load_page(self, index: int) -> pdfium.PdfPage:
        """What was typed into a form's fields becomes part of the page, so that it is in its text layer too."""
        page = self._pdf[index]
        if self._pdf.formenv is None or api.FPDFPage_GetAnnotCount(page) <= 0:
            return page
        self._widgets.setdefault(index + 1, read_widgets(self._pdf, page))
        page.flatten()
        page.close()
        return self._pdf[index]

    def _close_page(self) -> None:
        if self._page is not None:
            self._page[1].close()
            self._page = None


def _open_pdf(path: Path, password: str | None) -> pdfium.PdfDocument:
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


def _placed_image(item: pdfium.PdfObject) -> _PlacedImage:
    """Images inside forms are placed by the forms."""
    box, container = item.get_bounds(), item.container
    while container is not None:
        box, container = container.get_matrix().on_rect(*box), container.container
    left, bottom, right, top = box
    width, height = item.get_px_size()
    return _PlacedImage(max(1e-6, abs((right - left) * (top - bottom))), float(width * height))
