"""The text layer of a PDF page, character by character. In: an open page. Out: its text and one packed array.

Runs in the decoder process. ctypes calls are the cost (about 1 us each): what belongs to a text object is asked for
once per object.
"""

from __future__ import annotations

import math
from array import array
from ctypes import addressof, byref, c_double, c_uint
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as api

from docpipe.errors import TooLargeError
from docpipe.render.covered import doubtful_texts
from docpipe.render.pipe_messages import DOUBTFUL, GENERATED, INVISIBLE, UNMAPPED, CharacterRows, PageBox

MAX_CHARACTERS = 200_000  # a page of a telephone book has 20,000
_UNPAINTED_MODES = (api.FPDF_TEXTRENDERMODE_INVISIBLE, api.FPDF_TEXTRENDERMODE_CLIP)
_REPLACEMENT = "\ufffd"


class _CharacterStyle(NamedTuple):
    """What all characters of a text object share: font size in points, angle clockwise in degrees, flags,
    the number of its font on this page."""

    size: float
    angle: float
    flags: int
    font: int


def read_characters(page: pdfium.PdfPage) -> CharacterRows:
    """Coordinates as PDFium gives them: points, origin bottom-left, before /Rotate. The other process turns them with
    numpy."""
    textpage = page.get_textpage()
    try:
        count = textpage.count_chars()
        if count > MAX_CHARACTERS:
            raise TooLargeError(f"a page has {count:,} characters, more than the {MAX_CHARACTERS:,} allowed")
        text, rows = _collect(textpage.raw, count, doubtful_texts(page) if count else frozenset())
    finally:
        textpage.close()
    return CharacterRows(text, PageBox(*page.get_bbox()), page.get_rotation(), memoryview(rows).cast("B"))


def _collect(raw: Any, count: int, doubtful: frozenset[int]) -> tuple[str, array[float]]:
    letters: list[str] = []
    rows = array("f")
    styles: dict[int, _CharacterStyle] = {}
    fonts: dict[int, int] = {}
    left, right, bottom, top = c_double(), c_double(), c_double(), c_double()
    edges = byref(left), byref(right), byref(bottom), byref(top)
    loose = api.FS_RECTF()
    loose_pointer = byref(loose)
    for index in range(count):
        letters.append(_letter(api.FPDFText_GetUnicode(raw, index)))
        api.FPDFText_GetCharBox(raw, index, *edges)
        tight = left.value, bottom.value, right.value, top.value
        if api.FPDFText_IsGenerated(raw, index) == 1:
            rows.extend((*tight, *tight, 0.0, 0.0, GENERATED, 0.0))
            continue
        has_loose_box = api.FPDFText_GetLooseCharBox(raw, index, loose_pointer)
        style = _style(raw, index, styles, fonts, doubtful)
        flags = style.flags
        if api.FPDFText_HasUnicodeMapError(raw, index) == 1:
            flags |= UNMAPPED
        line_high = (loose.left, loose.bottom, loose.right, loose.top) if has_loose_box else tight
        rows.extend((*tight, *line_high, style.size, style.angle, flags, style.font))
    return "".join(letters), rows


def _letter(code: int) -> str:
    """Exactly one character: lone surrogates and codes beyond Unicode would break later steps."""
    return _REPLACEMENT if code == 0 or 0xD800 <= code <= 0xDFFF or code > 0x10FFFF else chr(code)


def _style(
    raw: Any, index: int, styles: dict[int, _CharacterStyle], fonts: dict[int, int], doubtful: frozenset[int]
) -> _CharacterStyle:
    """Of the text object of a character; `styles` keeps them by the objects' addresses."""
    item = api.FPDFText_GetTextObject(raw, index)
    key = addressof(item.contents) if item else 0
    style = styles.get(key)
    if style is None:
        matrix = api.FS_MATRIX()
        api.FPDFText_GetMatrix(raw, index, byref(matrix))
        size = math.hypot(matrix.c, matrix.d) * api.FPDFText_GetFontSize(raw, index)
        angle = -math.degrees(math.atan2(matrix.b, matrix.a))
        flags = (INVISIBLE if item and is_unpainted(item) else 0) | (DOUBTFUL if key in doubtful else 0)
        style = styles[key] = _CharacterStyle(size, angle, flags, _font_number(item, fonts))
    return style


def _font_number(item: Any, fonts: dict[int, int]) -> int:
    """From 0, in the order of their first use; `fonts` keeps them by address."""
    font = api.FPDFTextObj_GetFont(item) if item else None
    return fonts.setdefault(addressof(font.contents) if font else 0, len(fonts))


def is_unpainted(item: Any) -> bool:
    """Text that leaves no ink: render mode 3 (the layer under a scan), clip only, or a transparent fill."""
    mode = api.FPDFTextObj_GetTextRenderMode(item)
    if mode in _UNPAINTED_MODES:
        return True
    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint(255)
    api.FPDFPageObj_GetFillColor(item, byref(red), byref(green), byref(blue), byref(alpha))
    return mode == api.FPDF_TEXTRENDERMODE_FILL and alpha.value == 0
