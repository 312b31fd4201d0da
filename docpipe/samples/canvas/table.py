"""Tables: columns, wrapped cells, lines and stripes in many styles.

In: columns, and rows of cells by column key. Out: rows drawn on the canvas; the caller turns pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from docpipe.samples.canvas.canvas import Align, DocumentCanvas
from docpipe.samples.canvas.geometry import Point
from docpipe.samples.canvas.strokes import LineStroke, RectangleStroke
from docpipe.samples.canvas.table_style import TableStyle
from docpipe.samples.canvas.text_style import BLACK, GREY, WHITE, StyledText, TextStyle
from docpipe.samples.canvas.typography import Typography
from docpipe.samples.truth import RichText, plain_text

DARK = 1.5  # sum of the primary colours below which text on a filled header is white
HEADER_LEADING = 1.15
BASELINE_SHARE = 0.95  # of the font size: how far the first baseline of a cell lies below its top
MIN_LABEL_WIDTH = 30.0  # points


@dataclass(frozen=True)
class StackedCell:
    """A cell of several texts below each other, each in its own style."""

    parts: tuple[StyledText, ...]


TableCell = RichText | StackedCell


@dataclass(frozen=True)
class TableColumn:
    """`weight` is its share of the width; a newline in the label begins a new line."""

    key: str
    label: str
    weight: float
    align: Align = "left"


class ColumnExtent(NamedTuple):
    """Where a column or a table stands, in points."""

    left: float
    width: float


class Table:
    """Draws one table within `extent`."""

    def __init__(
        self,
        canvas: DocumentCanvas,
        columns: Sequence[TableColumn],
        extent: ColumnExtent,
        typography: Typography,
        style: TableStyle,
    ) -> None:
        self.canvas, self.columns, self.typography, self.style = canvas, columns, typography, style
        self.left, self.width = extent
        self._extents = self._column_extents()
        self._rows_drawn = 0
        self._line_colour = GREY if style.grey_lines else BLACK

    @property
    def right(self) -> float:
        return self.left + self.width

    def draw_header(self, y: float) -> float:
        """Draws the labels of the columns with their top at `y`; gives the bottom."""
        style, typography = self.style, self.typography
        text_style: TextStyle = getattr(typography, style.header_text)
        dark = style.header_filled and sum(typography.accent) < DARK
        if dark:
            text_style = replace(text_style, colour=WHITE)
        labels = [
            text_style.wrapped(column.label, extent.width)
            for column, extent in zip(self.columns, self._extents, strict=True)
        ]
        line_count = max(len(lines) for lines in labels)
        height = line_count * text_style.size * HEADER_LEADING + 2 * style.row_padding + 1.5
        if style.header_filled:
            fill = typography.accent if dark else typography.background
            self.canvas.draw(RectangleStroke(self.left, y, self.width, height, fill, None))
        for column, extent, lines in zip(self.columns, self._extents, labels, strict=True):
            baseline = y + style.row_padding + text_style.size
            align = column.align if style.header_align == "same" else style.header_align
            for line in lines:
                fitted = text_style.fitted_to(line, extent.width + style.column_gap / 2)
                self.canvas.write(_anchor(align, extent), baseline, line, fitted, align)
                baseline += text_style.size * HEADER_LEADING
        self._draw_header_lines(y, height)
        if style.row_lines in ("grid", "columns"):
            self._draw_vertical_lines(y, height)
        return y + height

    def row_height(self, cells: Mapping[str, TableCell], text_style: TextStyle | None = None) -> float:
        return self._text_height(cells, text_style or self.typography.text) + 2 * self.style.row_padding

    def draw_row(
        self, y: float, cells: Mapping[str, TableCell], text_style: TextStyle | None = None, *, goes_on: bool = False
    ) -> float:
        """Draws a row with its top at `y`; gives the bottom. No line is drawn below a row that `goes_on`."""
        text_style, style = text_style or self.typography.text, self.style
        height, text_height = self.row_height(cells, text_style), self._text_height(cells, text_style)
        if style.striped and self._rows_drawn % 2:
            self.canvas.draw(RectangleStroke(self.left, y, self.width, height, self.typography.background, None))
        for column, extent in zip(self.columns, self._extents, strict=True):
            if column.key in cells:
                parts = _cell_parts(cells[column.key], column, extent.width, text_style)
                spare = text_height - self._parts_height(parts)
                offset = {"top": 0.0, "middle": spare / 2, "bottom": spare}[style.vertical_align]
                self._draw_cell(parts, column, extent, y + style.row_padding + offset)
        if style.row_lines in ("horizontal", "grid") and not goes_on:
            self.canvas.draw_horizontal_line(self.left, self.right, y + height, 0.4, self._line_colour)
        if style.row_lines in ("grid", "columns"):
            self._draw_vertical_lines(y, height)
        self._rows_drawn += 0 if goes_on else 1
        return y + height

    def draw_full_width_row(
        self, y: float, label: RichText, text_style: TextStyle, amount: RichText | None = None
    ) -> float:
        """A line over the whole width, a sum under the column of amounts: headings of groups, subtotals."""
        height = text_style.size * self.typography.leading + 2 * self.style.row_padding
        baseline = y + self.style.row_padding + text_style.size * BASELINE_SHARE
        extent = self.column_extent("amount") if amount is not None else ColumnExtent(self.right, 0.0)
        first = self.left + self.style.column_gap / 2
        fitted = text_style.fitted_to(plain_text(label), max(extent.left - first - 4, MIN_LABEL_WIDTH))
        self.canvas.write(first, baseline, label, fitted)
        if amount is not None:
            fitted = text_style.fitted_to(plain_text(amount), extent.width + self.style.column_gap / 2)
            self.canvas.write(extent.left + extent.width, baseline, amount, fitted, "right")
        if self.style.row_lines != "none":
            self.canvas.draw_horizontal_line(self.left, self.right, y + height, 0.4, self._line_colour)
        return y + height

    def draw_cell_to_right_edge(self, y: float, key: str, cell: TableCell, text_style: TextStyle) -> float:
        """A cell with lines to itself: it begins at its column and runs on to the right edge."""
        left = self.column_extent(key).left
        column, extent = TableColumn(key, "", 1.0), ColumnExtent(left, self.right - left)
        parts = _cell_parts(cell, column, extent.width, text_style)
        self._draw_cell(parts, column, extent, y + self.style.row_padding)
        return y + self._parts_height(parts) + self.style.row_padding

    def draw_bottom_line(self, y: float) -> float:
        """Ends the table at `y`, with a line in some styles; gives `y`."""
        if self.style.row_lines == "columns" or (self.style.row_lines == "none" and self.style.header_lines != "none"):
            self.canvas.draw_horizontal_line(self.left, self.right, y, 0.6, self._line_colour)
        return y

    def column_extent(self, key: str) -> ColumnExtent:
        return next(extent for column, extent in zip(self.columns, self._extents, strict=True) if column.key == key)

    def _text_height(self, cells: Mapping[str, TableCell], text_style: TextStyle) -> float:
        tallest = text_style.size * self.typography.leading
        for column, extent in zip(self.columns, self._extents, strict=True):
            if column.key in cells:
                parts = _cell_parts(cells[column.key], column, extent.width, text_style)
                tallest = max(tallest, self._parts_height(parts))
        return tallest

    def _parts_height(self, parts: Sequence[_CellPart]) -> float:
        return sum(part.line_count * part.style.size for part in parts) * self.typography.leading

    def _draw_cell(self, parts: Sequence[_CellPart], column: TableColumn, extent: ColumnExtent, top: float) -> None:
        for part in parts:
            baseline = top + part.style.size * BASELINE_SHARE
            if column.align == "left":
                start = Point(extent.left, baseline)
                self.canvas.write_paragraph(start, extent.width, part.text, part.style, leading=self.typography.leading)
            else:
                fitted = part.style.fitted_to(plain_text(part.text), extent.width + self.style.column_gap / 2)
                self.canvas.write(_anchor(column.align, extent), baseline, part.text, fitted, column.align)
            top += part.line_count * part.style.size * self.typography.leading

    def _column_extents(self) -> list[ColumnExtent]:
        total_weight, left, extents = sum(column.weight for column in self.columns), self.left, []
        for column in self.columns:
            width = self.width * column.weight / total_weight
            extents.append(ColumnExtent(left + self.style.column_gap / 2, width - self.style.column_gap))
            left += width
        return extents

    def _draw_header_lines(self, y: float, height: float) -> None:
        lines = self.style.header_lines
        if lines == "box" or self.style.row_lines == "grid":
            self.canvas.draw(RectangleStroke(self.left, y, self.width, height, None, self._line_colour))
        elif lines in ("below", "both"):
            self.canvas.draw_horizontal_line(self.left, self.right, y + height, 0.8, self._line_colour)
            if lines == "both":
                self.canvas.draw_horizontal_line(self.left, self.right, y, 0.8, self._line_colour)

    def _draw_vertical_lines(self, y: float, height: float) -> None:
        """Between the columns, and at both sides of the table."""
        half_gap = self.style.column_gap / 2
        for left in (*(extent.left for extent in self._extents), self.left + self.width + half_gap):
            x = left - half_gap
            self.canvas.draw(LineStroke(x, y, x, y + height, 0.4, self._line_colour))


@dataclass(frozen=True)
class _CellPart:
    """A part of a cell, with the style that fits and the number of lines it takes."""

    text: RichText
    style: TextStyle
    line_count: int


def _cell_parts(cell: TableCell, column: TableColumn, width: float, text_style: TextStyle) -> list[_CellPart]:
    parts = []
    for text, style in cell.parts if isinstance(cell, StackedCell) else (StyledText(cell, text_style),):
        if column.align == "left":
            fitted = style.fitted_to(max(plain_text(text).split(), key=style.width, default=""), width)
            parts.append(_CellPart(text, fitted, len(fitted.wrapped(plain_text(text), width))))
        else:
            parts.append(_CellPart(text, style, 1))
    return parts


def _anchor(align: Align, extent: ColumnExtent) -> float:
    """The x at which a text of that alignment is written."""
    left, width = extent
    return left if align == "left" else left + width if align == "right" else left + width / 2
