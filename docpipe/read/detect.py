"""Where the text lines are.

In: an RGB picture and the OCR models. Out: one `Region` per text line, in pixels of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import atan2, ceil, cos, degrees, hypot, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.read.ocr_models import OcrModels

INK_PROBABILITY = 0.3  # the detector's map is text above this (the value it was trained for)
REGION_PROBABILITY = 0.5  # mean of the map inside a region; below it RapidOCR drops the region, too
GROWTH = 1.6  # the map marks the core of a line; its outline lies this much of area / perimeter outside
MIN_CORE = 3  # pixels of the map: thinner cores are specks
GRID = 32  # the network halves the picture five times
MAX_LOOK = 1_600_000  # pixels that the network sees at once: 250 MB; A4 at 1,400 pixels is 1.4 million
SHARED = 128  # pixels that two bands have in common: eight lines of print, or one that rises by 4 degrees
NEAR = 4  # pixels: what comes so near to the edge of a band may go on behind it


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle around a line of text. `width` runs along the reading direction before any turn of the page;
    `angle` is in degrees, clockwise, within -45..45 of the nearest axis.
    """

    x: float  # centre
    y: float
    width: float
    height: float
    angle: float
    score: float

    @property
    def tall(self) -> bool:
        return self.height > self.width

    def meets(self, other: Region) -> bool:
        """Whether the middle of one lies in the other."""
        return self._holds(other) or other._holds(self)

    def _holds(self, other: Region) -> bool:
        right, down = cos(radians(self.angle)), sin(radians(self.angle))
        along = (other.x - self.x) * right + (other.y - self.y) * down
        across = (other.y - self.y) * right - (other.x - self.x) * down
        return 2 * abs(along) < self.width and 2 * abs(across) < self.height

    @property
    def outline(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the line as if it were level."""
        return (self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2)


def find_regions(picture: NDArray[Any], models: OcrModels, *, side: int) -> list[Region]:
    """`side` is the longer side, in pixels, at which the detector looks at the picture. What is too large for one
    look is seen in bands, from top to bottom.
    """
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    found: list[Region] = []
    end = 0
    for top, foot in _bands(height, width, scale):
        band = picture[top:foot]
        seen = _look(band, models, side=round(scale * max(band.shape[:2])))
        below = [replace(region, y=region.y + top) for region in seen]
        found = _joined(found, below, shared=(top, end), near=NEAR / scale) if top else below
        end = foot
    return found


def _bands(height: int, width: int, scale: float) -> Iterator[tuple[int, int]]:
    """Rows of the picture; of each band the detector sees MAX_LOOK pixels at most."""
    shared = SHARED / scale
    most = max(2 * SHARED, MAX_LOOK / (width * scale)) / scale
    count = ceil(max(1.0, (height - shared) / (most - shared)))
    step = (height - shared) / count
    for number in range(count - 1):
        yield round(number * step), round((number + 1) * step + shared)
    yield round((count - 1) * step), height


def _joined(above: list[Region], below: list[Region], *, shared: tuple[int, int], near: float) -> list[Region]:
    """The lines of two bands. In the rows they share both see the same lines: a whole one counts, not one that the
    edge of a band cuts; text that runs up the page through all of these rows stays in pieces.
    """
    top, foot = shared
    cut = [region for region in above if region.outline[3] > foot - near]
    cut += [region for region in below if region.outline[1] < top + near]
    kept = [region for region in above if region.outline[3] <= foot - near]
    twice = [region for region in kept if region.outline[3] > top]
    fresh = [region for region in below if region.outline[1] >= top + near]
    fresh = [region for region in fresh if region.outline[1] > foot or not any(map(region.meets, twice))]
    return kept + fresh + [region for region in cut if not any(map(region.meets, twice + fresh))]


def _look(picture: NDArray[Any], models: OcrModels, *, side: int) -> list[Region]:
    import cv2  # heavy: 0.1 s, and only pages without a text layer need it

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    map_width = max(GRID, round(width * scale / GRID) * GRID)
    map_height = max(GRID, round(height * scale / GRID) * GRID)
    shrunk = cv2.resize(picture, (map_width, map_height), interpolation=cv2.INTER_LINEAR)
    text = models.text_map(network_input(shrunk)[None])
    mask = cv2.dilate((text > INK_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    found = [_region(contour, text) for contour in contours]
    back = (width / map_width, height / map_height)
    return [_scaled(region, *back) for region in found if region is not None]


def network_input(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """(height, width, RGB) bytes -> (BGR, height, width) between -1 and 1, as the networks were trained."""
    planes = pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)
    planes *= 1 / 127.5
    planes -= 1
    return planes


def _region(contour: NDArray[Any], text: NDArray[np.float32]) -> Region | None:
    import cv2  # heavy: see find_regions

    (x, y), (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < MIN_CORE:
        return None
    score = _mean_inside(cv2.boxPoints(((x, y), (width, height), angle)), text)
    if score < REGION_PROBABILITY:
        return None
    while angle > 45:  # OpenCV counts from 0 to 90: name the sides so that the angle is small
        angle, width, height = angle - 90, height, width
    while angle < -45:
        angle, width, height = angle + 90, height, width
    grow = width * height * GROWTH / (2 * (width + height))
    return Region(x, y, width + 2 * grow, height + 2 * grow, angle, score)


def _mean_inside(corners: NDArray[Any], text: NDArray[np.float32]) -> float:
    import cv2  # heavy: see find_regions

    height, width = text.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, (corners - (left, top)).astype(np.int32)[None], (1,))
    return float(cv2.mean(text[top : bottom + 1, left : right + 1], mask)[0])


def _scaled(region: Region, across: float, down: float) -> Region:
    """From the map to the picture; the two factors differ by the rounding to the grid only."""
    along = hypot(across, 0) if abs(region.angle) < 1 else (across + down) / 2
    slope = np.tan(np.radians(region.angle)) * down / across
    return Region(
        region.x * across,
        region.y * down,
        region.width * along,
        region.height * down,
        degrees(atan2(slope, 1)),
        region.score,
    )
