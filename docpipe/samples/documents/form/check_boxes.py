"""Questions that are answered by a mark: boxes beside options, of which one is ticked, crossed, filled or ringed.

In: a form filler and the y where the block begins. Out: the block drawn; the answer is the option with the mark. No
word says which one that is: only the picture does.
"""

from __future__ import annotations

from dataclasses import dataclass

from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import CurveStroke, EllipseStroke, LineStroke, RectangleStroke
from docpipe.samples.canvas.text_style import BLACK, RgbColour
from docpipe.samples.content.vocabulary import word_lists
from docpipe.samples.documents.form.answers import make_label
from docpipe.samples.documents.form.form_filler import FormFiller
from docpipe.samples.truth import RichTextRun

MARK_KINDS = ("cross", "cross", "tick", "tick", "filled", "ring")
MARK_COLOURS = (BLACK, BLACK, RgbColour(0.1, 0.15, 0.55))
OPTION_COUNTS = (2, 2, 3, 4, 6)
GAP = 16.0  # points between neighbours on one line


@dataclass(frozen=True)
class _OptionPlace:
    """Where one option stands: `start` is on its baseline, the box stands before or behind its text."""

    start: Point
    text_width: float
    box_size: float
    box_first: bool

    @property
    def box_corner(self) -> Point:
        """The top left corner of the box."""
        left = self.start.x if self.box_first else self.start.x + self.text_width + 4
        return Point(left, self.start.y - self.box_size * 0.85)


def draw_check_boxes(filler: FormFiller, y: float) -> float:
    """A label, then its options in a row, in columns or below each other. Without a mark the answer is absent."""
    context = filler.context
    rng, text_style, line_height = context.rng, context.typography.text, context.line_height
    options = _options(filler)
    marked_option = rng.pick(options)
    label, answer = filler.fill(label=_label(filler), answer=marked_option)
    mark_kind = rng.pick(MARK_KINDS)
    box_first, round_boxes, below = rng.chance(0.75), rng.chance(0.25), rng.chance(0.35)
    y += line_height * rng.pick((1.2, 1.6))
    x = context.margin + context.canvas.write(context.margin, y, label, text_style) + GAP
    if below or rng.chance(0.3):
        x, y = context.margin + rng.pick((8.0, 30.0)), y + line_height * 1.3
    first_x, box_size = x, text_style.size * rng.pick((0.9, 1.1, 1.3))
    text_offset = box_size + 4 if box_first and mark_kind != "ring" else 0.0
    for option in options:
        width = text_style.width(option)
        if x > first_x and x + width + box_size + 6 > context.right:
            x, y = first_x, y + line_height * 1.4
        place = _OptionPlace(Point(x, y), width, box_size, box_first)
        if mark_kind != "ring":
            _draw_box(filler, place, round_box=round_boxes)
        printed: RichTextRun = option
        if answer is not None and option == marked_option:
            printed = answer.with_text(option)
        context.canvas.write(x + text_offset, y, printed, text_style)
        if printed is not option:
            _draw_mark(filler, place, mark_kind)
        x += width + box_size + GAP
        if below:
            x, y = first_x, y + line_height * 1.4
    return y + line_height


def _label(filler: FormFiller) -> str:
    context = filler.context
    if context.locale.language == "en" and context.rng.chance(0.5):
        return context.rng.pick(word_lists("forms")["group"])
    return make_label(context, "text")


def _options(filler: FormFiller) -> list[str]:
    context = filler.context
    if context.locale.language == "en":
        options = word_lists("forms")["option"]
    else:
        options = context.words("jobs") + context.words("label_text")
    return context.rng.pick_several(list(dict.fromkeys(options)), context.rng.pick(OPTION_COUNTS))


def _draw_box(filler: FormFiller, place: _OptionPlace, *, round_box: bool) -> None:
    (left, top), size = place.box_corner, place.box_size
    if round_box:
        filler.context.canvas.draw(EllipseStroke(left, top, size, size, None, BLACK, 0.6))
    else:
        filler.context.canvas.draw(RectangleStroke(left, top, size, size, line_width=0.6))


def _draw_mark(filler: FormFiller, place: _OptionPlace, kind: str) -> None:
    """By hand: a little beside the box, in the colour and width of some pen."""
    rng, canvas = filler.context.rng, filler.context.canvas
    (left, top), size = place.box_corner, place.box_size
    colour, line_width = rng.pick(MARK_COLOURS), rng.pick((0.8, 1.2, 1.8))
    shift = size * 0.3 * (rng.random() - 0.5)
    if kind == "cross":
        overshoot = size * rng.pick((0.0, 0.15, 0.4))
        right, bottom = left + size + overshoot, top + size + overshoot
        canvas.draw(
            LineStroke(left - overshoot, top - overshoot + shift, right, bottom, line_width, colour),
            LineStroke(left - overshoot, bottom, right, top - overshoot - shift, line_width, colour),
        )
    elif kind == "tick":
        points = (
            Point(left, top + size * 0.5),
            Point(left + size * 0.4 + shift, top + size * 0.95),
            Point(left + size * 1.5, top - size * 0.6),
        )
        canvas.draw(CurveStroke(points, line_width, colour))
    elif kind == "filled":
        canvas.draw(EllipseStroke(left + size * 0.15, top + size * 0.15, size * 0.7, size * 0.7, colour, None))
    else:
        left, top = place.start.x - 5 + shift, place.start.y - size * 1.2
        canvas.draw(EllipseStroke(left, top, place.text_width + 10, size * 1.7, None, colour, line_width))
