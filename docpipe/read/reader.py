"""Reading a page: its text layer where that is worth the name, OCR otherwise.

In: a document and one of its pages. Out: the page with its words in reading order, upright.
"""

from __future__ import annotations

from dataclasses import replace

from docpipe.data import Document, Issue, Page, PageImage
from docpipe.errors import DocpipeError, ModelError
from docpipe.read.ocr import Ocr
from docpipe.read.order import in_reading_order
from docpipe.read.textlayer import Layer, read_layer
from docpipe.render import Renderer

PDF = "application/pdf"


class PageReader:
    """Implements `protocols.Reader`. `threads` is how many cores one page may use: 1 where several documents
    are read at the same time.
    """

    def __init__(self, renderer: Renderer, *, threads: int = 1) -> None:
        self._renderer = renderer
        self._ocr = Ocr(threads=threads)

    def read(self, document: Document, page: Page) -> Page:
        if page.blank or page.image is None:
            return page
        layer = self._layer(document, page)
        if layer is None:
            return self._recognised(page, page.image)
        if layer.defect is not None:
            message = f"The text layer of page {page.number} was not used: {layer.defect}."
            issue = Issue("text_layer_distrusted", message, "info", page=page.number)
            return self._recognised(replace(page, issues=(*page.issues, issue)), page.image)
        turned = _turned(page, layer.turned)
        return replace(turned, words=in_reading_order(layer.runs, aspect=turned.width / turned.height))

    def _layer(self, document: Document, page: Page) -> Layer | None:
        if document.media_type != PDF:
            return None
        characters = self._renderer.characters(document.path, document.media_type, document.password, page.number)
        return read_layer(characters, aspect=page.width / page.height, with_invisible=False)

    def _recognised(self, page: Page, image: PageImage) -> Page:
        try:
            reading = self._ocr.read(image.open())
        except ModelError:
            raise  # without its models no page can be read: the document fails, not the page
        except DocpipeError as error:
            message = f"Page {page.number} could not be read: {error}"
            issue = Issue("page_unreadable", message, "error", page=page.number)
            return replace(page, issues=(*page.issues, issue))
        turned = _turned(page, reading.turned)
        aspect = turned.width / turned.height
        return replace(turned, words=in_reading_order(reading.runs, aspect=aspect, slope=reading.slope))


def _turned(page: Page, degrees: int) -> Page:
    """The page turned clockwise, and the issue that says so."""
    if degrees == 0 or page.image is None:
        return page
    width, height = (page.width, page.height) if degrees == 180 else (page.height, page.width)
    message = f"Page {page.number} was turned by {degrees}° to stand upright."
    issue = Issue("page_turned", message, "info", page=page.number)
    return replace(
        page,
        width=width,
        height=height,
        image=page.image.turned(degrees),
        rotation=(page.rotation + degrees) % 360,
        issues=(*page.issues, issue),
    )
