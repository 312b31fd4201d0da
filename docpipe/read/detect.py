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

TEXT_PROBABILITY = 0.3  # the detector's map is text above this (the value it was trained for)
REGION_PROBABILITY = 0.5  # mean of the map inside a region; below it RapidOCR drops the region, too
GROWTH = 1.6  # the map marks the core of a line; its outline lies this much of area / perimeter outside
MIN_THICKNESS = 3  # pixels of the map: thinner cores are specks
GRID = 32  # the network halves the picture five times
MAX_PIXELS = 1_600_000  # pixels that the network sees at once: 250 MB; A4 at 1,400 pixels is 1.4 million
BAND_OVERLAP = 128  # pixels that two bands have in common: eight lines of print, or one that rises by 4 degrees
EDGE_DISTANCE = 4  # pixels: what comes so near to the edge of a band may go on behind it


@dataclass(frozen=True, slots=True)
class PixelBox:
    """An upright rectangle in pixels of the picture."""

    left: float
    top: float
    right: float
    bottom: float


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
    def is_tall(self) -> bool:
        return self.height > self.width

    def overlaps(self, other: Region) -> bool:
        """Whether the middle of one lies in the other."""
        return self._contains_centre_of(other) or other._contains_centre_of(self)

    def _contains_centre_of(self, other: Region) -> bool:
        right, down = cos(radians(self.angle)), sin(radians(self.angle))
        along = (other.x - self.x) * right + (other.y - self.y) * down
        across = (other.y - self.y) * right - (other.x - self.x) * down
        return 2 * abs(along) < self.width and 2 * abs(across) < self.height

    @property
    def upright_box(self) -> PixelBox:
        """The line as if its angle were 0."""
        half_width, half_height = self.width / 2, self.height / 2
        return PixelBox(self.x - half_width, self.y - half_height, self.x + half_width, self.y + half_height)


def find_regions(picture: NDArray[Any], models: OcrModels, *, side: int) -> list[Region]:
    """`side` is the longer side, in pixels, at which the detector sees the picture. What is too large for one
    run of the network goes through it in bands, from top to bottom.
    """
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    regions: list[Region] = []
    end = 0
    for top, bottom in _bands(height, width, scale):
        band = picture[top:bottom]
        band_regions = _detect(band, models, side=round(scale * max(band.shape[:2])))
        moved = [replace(region, y=region.y + top) for region in band_regions]
        if top:
            moved = _merge_bands(regions, moved, common_rows=(top, end), edge_distance=EDGE_DISTANCE / scale)
        regions = moved
        end = bottom
    return regions


def _bands(height: int, width: int, scale: float) -> Iterator[tuple[int, int]]:
    """Rows of the picture; of each band the detector sees MAX_PIXELS pixels at most."""
    overlap = BAND_OVERLAP / scale
    max_height = max(2 * BAND_OVERLAP, MAX_PIXELS / (width * scale)) / scale
    count = ceil(max(1.0, (height - overlap) / (max_height - overlap)))
    step = (height - overlap) / count
    for number in range(count - 1):
        yield round(number * step), round((number + 1) * step + overlap)
    yield round((count - 1) * step), height


def _merge_bands(
    above: list[Region], below: list[Region], *, common_rows: tuple[int, int], edge_distance: float
) -> list[Region]:
    """The lines of two bands. In their common rows both have the same lines: a whole one counts, not one that the
    edge of a band cuts; text that runs up the page through all of these rows stays in pieces.
    """
    top, bottom = common_rows
    cut = [region for region in above if region.upright_box.bottom > bottom - edge_distance]
    cut += [region for region in below if region.upright_box.top < top + edge_distance]
    whole_above = [region for region in above if region.upright_box.bottom <= bottom - edge_distance]
    in_common_rows = [region for region in whole_above if region.upright_box.bottom > top]
    new = [region for region in below if region.upright_box.top >= top + edge_distance]
    new = [region for region in new if region.upright_box.top > bottom or not any(map(region.overlaps, in_common_rows))]
    return whole_above + new + [region for region in cut if not any(map(region.overlaps, in_common_rows + new))]


def _detect(picture: NDArray[Any], models: OcrModels, *, side: int) -> list[Region]:
    import cv2  # heavy: 0.1 s, and only pages without a text layer need it

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    map_width = max(GRID, round(width * scale / GRID) * GRID)
    map_height = max(GRID, round(height * scale / GRID) * GRID)
    resized = cv2.resize(picture, (map_width, map_height), interpolation=cv2.INTER_LINEAR)
    text_map = models.text_map(network_input(resized)[None])
    mask = cv2.dilate((text_map > TEXT_PROBABILITY).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    regions = [_region(contour, text_map) for contour in contours]
    x_scale, y_scale = width / map_width, height / map_height
    return [_scaled(region, x_scale, y_scale) for region in regions if region is not None]


def network_input(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """(height, width, RGB) bytes -> (BGR, height, width) between -1 and 1, as the networks were trained."""
    planes = pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)
    planes *= 1 / 127.5
    planes -= 1
    return planes


def _region(contour: NDArray[Any], text_map: NDArray[np.float32]) -> Region | None:
    import cv2  # heavy: see _detect

    (x, y), (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < MIN_THICKNESS:
        return None
    score = _mean_inside(cv2.boxPoints(((x, y), (width, height), angle)), text_map)
    if score < REGION_PROBABILITY:
        return None
    while angle > 45:  # OpenCV counts from 0 to 90: name the sides so that the angle is small
        angle, width, height = angle - 90, height, width
    while angle < -45:
        angle, width, height = angle + 90, height, width
    growth = width * height * GROWTH / (2 * (width + height))
    return Region(x, y, width + 2 * growth, height + 2 * growth, angle, score)


def _mean_inside(corners: NDArray[Any], text_map: NDArray[np.float32]) -> float:
    import cv2  # heavy: see _detect

    height, width = text_map.shape
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, (width - 1, height - 1))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int), 0, (width - 1, height - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, (corners - (left, top)).astype(np.int32)[None], (1,))
    return float(cv2.mean(text_map[top : bottom + 1, left : right + 1], mask)[0])


def _scaled(region: Region, x_scale: float, y_scale: float) -> Region:
    """From the map to the picture; the two factors differ by the rounding to the grid only."""
    length_scale = hypot(x_scale, 0) if abs(region.angle) < 1 else (x_scale + y_scale) / 2
    slope = np.tan(np.radians(region.angle)) * y_scale / x_scale
    return Region(
        region.x * x_scale,
        region.y * y_scale,
        region.width * length_scale,
        region.height * y_scale,
        degrees(atan2(slope, 1)),
        region.score,
    )
