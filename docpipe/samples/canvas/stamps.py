"""What others put on a page after it was printed: stamps, ticks, square codes. None of it is a value.

In: a sheet. Out: marks; a stamp may carry a date that is not the document's.
"""

from __future__ import annotations

import math
from dataclasses import replace

from docpipe.samples.canvas.strokes import (
    BLACK,
    CurveStroke,
    LineStroke,
    RectangleStroke,
    RgbColour,
    TextStroke,
    TextStyle,
)
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.invoice.letterhead import DrawingContext

CODE_CELLS = 17  # per side of a square code: enough to look like one


def draw_stamp(context: DrawingContext) -> None:
    """`RECEIVED 12.03.2019` or `PAID`, turned a little, in a frame."""
    rng, canvas = context.rng, context.canvas
    text = rng.pick(word_lists(context.locale.language)["stamps"]).replace(
        "{date}", context.locale.format_date(rng.date())
    )
    colour: RgbColour = rng.pick(((0.7, 0.1, 0.15), (0.15, 0.2, 0.6), (0.1, 0.45, 0.2), (0.25, 0.25, 0.25)))
    text_style = TextStyle(rng.pick(("Helvetica-Bold", "Courier-Bold", "Times-Bold")), 10 + 10 * rng.random(), colour)
    x, y = canvas.width * (0.1 + 0.5 * rng.random()), canvas.height * (0.2 + 0.65 * rng.random())
    turn = rng.gauss(0, 8)
    canvas.draw(TextStroke(x, y, text, text_style, turn))
    if rng.chance(0.6):
        _draw_rotated_frame(context, (x, y), text_style, text_style.width(text), turn)


def _draw_rotated_frame(
    context: DrawingContext, at: tuple[float, float], text_style: TextStyle, width: float, degrees: float
) -> None:
    """A frame about a text that is turned about the start of its baseline."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    pad = text_style.size * 0.4
    corners = [
        (-pad, pad),
        (width + pad, pad),
        (width + pad, -text_style.size - pad / 2),
        (-pad, -text_style.size - pad / 2),
    ]
    turned = [(at[0] + a * cosine + b * sine, at[1] - a * sine + b * cosine) for a, b in corners]
    for start, end in zip(turned, turned[1:] + turned[:1], strict=True):
        context.canvas.draw(LineStroke(*start, *end, 1.2, text_style.colour))


def draw_matrix_code(context: DrawingContext, x: float, y: float, size: float) -> None:
    """A square code like those of payment slips."""
    cell = size / CODE_CELLS
    for row in range(CODE_CELLS):
        start = None
        for column in range(CODE_CELLS + 1):
            dark = column < CODE_CELLS and context.rng.chance(0.5)
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                context.canvas.draw(
                    RectangleStroke(x + start * cell, y + row * cell, (column - start) * cell, cell, BLACK, None)
                )
                start = None
    for left, top in ((0, 0), (CODE_CELLS - 5, 0), (0, CODE_CELLS - 5)):
        at = (x + left * cell, y + top * cell)
        context.canvas.draw(
            RectangleStroke(*at, 5 * cell, 5 * cell, (1.0, 1.0, 1.0), None),
            RectangleStroke(at[0] + cell / 2, at[1] + cell / 2, 4 * cell, 4 * cell, None, BLACK, cell),
            RectangleStroke(at[0] + 1.7 * cell, at[1] + 1.7 * cell, 1.6 * cell, 1.6 * cell, BLACK, None),
        )


def draw_handwriting(context: DrawingContext) -> None:
    """Initials, a tick or a note number in ball pen."""
    rng, canvas = context.rng, context.canvas
    x, y = canvas.width * (0.1 + 0.8 * rng.random()), canvas.height * (0.1 + 0.8 * rng.random())
    colour: RgbColour = rng.pick(((0.1, 0.15, 0.6), (0.1, 0.1, 0.1), (0.6, 0.1, 0.1)))
    if rng.chance(0.3):
        text_style = TextStyle("Times-Italic", 14 + 8 * rng.random(), colour)
        canvas.draw(
            TextStroke(
                x,
                y,
                rng.from_pattern(rng.pick(("%###", "ok ??", "?.?.", "%#/%#"))),
                replace(text_style, horizontal_scale=0.9),
                rng.gauss(5, 8),
            )
        )
        return
    size = 12 + 25 * rng.random()
    points = tuple((x + size * step / 5, y + size * 0.6 * (rng.random() - 0.5)) for step in range(rng.pick((3, 6, 9))))
    canvas.draw(CurveStroke(points, 1.0 + rng.random(), colour))
