"""What others put on a page after it was printed: stamps, matrix codes, handwriting. None of it is a value.

In: the canvas and a random source. Out: strokes on the current page.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import DocumentCanvas
from docpipe.samples.canvas.geometry import Point, rotated
from docpipe.samples.canvas.strokes import CurveStroke, LineStroke, RectangleStroke, TextStroke
from docpipe.samples.canvas.text_style import BLACK, WHITE, RgbColour, TextStyle
from docpipe.samples.seeded_random import SeededRandom

CODE_MODULES = 17  # per side of a matrix code: enough to look like one
FINDER_MODULES = 5  # per side of the squares in three of its corners
STAMP_COLOURS = (
    RgbColour(0.7, 0.1, 0.15),
    RgbColour(0.15, 0.2, 0.6),
    RgbColour(0.1, 0.45, 0.2),
    RgbColour(0.25, 0.25, 0.25),
)
PEN_COLOURS = (RgbColour(0.1, 0.15, 0.6), RgbColour(0.1, 0.1, 0.1), RgbColour(0.6, 0.1, 0.1))


def draw_stamp(canvas: DocumentCanvas, rng: SeededRandom, text: str) -> None:
    """`RECEIVED 12.03.2019` or `PAID`, turned a little, in a frame."""
    colour = rng.pick(STAMP_COLOURS)
    style = TextStyle(rng.pick(("Helvetica-Bold", "Courier-Bold", "Times-Bold")), 10 + 10 * rng.random(), colour)
    start = Point(canvas.width * (0.1 + 0.5 * rng.random()), canvas.height * (0.2 + 0.65 * rng.random()))
    rotation = rng.gauss(0, 8)
    canvas.draw(TextStroke(start.x, start.y, text, style, rotation))
    if rng.chance(0.6):
        _draw_rotated_frame(canvas, start, style, style.width(text), rotation)


def _draw_rotated_frame(canvas: DocumentCanvas, start: Point, style: TextStyle, width: float, degrees: float) -> None:
    """A frame about a text of that width, both turned about the start of its baseline."""
    pad = style.size * 0.4
    top, bottom = -style.size - pad / 2, pad
    corners = rotated(
        [Point(-pad, bottom), Point(width + pad, bottom), Point(width + pad, top), Point(-pad, top)], start, degrees
    )
    for corner, next_corner in zip(corners, corners[1:] + corners[:1], strict=True):
        canvas.draw(LineStroke(*corner, *next_corner, 1.2, style.colour))


def draw_matrix_code(canvas: DocumentCanvas, rng: SeededRandom, corner: Point, size: float) -> None:
    """A square code like those of payment slips, from its top left corner."""
    module = size / CODE_MODULES
    x, y = corner
    for row in range(CODE_MODULES):
        start = None
        for column in range(CODE_MODULES + 1):
            dark = column < CODE_MODULES and rng.chance(0.5)
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                canvas.draw(
                    RectangleStroke(
                        x + start * module, y + row * module, (column - start) * module, module, BLACK, None
                    )
                )
                start = None
    far_corner = CODE_MODULES - FINDER_MODULES
    for column, row in ((0, 0), (far_corner, 0), (0, far_corner)):
        _draw_finder_pattern(canvas, Point(x + column * module, y + row * module), module)


def _draw_finder_pattern(canvas: DocumentCanvas, corner: Point, module: float) -> None:
    """A ring and a square within it, as in a corner of a QR code."""
    x, y = corner
    canvas.draw(
        RectangleStroke(x, y, FINDER_MODULES * module, FINDER_MODULES * module, WHITE, None),
        RectangleStroke(x + module / 2, y + module / 2, 4 * module, 4 * module, None, BLACK, module),
        RectangleStroke(x + 1.7 * module, y + 1.7 * module, 1.6 * module, 1.6 * module, BLACK, None),
    )


def draw_handwriting(canvas: DocumentCanvas, rng: SeededRandom) -> None:
    """Initials, a tick or a note number in ball pen."""
    x, y = canvas.width * (0.1 + 0.8 * rng.random()), canvas.height * (0.1 + 0.8 * rng.random())
    colour = rng.pick(PEN_COLOURS)
    if rng.chance(0.3):
        style = TextStyle("Times-Italic", 14 + 8 * rng.random(), colour, horizontal_scale=0.9)
        text = rng.from_pattern(rng.pick(("%###", "ok ??", "?.?.", "%#/%#")))
        canvas.draw(TextStroke(x, y, text, style, rotation=rng.gauss(5, 8)))
        return
    size = 12 + 25 * rng.random()
    points = tuple(
        Point(x + size * step / 5, y + size * 0.6 * (rng.random() - 0.5)) for step in range(rng.pick((3, 6, 9)))
    )
    canvas.draw(CurveStroke(points, 1.0 + rng.random(), colour))
