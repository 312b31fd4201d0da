"""Drawing with truth: what is written on a page is remembered together with where it stands.

In: texts, lines and boxes in points, measured from the top left corner. Out: a `SampleDocument` with the PDF, every
printed value and the normalised truth. A page's height may be settled when the page is done (receipts).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas as PdfCanvas

from docpipe.data import Box
from docpipe.samples.canvas.geometry import PageRectangle, Point
from docpipe.samples.canvas.strokes import LineStroke, Stroke, TextStroke
from docpipe.samples.canvas.text_style import ASCENT, BLACK, DESCENT, RgbColour, TextStyle
from docpipe.samples.truth import (
    FieldText,
    PrintedValue,
    RichText,
    RichTextRun,
    SampleDocument,
    nested_values,
    plain_text,
    text_runs,
)

Align = Literal["left", "right", "centre"]
rl_config.useA85 = 0  # binary streams: a third smaller and faster to write

EDGE_MARGIN = 3.0  # points: nothing is printed nearer to the edge of the page


class _ValueSpan(NamedTuple):
    """A value within a line of text: the characters from `start` up to, not including, `end`."""

    start: int
    end: int
    value: FieldText


@dataclass
class _PageContents:
    strokes: list[Stroke] = field(default_factory=list)
    values: list[tuple[FieldText, list[PageRectangle]]] = field(default_factory=list)


class DocumentCanvas:
    """Draws a document page by page. All y are baselines or edges in points from the page's top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._buffer = io.BytesIO()
        self._pdf = PdfCanvas(self._buffer, pagesize=(width, height), invariant=1, pageCompression=1)
        self._page = _PageContents()
        self._finished_pages = 0
        self._printed_values: list[PrintedValue] = []
        self._normalised: dict[str, Any] = {}

    @property
    def page_number(self) -> int:
        return self._finished_pages + 1

    def write(self, x: float, y: float, text: RichText, style: TextStyle, align: Align = "left") -> float:
        """One line of text with its baseline at `y`. Gives its width."""
        line, spans = _joined(text)
        style = self._fitted_to_page(x, line, style, align)
        width = style.width(line)
        left = _left_edge(x, width, align)
        self._add_text(left, y, line, style)
        for span in spans:
            rectangle = _text_rectangle(Point(left, y), line, (span.start, span.end), style)
            self._page.values.append((span.value, [rectangle]))
        return width

    def write_lines(
        self, x: float, y: float, text: RichTextRun, style: TextStyle, *, leading: float = 1.2, align: Align = "left"
    ) -> float:
        """Lines split at newlines; a value keeps one box per line. Gives the baseline after the last line."""
        rectangles = []
        lines = plain_text(text).split("\n")
        style = self._fitted_to_page(x, max(lines, key=style.width), style, align)
        for line in lines:
            left = _left_edge(x, style.width(line), align)
            self._add_text(left, y, line, style)
            rectangles.append(_text_rectangle(Point(left, y), line, (0, len(line)), style))
            y += style.size * leading
        if isinstance(text, FieldText):
            self._page.values.append((text, rectangles))
        return y

    def write_paragraph(
        self, start: Point, width: float, text: RichText, style: TextStyle, *, leading: float = 1.2
    ) -> float:
        """Text wrapped to `width`, its first baseline at `start`. Gives the baseline after the last line."""
        x, y = start
        characters, spans = _joined(text)
        rectangles: list[list[PageRectangle]] = [[] for _ in spans]
        for first, last in _wrapped_lines(characters, width, style):
            line = characters[first:last]
            fitted = self._fitted_to_page(x, line, style, "left")
            self._add_text(x, y, line, fitted)
            for span, on_lines in zip(spans, rectangles, strict=True):
                low, high = max(span.start, first) - first, min(span.end, last) - first
                if line[low:high].strip() and low < high:
                    on_lines.append(_text_rectangle(Point(x, y), line, (low, high), fitted))
            y += style.size * leading
        for span, on_lines in zip(spans, rectangles, strict=True):
            self._page.values.append((span.value, on_lines))
        return y

    def draw(self, *strokes: Stroke) -> None:
        """Lines, frames, turned text and scribbles: never a value."""
        self._page.strokes.extend(strokes)

    def draw_horizontal_line(
        self, x0: float, x1: float, y: float, line_width: float = 0.5, colour: RgbColour = BLACK
    ) -> None:
        self._page.strokes.append(LineStroke(x0, y, x1, y, line_width, colour))

    def next_page(self, height: float | None = None) -> None:
        """Finishes the page, `height` points tall if it differs from the document's."""
        page_height = self.height if height is None else height
        self._pdf.setPageSize((self.width, page_height))
        for stroke in self._page.strokes:
            stroke.draw(self._pdf, page_height)
        self._pdf.showPage()
        self._finished_pages += 1
        for value, rectangles in self._page.values:
            self._record(value, rectangles, page_height)
        self._page = _PageContents()

    def finish(
        self, schema: str, language: str, field_descriptions: Mapping[str, str], *, adds_up: bool = True
    ) -> SampleDocument:
        """The document; a page that has strokes is finished first."""
        if self._page.strokes:
            self.next_page()
        self._pdf.save()
        return SampleDocument(
            schema,
            language,
            pdf=self._buffer.getvalue(),
            printed_values=tuple(self._printed_values),
            truth=nested_values(self._normalised),
            field_descriptions=field_descriptions,
            page_count=self._finished_pages,
            adds_up=adds_up,
        )

    def _record(self, value: FieldText, rectangles: Sequence[PageRectangle], page_height: float) -> None:
        boxes = tuple(
            Box(
                _clamped(left / self.width),
                _clamped(top / page_height),
                _clamped(right / self.width),
                _clamped(bottom / page_height),
            )
            for left, top, right, bottom in rectangles
        )
        for path in value.paths:
            self._printed_values.append(PrintedValue(path, " ".join(value.text.split()), self._finished_pages, boxes))
            self._normalised[path] = value.normalised

    def _fitted_to_page(self, x: float, line: str, style: TextStyle, align: Align) -> TextStyle:
        """The style narrowed where the line would run over the edge of the page."""
        to_the_right, to_the_left = self.width - EDGE_MARGIN - x, x - EDGE_MARGIN
        available = {"left": to_the_right, "right": to_the_left, "centre": 2 * min(to_the_right, to_the_left)}[align]
        return style.fitted_to(line, max(available, EDGE_MARGIN))

    def _add_text(self, x: float, y: float, line: str, style: TextStyle) -> None:
        if line.strip():
            self._page.strokes.append(TextStroke(x, y, line, style))


def _left_edge(x: float, width: float, align: Align) -> float:
    return x - width if align == "right" else x - width / 2 if align == "centre" else x


def _text_rectangle(start: Point, line: str, characters: tuple[int, int], style: TextStyle) -> PageRectangle:
    """The rectangle around some characters of a line that begins at `start`, without the blanks at their ends."""
    first, end = characters
    while first < end and line[first] == " ":
        first += 1
    while end > first and line[end - 1] == " ":
        end -= 1
    left = start.x + style.width(line[:first])
    right = left + style.width(line[first:end])
    return PageRectangle(left, start.y - ASCENT * style.size, right, start.y + DESCENT * style.size)


def _clamped(share: float) -> float:
    return min(1.0, max(0.0, round(share, 5)))


def _joined(text: RichText) -> tuple[str, list[_ValueSpan]]:
    """The characters of the text, and where in them its values stand."""
    characters, spans = "", []
    for run in text_runs(text):
        if isinstance(run, FieldText):
            words = " ".join(run.text.split())
            spans.append(_ValueSpan(len(characters), len(characters) + len(words), run))
            characters += words
        else:
            characters += run
    return characters, spans


def _wrapped_lines(text: str, width: float, style: TextStyle) -> list[tuple[int, int]]:
    """Character ranges of the lines; a word wider than the line is left whole."""
    lines, first, last = [], 0, 0
    for word in re.finditer(r"\S+", text):
        if last > first and style.width(text[first : word.end()]) > width:
            lines.append((first, last))
            first = word.start()
        last = word.end()
    if last > first:
        lines.append((first, last))
    return lines
