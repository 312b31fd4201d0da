"""Text of a PDF page that may be unseen although it is painted: something opaque comes later in its place, it is in an
optional layer, or it is white. In: an open page. Out: which text objects. Runs in the decoder process.

PDFium says neither what a layer's state is nor what is left of a text in the end: the picture tells
(docpipe/read/visibility.py), and is only looked at closely for these.
"""

from __future__ import annotations

from collections.abc import Iterator
from ctypes import POINTER, addressof, byref, c_int, c_uint, c_ulong, cast, create_string_buffer
from itertools import islice
from typing import Any, NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as api

MAX_OBJECTS = 20_000
MAX_SHAPES = 500  # that come after a text; drawings of thousands of strokes cover none
MIN_SHAPE = 20.0  # square points: a letter of 6 points, and what covers one
WHITE = 250  # of 255
OPAQUE = 255
_OPTIONAL_CONTENT = "OC"


class _Edges(NamedTuple):
    left: float
    bottom: float
    right: float
    top: float

    def meets(self, other: _Edges) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.bottom < other.top and other.bottom < self.top
        )


def doubtful_texts(page: pdfium.PdfPage) -> frozenset[int]:
    """The addresses of these text objects."""
    return frozenset(_from_the_last(list(islice(page.get_objects(), MAX_OBJECTS))))


def _from_the_last(objects: list[pdfium.PdfObject]) -> Iterator[int]:
    shapes: list[_Edges] = []
    for item in reversed(objects):
        if item.type == api.FPDF_PAGEOBJ_TEXT:
            if _is_white(item.raw) or _is_optional(item.raw) or _is_under(item, shapes):
                yield addressof(item.raw.contents)
        elif len(shapes) < MAX_SHAPES and _is_opaque(item):
            edges = _edges(item)
            if (edges.right - edges.left) * (edges.top - edges.bottom) >= MIN_SHAPE:
                shapes.append(edges)


def _is_under(item: pdfium.PdfObject, shapes: list[_Edges]) -> bool:
    return bool(shapes) and any(map(_edges(item).meets, shapes))


def _is_opaque(item: pdfium.PdfObject) -> bool:
    if item.type == api.FPDF_PAGEOBJ_PATH:
        return _is_filled(item.raw)
    return bool(item.type in (api.FPDF_PAGEOBJ_IMAGE, api.FPDF_PAGEOBJ_SHADING))


def _is_filled(item: Any) -> bool:
    fill_mode, has_stroke = c_int(), api.FPDF_BOOL()
    api.FPDFPath_GetDrawMode(item, byref(fill_mode), byref(has_stroke))
    return bool(fill_mode.value != api.FPDF_FILLMODE_NONE and _colour(item)[3] == OPAQUE)


def _is_white(item: Any) -> bool:
    return min(_colour(item)[:3]) >= WHITE


def _colour(item: Any) -> tuple[int, int, int, int]:
    """Red, green, blue, alpha of the fill, 0-255."""
    red, green, blue, alpha = c_uint(), c_uint(), c_uint(), c_uint(OPAQUE)
    api.FPDFPageObj_GetFillColor(item, byref(red), byref(green), byref(blue), byref(alpha))
    return red.value, green.value, blue.value, alpha.value


def _is_optional(item: Any) -> bool:
    return any(_mark_name(item, index) == _OPTIONAL_CONTENT for index in range(api.FPDFPageObj_CountMarks(item)))


def _mark_name(item: Any, index: int) -> str:
    mark, size = api.FPDFPageObj_GetMark(item, index), c_ulong()
    buffer = create_string_buffer(64)
    api.FPDFPageObjMark_GetName(mark, cast(buffer, POINTER(api.FPDF_WCHAR)), 64, byref(size))
    return buffer.raw[: min(64, size.value)].decode("utf-16-le", "replace").rstrip("\0")


def _edges(item: pdfium.PdfObject) -> _Edges:
    """On the page; what is inside a form is placed by it."""
    box, container = item.get_bounds(), item.container
    while container is not None:
        box, container = container.get_matrix().on_rect(*box), container.container
    return _Edges(*box)
