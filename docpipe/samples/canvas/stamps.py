"""What others put on a page after it was printed: stamps, ticks, square codes. None of it is a value.

In: a sheet. Out: marks; a stamp may carry a date that is not the document's.
"""

from __future__ import annotations

import math
from dataclasses import replace

from docpipe.samples.canvas.strokes import BLACK, Colour, Curve, Frame, Ink, Rule, Text
from docpipe.samples.content.words import words
from docpipe.samples.documents.invoice.letterhead import Sheet

CODE_CELLS = 17  # per side of a square code: enough to look like one


def draw_stamp(sheet: Sheet) -> None:
    """`RECEIVED 12.03.2019` or `PAID`, turned a little, in a frame."""
    dice, pen = sheet.dice, sheet.pen
    text = dice.pick(words(sheet.manner.language)["stamps"]).replace("{date}", sheet.manner.date(dice.day()))
    colour: Colour = dice.pick(((0.7, 0.1, 0.15), (0.15, 0.2, 0.6), (0.1, 0.45, 0.2), (0.25, 0.25, 0.25)))
    ink = Ink(dice.pick(("Helvetica-Bold", "Courier-Bold", "Times-Bold")), 10 + 10 * dice.random(), colour)
    x, y = pen.width * (0.1 + 0.5 * dice.random()), pen.height * (0.2 + 0.65 * dice.random())
    turn = dice.gauss(0, 8)
    pen.mark(Text(x, y, text, ink, turn))
    if dice.chance(0.6):
        _turned_frame(sheet, (x, y), ink, ink.width(text), turn)


def _turned_frame(sheet: Sheet, at: tuple[float, float], ink: Ink, width: float, degrees: float) -> None:
    """A frame about a text that is turned about the start of its baseline."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    pad = ink.size * 0.4
    corners = [(-pad, pad), (width + pad, pad), (width + pad, -ink.size - pad / 2), (-pad, -ink.size - pad / 2)]
    turned = [(at[0] + a * cosine + b * sine, at[1] - a * sine + b * cosine) for a, b in corners]
    for start, end in zip(turned, turned[1:] + turned[:1], strict=True):
        sheet.pen.mark(Rule(*start, *end, 1.2, ink.colour))


def draw_code(sheet: Sheet, x: float, y: float, size: float) -> None:
    """A square code like those of payment slips."""
    cell = size / CODE_CELLS
    for row in range(CODE_CELLS):
        start = None
        for column in range(CODE_CELLS + 1):
            dark = column < CODE_CELLS and sheet.dice.chance(0.5)
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                sheet.pen.mark(Frame(x + start * cell, y + row * cell, (column - start) * cell, cell, BLACK, None))
                start = None
    for left, top in ((0, 0), (CODE_CELLS - 5, 0), (0, CODE_CELLS - 5)):
        at = (x + left * cell, y + top * cell)
        sheet.pen.mark(
            Frame(*at, 5 * cell, 5 * cell, (1.0, 1.0, 1.0), None),
            Frame(at[0] + cell / 2, at[1] + cell / 2, 4 * cell, 4 * cell, None, BLACK, cell),
            Frame(at[0] + 1.7 * cell, at[1] + 1.7 * cell, 1.6 * cell, 1.6 * cell, BLACK, None),
        )


def draw_handwriting(sheet: Sheet) -> None:
    """Initials, a tick or a note number in ball pen."""
    dice, pen = sheet.dice, sheet.pen
    x, y = pen.width * (0.1 + 0.8 * dice.random()), pen.height * (0.1 + 0.8 * dice.random())
    colour: Colour = dice.pick(((0.1, 0.15, 0.6), (0.1, 0.1, 0.1), (0.6, 0.1, 0.1)))
    if dice.chance(0.3):
        ink = Ink("Times-Italic", 14 + 8 * dice.random(), colour)
        pen.mark(
            Text(
                x,
                y,
                dice.pattern(dice.pick(("%###", "ok ??", "?.?.", "%#/%#"))),
                replace(ink, squeeze=0.9),
                dice.gauss(5, 8),
            )
        )
        return
    size = 12 + 25 * dice.random()
    points = tuple(
        (x + size * step / 5, y + size * 0.6 * (dice.random() - 0.5)) for step in range(dice.pick((3, 6, 9)))
    )
    pen.mark(Curve(points, 1.0 + dice.random(), colour))
