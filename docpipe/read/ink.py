"""Where the words of a text line begin and end, by its ink.

In: a crop of 48 pixels' height and the columns in which the recogniser saw each character. Out: where words begin and
end, to the pixel: the recogniser knows columns of 8 pixels, and only near the middle of a character.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

INK_CONTRAST = 0.4  # of the strongest contrast in the line; paper and JPEG noise stay below
MIN_CONTRAST = 40  # grey levels: a line with less contrast is noise
RULE_COVER = 0.85  # of the width: a row with so much ink is a rule or an underline, not print
WORD_REACH = 24  # pixels, half of the crop's height: ink further from a word belongs to something else
MIN_BLANK = 15  # pixels without ink between two letters or digits: a blank that the recogniser left out
CHARACTER_REACH = 28  # pixels, a little more than half of the crop's height: a Chinese character is as wide as high
BLANK_RATIO = 3.0  # ... if it is also this many times the usual gap of the line (print may be spaced)
EDGE_ROWS = 3  # rows at the top and bottom of a crop where ink of the lines above and below shows


@dataclass(frozen=True, slots=True)
class Extent:
    """A stretch of a crop in its pixels, and the rows with ink in it."""

    left: float
    right: float
    top: float
    bottom: float


@dataclass(frozen=True, slots=True)
class WordExtent:
    """A word of a line: its characters from `start` up to `end`, and where they are."""

    start: int
    end: int
    extent: Extent


class InkMask:
    """Which pixels of one crop are ink. `width` and `height` are in pixels."""

    def __init__(self, crop: NDArray[Any]) -> None:
        grey = crop.mean(axis=2, dtype=np.float32)
        contrast = np.abs(grey - np.median(grey[:, ::2]))
        ink = contrast > INK_CONTRAST * max(MIN_CONTRAST, float(np.percentile(contrast[::2, ::2], 99)))
        ink[ink.mean(axis=1) > RULE_COVER] = False
        self._ink = ink
        self.height, self.width = int(ink.shape[0]), int(ink.shape[1])
        self._columns: NDArray[np.bool_] = ink[EDGE_ROWS:-EDGE_ROWS].any(axis=0)

    def edges(self) -> tuple[int, int]:
        """The first column with ink and the one after the last; the whole crop when there is none."""
        ink_columns = np.flatnonzero(self._columns)
        return (int(ink_columns[0]), int(ink_columns[-1]) + 1) if len(ink_columns) else (0, self.width)

    def gap(self, start: float, end: float) -> tuple[int, int] | None:
        """The widest stretch without ink between two columns, None when there is no such stretch."""
        first, last = max(0, round(start)), min(self.width, round(end))
        empty = np.flatnonzero(~self._columns[first:last])
        if len(empty) == 0:
            return None
        widest = max(np.split(empty, np.flatnonzero(np.diff(empty) > 1) + 1), key=len).tolist()
        return first + widest[0], first + widest[-1] + 1

    def reach(self, start: float, step: int) -> int:
        """From a column to the left (step -1) or right (1): as far as ink goes on without a wide gap."""
        edge, empty = round(min(max(start, 0), self.width - 1)), 0
        column = edge
        while 0 <= column < self.width and empty < WORD_REACH:
            if self._columns[column]:
                edge, empty = column, 0
            else:
                empty += 1
            column += step
        return edge if step < 0 else edge + 1

    def explained(self, centres: NDArray[Any], probabilities: NDArray[Any]) -> float:
        """How much of the ink belongs to characters: the mean over its columns of the probability of the nearest
        character, 0 where that is out of reach. 1 without ink."""
        ink_columns = np.flatnonzero(self._columns)
        if len(ink_columns) == 0:
            return 1.0
        if len(centres) == 0:
            return 0.0
        nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, ink_columns)
        is_near = np.abs(ink_columns - centres[nearest]) <= CHARACTER_REACH
        return float(np.where(is_near, probabilities[nearest], 0.0).mean())

    def rows(self, left: float, right: float) -> tuple[int, int]:
        """Top and bottom of the ink in a stretch; the whole height when there is none."""
        ink_rows = np.flatnonzero(self._ink[:, max(0, round(left)) : max(1, round(right))].any(axis=1))
        return (int(ink_rows[0]), int(ink_rows[-1]) + 1) if len(ink_rows) else (0, self.height)


def words_in(ink: InkMask, texts: Sequence[str], centres: Sequence[float]) -> list[WordExtent]:
    """The words of a line. `texts` are its characters, `centres` the middle of each in pixels."""
    spans = _word_spans(ink, texts, centres)
    words: list[WordExtent] = []
    left = 0.0
    for first, last in spans:
        left = ink.reach(centres[first], -1) if not words else max(left, 0.0)
        following = next((start for start, _ in spans if start > last), None)
        if following is None:
            right: float = ink.reach(centres[last], 1)
            next_left = right
        else:
            middle = (centres[last] + centres[following]) / 2
            right, next_left = ink.gap(centres[last], centres[following]) or (middle, middle)
        top, bottom = ink.rows(left, right)
        words.append(WordExtent(first, last + 1, Extent(left, max(right, left + 1), top, bottom)))
        left = next_left
    return words


def _word_spans(ink: InkMask, texts: Sequence[str], centres: Sequence[float]) -> list[tuple[int, int]]:
    """First and last character of each word: words end at blanks, and at gaps wide enough for one."""
    gaps = [
        _length(ink.gap(centres[i], centres[i + 1])) if texts[i].isalnum() and texts[i + 1].isalnum() else 0
        for i in range(len(texts) - 1)
    ]
    usual_gap = float(np.median([gap for gap in gaps if gap] or [0]))
    spans: list[tuple[int, int]] = []
    start = None
    for i, text in enumerate(texts):
        if text.isspace():
            start = None
            continue
        blank_was_left_out = start is not None and i > 0 and gaps[i - 1] >= max(MIN_BLANK, BLANK_RATIO * usual_gap)
        if start is None or blank_was_left_out:
            spans.append((i, i))
            start = i
        else:
            spans[-1] = (spans[-1][0], i)
    return spans


def _length(gap: tuple[int, int] | None) -> int:
    return 0 if gap is None else gap[1] - gap[0]
