"""Questions that are answered by a mark: boxes beside options, of which one is ticked, crossed, filled or ringed.

In: the blanks of a form and the y where the block begins. Out: the block drawn; the answer is the option with the
mark. No word says which one that is: only the picture does.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import TextRun
from docpipe.samples.canvas.strokes import BLACK, CurveStroke, EllipseStroke, LineStroke, RectangleStroke, RgbColour
from docpipe.samples.content.words import word_lists
from docpipe.samples.documents.form.blanks import FormFiller, make_label

MARK_KINDS = ("cross", "cross", "tick", "tick", "filled", "ring")
MARK_COLOURS: tuple[RgbColour, ...] = (BLACK, BLACK, (0.1, 0.15, 0.55))
OPTION_COUNTS = (2, 2, 3, 4, 6)  # of options
GAP = 16.0  # points between neighbours on one line


def draw_check_boxes(filler: FormFiller, y: float) -> float:
    """A caption, then its options in a row, in columns or below each other. Without a mark the answer is absent."""
    context, rng = filler.context, filler.context.rng
    offered = _options(filler)
    marked = rng.pick(offered)
    label, answer = filler.fill(label=_label(filler), answer=marked)
    hand = rng.pick(MARK_KINDS)
    before, round_, below = rng.chance(0.75), rng.chance(0.25), rng.chance(0.35)
    y += context.typography.line_height * rng.pick((1.2, 1.6))
    x = context.margin + context.canvas.write(context.margin, y, label, context.typography.text) + GAP
    if below or rng.chance(0.3):
        x, y = context.margin + rng.pick((8.0, 30.0)), y + context.typography.line_height * 1.3
    start, size = x, context.typography.text.size * rng.pick((0.9, 1.1, 1.3))
    for option in offered:
        wide = context.typography.text.width(option)
        if x > start and x + wide + size + 6 > context.right:
            x, y = start, y + context.typography.line_height * 1.4
        chosen = answer is not None and option == marked
        piece: TextRun = answer.with_text(option) if answer is not None and chosen else option
        at = (x, y, wide, size)
        if hand != "ring":
            _draw_box(filler, at, before=before, round_=round_)
        context.canvas.write(x + (size + 4 if before and hand != "ring" else 0.0), y, piece, context.typography.text)
        if chosen:
            _draw_mark(filler, at, hand, before=before)
        x += wide + size + GAP
        if below:
            x, y = start, y + context.typography.line_height * 1.4
    return y + context.typography.line_height


def _label(filler: FormFiller) -> str:
    context = filler.context
    if context.locale.language == "en" and context.rng.chance(0.5):
        return context.rng.pick(word_lists("forms")["group"])
    return make_label(context, "text")


def _options(filler: FormFiller) -> list[str]:
    rng, lists = filler.context.rng, word_lists(filler.context.locale.language)
    known = (
        word_lists("forms")["option"] if filler.context.locale.language == "en" else lists["jobs"] + lists["label_text"]
    )
    return rng.pick_several(list(dict.fromkeys(known)), rng.pick(OPTION_COUNTS))


def _box_corner(at: tuple[float, float, float, float], *, before: bool) -> tuple[float, float]:
    """The top left corner of an option's box."""
    x, y, wide, size = at
    return (x if before else x + wide + 4), y - size * 0.85


def _draw_box(filler: FormFiller, at: tuple[float, float, float, float], *, before: bool, round_: bool) -> None:
    (left, top), size = _box_corner(at, before=before), at[3]
    filler.context.canvas.draw(
        EllipseStroke(left, top, size, size, None, BLACK, 0.6)
        if round_
        else RectangleStroke(left, top, size, size, weight=0.6)
    )


def _draw_mark(filler: FormFiller, at: tuple[float, float, float, float], hand: str, *, before: bool) -> None:
    rng, canvas = filler.context.rng, filler.context.canvas
    (left, top), (x, y, wide, size) = _box_corner(at, before=before), at
    text_style, weight = rng.pick(MARK_COLOURS), rng.pick((0.8, 1.2, 1.8))
    slip = size * 0.3 * (rng.random() - 0.5)
    if hand == "cross":
        out = size * rng.pick((0.0, 0.15, 0.4))
        canvas.draw(
            LineStroke(left - out, top - out + slip, left + size + out, top + size + out, weight, text_style),
            LineStroke(left - out, top + size + out, left + size + out, top - out - slip, weight, text_style),
        )
    elif hand == "tick":
        corner = (left + size * 0.4 + slip, top + size * 0.95)
        canvas.draw(
            CurveStroke(((left, top + size * 0.5), corner, (left + size * 1.5, top - size * 0.6)), weight, text_style),
        )
    elif hand == "filled":
        canvas.draw(EllipseStroke(left + size * 0.15, top + size * 0.15, size * 0.7, size * 0.7, text_style, None))
    else:
        canvas.draw(EllipseStroke(x - 5 + slip, y - size * 1.2, wide + 10, size * 1.7, None, text_style, weight))
