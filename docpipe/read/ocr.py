"""OCR: the words of a picture that has no text layer.

In: an RGB picture. Out: what is printed in it and how far the picture must be turned to stand upright.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import radians, tan
from typing import TYPE_CHECKING

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.detect import Region, find_regions
from docpipe.read.models import OcrModels
from docpipe.read.order import Run
from docpipe.read.recognise import ReadRegion, cut_out, recognise

if TYPE_CHECKING:
    from PIL.Image import Image

MIN_SHORT_SIDE = 736  # pixels: the detector misses the print of narrow receipts below it
MAX_LONG_SIDE = 2000  # pixels: the detector sees 6 point print on A4


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
        regions = find_regions(pixels, self.models, side=_detector_side(*picture.size))
        read = recognise(cut_out(pixels, regions), self.models)
        return Reading(tuple(_runs(read, picture.width, picture.height)), 0, _slope(regions))


def _detector_side(width: int, height: int) -> int:
    short, long = sorted((width, height))
    return min(MAX_LONG_SIDE, round(long * max(1.0, MIN_SHORT_SIDE / short)))


def _slope(regions: Sequence[Region]) -> float:
    """Of the page, from its long lines: short ones say little about it."""
    lying = [region for region in regions if not region.tall]
    if not lying:
        return 0.0
    weights = np.array([region.width for region in lying])
    order = np.argsort([region.angle for region in lying])
    middle = int(np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2))
    return tan(radians(lying[order[middle]].angle))


def _runs(read: Sequence[ReadRegion], width: int, height: int) -> list[Run]:
    runs = []
    for answer in read:
        words = tuple(
            Word(word.text, _fractions(word.box, width, height), word.confidence, "ocr", 0) for word in answer.words
        )
        if words:
            box = words[0].box
            for word in words[1:]:
                box = box.union(word.box)
            runs.append(Run(words, box))
    return runs


def _fractions(box: tuple[float, float, float, float], width: int, height: int) -> Box:
    left, top, right, bottom = (
        min(1.0, max(0.0, edge / side)) for edge, side in zip(box, (width, height, width, height), strict=True)
    )
    return Box(left, top, right, bottom)
