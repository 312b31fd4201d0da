"""Logos of simple shapes, sometimes with initials; their letters are no value.

In: the canvas, a random source, the document's colours, the top left corner and the size. Out: strokes on the page.
"""

from __future__ import annotations

import math

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import CurveStroke, EllipseStroke, RectangleStroke
from docpipe.samples.canvas.text_style import WHITE, TextStyle
from docpipe.samples.canvas.typography import Typography
from docpipe.samples.seeded_random import SeededRandom


def draw_logo(canvas: DocumentCanvas, rng: SeededRandom, typography: Typography, corner: Point, size: float) -> None:
    """One of six shapes in the colours of the document."""
    (x, y), accent, background = corner, typography.accent, typography.background
    shape = rng.pick(("ring", "square", "bars", "letters", "wave", "circles"))
    if shape == "ring":
        canvas.draw(
            EllipseStroke(x, y, size, size, accent, None),
            EllipseStroke(x + size / 4, y + size / 4, size / 2, size / 2, WHITE, None),
        )
    elif shape == "square":
        canvas.draw(
            RectangleStroke(x, y, size, size, accent, None, radius=size / 6),
            RectangleStroke(x + size / 3, y + size / 3, size / 3, size / 3, background, None),
        )
    elif shape == "bars":
        for bar in range(4):
            height = size * (0.3 + 0.7 * rng.random())
            fill = accent if bar % 2 else background
            canvas.draw(RectangleStroke(x + bar * size / 4, y + size - height, size / 5, height, fill, None))
    elif shape == "wave":
        points = tuple(Point(x + size * 1.2 * step / 8, y + size / 2 + size / 3 * math.sin(step)) for step in range(9))
        canvas.draw(CurveStroke(points, size / 9, accent))
    elif shape == "circles":
        for _ in range(3):
            diameter = size * (0.3 + 0.4 * rng.random())
            left, top = x + (size - diameter) * rng.random(), y + (size - diameter) * rng.random()
            canvas.draw(EllipseStroke(left, top, diameter, diameter, None, accent, 2))
    else:
        canvas.draw(RectangleStroke(x, y, size, size, accent, None))
        style = TextStyle("Helvetica-Bold", size * 0.55, WHITE)
        canvas.write(x + size / 2, y + size * 0.7, rng.from_pattern("??"), style, "centre")
