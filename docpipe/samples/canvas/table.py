"""Tables: columns, wrapped cells, rules and stripes in many styles.

In: columns and rows of pieces. Out: rows drawn with the pen; the caller turns pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.samples.canvas.canvas import Align, Pen, Piece, Value
from docpipe.samples.canvas.strokes import BLACK, GREY, Frame, Ink, Rule
from docpipe.samples.canvas.text_style import Look
from docpipe.samples.dice import Dice

Cell = Piece | Sequence[Piece]


@dataclass(frozen=True)
class Stack:
    """A cell of several texts below each other, each in its own ink."""

    parts: tuple[tuple[Cell, Ink], ...]


@dataclass(frozen=True)
class Column:
    """`weight` is its share of the width; a newline in the label begins a new line."""

    key: str
    label: str
    weight: float
    align: Align = "left"


@dataclass(frozen=True)
class TableStyle:
    head_fill: bool
    head_rules: str  # none, below, both, box
    row_rules: str  # none, horizontal, grid, columns
    zebra: bool
    padding: float  # of a row, in points
    gap: float  # between columns, in points
    light: bool  # grey rules
    head_print: str = "bold"  # bold, text, small, italic
    head_align: str = "same"  # as the cells below, or left or centre
    short_cells: str = "top"  # where cells stand in a row that others make tall: top, middle, bottom


def make_table_style(dice: Dice) -> TableStyle:
    rules = dice.pick(("none", "none", "horizontal", "grid", "columns"))
    return TableStyle(
        head_fill=dice.chance(0.4),
        head_rules=dice.pick(("none", "below", "both", "box", "below")),
        row_rules=rules,
        zebra=rules in ("none", "horizontal") and dice.chance(0.2),
        padding=dice.pick((0.5, 1.0, 2.0, 3.0, 4.5, 7.0)),
        gap=dice.pick((4.0, 6.0, 8.0)),
        light=dice.chance(0.4),
        head_print=dice.pick(("bold", "bold", "bold", "text", "small", "italic")),
        head_align=dice.pick(("same", "same", "same", "left", "centre")),
        short_cells=dice.pick(("top", "top", "middle", "middle", "bottom")),
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
        ink: Ink = getattr(look, style.head_print)
        dark = style.head_fill and sum(look.accent) < 1.5
        if dark:
            ink = replace(ink, colour=(1.0, 1.0, 1.0))
        wrapped = [
            _split(column.label, width, ink) for column, (_, width) in zip(self.columns, self._places, strict=True)
        ]
        tall = max(len(lines) for lines in wrapped) * ink.size * 1.15 + 2 * style.padding + 1.5
        if style.head_fill:
            self.pen.mark(Frame(self.x, y, self.width, tall, look.accent if dark else look.pale, None))
        for column, (left, width), lines in zip(self.columns, self._places, wrapped, strict=True):
            base = y + style.padding + ink.size
            align = column.align if style.head_align == "same" else "left" if style.head_align == "left" else "centre"
            for line in lines:
                fitted = ink.fitted(line, width + style.gap / 2)
                self.pen.write(_edge(align, left, width), base, line, fitted, align)
                base += ink.size * 1.15
        self._head_rules(y, tall)
        if style.row_rules in ("grid", "columns"):
            self._verticals(y, tall)
        return y + tall

    def row_height(self, cells: Mapping[str, Cell | Stack], ink: Ink | None = None) -> float:
        return self._text_height(cells, ink or self.look.text) + 2 * self.style.padding

    def row(
        self, y: float, cells: Mapping[str, Cell | Stack], ink: Ink | None = None, *, goes_on: bool = False
    ) -> float:
        """Draws a row with its top at `y`; gives the bottom. No rule is drawn below a row that `goes_on`."""
        ink, style = ink or self.look.text, self.style
        tall, text_tall = self.row_height(cells, ink), self._text_height(cells, ink)
        if style.zebra and self._rows % 2:
            self.pen.mark(Frame(self.x, y, self.width, tall, self.look.pale, None))
        for column, place in zip(self.columns, self._places, strict=True):
            if column.key in cells:
                blocks = _blocks(cells[column.key], column, place[1], ink)
                room = text_tall - self._height(blocks)
                sunk = {"top": 0.0, "middle": room / 2, "bottom": room}[style.short_cells]
                self._draw_cell(blocks, column, place, y + style.padding + sunk)
        if style.row_rules in ("horizontal", "grid") and not goes_on:
            self.pen.rule(self.x, self.x + self.width, y + tall, 0.4, self._colour)
        if style.row_rules in ("grid", "columns"):
            self._verticals(y, tall)
        self._rows += 0 if goes_on else 1
        return y + tall

    def across(self, y: float, label: Cell, ink: Ink, amount: Cell | None = None) -> float:
        """A line over the whole width, a sum under the column of amounts: headings of groups, subtotals."""
        tall = ink.size * self.look.leading + 2 * self.style.padding
        base = y + self.style.padding + ink.size * 0.95
        left, width = self.place("amount") if amount is not None else (self.x + self.width, 0.0)
        first = self.x + self.style.gap / 2
        fitted = ink.fitted(text_of(label), max(left - first - 4, 30.0))
        self.pen.write(first, base, label, fitted)
        if amount is not None:
            self.pen.write(left + width, base, amount, ink.fitted(text_of(amount), width + self.style.gap / 2), "right")
        if self.style.row_rules != "none":
            self.pen.rule(self.x, self.x + self.width, y + tall, 0.4, self._colour)
        return y + tall

    def along(self, y: float, key: str, cell: Cell | Stack, ink: Ink) -> float:
        """A cell with lines to itself: it begins at its column and runs on to the right edge."""
        left = self.place(key)[0]
        column, width = Column(key, "", 1.0), self.x + self.width - left
        blocks = _blocks(cell, column, width, ink)
        self._draw_cell(blocks, column, (left, width), y + self.style.padding)
        return y + self._height(blocks) + self.style.padding

    def close(self, y: float) -> float:
        if self.style.row_rules == "columns" or (self.style.row_rules == "none" and self.style.head_rules != "none"):
            self.pen.rule(self.x, self.x + self.width, y, 0.6, self._colour)
        return y

    def place(self, key: str) -> tuple[float, float]:
        """Left edge and width of a column."""
        return next(place for column, place in zip(self.columns, self._places, strict=True) if column.key == key)

    def _text_height(self, cells: Mapping[str, Cell | Stack], ink: Ink) -> float:
        tallest = ink.size * self.look.leading
        for column, (_, width) in zip(self.columns, self._places, strict=True):
            if column.key in cells:
                tallest = max(tallest, self._height(_blocks(cells[column.key], column, width, ink)))
        return tallest

    def _height(self, blocks: Sequence[Block]) -> float:
        return sum(block.lines * block.ink.size for block in blocks) * self.look.leading

    def _draw_cell(self, blocks: Sequence[Block], column: Column, place: tuple[float, float], top: float) -> None:
        left, width = place
        for block in blocks:
            base = top + block.ink.size * 0.95
            if column.align == "left":
                self.pen.paragraph((left, base), width, block.cell, block.ink, leading=self.look.leading)
            else:
                fitted = block.ink.fitted(text_of(block.cell), width + self.style.gap / 2)
                self.pen.write(_edge(column.align, left, width), base, block.cell, fitted, column.align)
            top += block.lines * block.ink.size * self.look.leading

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


@dataclass(frozen=True)
class Block:
    """A part of a cell with the ink that fits and the lines it takes."""

    cell: Cell
    ink: Ink
    lines: int


def _blocks(cell: Cell | Stack, column: Column, width: float, ink: Ink) -> list[Block]:
    blocks = []
    for part, own in cell.parts if isinstance(cell, Stack) else ((cell, ink),):
        if column.align == "left":
            fitted = own.fitted(max(text_of(part).split(), key=own.width, default=""), width)
            blocks.append(Block(part, fitted, len(_split(text_of(part), width, fitted))))
        else:
            blocks.append(Block(part, own, 1))
    return blocks


def _edge(align: Align, left: float, width: float) -> float:
    return left if align == "left" else left + width if align == "right" else left + width / 2


def text_of(cell: Cell) -> str:
    pieces = [cell] if isinstance(cell, str | Value) else cell
    return "".join(piece.text if isinstance(piece, Value) else piece for piece in pieces)


def _split(text: str, width: float, ink: Ink) -> list[str]:
    """Lines of at most `width`, broken at newlines and blanks."""
    lines = []
    for part in text.split("\n"):
        lines.append("")
        for word in part.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and ink.width(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines
