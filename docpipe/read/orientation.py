"""Which way up a picture is.

In: the detector's regions, then what the recogniser makes of a few lines. Out: whether the picture lies on its side,
whether it is upside down.
Sideways shows in the shape of the lines. Upside down shows in the reading: lines that read well stand upright, and only
lines that do not are read a second time, turned. So an upright page costs nothing. Lines that are not read well either
way are in a script that the recogniser does not know, and say nothing: what it makes of them is better now one way up,
now the other.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docpipe.read.detect import Region
from docpipe.read.ocr_models import OcrModels
from docpipe.read.recognise import Crop, RecognisedRegion, flip, recognise

LONG_ASPECT = 2.0  # length / thickness above which a region shows the direction of its text
SIDEWAYS_SHARE = 0.7  # of the length of all long regions: a margin note or a stamp turns no page
PROBES = 6  # lines that are read to tell whether the page is upside down
PROBE_WIDTH = (96, 640)  # pixels of the crop: shorter lines say little, longer ones cost more
UPRIGHT_CONFIDENCE = 0.9  # median confidence; with it 42 documents were turned right, each four ways up
# Legibility of a line one way up, so that it says something: Thai upside down, as benchmarks.accuracy.unread_script
# draws it, reaches 0.88.
WELL_READ = 0.9
FLIP_GAIN = 0.1  # the turned lines must read better by this much of confidence


def is_sideways(regions: Sequence[Region]) -> bool:
    vertical_length = sum(region.height for region in regions if region.height > LONG_ASPECT * region.width)
    horizontal_length = sum(region.width for region in regions if region.width > LONG_ASPECT * region.height)
    return vertical_length > SIDEWAYS_SHARE * (vertical_length + horizontal_length)


def probe_lines(crops: Sequence[Crop]) -> list[int]:
    """A few lines, by index, that say much for little: the surest ones of a suitable width."""
    low, high = PROBE_WIDTH
    candidates = [i for i, crop in enumerate(crops) if low <= crop.pixels.shape[1] <= high and not crop.is_vertical]
    return sorted(candidates, key=lambda i: crops[i].region.score, reverse=True)[:PROBES]


def is_upside_down(crops: Sequence[Crop], recognised: Sequence[RecognisedRegion], models: OcrModels) -> bool:
    """`recognised` is what the crops say as they stand."""
    if not crops or _confidence(recognised) >= UPRIGHT_CONFIDENCE:
        return False
    flipped = recognise([flip(crop) for crop in crops], models)
    both_ways = zip(recognised, flipped, strict=True)
    telling = [i for i, readings in enumerate(both_ways) if max(line.legibility for line in readings) >= WELL_READ]
    if not telling:
        return False
    return _confidence([flipped[i] for i in telling]) > _confidence([recognised[i] for i in telling]) + FLIP_GAIN


def _confidence(recognised: Sequence[RecognisedRegion]) -> float:
    """The median over the lines: a stamp or a logo among them does not count."""
    return float(np.median([region.confidence for region in recognised]))
