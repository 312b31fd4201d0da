"""Questions that are answered by a mark: boxes beside options, of which one is ticked, crossed, filled or ringed.

In: the blanks of a form and the y where the block begins. Out: the block drawn; the answer is the option with the
mark. No word says which one that is: only the picture does.
"""

from __future__ import annotations

from docpipe.samples.canvas.canvas import Piece
from docpipe.samples.canvas.strokes import BLACK, Colour, Curve, Ellipse, Frame, Rule
from docpipe.samples.content.words import words
from docpipe.samples.documents.form.blanks import Blanks, label_of

HANDS = ("cross", "cross", "tick", "tick", "filled", "ring")
INKS: tuple[Colour, ...] = (BLACK, BLACK, (0.1, 0.15, 0.55))
COUNTS = (2, 2, 3, 4, 6)  # of options
GAP = 16.0  # points between neighbours on one line


def ticks(blanks: Blanks, y: float) -> float:
    """A caption, then its options in a row, in columns or below each other. Without a mark the answer is absent."""
    sheet, dice = blanks.sheet, blanks.sheet.dice
    offered = _options(blanks)
    marked = dice.pick(offered)
    label, said = blanks.make(label=_caption(blanks), said=marked)
    hand = dice.pick(HANDS)
    before, round_, below = dice.chance(0.75), dice.chance(0.25), dice.chance(0.35)
    y += sheet.look.line * dice.pick((1.2, 1.6))
    x = sheet.margin + sheet.pen.write(sheet.margin, y, label, sheet.look.text) + GAP
    if below or dice.chance(0.3):
        x, y = sheet.margin + dice.pick((8.0, 30.0)), y + sheet.look.line * 1.3
    start, size = x, sheet.look.text.size * dice.pick((0.9, 1.1, 1.3))
    for option in offered:
        wide = sheet.look.text.width(option)
        if x > start and x + wide + size + 6 > sheet.right:
            x, y = start, y + sheet.look.line * 1.4
        chosen = said is not None and option == marked
        piece: Piece = said.printed(option) if said is not None and chosen else option
        at = (x, y, wide, size)
        if hand != "ring":
            _box(blanks, at, before=before, round_=round_)
        sheet.pen.write(x + (size + 4 if before and hand != "ring" else 0.0), y, piece, sheet.look.text)
        if chosen:
            _mark(blanks, at, hand, before=before)
        x += wide + size + GAP
        if below:
            x, y = start, y + sheet.look.line * 1.4
    return y + sheet.look.line


def _caption(blanks: Blanks) -> str:
    sheet = blanks.sheet
    if sheet.manner.language == "en" and sheet.dice.chance(0.5):
        return sheet.dice.pick(words("forms")["group"])
    return label_of(sheet, "text")


def _options(blanks: Blanks) -> list[str]:
    dice, lists = blanks.sheet.dice, words(blanks.sheet.manner.language)
    known = words("forms")["option"] if blanks.sheet.manner.language == "en" else lists["jobs"] + lists["label_text"]
    return dice.some(list(dict.fromkeys(known)), dice.pick(COUNTS))


def _place(at: tuple[float, float, float, float], *, before: bool) -> tuple[float, float]:
    """The top left corner of an option's box."""
    x, y, wide, size = at
    return (x if before else x + wide + 4), y - size * 0.85


def _box(blanks: Blanks, at: tuple[float, float, float, float], *, before: bool, round_: bool) -> None:
    (left, top), size = _place(at, before=before), at[3]
    blanks.sheet.pen.mark(
        Ellipse(left, top, size, size, None, BLACK, 0.6) if round_ else Frame(left, top, size, size, weight=0.6)
    )


def _mark(blanks: Blanks, at: tuple[float, float, float, float], hand: str, *, before: bool) -> None:
    dice, pen = blanks.sheet.dice, blanks.sheet.pen
    (left, top), (x, y, wide, size) = _place(at, before=before), at
    ink, weight = dice.pick(INKS), dice.pick((0.8, 1.2, 1.8))
    slip = size * 0.3 * (dice.random() - 0.5)
    if hand == "cross":
        out = size * dice.pick((0.0, 0.15, 0.4))
        pen.mark(
            Rule(left - out, top - out + slip, left + size + out, top + size + out, weight, ink),
            Rule(left - out, top + size + out, left + size + out, top - out - slip, weight, ink),
        )
    elif hand == "tick":
        corner = (left + size * 0.4 + slip, top + size * 0.95)
        pen.mark(
            Curve(((left, top + size * 0.5), corner, (left + size * 1.5, top - size * 0.6)), weight, ink),
        )
    elif hand == "filled":
        pen.mark(Ellipse(left + size * 0.15, top + size * 0.15, size * 0.7, size * 0.7, ink, None))
    else:
        pen.mark(Ellipse(x - 5 + slip, y - size * 1.2, wide + 10, size * 1.7, None, ink, weight))
