"""Skewed pages are deskewed: words of one line of print get one height, so that tables keep their rows.

In: boxes [N, 4] in fractions of the page and the line of each word. Out: boxes moved up or down, none made smaller.
No torch here: training and production share this file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from docpipe.vlm.inputs import Float32Array, Int64Array

MIN_LINE_WIDTH = 0.08  # of the page's width: a shorter line says little about the slope
PAGE_MIDDLE = 0.5


def deskewed(boxes: Float32Array, lines: Int64Array) -> Float32Array:
    """The slope that most of the print has is taken out about the middle of the page; what is left of it within a line
    (a curved page, a photo taken from the side) goes by giving all its words the line's mean height."""
    if not len(boxes):
        return boxes
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    _, line = np.unique(lines, return_inverse=True)
    count = np.bincount(line)
    from_x, from_y = x - (np.bincount(line, x) / count)[line], y - (np.bincount(line, y) / count)[line]
    level = y - _slope(line, from_x, from_y) * (x - PAGE_MIDDLE)
    shift = (np.bincount(line, level) / count)[line] - y
    return (boxes + shift[:, None] * np.array([0.0, 1.0, 0.0, 1.0])).astype(np.float32)


def _slope(line: Int64Array, x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """How far a line falls per unit to the right: the median over lines, each weighing as much as it is wide. x and y
    are counted from the middle of the line."""
    spread = np.bincount(line, x * x)
    width = np.sqrt(spread / np.bincount(line)) * 2
    wide = width >= MIN_LINE_WIDTH
    if not wide.any():
        return 0.0
    slopes = np.bincount(line, x * y)[wide] / spread[wide]
    order = np.argsort(slopes)
    weight = np.cumsum(width[wide][order])
    return float(slopes[order][np.searchsorted(weight, weight[-1] / 2)])
