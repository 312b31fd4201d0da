"""The fields of a PDF's form (AcroForm) on a page. In: an open page that was not flattened yet. Out: a row for each.

Runs in the decoder process. What is ticked, chosen and typed is exact in the file; the picture shows it less well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ctypes import POINTER, byref, c_ushort, cast, create_string_buffer
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as api

from docpipe.data import WidgetType
from docpipe.render.pipe_messages import PageBox, WidgetRow

MAX_WIDGETS = 1_000  # on a page; a tax form has three hundred
MAX_OPTIONS = 1_000  # of one list; the countries are 250
MAX_VALUE = 20_000  # bytes of UTF-16; more is a document in a text field
BUTTONS: tuple[WidgetType, ...] = ("check_box", "radio_button")
UNSEEN = api.FPDF_ANNOT_FLAG_HIDDEN | api.FPDF_ANNOT_FLAG_NOVIEW
TYPES: dict[int, WidgetType] = {
    api.FPDF_FORMFIELD_CHECKBOX: "check_box",
    api.FPDF_FORMFIELD_RADIOBUTTON: "radio_button",
    api.FPDF_FORMFIELD_COMBOBOX: "choice",
    api.FPDF_FORMFIELD_LISTBOX: "choice",
    api.FPDF_FORMFIELD_TEXTFIELD: "text",
}
_PASSWORD_FLAG = 1 << 13  # of a text field: it is drawn as asterisks


def is_xfa(pdf: pdfium.PdfDocument) -> bool:
    """Whether the form is drawn from XFA alone. One that has AcroForm fields beside it is read as an AcroForm."""
    return bool(api.FPDF_GetFormType(pdf) == api.FORMTYPE_XFA_FULL)


def read_widgets(pdf: pdfium.PdfDocument, page: pdfium.PdfPage) -> tuple[WidgetRow, ...]:
    """In the order of the file, without buttons that only do something, signatures, and what is hidden. A list from
    which several are chosen has a row for each."""
    count = min(MAX_WIDGETS, api.FPDFPage_GetAnnotCount(page))
    return tuple(row for index in range(count) for row in _rows(pdf.formenv, page, index))


def _rows(form: Any, page: pdfium.PdfPage, index: int) -> Iterator[WidgetRow]:
    annotation = api.FPDFPage_GetAnnot(page, index)
    if not annotation:
        return
    try:
        if api.FPDFAnnot_GetSubtype(annotation) == api.FPDF_ANNOT_WIDGET:
            yield from _widget_row(form, annotation)
    finally:
        api.FPDFPage_CloseAnnot(annotation)


def _widget_row(form: Any, annotation: Any) -> Iterator[WidgetRow]:
    kind = TYPES.get(api.FPDFAnnot_GetFormFieldType(form, annotation))
    if kind is None or api.FPDFAnnot_GetFlags(annotation) & UNSEEN:
        return
    place = api.FS_RECTF()
    if not api.FPDFAnnot_GetRect(annotation, byref(place)):
        return
    row = WidgetRow(
        name=_text(api.FPDFAnnot_GetFormFieldName, form, annotation),
        tooltip=_text(api.FPDFAnnot_GetFormFieldAlternateName, form, annotation),
        type=kind,
        place=PageBox(place.left, place.bottom, place.right, place.top),
        value="",
        checked=kind in BUTTONS and bool(api.FPDFAnnot_IsChecked(form, annotation)),
    )
    for value in _values(form, annotation, kind) or [""]:
        yield row._replace(value=value)


def _values(form: Any, annotation: Any, kind: WidgetType) -> list[str]:
    """What is typed; of a button the name of its option; what is chosen from a list, as the page shows it."""
    if kind in BUTTONS:
        return [_text(api.FPDFAnnot_GetFormFieldExportValue, form, annotation)]
    if kind == "text" and api.FPDFAnnot_GetFormFieldFlags(form, annotation) & _PASSWORD_FLAG:
        return []
    if kind == "choice":
        options = range(min(MAX_OPTIONS, api.FPDFAnnot_GetOptionCount(form, annotation)))
        chosen = [option for option in options if api.FPDFAnnot_IsOptionSelected(form, annotation, option)]
        if chosen:
            return [_option_label(form, annotation, option) for option in chosen]
    return [_text(api.FPDFAnnot_GetFormFieldValue, form, annotation)]


def _option_label(form: Any, annotation: Any, option: int) -> str:
    return _text(lambda *buffer: api.FPDFAnnot_GetOptionLabel(*buffer[:2], option, *buffer[2:]), form, annotation)


def _text(read: Callable[..., int], form: Any, annotation: Any) -> str:
    """What PDFium writes as UTF-16 with a zero at its end; "" where it is too long."""
    size = read(form, annotation, None, 0)
    if not 2 < size <= MAX_VALUE:
        return ""
    buffer = create_string_buffer(size)
    read(form, annotation, cast(buffer, POINTER(c_ushort)), size)
    return buffer.raw[: size - 2].decode("utf-16-le", errors="replace").strip()
