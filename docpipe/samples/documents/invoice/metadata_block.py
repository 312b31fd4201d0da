"""The block of document data: number, dates, references.

In: entries of label and value. Out: drawn as a list, a grid, a table with headings above the values, or boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from docpipe.samples.canvas.canvas import Piece, Value
from docpipe.samples.canvas.strokes import Frame
from docpipe.samples.documents.invoice.letterhead import Sheet


@dataclass(frozen=True)
class Entry:
    label: str
    said: Piece | Sequence[Piece]

    @property
    def pieces(self) -> list[Piece]:
        return [self.said] if isinstance(self.said, str | Value) else list(self.said)

    @property
    def text(self) -> str:
        return "".join(piece.text if isinstance(piece, Value) else piece for piece in self.pieces)


def draw_meta(sheet: Sheet, entries: Sequence[Entry], at: tuple[float, float], width: float) -> float:
    """Draws the entries with the first baseline at `at`; gives the y below."""
    narrow = width < sheet.inner * 0.7
    kind = sheet.dice.pick(
        ("list", "list", "list", "right", "run", "boxes")
        if narrow
        else ("list", "grid", "table", "table", "two", "run")
    )
    if kind in ("grid", "table"):
        return _heads_above(sheet, entries, at, width, boxed=kind == "grid")
    if kind == "two" and len(entries) > 2:
        half = (len(entries) + 1) // 2
        x, y = at
        first = _list(sheet, entries[:half], at, width * 0.48)
        return max(first, _list(sheet, entries[half:], (x + width * 0.52, y), width * 0.48))
    if kind == "run":
        return _runs(sheet, entries, at, width)
    if kind == "boxes":
        return _boxes(sheet, entries, at, width)
    return _list(sheet, entries, at, width, right=kind == "right")


def _list(
    sheet: Sheet, entries: Sequence[Entry], at: tuple[float, float], width: float, *, right: bool = False
) -> float:
    """Labels in one column, values in the next."""
    (x, y), look, dice, pen = at, sheet.look, sheet.dice, sheet.pen
    ink = look.bold if dice.chance(0.35) else look.text
    colon = dice.pick(("", ":", ":", " :"))
    step = look.line * dice.pick((1.0, 1.1, 1.35))
    column = min(max(ink.width(entry.label + colon) for entry in entries), width * 0.6) + look.text.size * dice.pick(
        (0.8, 1.5, 3)
    )
    top = y
    for entry in entries:
        if dice.chance(0.02):
            y += step * 0.5
        pen.write(x, y, entry.label + colon if entry.label else "", ink.fitted(entry.label + colon, width * 0.6))
        if right:
            room = width - ink.width(entry.label + colon) - 6
            pen.write(x + width, y, entry.said, look.text.fitted(entry.text, room), "right")
            y += step
        elif look.text.width(entry.text) > width - column:
            y = (
                pen.paragraph((x + column, y), max(width - column, 90.0), entry.said, look.text)
                + step
                - look.text.size * 1.2
            )
        else:
            pen.write(x + column, y, entry.said, look.text)
            y += step
    if dice.chance(0.15):
        pen.mark(Frame(x - 5, top - look.line, width + 10, y - top + look.line * 0.4))
    return y


def _runs(sheet: Sheet, entries: Sequence[Entry], at: tuple[float, float], width: float) -> float:
    """`Label: value`, each on its line, the value right behind the label."""
    (x, y), look, dice = at, sheet.look, sheet.dice
    joint = dice.pick((": ", ": ", " ", " : ", ". "))
    for entry in entries:
        line = [entry.label, joint if entry.label else "", *entry.pieces]
        y = sheet.pen.paragraph(
            (x, y), sheet.right - x if x > sheet.inner / 2 else width, line, look.text, leading=look.leading
        )
    return y


def _heads_above(
    sheet: Sheet, entries: Sequence[Entry], at: tuple[float, float], width: float, *, boxed: bool
) -> float:
    """Headings with the values below them."""
    (x, y), look, dice, pen = at, sheet.look, sheet.dice, sheet.pen
    per_row = dice.pick((3, 4, 5))
    size = look.line
    head = dice.pick((look.bold, look.small, look.accented))
    fill = look.pale if dice.chance(0.4) else None
    for start in range(0, len(entries), per_row):
        row = entries[start : start + per_row]
        share = width / len(row)
        deepest = y
        for number, entry in enumerate(row):
            left = x + number * share
            if boxed:
                pen.mark(Frame(left, y - size, share, size * 2.6))
            elif fill is not None:
                pen.mark(Frame(left, y - size, share, size * 1.3, fill, None))
            pen.write(left + 3, y, entry.label, head)
            deepest = max(deepest, pen.paragraph((left + 3, y + size * 1.25), share - 6, entry.said, look.text))
        y = deepest + size * 1.2
    return y - size * 0.8


def _boxes(sheet: Sheet, entries: Sequence[Entry], at: tuple[float, float], width: float) -> float:
    """A ruled table of labels and values."""
    (x, y), look, dice, pen = at, sheet.look, sheet.dice, sheet.pen
    tall, share = look.line * 1.35, dice.pick((0.42, 0.5))
    fill = look.pale if dice.chance(0.5) else None
    for entry in entries:
        pen.mark(
            Frame(x, y - look.line, width * share, tall, fill),
            Frame(x + width * share, y - look.line, width * (1 - share), tall),
        )
        head = look.bold if fill else look.text
        pen.write(x + 3, y, entry.label, head.fitted(entry.label, width * share - 6))
        pen.write(x + width * share + 4, y, entry.said, look.text.fitted(entry.text, width * (1 - share) - 8))
        y += tall
    return y
