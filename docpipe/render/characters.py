"""The text layer of a PDF page, character by character. In: an open page. Out: its text and one packed array.

Runs in the child. ctypes calls are the cost (about 1 us each), so what belongs to a text object is asked once per object.
"""

from __future__ import annotations

import math
from array import array
from ctypes import addressof, byref, c_double, c_uint
from typing import TYPE_CHECKING, Any

import pypdfium2 as pdfium
import pypdfium2.raw as api

from docpipe.errors import TooLargeError
from docpipe.render.frames import GENERATED, INVISIBLE, UNMAPPED

if TYPE_CHECKING:
    from docpipe.render.child import Answer

MAX_CHARACTERS = 200_000  # a page of a telephone book has 20,000
_UNPAINTED_MODES = (api.FPDF_TEXTRENDERMODE_INVISIBLE, api.FPDF_TEXTRENDERMODE_CLIP)
_REPLACEMENT = "\ufffd"
_PLAIN = (1.0, 0.0, False)


def read_characters(page: pdfium.PdfPage) -> Answer:
    """Header with the text; payload n rows of frames.COLUMNS float32, boxes as fractions of the upright page."""
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        if count > MAX_CHARACTERS:
            raise TooLargeError(f"a page has {count:,} characters, more than the {MAX_CHARACTERS:,} allowed")
        text, rows = _collect(textpage, count, _Upright(page))
    finally:
        textpage.close()
    return {"text": text}, memoryview(rows).cast("B")


def _collect(textpage: pdfium.PdfTextPage, count: int, upright: _Upright) -> tuple[str, array[float]]:
    raw = textpage.raw
    letters: list[str] = []
    rows = array("f")
    styles: dict[int, tuple[float, float, bool]] = {}
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    edges = byref(left), byref(right), byref(bottom), byref(top)
    loose = api.FS_RECTF()
    for index in range(count):
        generated = api.FPDFText_IsGenerated(raw, index) == 1
        unmapped = api.FPDFText_HasUnicodeMapError(raw, index) == 1
        api.FPDFText_GetCharBox(raw, index, *edges)
        tight_box = upright.box(left.value, bottom.value, right.value, top.value)
        scale, angle, unpainted = _PLAIN if generated else _style(raw, index, styles)
        if generated or not api.FPDFText_GetLooseCharBox(raw, index, byref(loose)):
            loose_box = tight_box
        else:
            loose_box = upright.box(loose.left, loose.bottom, loose.right, loose.top)
        invisible = unpainted or upright.is_outside(loose_box)
        letters.append(_letter(api.FPDFText_GetUnicode(raw, index)))
        rows.extend(tight_box)
        rows.extend(loose_box)
        size = 0.0 if generated else scale * api.FPDFText_GetFontSize(raw, index)
        flags = invisible * INVISIBLE + unmapped * UNMAPPED + generated * GENERATED
        rows.extend((size, (angle + upright.rotation) % 360.0, flags))
    return "".join(letters), rows


def _letter(code: int) -> str:
    """Exactly one character: lone surrogates and codes beyond Unicode would break later steps."""
    return _REPLACEMENT if code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)


def _style(raw: Any, index: int, styles: dict[int, tuple[float, float, bool]]) -> tuple[float, float, bool]:
    """Scale of the font size, angle clockwise in degrees, unpainted: the same for a whole text object."""
    item = api.FPDFText_GetTextObject(raw, index)
    key = addressof(item.contents) if item else 0
    found = styles.get(key)
    if found is None:
        matrix = api.FS_MATRIX()
        api.FPDFText_GetMatrix(raw, index, byref(matrix))
        scale = math.hypot(matrix.c, matrix.d)
        angle = -math.degrees(math.atan2(matrix.b, matrix.a))
        found = styles[key] = (scale, angle, bool(item) and is_unpainted(item))
    return found


def is_unpainted(item: Any) -> bool:
    """Text that leaves no ink: render mode 3 (the layer under a scan), clip only, or a transparent fill."""
    mode = api.FPDFTextObj_GetTextRenderMode(item)
    if mode in _UNPAINTED_MODES:
        return True
    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint(255)
    api.FPDFPageObj_GetFillColor(item, byref(red), byref(green), byref(blue), byref(alpha))
    return mode == api.FPDF_TEXTRENDERMODE_FILL and alpha.value == 0


class _Upright:
    """From PDF user space (points, origin bottom-left, before /Rotate) to fractions of the page as drawn."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        self._left, bottom, right, self._top = page.get_bbox()
        self._width = max(1e-6, right - self._left)
        self._height = max(1e-6, self._top - bottom)
        self.rotation = page.get_rotation()

    def box(self, left: float, bottom: float, right: float, top: float) -> tuple[float, float, float, float]:
        x0, x1 = (left - self._left) / self._width, (right - self._left) / self._width
        y0, y1 = (self._top - top) / self._height, (self._top - bottom) / self._height
        if self.rotation == 90:
            return 1.0 - y1, x0, 1.0 - y0, x1
        if self.rotation == 180:
            return 1.0 - x1, 1.0 - y1, 1.0 - x0, 1.0 - y0
        if self.rotation == 270:
            return y0, 1.0 - x1, y1, 1.0 - x0
        return x0, y0, x1, y1

    @staticmethod
    def is_outside(box: tuple[float, float, float, float]) -> bool:
        return box[2] <= 0.0 or box[3] <= 0.0 or box[0] >= 1.0 or box[1] >= 1.0
