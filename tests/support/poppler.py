"""Poppler in tests: whether it is there, and PDFs that only it reads."""

from __future__ import annotations

import pytest

from docpipe.render.renderer import poppler_is_installed

needs_poppler = pytest.mark.skipif(
    not poppler_is_installed(), reason="Poppler is not installed (apt-get install poppler-utils, brew install poppler)"
)


def without_header(pdf: bytes) -> bytes:
    """The PDF from its first object on. PDFium refuses a file without `%PDF-`; Poppler warns and reads it."""
    return pdf[pdf.index(b"1 0 obj") :]
