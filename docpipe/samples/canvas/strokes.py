"""What is drawn on a page: texts, lines, rectangles, ellipses, curves, each able to draw itself on a PDF canvas.

In: places in points from the top left corner of the page. Out: the same on reportlab's canvas, whose origin is at the
bottom left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from reportlab.pdfgen.canvas import Canvas as PdfCanvas

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.text_style import BLACK, RgbColour, TextStyle


class Stroke(Protocol):
    def draw(self, pdf: PdfCanvas, page_height: float) -> None: ...


@dataclass(frozen=True)
class TextStroke:
    """One line of text; `rotation` is counter-clockwise, in degrees, about the start of its baseline."""

    x: float
    y: float
    text: str
    style: TextStyle
    rotation: float = 0.0

    def draw(self, pdf: PdfCanvas, page_height: float) -> None:
        if self.rotation:
            pdf.saveState()
            pdf.translate(self.x, page_height - self.y)
            pdf.rotate(self.rotation)
            self._draw_at(pdf, 0.0, 0.0)
            pdf.restoreState()
        else:
            self._draw_at(pdf, self.x, page_height - self.y)

    def _draw_at(self, pdf: PdfCanvas, x: float, y: float) -> None:
        style = self.style
        text = pdf.beginText(x, y)
        text.setFont(style.font, style.size)
        text.setFillColorRGB(*style.colour)
        text.setHorizScale(100 * style.horizontal_scale)
        text.setCharSpace(style.character_spacing)
        text.setTextRenderMode(2 if style.outline_width else 0)  # 2: fill, then stroke the outline
        if style.outline_width:  # reportlab thinks that a new text is filled only, so the mode must end with this one
            pdf.saveState()
            pdf.setDash()
            pdf.setLineWidth(style.outline_width)
            pdf.setStrokeColorRGB(*style.colour)
        text.textOut(self.text)
        pdf.drawText(text)
        if style.outline_width:
            pdf.restoreState()


@dataclass(frozen=True)
class LineStroke:
    """A straight line."""

    x0: float
    y0: float
    x1: float
    y1: float
    line_width: float = 0.5
    colour: RgbColour = BLACK
    dash: tuple[float, ...] = ()

    def draw(self, pdf: PdfCanvas, page_height: float) -> None:
        pdf.setLineWidth(self.line_width)
        pdf.setStrokeColorRGB(*self.colour)
        pdf.setDash(list(self.dash))
        pdf.line(self.x0, page_height - self.y0, self.x1, page_height - self.y1)


@dataclass(frozen=True)
class RectangleStroke:
    """A rectangle from its top left corner; `radius` rounds the corners."""

    x: float
    y: float
    width: float
    height: float
    fill: RgbColour | None = None
    outline: RgbColour | None = BLACK
    line_width: float = 0.5
    radius: float = 0.0

    def draw(self, pdf: PdfCanvas, page_height: float) -> None:
        _set_graphics_state(pdf, self.fill, self.outline, self.line_width)
        sides = (self.x, page_height - self.y - self.height, self.width, self.height)
        filled, outlined = int(self.fill is not None), int(self.outline is not None)
        if self.radius:
            pdf.roundRect(*sides, self.radius, stroke=outlined, fill=filled)
        else:
            pdf.rect(*sides, stroke=outlined, fill=filled)


@dataclass(frozen=True)
class EllipseStroke:
    """An ellipse within a rectangle, which is given by its top left corner."""

    x: float
    y: float
    width: float
    height: float
    fill: RgbColour | None = None
    outline: RgbColour | None = BLACK
    line_width: float = 0.8

    def draw(self, pdf: PdfCanvas, page_height: float) -> None:
        _set_graphics_state(pdf, self.fill, self.outline, self.line_width)
        bottom = page_height - self.y - self.height
        filled, outlined = int(self.fill is not None), int(self.outline is not None)
        pdf.ellipse(self.x, bottom, self.x + self.width, bottom + self.height, stroke=outlined, fill=filled)


@dataclass(frozen=True)
class CurveStroke:
    """A smooth curve through points: signatures, ticks, scribbles."""

    points: tuple[Point, ...]
    line_width: float = 0.8
    colour: RgbColour = BLACK

    def draw(self, pdf: PdfCanvas, page_height: float) -> None:
        _set_graphics_state(pdf, None, self.colour, self.line_width)
        path = pdf.beginPath()
        path.moveTo(self.points[0].x, page_height - self.points[0].y)
        for before, point in zip(self.points, self.points[1:], strict=False):
            first_control = (2 * before.x + point.x) / 3, page_height - (before.y + 2 * point.y) / 3
            end = point.x, page_height - point.y
            path.curveTo(*first_control, (first_control[0] + end[0]) / 2, end[1], *end)
        pdf.drawPath(path, stroke=1, fill=0)


def _set_graphics_state(pdf: PdfCanvas, fill: RgbColour | None, outline: RgbColour | None, line_width: float) -> None:
    pdf.setLineWidth(line_width)
    pdf.setDash()
    if fill is not None:
        pdf.setFillColorRGB(*fill)
    if outline is not None:
        pdf.setStrokeColorRGB(*outline)
