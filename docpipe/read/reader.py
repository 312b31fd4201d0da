"""Reading a page: its text layer where that is what the page shows, OCR otherwise.

In: a document and one of its pages. Out: the page with its words in reading order, upright.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from docpipe.data import Box, Document, Issue, Page, PageImage, Word
from docpipe.errors import InputError
from docpipe.read.button_marks import turned_widgets, without_marks
from docpipe.read.digits_check import CheckedLayer, with_digits_of_fonts, with_digits_of_scan
from docpipe.read.layer_check import PICTURE_COVER, contradiction, needs_check
from docpipe.read.legibility import unread_issue
from docpipe.read.ocr import Ocr
from docpipe.read.order import in_reading_order
from docpipe.read.split_words import split_words
from docpipe.read.text_layer import read_layer
from docpipe.read.visibility import quoted, visible_layer
from docpipe.read.word_crops import read_crops
from docpipe.render import PDF, Renderer, SourceFile

LAYER_DISTRUSTED = "text_layer_distrusted"
OCR_SHARE = 0.5  # of a layer over a picture that is not painted, or painted over: with more it is what an OCR read
POINTS_PER_INCH = 72.0
WORD_SIDE = 1_280  # pixels of the picture in which single words are read again: what workers keep between two stages
XFA_ISSUE = Issue(
    "xfa_form",
    "The form is of the kind XFA, which only programs of Adobe show: what was filled in is not on its pages."
    " Print it there into a new PDF.",
    page=1,
)


class PageReader:
    """Implements `ports.Reader`. `threads` is how many cores one page may use: 1 where several documents
    are read at the same time.
    """

    def __init__(self, renderer: Renderer, *, threads: int = 1) -> None:
        self._renderer = renderer
        self._ocr = Ocr(threads=threads)

    def read(self, document: Document, page: Page) -> Page:
        """Raises ModelError when the OCR models are missing; all else becomes an issue of the page."""
        if page.image is None:
            return page
        try:
            page = self._with_form(document, page)
            return page if page.blank or page.image is None else self._read(document, page, page.image)
        except InputError as error:
            message = f"Page {page.number} could not be read: {error.message}"
            return replace(page, issues=(*page.issues, Issue("page_unreadable", message, "error", page=page.number)))

    def read_words(self, page: Page, boxes: Sequence[Box]) -> list[Word]:
        """Implements `ports.WordReader`, in the size of picture that models are given."""
        if page.image is None:
            return [Word("", box, 0.0, "ocr", 0) for box in boxes]
        readings = read_crops(self._ocr, np.asarray(page.image.open(max_side=WORD_SIDE)), boxes)
        pairs = zip(boxes, readings, strict=True)
        return [Word(reading.text, box, reading.confidence, "ocr", 0) for box, reading in pairs]

    def _read(self, document: Document, page: Page, image: PageImage) -> Page:
        checked = self._checked_layer(document, page, image)
        if isinstance(checked, CheckedLayer):
            upright = _rotated(page, checked.layer.rotation)
            words = in_reading_order(checked.layer.runs, aspect=upright.width / upright.height)
            issues = (*upright.issues, *_issues(checked, page.number))
            return replace(upright, words=without_marks(split_words(words), upright.widgets), issues=issues)
        if checked is not None:
            message = f"The text layer of page {page.number} was not used: {checked}."
            page = replace(page, issues=(*page.issues, Issue(LAYER_DISTRUSTED, message, "info", page=page.number)))
        ocr_result = self._ocr.read(image.open())
        upright = _rotated(page, ocr_result.rotation)
        aspect = upright.width / upright.height
        words = in_reading_order(ocr_result.runs, aspect=aspect, slope=ocr_result.slope)
        unread = unread_issue(ocr_result.unread, page.number)
        issues = upright.issues if unread is None else (*upright.issues, unread)
        return replace(upright, words=without_marks(split_words(words), upright.widgets), issues=issues)

    def _with_form(self, document: Document, page: Page) -> Page:
        """The page with the fields of its form, and the issue that there are some which cannot be read."""
        if document.media_type != PDF:
            return page
        form = self._renderer.form(SourceFile.of(document), page.number)
        issues = (XFA_ISSUE,) if form.is_xfa and page.number == 1 else ()
        return replace(page, widgets=form.widgets, issues=(*page.issues, *issues))

    def _checked_layer(self, document: Document, page: Page, image: PageImage) -> CheckedLayer | str | None:
        """The page's text layer, why it is not to be used, or None when there is none."""
        if document.media_type != PDF:
            return None
        source = SourceFile.of(document)
        characters = self._renderer.characters(source, page.number)
        if not characters.text.strip():
            return None
        objects = self._renderer.page_objects(source, page.number)
        is_scan = objects.image_cover >= PICTURE_COVER
        layer = read_layer(characters, aspect=page.width / page.height, with_invisible=is_scan)
        if layer is None or layer.defect is not None:
            return None if layer is None else layer.defect
        upright = image.turned(layer.rotation) if layer.rotation else image
        is_of_ocr = is_scan and (layer.invisible_share > OCR_SHARE or layer.doubtful_share > OCR_SHARE)
        if not is_of_ocr:
            height = _height_in_points(page, layer.rotation)
            layer = visible_layer(layer, upright, self._ocr, height_in_points=height)
        if layer is None:
            return "nobody sees its words"
        if needs_check(layer, objects) and (reason := contradiction(layer, upright, self._ocr)):
            return reason
        with_digits = with_digits_of_scan if is_of_ocr else with_digits_of_fonts
        return with_digits(layer, upright, self._ocr)


def _height_in_points(page: Page, rotation: int) -> float:
    """Of the page after it was turned."""
    return (page.height if rotation % 180 == 0 else page.width) / page.dpi * POINTS_PER_INCH


def _issues(checked: CheckedLayer, number: int) -> Iterator[Issue]:
    if hidden := checked.layer.hidden:
        words = "1 word" if len(hidden) == 1 else f"{len(hidden)} words"
        message = f"Page {number} holds {words} that nobody sees, which were left out: {' '.join(quoted(hidden))}"
        yield Issue("hidden_text", message, "info", page=number)
    if checked.differences:
        pairs = [f"{difference.in_layer} is {difference.in_picture}" for difference in checked.differences]
        count = "1 word was" if len(pairs) == 1 else f"{len(pairs)} words were"
        message = f"Of the text layer of page {number}, {count} read from the picture: {', '.join(quoted(pairs))}"
        yield Issue("text_layer_differs", message, "info", page=number)


def _rotated(page: Page, degrees: int) -> Page:
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
        widgets=turned_widgets(page.widgets, degrees),
        issues=(*page.issues, issue),
    )
