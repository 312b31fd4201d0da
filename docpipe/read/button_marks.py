"""Check boxes and radio buttons of a PDF's form among the words of its page.

In: words and widgets of a page. Out: the words without the marks that stand in buttons, the widgets of a page that was
turned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from docpipe.data import Box, Widget, Word
from docpipe.read.text_layer import rotated_boxes

MAX_MARK_LETTERS = 2  # a tick of a symbol font is read as `4`, `8` or `l`, and OCR takes a box for `O` or `[]`


def without_marks(words: Sequence[Word], widgets: Sequence[Widget]) -> tuple[Word, ...]:
    """A mark in a box is its state, which the file has, and no word."""
    buttons = [widget.box for widget in widgets if widget.is_button]
    return tuple(
        word
        for word in words
        if len(word.text) > MAX_MARK_LETTERS or not any(_holds(button, word.box) for button in buttons)
    )


def turned_widgets(widgets: Sequence[Widget], degrees: int) -> tuple[Widget, ...]:
    """On the page turned clockwise."""
    sides = [(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in widgets]
    boxes = rotated_boxes(np.array(sides, np.float32).reshape(-1, 4), degrees).tolist()
    return tuple(replace(widget, box=Box(*box)) for widget, box in zip(widgets, boxes, strict=True))


def _holds(button: Box, mark: Box) -> bool:
    x, y = (mark.left + mark.right) / 2, (mark.top + mark.bottom) / 2
    return button.left <= x <= button.right and button.top <= y <= button.bottom
