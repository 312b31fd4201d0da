"""Places on a page, in points from its top left corner: points and rectangles.

In: numbers. Out: small values with names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple


class Point(NamedTuple):
    x: float
    y: float


class PageRectangle(NamedTuple):
    """Upright; `top` is smaller than `bottom`."""

    left: float
    top: float
    right: float
    bottom: float


def rotated(points: Sequence[Point], origin: Point, degrees: float) -> list[Point]:
    """Points given relative to `origin`, turned counter-clockwise about it."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [Point(origin.x + x * cosine + y * sine, origin.y - x * sine + y * cosine) for x, y in points]
