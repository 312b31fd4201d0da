"""PDFs with forms that the tests draw: fields of reportlab's AcroForm beside printed labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Page
from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer

SIDE = 14  # points: of a button
HIGH = 20  # of a text field


class FormCanvas:
    """Draws from the top of one A4 page; `y` are points from its upper edge, as readers count."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._canvas = Canvas(str(path), pagesize=A4)

    def text(self, x: float, y: float, text: str, size: float = 11) -> None:
        self._canvas.setFont("Helvetica", size)
        self._canvas.drawString(x, A4[1] - y, text)

    def check_box(self, x: float, y: float, name: str, *, checked: bool, **options: Any) -> None:
        self._canvas.acroForm.checkbox(name=name, checked=checked, x=x, y=A4[1] - y - 3, size=SIDE, **options)

    def radio_button(self, x: float, y: float, name: str, value: str, *, selected: bool, **options: Any) -> None:
        self._canvas.acroForm.radio(
            name=name, value=value, selected=selected, x=x, y=A4[1] - y - 3, size=SIDE, **options
        )

    def text_field(self, x: float, y: float, name: str, value: str, **options: Any) -> None:
        options = {"width": 180, "height": HIGH, "fontSize": 10, **options}
        self._canvas.acroForm.textfield(name=name, value=value, x=x, y=A4[1] - y - 6, **options)

    def choice(self, x: float, y: float, name: str, value: str, options: list[str]) -> None:
        self._canvas.acroForm.choice(
            name=name, value=value, options=options, x=x, y=A4[1] - y - 6, width=120, height=HIGH, fontSize=10
        )

    def list_box(self, x: float, y: float, name: str, value: str, options: list[str]) -> None:
        """All of its options are shown, the first of them at the top."""
        high = HIGH * len(options)
        self._canvas.acroForm.listbox(
            name=name, value=value, options=options, x=x, y=A4[1] - y - high, width=120, height=high, fontSize=10
        )

    def save(self) -> Path:
        self._canvas.showPage()
        self._canvas.save()
        return self.path


def read_page(path: Path, renderer: Renderer) -> Page:
    """The first page, read as `docpipe run` reads it."""
    page = next(iter(PageRasteriser(renderer).pages(ingest(path, renderer=renderer))))
    return PageReader(renderer).read(ingest(path, renderer=renderer), page)
