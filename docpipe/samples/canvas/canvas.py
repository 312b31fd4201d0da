"""Drawing with truth: what is written on a page is remembered together with where it stands.

In: texts, lines and boxes in points, measured from the top left. Out: the PDF's bytes, a `Placed` for every
printed value, and the normalised truth. A page's height may be settled when the page is done (receipts).
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from reportlab import rl_config
from reportlab.pdfgen.canvas import Canvas

from docpipe.data import Box
from docpipe.paths import FieldPath
from docpipe.samples.canvas.strokes import ASCENT, BLACK, DESCENT, LineStroke, RgbColour, Stroke, TextStroke, TextStyle

Align = Literal["left", "right", "centre"]
rl_config.useA85 = 0  # binary streams: a third smaller and faster to write

EDGE_MARGIN = 3.0  # points: nothing is printed nearer to the edge of the page
Span = tuple[float, float, float, float]


@dataclass(frozen=True)
class PrintedValue:
    """One printing of a value. `path` is concrete (`line_items[2].amount`); one box per printed line."""

    path: str
    text: str
    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class SampleDocument:
    """A drawn document and all that is true of it. `fields` describes each path template for this document;
    `adds_up` is False where the arithmetic was meant to be wrong."""

    schema: str
    language: str
    pdf: bytes
    printed_values: tuple[PrintedValue, ...]
    truth: dict[str, Any]
    field_descriptions: Mapping[str, str]
    page_count: int
    adds_up: bool = True


@dataclass(frozen=True)
class FieldText:
    """A text that is the answer for one or more paths. `norm` is the normalised value; lines are split by newlines."""

    text: str
    paths: tuple[str, ...]
    normalised: Any

    def with_text(self, text: str) -> FieldText:
        """The same value in another print."""
        return replace(self, text=text)

    def with_more_paths(self, *paths: str) -> FieldText:
        return replace(self, paths=self.paths + paths)


TextRun = str | FieldText


def field_text(path: str, text: str, normalised: Any = None) -> FieldText:
    """A value whose normalised form is its text unless told otherwise."""
    return FieldText(text, (path,), " ".join(text.split()) if normalised is None else normalised)


@dataclass
class _PageContents:
    strokes: list[Stroke] = field(default_factory=list)
    field_texts: list[tuple[FieldText, list[Span]]] = field(default_factory=list)


class DocumentCanvas:
    """Writes a document page by page. All y are baselines or edges in points from the page's top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._buffer = io.BytesIO()
        self._pdf = Canvas(self._buffer, pagesize=(width, height), invariant=1, pageCompression=1)
        self._page = _PageContents()
        self._finished_pages = 0
        self._printed_values: list[PrintedValue] = []
        self._normalised: dict[str, Any] = {}

    @property
    def page_number(self) -> int:
        return self._finished_pages + 1

    def write(
        self, x: float, y: float, piece: TextRun | Sequence[TextRun], text_style: TextStyle, align: Align = "left"
    ) -> float:
        """One line of text with its baseline at `y`. Gives the width."""
        text, spans = _joined(piece)
        text_style = self._fitted_to_page(x, text, text_style, align)
        width = text_style.width(text)
        left = x - width if align == "right" else x - width / 2 if align == "centre" else x
        self._add_text(left, y, text, text_style)
        for start, end, answer in spans:
            self._page.field_texts.append((answer, [self._text_rectangle(left, y, text, (start, end), text_style)]))
        return width

    def write_lines(
        self, x: float, y: float, piece: TextRun, text_style: TextStyle, *, leading: float = 1.2, align: Align = "left"
    ) -> float:
        """Lines split at newlines; a value keeps one box per line. Gives the baseline after the last line."""
        boxes = []
        lines = (piece.text if isinstance(piece, FieldText) else piece).split("\n")
        text_style = self._fitted_to_page(x, max(lines, key=text_style.width), text_style, align)
        for line in lines:
            width = text_style.width(line)
            left = x - width if align == "right" else x - width / 2 if align == "centre" else x
            self._add_text(left, y, line, text_style)
            boxes.append(self._text_rectangle(left, y, line, (0, len(line)), text_style))
            y += text_style.size * leading
        if isinstance(piece, FieldText):
            self._page.field_texts.append((piece, boxes))
        return y

    def write_paragraph(
        self,
        at: tuple[float, float],
        width: float,
        piece: TextRun | Sequence[TextRun],
        text_style: TextStyle,
        *,
        leading: float = 1.2,
    ) -> float:
        """Text wrapped to `width`, first baseline at `at`. Gives the baseline after the last line."""
        x, y = at
        text, spans = _joined(piece)
        boxes: list[list[Span]] = [[] for _ in spans]
        for first, last in _wrapped_lines(text, width, text_style):
            line = text[first:last]
            narrow = self._fitted_to_page(x, line, text_style, "left")
            self._add_text(x, y, line, narrow)
            for number, (start, end, _) in enumerate(spans):
                low, high = max(start, first) - first, min(end, last) - first
                if line[low:high].strip() and low < high:
                    boxes[number].append(self._text_rectangle(x, y, line, (low, high), narrow))
            y += text_style.size * leading
        for (_, _, answer), places in zip(spans, boxes, strict=True):
            self._page.field_texts.append((answer, places))
        return y

    def draw(self, *marks: Stroke) -> None:
        """Lines, frames, turned text and scribbles: never a value."""
        self._page.strokes.extend(marks)

    def draw_horizontal_line(
        self, x0: float, x1: float, y: float, weight: float = 0.5, colour: RgbColour = BLACK
    ) -> None:
        """A horizontal line."""
        self._page.strokes.append(LineStroke(x0, y, x1, y, weight, colour))

    def next_page(self, height: float | None = None) -> None:
        """Finishes the page, `height` points tall if it differs from the document's."""
        tall = self.height if height is None else height
        self._pdf.setPageSize((self.width, tall))
        for mark in self._page.strokes:
            mark.draw(self._pdf, tall)
        self._pdf.showPage()
        self._finished_pages += 1
        for answer, boxes in self._page.field_texts:
            self._record(answer, boxes, tall)
        self._page = _PageContents()

    def finish(self, schema: str, language: str, fields: Mapping[str, str], *, adds_up: bool = True) -> SampleDocument:
        """The document; a page that has marks is finished first."""
        if self._page.strokes:
            self.next_page()
        self._pdf.save()
        return SampleDocument(
            schema,
            language,
            self._buffer.getvalue(),
            tuple(self._printed_values),
            nested_values(self._normalised),
            fields,
            self._finished_pages,
            adds_up,
        )

    def _record(self, answer: FieldText, boxes: Sequence[Span], tall: float) -> None:
        relative = tuple(
            Box(
                _clamped(left / self.width), _clamped(top / tall), _clamped(right / self.width), _clamped(bottom / tall)
            )
            for left, top, right, bottom in boxes
        )
        for path in answer.paths:
            self._printed_values.append(
                PrintedValue(path, " ".join(answer.text.split()), self._finished_pages, relative)
            )
            self._normalised[path] = answer.normalised

    def _fitted_to_page(self, x: float, text: str, text_style: TextStyle, align: Align) -> TextStyle:
        """The ink squeezed where the text would run over the edge of the page."""
        beyond = self.width - EDGE_MARGIN - x
        room = {"left": beyond, "right": x - EDGE_MARGIN, "centre": 2 * min(beyond, x - EDGE_MARGIN)}[align]
        return text_style.fitted_to(text, max(room, EDGE_MARGIN))

    def _add_text(self, x: float, y: float, text: str, text_style: TextStyle) -> None:
        if text.strip():
            self._page.strokes.append(TextStroke(x, y, text, text_style))

    @staticmethod
    def _text_rectangle(x: float, y: float, line: str, span: tuple[int, int], text_style: TextStyle) -> Span:
        start, end = span
        while start < end and line[start] == " ":
            start += 1
        while end > start and line[end - 1] == " ":
            end -= 1
        left = x + text_style.width(line[:start])
        return (
            left,
            y - ASCENT * text_style.size,
            left + text_style.width(line[start:end]),
            y + DESCENT * text_style.size,
        )


def nested_values(norms: Mapping[str, Any]) -> dict[str, Any]:
    """`{"line_items[0].amount": "1.00"}` -> `{"line_items": [{"amount": "1.00"}]}`."""
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    made: dict[str, Any] = {}
    for path, norm in norms.items():
        field = FieldPath.parse(path)
        if field.list_path is None or field.row_number is None:
            made[path] = norm
        else:
            lists.setdefault(field.list_path, {}).setdefault(field.row_number, {})[field.leaf] = norm
    for name, rows in lists.items():
        made[name] = [rows.get(index, {}) for index in range(max(rows) + 1)]
    return made


def _clamped(share: float) -> float:
    return min(1.0, max(0.0, round(share, 5)))


def _joined(piece: TextRun | Sequence[TextRun]) -> tuple[str, list[tuple[int, int, FieldText]]]:
    pieces = [piece] if isinstance(piece, str | FieldText) else piece
    text, spans = "", []
    for part in pieces:
        if isinstance(part, FieldText):
            words = " ".join(part.text.split())
            spans.append((len(text), len(text) + len(words), part))
            text += words
        else:
            text += part
    return text, spans


def _wrapped_lines(text: str, width: float, text_style: TextStyle) -> list[tuple[int, int]]:
    """Character ranges of the lines; a word wider than the line is left whole."""
    lines, first, last = [], 0, 0
    for word in re.finditer(r"\S+", text):
        if last > first and text_style.width(text[first : word.end()]) > width:
            lines.append((first, last))
            first = word.start()
        last = word.end()
    if last > first:
        lines.append((first, last))
    return lines
