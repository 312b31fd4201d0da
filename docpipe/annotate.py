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

from PIL import Image, ImageDraw, ImageFont

from docpipe.data import Box, Field
from docpipe.paths import FieldPath

Colour = tuple[int, int, int]

ACCEPTED: Colour = (20, 132, 74)
DOUBTFUL: Colour = (208, 112, 0)  # amber dark enough to read on white
INK: Colour = (28, 32, 38)
GREY: Colour = (104, 112, 122)
DESK: Colour = (239, 241, 244)
WHITE: Colour = (255, 255, 255)

SHARPNESS = 2  # everything is drawn at twice the size and reduced: smooth slanted lines
PAGE_HEIGHT = 1500  # pixels of the finished picture; small print of an A4 page is still legible
MIN_PAGE_WIDTH, MAX_PAGE_HEIGHT = 620, 2600  # a long receipt gets more height until its width is legible
MAX_PAGE_WIDTH = 1700
MARGIN, GAP, EDGE = 330, 26, 22  # a column of cards, between it and the page, around everything
HEADER, FOOTER = 58, 46
CARD, ROW_CARD, CARD_GAP = 50, 27, 7  # heights of a card with two lines and with one
BOX_PADDING = 3  # keeps the outline off the letters

FontType = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn for one field, or for one row of a list: its boxes on the page, and a card."""

    name: str
    text: str
    note: str
    accepted: bool
    boxes: tuple[Box, ...]
    is_row: bool = False

    @property
    def around(self) -> Box:
        return list(accumulate(self.boxes, Box.union))[-1]

    @property
    def colour(self) -> Colour:
        return ACCEPTED if self.accepted else DOUBTFUL

    @property
    def card_height(self) -> int:
        return ROW_CARD if self.is_row else CARD


def annotate(image: Image.Image, fields: Sequence[Field], page: int, title: str) -> Image.Image:
    """The picture of page number `page`. Fields without evidence on it are not drawn."""
    marks = page_marks(fields, page)
    width, height = _page_size(image)
    sides = _sides(marks)
    canvas = _Canvas(width, max(height, *(_column_height(side) for side in sides)))
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


def page_marks(fields: Iterable[Field], page: int) -> list[Mark]:
    """One mark per single field, one per row of a list, from top to bottom."""
    rows: dict[str, list[Field]] = {}
    singles = []
    for field in fields:
        if any(evidence.page == page for evidence in field.evidence):
            if row := FieldPath.parse(field.path).row:
                rows.setdefault(row, []).append(field)
            else:
                singles.append(field)
    marks = [_single_mark(field, page) for field in singles]
    marks += [_row_mark(name, cells, page) for name, cells in rows.items()]
    return sorted(marks, key=lambda mark: mark.around.top + mark.around.bottom)


def shown(field: Field) -> str:
    """The value as text; the printed text where nothing could be made of it."""
    return str(field.raw or "") if field.value is None else str(field.value)


def _boxes(field: Field, page: int) -> tuple[Box, ...]:
    return tuple(evidence.box for evidence in field.evidence if evidence.page == page)


def _single_mark(field: Field, page: int) -> Mark:
    return Mark(field.path, shown(field), f"{field.confidence:.0%}", field.accepted, _boxes(field, page))


def _row_mark(name: str, cells: Sequence[Field], page: int) -> Mark:
    boxes = tuple(box for cell in cells for box in _boxes(cell, page))
    doubtful = sum(not cell.accepted for cell in cells)
    note = f"{doubtful} of {len(cells)} to check" if doubtful else f"{len(cells)} cells"
    return Mark(name, "", note, not doubtful, boxes, is_row=True)


def _page_size(image: Image.Image) -> tuple[int, int]:
    scale = max(PAGE_HEIGHT / image.height, min(MIN_PAGE_WIDTH / image.width, MAX_PAGE_HEIGHT / image.height))
    scale = min(scale, MAX_PAGE_WIDTH / image.width)
    return max(1, round(image.width * scale)), max(1, round(image.height * scale))


def _sides(marks: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Left and right column: the nearer margin, unless its column is much fuller. Rows stay on the right,
    where the amounts are."""
    left: list[Mark] = []
    right = [mark for mark in marks if mark.is_row]
    for mark in sorted((mark for mark in marks if not mark.is_row), key=lambda mark: mark.around.left):
        nearer_left = mark.around.left + mark.around.right < 1.0
        fuller = _column_height(left) - _column_height(right)
        (left if (nearer_left and fuller < 4 * CARD) or fuller < -6 * CARD else right).append(mark)
    return _by_height(left), _by_height(right)


def _by_height(marks: Iterable[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: mark.around.top + mark.around.bottom)


def _column_height(marks: Sequence[Mark]) -> int:
    return sum(mark.card_height + CARD_GAP for mark in marks)


def _tops(marks: Sequence[Mark], page_height: int, column_height: int) -> list[int]:
    """Each card beside its box, or as near as the cards above and below allow."""
    tops: list[int] = []
    free = 0
    for mark in marks:
        middle = (mark.around.top + mark.around.bottom) / 2 * page_height
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
    home = find_spec("reportlab")
    vera = Path(home.origin).parent / "fonts" / "Vera.ttf" if home and home.origin else None
    if vera and vera.exists():
        return ImageFont.truetype(str(vera), size * SHARPNESS)
    return ImageFont.load_default(size * SHARPNESS)


class _Canvas:
    """The sheet on which the page, the boxes and the cards are drawn. Its methods take finished pixels."""

    def __init__(self, page_width: int, column_height: int) -> None:
        self.column_height = column_height
        self.page_left = EDGE + MARGIN + GAP
        self.page_width, self.page_height = page_width, 0
        self.width = page_width + 2 * (EDGE + MARGIN + GAP)
        self.height = HEADER + column_height + FOOTER
        self.image = Image.new("RGB", (self.width * SHARPNESS, self.height * SHARPNESS), DESK)
        self.draw = ImageDraw.Draw(self.image, "RGBA")

    def finished(self) -> Image.Image:
        return self.image.reduce(SHARPNESS)

    def paste_page(self, image: Image.Image, width: int, height: int) -> None:
        self.page_height = height
        corner = (self.page_left, HEADER, self.page_left + width, HEADER + height)
        self._rectangle((corner[0] - 1, corner[1] - 1, corner[2] + 1, corner[3] + 1), fill=(198, 203, 210, 255))
        page = image.convert("RGB").resize((width * SHARPNESS, height * SHARPNESS), Image.Resampling.LANCZOS)
        self.image.paste(page, (corner[0] * SHARPNESS, corner[1] * SHARPNESS))

    def draw_boxes(self, mark: Mark) -> None:
        if mark.is_row:
            self._rectangle(self._on_page(mark.around, 2 * BOX_PADDING), outline=(*mark.colour, 150))
        for box in mark.boxes:
            self._rectangle(self._on_page(box, BOX_PADDING), fill=(*mark.colour, 34), outline=(*mark.colour, 255))

    def draw_leader(self, mark: Mark, side: int, top: int) -> None:
        """From the card straight to the page's edge, then to the nearest side of the box."""
        left, box_top, right, bottom = self._on_page(mark.around, 2 * BOX_PADDING if mark.is_row else BOX_PADDING)
        level = HEADER + top + mark.card_height / 2
        end = (right if side else left, min(max(level, box_top + 2), bottom - 2))
        edge = self.page_left + self.page_width + GAP / 3 if side else self.page_left - GAP / 3
        start = self._card_left(side) if side else self._card_left(side) + MARGIN
        points = [coordinate * SHARPNESS for x_y in ((start, level), (edge, level), end) for coordinate in x_y]
        self.draw.line(points, fill=(*mark.colour, 120), width=round(1.25 * SHARPNESS), joint="curve")
        radius = 3
        self._ellipse((end[0] - radius, end[1] - radius, end[0] + radius, end[1] + radius), mark.colour)

    def draw_card(self, mark: Mark, side: int, top: int) -> None:
        left, top = self._card_left(side), HEADER + top
        self._rectangle((left, top, left + MARGIN, top + mark.card_height), fill=(*WHITE, 255), radius=5)
        self._rectangle((left, top, left + 5, top + mark.card_height), fill=(*mark.colour, 255), radius=2)
        note_width = self._width(mark.note, 14)
        self._text((left + MARGIN - note_width - 10, top + 6), mark.note, 14, mark.colour)
        self._text((left + 15, top + 6), mark.name, 14, GREY, MARGIN - note_width - 35)
        if not mark.is_row:
            self._text((left + 15, top + 25), " ".join(mark.text.split()), 17, INK, MARGIN - 25)

    def draw_header(self, title: str) -> None:
        self._text((EDGE, 18), title, 20, INK, self.width - 2 * EDGE)

    def draw_legend(self, marks: Sequence[Mark]) -> None:
        top = self.height - FOOTER + 15
        accepted = sum(mark.accepted for mark in marks)
        left = EDGE
        for colour, text in (
            (ACCEPTED, f"accepted ({accepted})"),
            (DOUBTFUL, f"to be checked ({len(marks) - accepted})"),
        ):
            self._rectangle((left, top, left + 18, top + 18), fill=(*colour, 60), outline=(*colour, 255))
            self._text((left + 27, top + 1), text, 15, INK)
            left += 27 + round(self._width(text, 15)) + 32
        self._text((left, top + 1), "the percentage is the confidence", 15, GREY, self.width - left - EDGE)

    def _card_left(self, side: int) -> int:
        return self.page_left + self.page_width + GAP if side else EDGE

    def _on_page(self, box: Box, padding: float) -> tuple[float, float, float, float]:
        return (
            self.page_left + box.left * self.page_width - padding,
            HEADER + box.top * self.page_height - padding,
            self.page_left + box.right * self.page_width + padding,
            HEADER + box.bottom * self.page_height + padding,
        )

    def _rectangle(
        self,
        corners: tuple[float, float, float, float],
        *,
        fill: tuple[int, int, int, int] | None = None,
        outline: tuple[int, int, int, int] | None = None,
        radius: int = 3,
    ) -> None:
        left, top, right, bottom = (coordinate * SHARPNESS for coordinate in corners)
        place = (left, top, max(left, right), max(top, bottom))
        self.draw.rounded_rectangle(place, radius * SHARPNESS, fill=fill, outline=outline, width=round(1.5 * SHARPNESS))

    def _ellipse(self, corners: tuple[float, float, float, float], colour: Colour) -> None:
        self.draw.ellipse([coordinate * SHARPNESS for coordinate in corners], fill=(*colour, 255))

    def _width(self, text: str, size: int) -> float:
        return self.draw.textlength(text, font=_font(size)) / SHARPNESS

    def _text(
        self, place: tuple[float, float], text: str, size: int, colour: Colour, room: float = float("inf")
    ) -> None:
        """One line, cut off with an ellipsis where it has no room."""
        if self._width(text, size) > room:
            while text and self._width(text + "…", size) > room:
                text = text[:-1]
            text += "…"
        self.draw.text((place[0] * SHARPNESS, place[1] * SHARPNESS), text, font=_font(size), fill=colour)
