"""Tables: columns, wrapped cells, rules and stripes in many styles.

In: columns and rows of pieces. Out: rows drawn with the pen; the caller turns pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from docpipe.samples.canvas.canvas import Align, DocumentCanvas, FieldText, TextRun
from docpipe.samples.canvas.strokes import BLACK, GREY, LineStroke, RectangleStroke, TextStyle
from docpipe.samples.canvas.text_style import Typography
from docpipe.samples.dice import SeededRandom

RichText = TextRun | Sequence[TextRun]


@dataclass(frozen=True)
class StackedCell:
    """A cell of several texts below each other, each in its own ink."""

    parts: tuple[tuple[RichText, TextStyle], ...]


@dataclass(frozen=True)
class TableColumn:
    """`weight` is its share of the width; a newline in the label begins a new line."""

    key: str
    label: str
    weight: float
    align: Align = "left"


@dataclass(frozen=True)
class TableStyle:
    header_filled: bool
    header_lines: str  # none, below, both, box
    row_lines: str  # none, horizontal, grid, columns
    striped: bool
    row_padding: float  # of a row, in points
    column_gap: float  # between columns, in points
    grey_lines: bool  # grey rules
    header_text: str = "bold"  # bold, text, small, italic
    header_align: str = "same"  # as the cells below, or left or centre
    vertical_align: str = "top"  # where cells stand in a row that others make tall: top, middle, bottom


def make_table_style(rng: SeededRandom) -> TableStyle:
    rules = rng.pick(("none", "none", "horizontal", "grid", "columns"))
    return TableStyle(
        header_filled=rng.chance(0.4),
        header_lines=rng.pick(("none", "below", "both", "box", "below")),
        row_lines=rules,
        striped=rules in ("none", "horizontal") and rng.chance(0.2),
        row_padding=rng.pick((0.5, 1.0, 2.0, 3.0, 4.5, 7.0)),
        column_gap=rng.pick((4.0, 6.0, 8.0)),
        grey_lines=rng.chance(0.4),
        header_text=rng.pick(("bold", "bold", "bold", "text", "small", "italic")),
        header_align=rng.pick(("same", "same", "same", "left", "centre")),
        vertical_align=rng.pick(("top", "top", "middle", "middle", "bottom")),
    )


class Table:
    """Draws one table between `x` and `x + width`."""

    def __init__(
        self,
        canvas: DocumentCanvas,
        columns: Sequence[TableColumn],
        span: tuple[float, float],
        typography: Typography,
        style: TableStyle,
    ) -> None:
        self.canvas, self.columns, self.typography, self.style = canvas, columns, typography, style
        self.x, self.width = span
        self._extents = self._column_extents()
        self._rows_drawn = 0
        self._line_colour = GREY if style.grey_lines else BLACK

    def draw_header(self, y: float) -> float:
        """Draws the headings with their top at `y`; gives the bottom."""
        style, typography = self.style, self.typography
        text_style: TextStyle = getattr(typography, style.header_text)
        dark = style.header_filled and sum(typography.accent) < 1.5
        if dark:
            text_style = replace(text_style, colour=(1.0, 1.0, 1.0))
        wrapped = [
            _wrapped(column.label, width, text_style)
            for column, (_, width) in zip(self.columns, self._extents, strict=True)
        ]
        tall = max(len(lines) for lines in wrapped) * text_style.size * 1.15 + 2 * style.row_padding + 1.5
        if style.header_filled:
            self.canvas.draw(
                RectangleStroke(self.x, y, self.width, tall, typography.accent if dark else typography.background, None)
            )
        for column, (left, width), lines in zip(self.columns, self._extents, wrapped, strict=True):
            base = y + style.row_padding + text_style.size
            align = (
                column.align if style.header_align == "same" else "left" if style.header_align == "left" else "centre"
            )
            for line in lines:
                fitted = text_style.fitted_to(line, width + style.column_gap / 2)
                self.canvas.write(_anchor(align, left, width), base, line, fitted, align)
                base += text_style.size * 1.15
        self._draw_header_lines(y, tall)
        if style.row_lines in ("grid", "columns"):
            self._draw_vertical_lines(y, tall)
        return y + tall

    def row_height(self, cells: Mapping[str, RichText | StackedCell], text_style: TextStyle | None = None) -> float:
        return self._text_height(cells, text_style or self.typography.text) + 2 * self.style.row_padding

    def draw_row(
        self,
        y: float,
        cells: Mapping[str, RichText | StackedCell],
        text_style: TextStyle | None = None,
        *,
        goes_on: bool = False,
    ) -> float:
        """Draws a row with its top at `y`; gives the bottom. No rule is drawn below a row that `goes_on`."""
        text_style, style = text_style or self.typography.text, self.style
        tall, text_tall = self.row_height(cells, text_style), self._text_height(cells, text_style)
        if style.striped and self._rows_drawn % 2:
            self.canvas.draw(RectangleStroke(self.x, y, self.width, tall, self.typography.background, None))
        for column, column_extent in zip(self.columns, self._extents, strict=True):
            if column.key in cells:
                blocks = _cell_parts(cells[column.key], column, column_extent[1], text_style)
                room = text_tall - self._height(blocks)
                sunk = {"top": 0.0, "middle": room / 2, "bottom": room}[style.vertical_align]
                self._draw_cell(blocks, column, column_extent, y + style.row_padding + sunk)
        if style.row_lines in ("horizontal", "grid") and not goes_on:
            self.canvas.draw_horizontal_line(self.x, self.x + self.width, y + tall, 0.4, self._line_colour)
        if style.row_lines in ("grid", "columns"):
            self._draw_vertical_lines(y, tall)
        self._rows_drawn += 0 if goes_on else 1
        return y + tall

    def draw_full_width_row(
        self, y: float, label: RichText, text_style: TextStyle, amount: RichText | None = None
    ) -> float:
        """A line over the whole width, a sum under the column of amounts: headings of groups, subtotals."""
        tall = text_style.size * self.typography.leading + 2 * self.style.row_padding
        base = y + self.style.row_padding + text_style.size * 0.95
        left, width = self.place("amount") if amount is not None else (self.x + self.width, 0.0)
        first = self.x + self.style.column_gap / 2
        fitted = text_style.fitted_to(plain_text(label), max(left - first - 4, 30.0))
        self.canvas.write(first, base, label, fitted)
        if amount is not None:
            self.canvas.write(
                left + width,
                base,
                amount,
                text_style.fitted_to(plain_text(amount), width + self.style.column_gap / 2),
                "right",
            )
        if self.style.row_lines != "none":
            self.canvas.draw_horizontal_line(self.x, self.x + self.width, y + tall, 0.4, self._line_colour)
        return y + tall

    def draw_cell_to_right_edge(self, y: float, key: str, cell: RichText | StackedCell, text_style: TextStyle) -> float:
        """A cell with lines to itself: it begins at its column and runs on to the right edge."""
        left = self.place(key)[0]
        column, width = TableColumn(key, "", 1.0), self.x + self.width - left
        blocks = _cell_parts(cell, column, width, text_style)
        self._draw_cell(blocks, column, (left, width), y + self.style.row_padding)
        return y + self._height(blocks) + self.style.row_padding

    def draw_bottom_line(self, y: float) -> float:
        if self.style.row_lines == "columns" or (self.style.row_lines == "none" and self.style.header_lines != "none"):
            self.canvas.draw_horizontal_line(self.x, self.x + self.width, y, 0.6, self._line_colour)
        return y

    def place(self, key: str) -> tuple[float, float]:
        """Left edge and width of a column."""
        return next(place for column, place in zip(self.columns, self._extents, strict=True) if column.key == key)

    def _text_height(self, cells: Mapping[str, RichText | StackedCell], text_style: TextStyle) -> float:
        tallest = text_style.size * self.typography.leading
        for column, (_, width) in zip(self.columns, self._extents, strict=True):
            if column.key in cells:
                tallest = max(tallest, self._height(_cell_parts(cells[column.key], column, width, text_style)))
        return tallest

    def _height(self, blocks: Sequence[CellPart]) -> float:
        return sum(block.lines * block.text_style.size for block in blocks) * self.typography.leading

    def _draw_cell(
        self, blocks: Sequence[CellPart], column: TableColumn, place: tuple[float, float], top: float
    ) -> None:
        left, width = place
        for block in blocks:
            base = top + block.text_style.size * 0.95
            if column.align == "left":
                self.canvas.write_paragraph(
                    (left, base), width, block.cell, block.text_style, leading=self.typography.leading
                )
            else:
                fitted = block.text_style.fitted_to(plain_text(block.cell), width + self.style.column_gap / 2)
                self.canvas.write(_anchor(column.align, left, width), base, block.cell, fitted, column.align)
            top += block.lines * block.text_style.size * self.typography.leading

    def _column_extents(self) -> list[tuple[float, float]]:
        total, left, places = sum(column.weight for column in self.columns), self.x, []
        for column in self.columns:
            share = self.width * column.weight / total
            places.append((left + self.style.column_gap / 2, share - self.style.column_gap))
            left += share
        return places

    def _draw_header_lines(self, y: float, tall: float) -> None:
        rules, right = self.style.header_lines, self.x + self.width
        if rules == "box" or self.style.row_lines == "grid":
            self.canvas.draw(RectangleStroke(self.x, y, self.width, tall, None, self._line_colour))
        elif rules in ("below", "both"):
            self.canvas.draw_horizontal_line(self.x, right, y + tall, 0.8, self._line_colour)
            if rules == "both":
                self.canvas.draw_horizontal_line(self.x, right, y, 0.8, self._line_colour)

    def _draw_vertical_lines(self, y: float, tall: float) -> None:
        for left, _ in (*self._extents, (self.x + self.width + self.style.column_gap / 2, 0.0)):
            edge = left - self.style.column_gap / 2
            self.canvas.draw(LineStroke(edge, y, edge, y + tall, 0.4, self._line_colour))


@dataclass(frozen=True)
class CellPart:
    """A part of a cell with the ink that fits and the lines it takes."""

    cell: RichText
    text_style: TextStyle
    lines: int


def _cell_parts(
    cell: RichText | StackedCell, column: TableColumn, width: float, text_style: TextStyle
) -> list[CellPart]:
    blocks = []
    for part, own in cell.parts if isinstance(cell, StackedCell) else ((cell, text_style),):
        if column.align == "left":
            fitted = own.fitted_to(max(plain_text(part).split(), key=own.width, default=""), width)
            blocks.append(CellPart(part, fitted, len(_wrapped(plain_text(part), width, fitted))))
        else:
            blocks.append(CellPart(part, own, 1))
    return blocks


def _anchor(align: Align, left: float, width: float) -> float:
    return left if align == "left" else left + width if align == "right" else left + width / 2


def plain_text(cell: RichText) -> str:
    pieces = [cell] if isinstance(cell, str | FieldText) else cell
    return "".join(piece.text if isinstance(piece, FieldText) else piece for piece in pieces)


def _wrapped(text: str, width: float, text_style: TextStyle) -> list[str]:
    """Lines of at most `width`, broken at newlines and blanks."""
    lines = []
    for part in text.split("\n"):
        lines.append("")
        for word in part.split():
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and text_style.width(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return lines
