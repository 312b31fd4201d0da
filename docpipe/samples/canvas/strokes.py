"""Marks on a page: text, lines, frames, ellipses, scribbles, each able to draw itself on a reportlab canvas.

In: places in points from the top left of the page. Out: strokes on the canvas, whose origin is bottom left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

RgbColour = tuple[float, float, float]
BLACK: RgbColour = (0.0, 0.0, 0.0)
GREY: RgbColour = (0.45, 0.45, 0.45)
ASCENT, DESCENT = 0.76, 0.22  # of the font size: the box of a printed line reaches this far from its baseline


@dataclass(frozen=True)
class TextStyle:
    """How a text looks: font, size in points, colour, horizontal scale, extra space between letters."""

    font: str = "Helvetica"
    size: float = 9.0
    colour: RgbColour = BLACK
    horizontal_scale: float = 1.0
    character_spacing: float = 0.0
    outline_width: float = 0.0  # thickens the letters, in points

    def width(self, text: str) -> float:
        natural: float = stringWidth(text, self.font, self.size)
        return (natural + self.character_spacing * len(text)) * self.horizontal_scale

    def fitted_to(self, text: str, width: float) -> TextStyle:
        """The ink squeezed so that the text is at most `width` wide."""
        taken = self.width(text)
        return self if taken <= width else replace(self, horizontal_scale=self.horizontal_scale * width / taken)

    def scaled(self, factor: float) -> TextStyle:
        return replace(self, size=self.size * factor)


class Stroke(Protocol):
    def draw(self, canvas: Canvas, tall: float) -> None:
        """Draws itself on a page `tall` points high."""
        ...


@dataclass(frozen=True)
class TextStroke:
    """One line of text; `turn` is counter-clockwise in degrees about the start of its baseline."""

    x: float
    y: float
    text: str
    style: TextStyle
    rotation: float = 0.0

    def draw(self, canvas: Canvas, tall: float) -> None:
        if self.rotation:
            canvas.saveState()
            canvas.translate(self.x, tall - self.y)
            canvas.rotate(self.rotation)
            self._put(canvas, 0.0, 0.0)
            canvas.restoreState()
        else:
            self._put(canvas, self.x, tall - self.y)

    def _put(self, canvas: Canvas, x: float, y: float) -> None:
        text_style = self.style
        line = canvas.beginText(x, y)
        line.setFont(text_style.font, text_style.size)
        line.setFillColorRGB(*text_style.colour)
        line.setHorizScale(100 * text_style.horizontal_scale)
        line.setCharSpace(text_style.character_spacing)
        line.setTextRenderMode(2 if text_style.outline_width else 0)
        if (
            text_style.outline_width
        ):  # reportlab thinks that a new text is filled only, so the mode must end with this one
            canvas.saveState()
            canvas.setDash()
            canvas.setLineWidth(text_style.outline_width)
            canvas.setStrokeColorRGB(*text_style.colour)
        line.textOut(self.text)
        canvas.drawText(line)
        if text_style.outline_width:
            canvas.restoreState()


@dataclass(frozen=True)
class LineStroke:
    """A straight line."""

    x0: float
    y0: float
    x1: float
    y1: float
    weight: float = 0.5
    colour: RgbColour = BLACK
    dash: tuple[float, ...] = ()

    def draw(self, canvas: Canvas, tall: float) -> None:
        canvas.setLineWidth(self.weight)
        canvas.setStrokeColorRGB(*self.colour)
        canvas.setDash(list(self.dash))
        canvas.line(self.x0, tall - self.y0, self.x1, tall - self.y1)


@dataclass(frozen=True)
class RectangleStroke:
    """A rectangle from its top left corner; `radius` rounds the corners."""

    x: float
    y: float
    width: float
    height: float
    fill: RgbColour | None = None
    stroke: RgbColour | None = BLACK
    weight: float = 0.5
    radius: float = 0.0

    def draw(self, canvas: Canvas, tall: float) -> None:
        _set_graphics_state(canvas, self.fill, self.stroke, self.weight)
        place = (self.x, tall - self.y - self.height, self.width, self.height)
        filled, stroked = int(self.fill is not None), int(self.stroke is not None)
        if self.radius:
            canvas.roundRect(*place, self.radius, stroke=stroked, fill=filled)
        else:
            canvas.rect(*place, stroke=stroked, fill=filled)


@dataclass(frozen=True)
class EllipseStroke:
    """An ellipse within a rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: RgbColour | None = None
    stroke: RgbColour | None = BLACK
    weight: float = 0.8

    def draw(self, canvas: Canvas, tall: float) -> None:
        _set_graphics_state(canvas, self.fill, self.stroke, self.weight)
        bottom = tall - self.y - self.height
        filled, stroked = int(self.fill is not None), int(self.stroke is not None)
        canvas.ellipse(self.x, bottom, self.x + self.width, bottom + self.height, stroke=stroked, fill=filled)


@dataclass(frozen=True)
class CurveStroke:
    """A pen stroke through points: signatures, ticks, scribbles."""

    points: tuple[tuple[float, float], ...]
    weight: float = 0.8
    colour: RgbColour = BLACK

    def draw(self, canvas: Canvas, tall: float) -> None:
        _set_graphics_state(canvas, None, self.colour, self.weight)
        path = canvas.beginPath()
        path.moveTo(self.points[0][0], tall - self.points[0][1])
        for before, point in zip(self.points, self.points[1:], strict=False):
            bend = (2 * before[0] + point[0]) / 3, tall - (before[1] + 2 * point[1]) / 3
            end = point[0], tall - point[1]
            path.curveTo(*bend, (bend[0] + end[0]) / 2, end[1], *end)
        canvas.drawPath(path, stroke=1, fill=0)


def _set_graphics_state(canvas: Canvas, fill: RgbColour | None, stroke: RgbColour | None, weight: float) -> None:
    canvas.setLineWidth(weight)
    canvas.setDash()
    if fill is not None:
        canvas.setFillColorRGB(*fill)
    if stroke is not None:
        canvas.setStrokeColorRGB(*stroke)
