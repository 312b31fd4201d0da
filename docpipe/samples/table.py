"""Tables: columns, wrapped cells, rules and stripes in many styles.

In: columns and rows of pieces. Out: rows drawn with the pen; the caller turns pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.samples.dice import Dice
from docpipe.samples.look import Look
from docpipe.samples.marks import BLACK, GREY, Frame, Ink, Rule
from docpipe.samples.pen import Align, Pen, Piece, Value

Cell = Piece | Sequence[Piece]


@dataclass(frozen=True)
class Column:
    """`weight` is its share of the width."""

    key: str
    label: str
    weight: float
    align: Align = "left"


@dataclass(frozen=True)
class TableStyle:
    head_fill: bool
    head_rules: str  # none, below, both, box
    row_rules: str  # none, horizontal, grid
    zebra: bool
    padding: float  # of a row, in points
    gap: float  # between columns, in points
    light: bool  # grey rules


def make_table_style(dice: Dice) -> TableStyle:
    rules = dice.pick(("none", "none", "horizontal", "grid", "columns"))
    return TableStyle(
        head_fill=dice.chance(0.4),
        head_rules=dice.pick(("none", "below", "both", "box", "below")),
        row_rules=rules,
        zebra=rules in ("none", "horizontal") and dice.chance(0.2),
        padding=dice.pick((1.0, 2.0, 3.0, 4.5, 7.0)),
        gap=dice.pick((4.0, 6.0, 8.0)),
        light=dice.chance(0.4),
    )


class Table:
    """Draws one table between `x` and `x + width`."""

    def __init__(
        self, pen: Pen, columns: Sequence[Column], span: tuple[float, float], look: Look, style: TableStyle
    ) -> None:
        self.pen, self.columns, self.look, self.style = pen, columns, look, style
        self.x, self.width = span
        self._places = self._divide()
        self._rows = 0
        self._colour = GREY if style.light else BLACK

    def head(self, y: float) -> float:
        """Draws the headings with their top at `y`; gives the bottom."""
        style, look = self.style, self.look
        dark = style.head_fill and sum(look.accent) < 1.5
        ink = replace(look.bold, colour=(1.0, 1.0, 1.0)) if dark else look.bold
        wrapped = [
            _split(column.label, width, ink) for column, (_, width) in zip(self.columns, self._places, strict=True)
        ]
        tall = max(len(lines) for lines in wrapped) * ink.size * 1.15 + 2 * style.padding + 1.5
        if style.head_fill:
            self.pen.mark(Frame(self.x, y, self.width, tall, look.accent if dark else look.pale, None))
        for column, (left, width), lines in zip(self.columns, self._places, wrapped, strict=True):
            base = y + style.padding + ink.size
            for line in lines:
                fitted = ink.fitted(line, width + style.gap / 2)
                self.pen.write(_edge(column.align, left, width), base, line, fitted, column.align)
                base += ink.size * 1.15
        self._head_rules(y, tall)
        if style.row_rules in ("grid", "columns"):
            self._verticals(y, tall)
        return y + tall

    def row_height(self, cells: Mapping[str, Cell], ink: Ink | None = None) -> float:
        ink = ink or self.look.text
        most = 1
        for column, (_, width) in zip(self.columns, self._places, strict=True):
            if column.align == "left" and column.key in cells:
                most = max(most, len(_split(_text(cells[column.key]), width, ink)))
        return most * ink.size * self.look.leading + 2 * self.style.padding

    def row(self, y: float, cells: Mapping[str, Cell], ink: Ink | None = None) -> float:
        """Draws a row with its top at `y`; gives the bottom."""
        ink, style = ink or self.look.text, self.style
        tall = self.row_height(cells, ink)
        if style.zebra and self._rows % 2:
            self.pen.mark(Frame(self.x, y, self.width, tall, self.look.pale, None))
        base = y + style.padding + ink.size * 0.95
        for column, (left, width) in zip(self.columns, self._places, strict=True):
            cell = cells.get(column.key)
            if cell is None:
                continue
            if column.align == "left":
                longest = max(_text(cell).split(), key=ink.width, default="")
                self.pen.paragraph((left, base), width, cell, ink.fitted(longest, width), leading=self.look.leading)
            else:
                fitted = ink.fitted(_text(cell), width + style.gap / 2)
                self.pen.write(_edge(column.align, left, width), base, cell, fitted, column.align)
        if style.row_rules in ("horizontal", "grid"):
            self.pen.rule(self.x, self.x + self.width, y + tall, 0.4, self._colour)
        if style.row_rules in ("grid", "columns"):
            self._verticals(y, tall)
        self._rows += 1
        return y + tall

    def close(self, y: float) -> float:
        if self.style.row_rules == "columns" or (self.style.row_rules == "none" and self.style.head_rules != "none"):
            self.pen.rule(self.x, self.x + self.width, y, 0.6, self._colour)
        return y

    def place(self, key: str) -> tuple[float, float]:
        """Left edge and width of a column."""
        return next(place for column, place in zip(self.columns, self._places, strict=True) if column.key == key)

    def _divide(self) -> list[tuple[float, float]]:
        total, left, places = sum(column.weight for column in self.columns), self.x, []
        for column in self.columns:
            share = self.width * column.weight / total
            places.append((left + self.style.gap / 2, share - self.style.gap))
            left += share
        return places

    def _head_rules(self, y: float, tall: float) -> None:
        rules, right = self.style.head_rules, self.x + self.width
        if rules == "box" or self.style.row_rules == "grid":
            self.pen.mark(Frame(self.x, y, self.width, tall, None, self._colour))
        elif rules in ("below", "both"):
            self.pen.rule(self.x, right, y + tall, 0.8, self._colour)
            if rules == "both":
                self.pen.rule(self.x, right, y, 0.8, self._colour)

    def _verticals(self, y: float, tall: float) -> None:
        for left, _ in (*self._places, (self.x + self.width + self.style.gap / 2, 0.0)):
            edge = left - self.style.gap / 2
            self.pen.mark(Rule(edge, y, edge, y + tall, 0.4, self._colour))


def _edge(align: Align, left: float, width: float) -> float:
    return left if align == "left" else left + width if align == "right" else left + width / 2


def _text(cell: Cell) -> str:
    pieces = [cell] if isinstance(cell, str | Value) else cell
    return "".join(piece.text if isinstance(piece, Value) else piece for piece in pieces)


def _split(text: str, width: float, ink: Ink) -> list[str]:
    """Lines of at most `width`, broken at blanks."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and ink.width(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
