"""A paper roll: lines printed one below the other on a narrow page.

In: a sheet whose page is as tall as needed. Out: `Roll.y` moves down with every line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from docpipe.samples.canvas.canvas import Align, Pen, Piece, Value
from docpipe.samples.canvas.strokes import BLACK, Colour, Ink, Rule
from docpipe.samples.canvas.text_style import Fonts, make_look
from docpipe.samples.content.locale_style import Manner
from docpipe.samples.content.receipt_data import Till
from docpipe.samples.dice import Dice
from docpipe.samples.documents.invoice.letterhead import Sheet

MILLIMETRE = 72 / 25.4
TALLEST = 5000.0  # points; the page is cut to its content when it is done


@dataclass
class Roll:
    """`columns` is how many characters of the text ink fit; `shout` prints everything in capitals."""

    sheet: Sheet
    y: float
    columns: int
    separator: str
    shout: bool
    colon: str
    sign_gap: str | None = None  # between currency and amount; None: as the manner of the country has it
    mark_gap: str = " "  # between an amount and its tax letter
    late: list[list[Piece]] = field(default_factory=list)  # lines that this house prints at the end

    @property
    def ink(self) -> Ink:
        return self.sheet.look.text

    def line(self, piece: Piece | Sequence[Piece], align: Align = "left", ink: Ink | None = None) -> None:
        """One line; what is too wide is printed narrower, as tills do."""
        ink, sheet = ink or self.ink, self.sheet
        pieces = [piece] if isinstance(piece, str | Value) else list(piece)
        text = "".join(part.text if isinstance(part, Value) else part for part in pieces)
        if ink.width(text) > sheet.inner:
            ink = replace(ink, squeeze=ink.squeeze * sheet.inner / ink.width(text))
        x = {"left": sheet.margin, "right": sheet.right, "centre": sheet.pen.width / 2}[align]
        self.y += ink.size * sheet.look.leading
        sheet.pen.write(x, self.y, pieces, ink, align)

    def block(self, said: Value, align: Align, ink: Ink | None = None) -> None:
        """A value of several lines."""
        ink, sheet = ink or self.ink, self.sheet
        widest = max(ink.width(line) for line in said.text.split("\n"))
        if widest > sheet.inner:
            ink = replace(ink, squeeze=ink.squeeze * sheet.inner / widest)
        x = {"left": sheet.margin, "right": sheet.right, "centre": sheet.pen.width / 2}[align]
        after = sheet.pen.block(
            x, self.y + ink.size * sheet.look.leading, said, ink, leading=sheet.look.leading, align=align
        )
        self.y = after - ink.size * sheet.look.leading

    def pair(
        self, left: Piece | Sequence[Piece], right: Piece | Sequence[Piece], ink: Ink | None = None, indent: float = 0.0
    ) -> None:
        """A label at the left (indented by a share of the width) and its value at the right end."""
        ink, sheet = ink or self.ink, self.sheet
        texts = [_text(left), _text(right)]
        room = sheet.inner * (1 - indent)
        need = ink.width(texts[0]) + ink.width(texts[1]) + ink.size
        if need > room:
            ink = replace(ink, squeeze=ink.squeeze * room / need)
        self.y += ink.size * sheet.look.leading
        sheet.pen.write(sheet.margin + sheet.inner * indent, self.y, left, ink)
        sheet.pen.write(sheet.right, self.y, right, ink, "right")

    def cells(self, cells: Sequence[tuple[float, Align, Piece | Sequence[Piece]]], ink: Ink | None = None) -> None:
        """Texts at shares of the width, on one line; printed narrower where neighbours would touch."""
        ink = ink or self.ink
        ink = replace(ink, squeeze=ink.squeeze * self._room(cells, ink))
        self.y += ink.size * self.sheet.look.leading
        for share, align, piece in cells:
            self.sheet.pen.write(self.sheet.margin + self.sheet.inner * share, self.y, piece, ink, align)

    def _room(self, cells: Sequence[tuple[float, Align, Piece | Sequence[Piece]]], ink: Ink) -> float:
        """The factor by which the texts must shrink so that each keeps clear of the one before."""
        factor, right = 1.0, 0.0
        for share, align, piece in cells:
            width, edge = ink.width(_text(piece)), share * self.sheet.inner
            if align == "right":
                factor = min(factor, (edge - right) / (width + ink.size * 0.5) if right else 1.0)
                right = edge
            else:
                right = edge + width
        return max(0.45, factor)

    def rule(self) -> None:
        sign, sheet = self.separator, self.sheet
        if sign == "line":
            self.y += sheet.look.line * 0.5
            sheet.pen.rule(sheet.margin, sheet.right, self.y, 0.6)
            self.y += sheet.look.line * 0.1
        elif sign == "dots":
            self.y += sheet.look.line * 0.5
            sheet.pen.mark(Rule(sheet.margin, self.y, sheet.right, self.y, 0.7, BLACK, (2, 2)))
        elif sign:
            width = self.ink.width(sign)
            self.line(sign * int(sheet.inner / width), "left")
        else:
            self.skip()

    def skip(self, share: float = 0.6) -> None:
        self.y += self.sheet.look.line * share

    def money(self, amount: Value | str, place: str) -> list[Piece]:
        """The amount with the currency beside it, glued or apart as this till does."""
        pieces = self.sheet.manner.money(amount, place)
        if self.sign_gap is not None and len(pieces) == 3:
            pieces[1] = self.sign_gap
        return list(pieces)

    def say(self, text: str) -> str:
        return text.upper() if self.shout else text


def _text(piece: Piece | Sequence[Piece]) -> str:
    pieces = [piece] if isinstance(piece, str | Value) else piece
    return "".join(part.text if isinstance(part, Value) else part for part in pieces)


def make_roll(dice: Dice, manner: Manner, till: Till, fonts: Fonts) -> Roll:
    """Paper 50-110 mm wide, most of it thermal; the type fills 26-48 columns."""
    width = dice.pick((58, 58, 72, 76, 80, 80, 80, 80, 104)) * MILLIMETRE
    margin = width * (0.02 + 0.1 * dice.random())
    look = make_look(dice, fonts, low=7, high=9)
    columns = dice.pick((28, 30, 32, 34, 36, 38, 40, 42, 42, 48))
    if dice.chance(0.5):
        face = dice.pick((("Courier", "Courier-Bold"), ("Courier-Bold", "Courier-Bold"), ("Courier", "Courier")))
        ink = Ink(face[0], 10, BLACK, dice.pick((1.0, 0.9, 0.8, 1.1)), stroke=dice.pick((0.0, 0.2, 0.35)))
        look = replace(look, text=ink, bold=replace(ink, font=face[1], stroke=0.3), italic=ink)
    sample = "Total amount 0123456789 ab"
    wide = (width - 2 * margin) / columns
    now = look.text.width(sample) / len(sample)
    look = replace(look, **{name: getattr(look, name).sized(wide / now) for name in ("text", "bold", "italic")})
    faint: Colour = dice.pick((BLACK, BLACK, BLACK, (0.25, 0.25, 0.28), (0.35, 0.33, 0.42)))
    look = replace(
        look,
        leading=dice.pick((1.0, 1.08, 1.2, 1.35)),
        **{name: replace(getattr(look, name), colour=faint) for name in ("text", "bold", "italic")},
    )
    sheet = Sheet(Pen(width, TALLEST), dice, look, manner, till.day, margin)
    separator = dice.pick(("-", "-", "=", "- ", "*", "line", "dots", "_", "", "."))
    return Roll(
        sheet,
        margin + 10 * dice.random(),
        columns,
        separator,
        dice.chance(0.25),
        dice.pick(("", ":", " :", ": ", "")),
        dice.pick((None, None, "", "", " ")),
        dice.pick((" ", " ", "")),
    )
