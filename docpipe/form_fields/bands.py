"""Boxes of a page by their height, so that those beside another are found without a look at all of them.

In: boxes. Out: the indexes of those that a stretch of the page's height meets.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from math import floor

from docpipe.data import Box

BANDS = 100  # of a page's height; a line of print is about as high


class BoxBands:
    """Which boxes reach into which band of the page."""

    def __init__(self, boxes: Sequence[Box]) -> None:
        self._bands: dict[int, list[int]] = defaultdict(list)
        for index, box in enumerate(boxes):
            for band in _bands(box.top, box.bottom):
                self._bands[band].append(index)

    def meeting(self, top: float, bottom: float) -> list[int]:
        """Indexes of all boxes between two heights, and of some just outside, in their order."""
        return sorted({index for band in _bands(top, bottom) for index in self._bands.get(band, ())})


def _bands(top: float, bottom: float) -> range:
    return range(floor(top * BANDS), floor(bottom * BANDS) + 1)
