"""Marks on a page: text, lines, frames, ellipses, scribbles, each able to draw itself on a reportlab canvas.

In: places in points from the top left of the page. Out: strokes on the canvas, whose origin is bottom left.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

Colour = tuple[float, float, float]
BLACK: Colour = (0.0, 0.0, 0.0)
GREY: Colour = (0.45, 0.45, 0.45)
ASCENT, DESCENT = 0.76, 0.22  # of the font size: the box of a printed line reaches this far from its baseline


@dataclass(frozen=True)
class Ink:
    """How a text looks: font, size in points, colour, horizontal scale, extra space between letters."""

    font: str = "Helvetica"
    size: float = 9.0
    colour: Colour = BLACK
    squeeze: float = 1.0
    spacing: float = 0.0
    stroke: float = 0.0  # thickens the letters, in points

    def width(self, text: str) -> float:
        natural: float = stringWidth(text, self.font, self.size)
        return (natural + self.spacing * len(text)) * self.squeeze

    def fitted(self, text: str, width: float) -> Ink:
        """The ink squeezed so that the text is at most `width` wide."""
        taken = self.width(text)
        return self if taken <= width else replace(self, squeeze=self.squeeze * width / taken)

    def sized(self, factor: float) -> Ink:
        return replace(self, size=self.size * factor)


class Mark(Protocol):
    def draw(self, canvas: Canvas, tall: float) -> None:
        """Draws itself on a page `tall` points high."""
        ...


@dataclass(frozen=True)
class Text:
    """One line of text; `turn` is counter-clockwise in degrees about the start of its baseline."""

    x: float
    y: float
    text: str
    ink: Ink
    turn: float = 0.0

    def draw(self, canvas: Canvas, tall: float) -> None:
        if self.turn:
            canvas.saveState()
            canvas.translate(self.x, tall - self.y)
            canvas.rotate(self.turn)
            self._put(canvas, 0.0, 0.0)
            canvas.restoreState()
        else:
            self._put(canvas, self.x, tall - self.y)

    def _put(self, canvas: Canvas, x: float, y: float) -> None:
        ink = self.ink
        line = canvas.beginText(x, y)
        line.setFont(ink.font, ink.size)
        line.setFillColorRGB(*ink.colour)
        line.setHorizScale(100 * ink.squeeze)
        line.setCharSpace(ink.spacing)
        line.setTextRenderMode(2 if ink.stroke else 0)
        if ink.stroke:  # reportlab thinks that a new text is filled only, so the mode must end with this one
            canvas.saveState()
            canvas.setDash()
            canvas.setLineWidth(ink.stroke)
            canvas.setStrokeColorRGB(*ink.colour)
        line.textOut(self.text)
        canvas.drawText(line)
        if ink.stroke:
            canvas.restoreState()


@dataclass(frozen=True)
class Rule:
    """A straight line."""

    x0: float
    y0: float
    x1: float
    y1: float
    weight: float = 0.5
    colour: Colour = BLACK
    dash: tuple[float, ...] = ()

    def draw(self, canvas: Canvas, tall: float) -> None:
        canvas.setLineWidth(self.weight)
        canvas.setStrokeColorRGB(*self.colour)
        canvas.setDash(list(self.dash))
        canvas.line(self.x0, tall - self.y0, self.x1, tall - self.y1)


@dataclass(frozen=True)
class Frame:
    """A rectangle from its top left corner; `radius` rounds the corners."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    stroke: Colour | None = BLACK
    weight: float = 0.5
    radius: float = 0.0

    def draw(self, canvas: Canvas, tall: float) -> None:
        _pens(canvas, self.fill, self.stroke, self.weight)
        place = (self.x, tall - self.y - self.height, self.width, self.height)
        filled, stroked = int(self.fill is not None), int(self.stroke is not None)
        if self.radius:
            canvas.roundRect(*place, self.radius, stroke=stroked, fill=filled)
        else:
            canvas.rect(*place, stroke=stroked, fill=filled)


@dataclass(frozen=True)
class Ellipse:
    """An ellipse within a rectangle."""

    x: float
    y: float
    width: float
    height: float
    fill: Colour | None = None
    stroke: Colour | None = BLACK
    weight: float = 0.8

    def draw(self, canvas: Canvas, tall: float) -> None:
        _pens(canvas, self.fill, self.stroke, self.weight)
        bottom = tall - self.y - self.height
        filled, stroked = int(self.fill is not None), int(self.stroke is not None)
        canvas.ellipse(self.x, bottom, self.x + self.width, bottom + self.height, stroke=stroked, fill=filled)


@dataclass(frozen=True)
class Curve:
    """A pen stroke through points: signatures, ticks, scribbles."""

    points: tuple[tuple[float, float], ...]
    weight: float = 0.8
    colour: Colour = BLACK

    def draw(self, canvas: Canvas, tall: float) -> None:
        _pens(canvas, None, self.colour, self.weight)
        path = canvas.beginPath()
        path.moveTo(self.points[0][0], tall - self.points[0][1])
        for before, point in zip(self.points, self.points[1:], strict=False):
            bend = (2 * before[0] + point[0]) / 3, tall - (before[1] + 2 * point[1]) / 3
            end = point[0], tall - point[1]
            path.curveTo(*bend, (bend[0] + end[0]) / 2, end[1], *end)
        canvas.drawPath(path, stroke=1, fill=0)


def _pens(canvas: Canvas, fill: Colour | None, stroke: Colour | None, weight: float) -> None:
    canvas.setLineWidth(weight)
    canvas.setDash()
    if fill is not None:
        canvas.setFillColorRGB(*fill)
    if stroke is not None:
        canvas.setStrokeColorRGB(*stroke)
