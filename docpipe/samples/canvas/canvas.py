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
from docpipe.samples.canvas.strokes import ASCENT, BLACK, DESCENT, Colour, Ink, Mark, Rule, Text

Align = Literal["left", "right", "centre"]
rl_config.useA85 = 0  # binary streams: a third smaller and faster to write

EDGE = 3.0  # points: nothing is printed nearer to the edge of the page
Span = tuple[float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """One printing of a value. `path` is concrete (`line_items[2].amount`); one box per printed line."""

    path: str
    text: str
    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Drawn:
    """A drawn document and all that is true of it. `fields` describes each path template for this document;
    `adds_up` is False where the arithmetic was meant to be wrong."""

    schema: str
    language: str
    pdf: bytes
    placed: tuple[Placed, ...]
    truth: dict[str, Any]
    fields: Mapping[str, str]
    pages: int
    adds_up: bool = True


@dataclass(frozen=True)
class Value:
    """A text that is the answer for one or more paths. `norm` is the normalised value; lines are split by newlines."""

    text: str
    paths: tuple[str, ...]
    norm: Any

    def printed(self, text: str) -> Value:
        """The same value in another print."""
        return replace(self, text=text)

    def also(self, *paths: str) -> Value:
        return replace(self, paths=self.paths + paths)


Piece = str | Value


def value(path: str, text: str, norm: Any = None) -> Value:
    """A value whose normalised form is its text unless told otherwise."""
    return Value(text, (path,), " ".join(text.split()) if norm is None else norm)


@dataclass
class _Page:
    marks: list[Mark] = field(default_factory=list)
    placed: list[tuple[Value, list[Span]]] = field(default_factory=list)


class Pen:
    """Writes a document page by page. All y are baselines or edges in points from the page's top."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=(width, height), invariant=1, pageCompression=1)
        self._page = _Page()
        self._pages = 0
        self._placed: list[Placed] = []
        self._norms: dict[str, Any] = {}

    @property
    def page_number(self) -> int:
        return self._pages + 1

    def write(self, x: float, y: float, piece: Piece | Sequence[Piece], ink: Ink, align: Align = "left") -> float:
        """One line of text with its baseline at `y`. Gives the width."""
        text, spans = _flatten(piece)
        ink = self._within(x, text, ink, align)
        width = ink.width(text)
        left = x - width if align == "right" else x - width / 2 if align == "centre" else x
        self._line(left, y, text, ink)
        for start, end, said in spans:
            self._page.placed.append((said, [self._span(left, y, text, (start, end), ink)]))
        return width

    def block(
        self, x: float, y: float, piece: Piece, ink: Ink, *, leading: float = 1.2, align: Align = "left"
    ) -> float:
        """Lines split at newlines; a value keeps one box per line. Gives the baseline after the last line."""
        boxes = []
        lines = (piece.text if isinstance(piece, Value) else piece).split("\n")
        ink = self._within(x, max(lines, key=ink.width), ink, align)
        for line in lines:
            width = ink.width(line)
            left = x - width if align == "right" else x - width / 2 if align == "centre" else x
            self._line(left, y, line, ink)
            boxes.append(self._span(left, y, line, (0, len(line)), ink))
            y += ink.size * leading
        if isinstance(piece, Value):
            self._page.placed.append((piece, boxes))
        return y

    def paragraph(
        self, at: tuple[float, float], width: float, piece: Piece | Sequence[Piece], ink: Ink, *, leading: float = 1.2
    ) -> float:
        """Text wrapped to `width`, first baseline at `at`. Gives the baseline after the last line."""
        x, y = at
        text, spans = _flatten(piece)
        boxes: list[list[Span]] = [[] for _ in spans]
        for first, last in _wrap(text, width, ink):
            line = text[first:last]
            narrow = self._within(x, line, ink, "left")
            self._line(x, y, line, narrow)
            for number, (start, end, _) in enumerate(spans):
                low, high = max(start, first) - first, min(end, last) - first
                if line[low:high].strip() and low < high:
                    boxes[number].append(self._span(x, y, line, (low, high), narrow))
            y += ink.size * leading
        for (_, _, said), places in zip(spans, boxes, strict=True):
            self._page.placed.append((said, places))
        return y

    def mark(self, *marks: Mark) -> None:
        """Lines, frames, turned text and scribbles: never a value."""
        self._page.marks.extend(marks)

    def rule(self, x0: float, x1: float, y: float, weight: float = 0.5, colour: Colour = BLACK) -> None:
        """A horizontal line."""
        self._page.marks.append(Rule(x0, y, x1, y, weight, colour))

    def next_page(self, height: float | None = None) -> None:
        """Finishes the page, `height` points tall if it differs from the document's."""
        tall = self.height if height is None else height
        self._canvas.setPageSize((self.width, tall))
        for mark in self._page.marks:
            mark.draw(self._canvas, tall)
        self._canvas.showPage()
        self._pages += 1
        for said, boxes in self._page.placed:
            self._settle(said, boxes, tall)
        self._page = _Page()

    def finish(self, schema: str, language: str, fields: Mapping[str, str], *, adds_up: bool = True) -> Drawn:
        """The document; a page that has marks is finished first."""
        if self._page.marks:
            self.next_page()
        self._canvas.save()
        return Drawn(
            schema,
            language,
            self._buffer.getvalue(),
            tuple(self._placed),
            nest(self._norms),
            fields,
            self._pages,
            adds_up,
        )

    def _settle(self, said: Value, boxes: Sequence[Span], tall: float) -> None:
        relative = tuple(
            Box(_unit(left / self.width), _unit(top / tall), _unit(right / self.width), _unit(bottom / tall))
            for left, top, right, bottom in boxes
        )
        for path in said.paths:
            self._placed.append(Placed(path, " ".join(said.text.split()), self._pages, relative))
            self._norms[path] = said.norm

    def _within(self, x: float, text: str, ink: Ink, align: Align) -> Ink:
        """The ink squeezed where the text would run over the edge of the page."""
        beyond = self.width - EDGE - x
        room = {"left": beyond, "right": x - EDGE, "centre": 2 * min(beyond, x - EDGE)}[align]
        return ink.fitted(text, max(room, EDGE))

    def _line(self, x: float, y: float, text: str, ink: Ink) -> None:
        if text.strip():
            self._page.marks.append(Text(x, y, text, ink))

    @staticmethod
    def _span(x: float, y: float, line: str, span: tuple[int, int], ink: Ink) -> Span:
        start, end = span
        while start < end and line[start] == " ":
            start += 1
        while end > start and line[end - 1] == " ":
            end -= 1
        left = x + ink.width(line[:start])
        return left, y - ASCENT * ink.size, left + ink.width(line[start:end]), y + DESCENT * ink.size


def nest(norms: Mapping[str, Any]) -> dict[str, Any]:
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


def _unit(share: float) -> float:
    return min(1.0, max(0.0, round(share, 5)))


def _flatten(piece: Piece | Sequence[Piece]) -> tuple[str, list[tuple[int, int, Value]]]:
    pieces = [piece] if isinstance(piece, str | Value) else piece
    text, spans = "", []
    for part in pieces:
        if isinstance(part, Value):
            words = " ".join(part.text.split())
            spans.append((len(text), len(text) + len(words), part))
            text += words
        else:
            text += part
    return text, spans


def _wrap(text: str, width: float, ink: Ink) -> list[tuple[int, int]]:
    """Character ranges of the lines; a word wider than the line is left whole."""
    lines, first, last = [], 0, 0
    for word in re.finditer(r"\S+", text):
        if last > first and ink.width(text[first : word.end()]) > width:
            lines.append((first, last))
            first = word.start()
        last = word.end()
    if last > first:
        lines.append((first, last))
    return lines
