"""Hand-made pages: lines of text with boxes, as a reader would return them."""

from __future__ import annotations

from collections.abc import Sequence

from docpipe.data import Box, Page, Word

LETTER = 0.01  # of the page's width
BLANK = 0.01
LINE = 0.02


def line_of(text: str, number: int, *, left: float = 0.1, top: float = 0.1, confidence: float = 0.98) -> list[Word]:
    words: list[Word] = []
    for part in text.split():
        right = left + LETTER * len(part)
        words.append(Word(part, Box(left, top, right, top + LINE), confidence, "ocr", number))
        left = right + BLANK
    return words


def page_of(lines: Sequence[str], *, number: int = 1, confidence: float = 0.98) -> Page:
    """One line below the other, from the top left."""
    words = [
        word
        for place, text in enumerate(lines)
        for word in line_of(text, place, top=0.05 + 0.03 * place, confidence=confidence)
    ]
    return Page(number, 1000, 1400, 120.0, None, tuple(words))
