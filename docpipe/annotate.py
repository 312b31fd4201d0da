"""Draws a page with the boxes of its fields: the picture by which a person checks a result.

In: a page's image, the fields of an extraction. Out: an RGB image with the page in the middle, boxes on it
(green: accepted, amber: to be checked) and a card per field in the margins, so that no text is covered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from docpipe.data import Box, Field
from docpipe.paths import FieldPath


class Rgba(NamedTuple):
    """A colour; `alpha` is 0 (nothing is painted) to 255 (nothing shines through)."""

    red: int
    green: int
    blue: int
    alpha: int


class Rgb(NamedTuple):
    red: int
    green: int
    blue: int

    def with_alpha(self, alpha: int) -> Rgba:
        return Rgba(*self, alpha)


ACCEPTED = Rgb(20, 132, 74)
TO_CHECK = Rgb(208, 112, 0)  # amber dark enough to read on white
TEXT_COLOUR = Rgb(28, 32, 38)
GREY = Rgb(104, 112, 122)
PAGE_EDGE = Rgb(198, 203, 210)
BACKGROUND = Rgb(239, 241, 244)
WHITE = Rgb(255, 255, 255)

OVERSAMPLING = 2  # everything is drawn at twice the size and reduced: smooth slanted lines
PAGE_HEIGHT = 1500  # pixels of the finished picture; small print of an A4 page is still legible
MIN_PAGE_WIDTH, MAX_PAGE_HEIGHT = 620, 2600  # a long receipt gets more height until its width is legible
MAX_PAGE_WIDTH = 1700
MARGIN, GAP, EDGE = 330, 26, 22  # a column of cards, between it and the page, around everything
HEADER, FOOTER = 58, 46
CARD, ROW_CARD, CARD_GAP = 50, 27, 7  # heights of a card with two lines and with one
BOX_PADDING = 3  # keeps the outline off the letters
DOT_RADIUS = 3  # where a card's line meets its box

FontType = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class FieldMark:
    """What is drawn for one field, or for one row of a list: its boxes on the page, and a card. `note` stands in the
    card's corner."""

    name: str
    text: str
    note: str
    accepted: bool
    boxes: tuple[Box, ...]
    is_row: bool = False

    @property
    def outer_box(self) -> Box:
        return list(accumulate(self.boxes, Box.union))[-1]

    @property
    def colour(self) -> Rgb:
        return ACCEPTED if self.accepted else TO_CHECK

    @property
    def card_height(self) -> int:
        return ROW_CARD if self.is_row else CARD


def annotate(image: Image.Image, fields: Sequence[Field], page: int, title: str) -> Image.Image:
    """The picture of page number `page`. Fields without evidence on it are not drawn."""
    marks = page_marks(fields, page)
    width, height = _page_size(image)
    sides = _sides(marks)
    canvas = _AnnotatedPage(width, max(height, *(_column_height(side) for side in sides)))
    canvas.paste_page(image, width, height)
    for mark in marks:
        canvas.draw_boxes(mark)
    for side, column in enumerate(sides):
        for mark, top in zip(column, _tops(column, canvas.page_height, canvas.column_height), strict=True):
            canvas.draw_leader(mark, side, top)
            canvas.draw_card(mark, side, top)
    canvas.draw_header(title)
    canvas.draw_legend(marks)
    return canvas.finished()


def page_marks(fields: Iterable[Field], page: int) -> list[FieldMark]:
    """One mark per single field, one per row of a list, from top to bottom."""
    rows: dict[str, list[Field]] = {}
    single_fields = []
    for field in fields:
        if any(evidence.page == page for evidence in field.evidence):
            if row := FieldPath.parse(field.path).row:
                rows.setdefault(row, []).append(field)
            else:
                single_fields.append(field)
    marks = [_single_mark(field, page) for field in single_fields]
    marks += [_row_mark(name, cells, page) for name, cells in rows.items()]
    return _by_height(marks)


def shown_value(field: Field) -> str:
    """The value as text; the printed text where nothing could be made of it."""
    return str(field.raw or "") if field.value is None else str(field.value)


def _boxes(field: Field, page: int) -> tuple[Box, ...]:
    return tuple(evidence.box for evidence in field.evidence if evidence.page == page)


def _single_mark(field: Field, page: int) -> FieldMark:
    return FieldMark(field.path, shown_value(field), f"{field.confidence:.0%}", field.accepted, _boxes(field, page))


def _row_mark(name: str, cells: Sequence[Field], page: int) -> FieldMark:
    boxes = tuple(box for cell in cells for box in _boxes(cell, page))
    to_check = sum(not cell.accepted for cell in cells)
    note = f"{to_check} of {len(cells)} to check" if to_check else f"{len(cells)} cells"
    return FieldMark(name, "", note, not to_check, boxes, is_row=True)


def _page_size(image: Image.Image) -> tuple[int, int]:
    scale = max(PAGE_HEIGHT / image.height, min(MIN_PAGE_WIDTH / image.width, MAX_PAGE_HEIGHT / image.height))
    scale = min(scale, MAX_PAGE_WIDTH / image.width)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _sides(marks: Sequence[FieldMark]) -> tuple[list[FieldMark], list[FieldMark]]:
    """Left and right column: the nearer margin, unless its column is much fuller. Rows stay on the right,
    where the amounts are."""
    left: list[FieldMark] = []
    right = [mark for mark in marks if mark.is_row]
    for mark in sorted((mark for mark in marks if not mark.is_row), key=lambda mark: mark.outer_box.left):
        is_nearer_left = mark.outer_box.left + mark.outer_box.right < 1.0
        surplus = _column_height(left) - _column_height(right)
        (left if (is_nearer_left and surplus < 4 * CARD) or surplus < -6 * CARD else right).append(mark)
    return _by_height(left), _by_height(right)


def _by_height(marks: Iterable[FieldMark]) -> list[FieldMark]:
    return sorted(marks, key=lambda mark: mark.outer_box.top + mark.outer_box.bottom)


def _column_height(marks: Sequence[FieldMark]) -> int:
    return sum(mark.card_height + CARD_GAP for mark in marks)


def _tops(marks: Sequence[FieldMark], page_height: int, column_height: int) -> list[int]:
    """Each card beside its box, or as near as the cards above and below allow."""
    tops: list[int] = []
    free = 0
    for mark in marks:
        middle = (mark.outer_box.top + mark.outer_box.bottom) / 2 * page_height
        tops.append(max(free, round(middle - mark.card_height / 2)))
        free = tops[-1] + mark.card_height + CARD_GAP
    limit = column_height
    for index in reversed(range(len(tops))):
        tops[index] = min(tops[index], limit - marks[index].card_height)
        limit = tops[index] - CARD_GAP
    return tops


@lru_cache(maxsize=8)
def _font(size: int) -> FontType:
    """Bitstream Vera, which comes with reportlab: Pillow's own font has no umlauts and no accents."""
    package = find_spec("reportlab")
    vera = Path(package.origin).parent / "fonts" / "Vera.ttf" if package and package.origin else None
    if vera and vera.exists():
        return ImageFont.truetype(str(vera), size * OVERSAMPLING)
    return ImageFont.load_default(size * OVERSAMPLING)


class _Rectangle(NamedTuple):
    """In pixels of the finished picture."""

    left: float
    top: float
    right: float
    bottom: float


class _AnnotatedPage:
    """The picture with the page, the boxes and the cards. Its methods take pixels of the finished picture."""

    def __init__(self, page_width: int, column_height: int) -> None:
        self.column_height = column_height
        self.page_left = EDGE + MARGIN + GAP
        self.page_width, self.page_height = page_width, 0
        self.width = page_width + 2 * (EDGE + MARGIN + GAP)
        self.height = HEADER + column_height + FOOTER
        self.image = Image.new("RGB", (self.width * OVERSAMPLING, self.height * OVERSAMPLING), BACKGROUND)
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def finished(self) -> Image.Image:
        return self.image.reduce(OVERSAMPLING)

    def paste_page(self, image: Image.Image, width: int, height: int) -> None:
        self.page_height = height
        left, top = self.page_left, HEADER
        self._rectangle(
            _Rectangle(left - 1, top - 1, left + width + 1, top + height + 1), fill=PAGE_EDGE.with_alpha(255)
        )
        page = image.convert("RGB").resize((width * OVERSAMPLING, height * OVERSAMPLING), Image.Resampling.LANCZOS)
        self.image.paste(page, (left * OVERSAMPLING, top * OVERSAMPLING))

    def draw_boxes(self, mark: FieldMark) -> None:
        if mark.is_row:
            self._rectangle(self._on_page(mark.outer_box, 2 * BOX_PADDING), outline=mark.colour.with_alpha(150))
        for box in mark.boxes:
            colour = mark.colour
            self._rectangle(self._on_page(box, BOX_PADDING), fill=colour.with_alpha(34), outline=colour.with_alpha(255))

    def draw_leader(self, mark: FieldMark, side: int, top: int) -> None:
        """From the card straight to the page's edge, then to the nearest side of the box."""
        box = self._on_page(mark.outer_box, 2 * BOX_PADDING if mark.is_row else BOX_PADDING)
        y = HEADER + top + mark.card_height / 2
        end = (box.right if side else box.left, min(max(y, box.top + 2), box.bottom - 2))
        edge = self.page_left + self.page_width + GAP / 3 if side else self.page_left - GAP / 3
        start = self._card_left(side) if side else self._card_left(side) + MARGIN
        points = [coordinate * OVERSAMPLING for x_y in ((start, y), (edge, y), end) for coordinate in x_y]
        self.draw.line(points, fill=mark.colour.with_alpha(120), width=round(1.25 * OVERSAMPLING), joint="curve")
        self._dot(end, mark.colour)

    def draw_card(self, mark: FieldMark, side: int, top: int) -> None:
        left, top = self._card_left(side), HEADER + top
        bottom = top + mark.card_height
        self._rectangle(_Rectangle(left, top, left + MARGIN, bottom), fill=WHITE.with_alpha(255), radius=5)
        self._rectangle(_Rectangle(left, top, left + 5, bottom), fill=mark.colour.with_alpha(255), radius=2)
        note_width = self._width(mark.note, 14)
        self._text((left + MARGIN - note_width - 10, top + 6), mark.note, 14, mark.colour)
        self._text((left + 15, top + 6), mark.name, 14, GREY, MARGIN - note_width - 35)
        if not mark.is_row:
            self._text((left + 15, top + 25), " ".join(mark.text.split()), 17, TEXT_COLOUR, MARGIN - 25)

    def draw_header(self, title: str) -> None:
        self._text((EDGE, 18), title, 20, TEXT_COLOUR, self.width - 2 * EDGE)

    def draw_legend(self, marks: Sequence[FieldMark]) -> None:
        top = self.height - FOOTER + 15
        accepted = sum(mark.accepted for mark in marks)
        left = EDGE
        legend = {ACCEPTED: f"accepted ({accepted})", TO_CHECK: f"to be checked ({len(marks) - accepted})"}
        for colour, text in legend.items():
            square = _Rectangle(left, top, left + 18, top + 18)
            self._rectangle(square, fill=colour.with_alpha(60), outline=colour.with_alpha(255))
            self._text((left + 27, top + 1), text, 15, TEXT_COLOUR)
            left += 27 + round(self._width(text, 15)) + 32
        self._text((left, top + 1), "the percentage is the confidence", 15, GREY, self.width - left - EDGE)

    def _card_left(self, side: int) -> int:
        return self.page_left + self.page_width + GAP if side else EDGE

    def _on_page(self, box: Box, padding: float) -> _Rectangle:
        return _Rectangle(
            self.page_left + box.left * self.page_width - padding,
            HEADER + box.top * self.page_height - padding,
            self.page_left + box.right * self.page_width + padding,
            HEADER + box.bottom * self.page_height + padding,
        )

    def _rectangle(
        self, rectangle: _Rectangle, *, fill: Rgba | None = None, outline: Rgba | None = None, radius: int = 3
    ) -> None:
        left, top, right, bottom = (coordinate * OVERSAMPLING for coordinate in rectangle)
        corners, width = (left, top, max(left, right), max(top, bottom)), round(1.5 * OVERSAMPLING)
        self.draw.rounded_rectangle(corners, radius * OVERSAMPLING, fill=fill, outline=outline, width=width)

    def _dot(self, centre: tuple[float, float], colour: Rgb) -> None:
        x, y = centre
        corners = (x - DOT_RADIUS, y - DOT_RADIUS, x + DOT_RADIUS, y + DOT_RADIUS)
        self.draw.ellipse([coordinate * OVERSAMPLING for coordinate in corners], fill=colour.with_alpha(255))

    def _width(self, text: str, size: int) -> float:
        return self.draw.textlength(text, font=_font(size)) / OVERSAMPLING

    def _text(
        self, corner: tuple[float, float], text: str, size: int, colour: Rgb, max_width: float = float("inf")
    ) -> None:
        """One line, cut off with an ellipsis where it has no room."""
        if self._width(text, size) > max_width:
            while text and self._width(text + "…", size) > max_width:
                text = text[:-1]
            text += "…"
        self.draw.text((corner[0] * OVERSAMPLING, corner[1] * OVERSAMPLING), text, font=_font(size), fill=colour)
