"""OCR: the words of a picture that has no text layer.

In: an RGB picture. Out: what is printed in it and how far the picture must be turned to stand upright.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import radians, tan
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.detect import Region, find_regions
from docpipe.read.ocr_models import OcrModels
from docpipe.read.order import Run
from docpipe.read.orientation import is_sideways, is_upside_down, probes
from docpipe.read.recognise import ReadRegion, cut_out, recognise

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

SHORT_SIDE = 512  # pixels at which the detector sees the shorter side of a receipt
LONG_SIDE = 1400  # pixels, unless the print is small: A4 at 120 dpi, half of the pixels of RapidOCR's 2000 (decision 3)
FINE_LONG_SIDE = 2400  # pixels for small print
SMALL_LINE = 13  # pixels of a usual line as the detector sees it; below it misses lines
LONG_LINE = 4.0  # width / height from which a line's own angle says something
SLOPE_TRIALS = np.arange(-1.5, 1.6, 0.25)  # degrees around the measured slope
LEVEL_BIN = 0.25  # of a line's height: closer lines stand level
STRIP_ASPECT = 3.0  # length / width of a till roll above which it is read in strips


@dataclass(frozen=True, slots=True)
class Reading:
    """`turned`: the picture must be turned clockwise by this much; the runs' boxes are those of the turned picture.
    `slope`: how far a line falls per unit to the right.
    """

    runs: tuple[Run, ...]
    turned: int
    slope: float


class Ocr:
    """Reads pictures. Safe to use from several threads."""

    def __init__(self, *, threads: int = 1) -> None:
        self.models = OcrModels(threads)

    def read(self, picture: Image) -> Reading:
        pixels = np.asarray(picture.convert("RGB"))
        turned = 0
        regions = self.regions(pixels)
        if is_sideways(regions):
            pixels, turned = np.rot90(pixels, -1), 90
            regions = self.regions(pixels)
        crops = cut_out(pixels, regions)
        first = probes(crops)
        probed = recognise([crops[i] for i in first], self.models)
        if is_upside_down([crops[i] for i in first], probed, self.models):
            pixels, turned, first, probed = np.rot90(pixels, 2), turned + 180, [], []
            regions = self.regions(pixels)
            crops = cut_out(pixels, regions)
        rest = [i for i in range(len(crops)) if i not in first]
        read = probed + recognise([crops[i] for i in rest], self.models)
        height, width = pixels.shape[:2]
        return Reading(tuple(_runs(read, width, height)), turned, _slope(regions))

    def lines(self, pixels: NDArray[Any], regions: Sequence[Region]) -> list[str]:
        """What stands in these regions alone."""
        return [read.text for read in recognise(cut_out(pixels, regions), self.models)]

    def regions(self, pixels: NDArray[Any]) -> list[Region]:
        """The lines of text; small print is looked at again, larger."""
        found = []
        for top, strip in _strips(pixels):
            long, short = max(strip.shape[:2]), min(strip.shape[:2])
            side = min(LONG_SIDE, round(long * max(1.0, SHORT_SIDE / short)))
            seen = find_regions(strip, self.models, side=side)
            line = float(np.median([min(region.width, region.height) for region in seen] or [long])) * side / long
            if line < SMALL_LINE and side < FINE_LONG_SIDE:
                side = min(FINE_LONG_SIDE, round(side * SMALL_LINE * 1.25 / line))
                seen = find_regions(strip, self.models, side=side)
            found += [replace(region, y=region.y + top) for region in seen]
        return found


def _strips(pixels: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """A till roll in pieces of a page's shape, cut where there is the least ink; other pictures whole."""
    height, width = pixels.shape[:2]
    top = 0
    while height - top > STRIP_ASPECT * width:
        low, high = top + round((STRIP_ASPECT - 1) * width), top + round(STRIP_ASPECT * width)
        unrest = np.abs(np.diff(pixels[low:high, :, 1].astype(np.int16), axis=1)).mean(axis=1)
        calm = np.convolve(unrest, np.ones(5) / 5, mode="same")
        cut = low + int(calm[2:-2].argmin()) + 2 if len(calm) > 4 else high
        yield top, pixels[top:cut]
        top = cut
    yield top, pixels[top:]


def _slope(regions: Sequence[Region]) -> float:
    """Of the page: the angle of its long lines, then adjusted until most lines stand level with others.
    Short words alone are off by a degree, which is a line's height across the page.
    """
    lying = [region for region in regions if not region.tall]
    if len(lying) < 2:
        return 0.0
    long = [region for region in lying if region.width > LONG_LINE * region.height] or lying
    measured = float(np.median([tan(radians(region.angle)) for region in long]))
    x, y, height = np.array([(region.x, region.y, region.height) for region in lying]).T
    bin_size = float(np.median(height)) * LEVEL_BIN
    trials = sorted((measured + np.tan(np.radians(SLOPE_TRIALS))).tolist(), key=lambda slope: abs(slope - measured))
    best: float = max(trials, key=lambda slope: _level(y - slope * x, bin_size))  # of equals, the nearest
    return best


def _level(heights: NDArray[Any], bin_size: float) -> int:
    """How many pairs of lines stand level."""
    apart = np.abs(heights[:, None] - heights[None])
    return int((apart < bin_size).sum())


def _runs(read: Sequence[ReadRegion], width: int, height: int) -> list[Run]:
    runs = []
    for answer in read:
        words = tuple(
            Word(word.text, _fractions(word.box, width, height), word.confidence, "ocr", 0) for word in answer.words
        )
        if words:
            runs.append(Run(words, _fractions(answer.region.outline, width, height)))
    return runs


def _fractions(box: tuple[float, float, float, float], width: int, height: int) -> Box:
    left, top, right, bottom = (
        min(1.0, max(0.0, edge / side)) for edge, side in zip(box, (width, height, width, height), strict=True)
    )
    return Box(left, top, right, bottom)
