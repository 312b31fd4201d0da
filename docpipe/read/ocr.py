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
from docpipe.read.detect import PixelBox, Region, find_regions
from docpipe.read.legibility import unread_lines
from docpipe.read.ocr_models import OcrModels
from docpipe.read.order import TextRun
from docpipe.read.orientation import is_sideways, is_upside_down, probe_lines
from docpipe.read.recognise import RecognisedRegion, cut_out, recognise
from docpipe.unread_script import UnreadLines

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

SHORT_SIDE = 512  # pixels at which the detector sees the shorter side of a receipt
LONG_SIDE = 1400  # pixels, unless the print is small: A4 at 120 dpi, half of the pixels of RapidOCR's 2000 (decision 3)
FINE_LONG_SIDE = 2400  # pixels for small print
SMALL_LINE = 13  # pixels of a usual line as the detector sees it; below it misses lines
LONG_LINE = 4.0  # width / height from which a line's own angle says something
SLOPE_TRIALS = np.arange(-1.5, 1.6, 0.25)  # degrees around the measured slope
ALIGNMENT_BIN = 0.25  # of a line's height: lines that are closer are aligned
STRIP_ASPECT = 3.0  # length / width of a till roll above which it is read in strips


@dataclass(frozen=True, slots=True)
class OcrResult:
    """`rotation`: the picture must be turned clockwise by this much; the runs' boxes are those of the turned picture.
    `slope`: how far a line falls per unit to the right. `unread`: the lines that could not be read.
    """

    runs: tuple[TextRun, ...]
    rotation: int
    slope: float
    unread: UnreadLines


class Ocr:
    """Reads pictures. Safe to use from several threads."""

    def __init__(self, *, threads: int = 1) -> None:
        self.models = OcrModels(threads)

    def read(self, picture: Image) -> OcrResult:
        pixels = np.asarray(picture.convert("RGB"))
        rotation = 0
        regions = self.regions(pixels)
        if is_sideways(regions):
            pixels, rotation = np.rot90(pixels, -1), 90
            regions = self.regions(pixels)
        crops = cut_out(pixels, regions)
        probe_indexes = probe_lines(crops)
        probe_regions = recognise([crops[i] for i in probe_indexes], self.models)
        if is_upside_down([crops[i] for i in probe_indexes], probe_regions, self.models):
            pixels, rotation, probe_indexes, probe_regions = np.rot90(pixels, 2), rotation + 180, [], []
            regions = self.regions(pixels)
            crops = cut_out(pixels, regions)
        other_indexes = [i for i in range(len(crops)) if i not in probe_indexes]
        recognised = probe_regions + recognise([crops[i] for i in other_indexes], self.models)
        height, width = pixels.shape[:2]
        runs = tuple(_text_runs(recognised, width, height))
        return OcrResult(runs, rotation, _slope(regions), unread_lines(recognised))

    def recognised(self, pixels: NDArray[Any], regions: Sequence[Region]) -> list[RecognisedRegion]:
        """What is in these regions alone."""
        return recognise(cut_out(pixels, regions), self.models)

    def regions(self, pixels: NDArray[Any]) -> list[Region]:
        """The lines of text; small print is searched again, larger."""
        regions = []
        for top, strip in _strips(pixels):
            long_side, short_side = max(strip.shape[:2]), min(strip.shape[:2])
            side = min(LONG_SIDE, round(long_side * max(1.0, SHORT_SIDE / short_side)))
            strip_regions = find_regions(strip, self.models, side=side)
            thickness = float(np.median([min(region.width, region.height) for region in strip_regions] or [long_side]))
            line_pixels = thickness * side / long_side
            if line_pixels < SMALL_LINE and side < FINE_LONG_SIDE:
                side = min(FINE_LONG_SIDE, round(side * SMALL_LINE * 1.25 / line_pixels))
                strip_regions = find_regions(strip, self.models, side=side)
            regions += [replace(region, y=region.y + top) for region in strip_regions]
        return regions


def _strips(pixels: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """A till roll in pieces of a page's shape, cut where there is the least ink; other pictures whole."""
    height, width = pixels.shape[:2]
    top = 0
    while height - top > STRIP_ASPECT * width:
        low, high = top + round((STRIP_ASPECT - 1) * width), top + round(STRIP_ASPECT * width)
        contrast = np.abs(np.diff(pixels[low:high, :, 1].astype(np.int16), axis=1)).mean(axis=1)
        smoothed = np.convolve(contrast, np.ones(5) / 5, mode="same")
        cut = low + int(smoothed[2:-2].argmin()) + 2 if len(smoothed) > 4 else high
        yield top, pixels[top:cut]
        top = cut
    yield top, pixels[top:]


def _slope(regions: Sequence[Region]) -> float:
    """Of the page: the angle of its long lines, then adjusted until most lines are aligned with others.
    Short words alone are off by a degree, which is a line's height across the page.
    """
    horizontal = [region for region in regions if not region.is_tall]
    if len(horizontal) < 2:
        return 0.0
    long_lines = [region for region in horizontal if region.width > LONG_LINE * region.height] or horizontal
    measured = float(np.median([tan(radians(region.angle)) for region in long_lines]))
    x, y, height = np.array([(region.x, region.y, region.height) for region in horizontal]).T
    bin_size = float(np.median(height)) * ALIGNMENT_BIN
    slopes = sorted((measured + np.tan(np.radians(SLOPE_TRIALS))).tolist(), key=lambda slope: abs(slope - measured))
    best: float = max(slopes, key=lambda slope: _aligned_pairs(y - slope * x, bin_size))  # of equals, the nearest
    return best


def _aligned_pairs(positions: NDArray[Any], bin_size: float) -> int:
    """How many pairs of lines are at the same height."""
    distances = np.abs(positions[:, None] - positions[None])
    return int((distances < bin_size).sum())


def _text_runs(recognised: Sequence[RecognisedRegion], width: int, height: int) -> list[TextRun]:
    runs = []
    for region in recognised:
        words = tuple(
            Word(word.text, _fractions(word.box, width, height), word.confidence, "ocr", 0) for word in region.words
        )
        if words:
            runs.append(TextRun(words, _fractions(region.region.upright_box, width, height)))
    return runs


def _fractions(box: PixelBox, width: int, height: int) -> Box:
    """Of the picture's width and height, cut to the picture."""
    return Box(
        min(1.0, max(0.0, box.left / width)),
        min(1.0, max(0.0, box.top / height)),
        min(1.0, max(0.0, box.right / width)),
        min(1.0, max(0.0, box.bottom / height)),
    )
