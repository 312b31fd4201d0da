"""Is a text layer what the page shows?

In: a layer, what carries the page, its picture, OCR. Out: None when the layer may be believed, else the reason.
Most pages are judged by their characters alone. Where a picture carries the page, where characters are not painted or
where there are few of them, the ink of a small drawing is compared with the layer's boxes and some lines are read where
the layer has them. Only where that raises a doubt does the detector look at the whole page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from docpipe.read.detect import Region
from docpipe.read.ocr import Ocr
from docpipe.read.strokes import covered, strokes
from docpipe.read.text_layer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box, PageImage
    from docpipe.read.order import Run
    from docpipe.render import PageObjects

CARRIED = 0.3  # of the page under pictures: logos stay below, scans are above
FEW_CHARACTERS = 120  # fewer are a header, a stamp or a page number; the rest may be drawn as shapes
PROBED_LINES = 8  # spread over the page
ALIKE = 0.7  # similarity of a line's letters and digits; chosen, not fitted: two readings differ by a few
COVERED = 0.75  # of the strokes, and of the length of the lines that the detector sees, by words of the layer
INSIDE = 0.5  # of a line's length under words of the layer: the layer has this line
SMALL_SIDE = 1_000  # pixels of the small drawing: 85 dpi on A4, what the rasteriser has drawn already
LINE = 20  # pixels of a usual line in it, so that it can be read; small print needs a larger drawing
SEEN = 0.9  # of the layer's lines have strokes under them
WORTH_READING = (3, 40)  # letters and digits of a line: fewer say little, more cost more


def needs_a_look(layer: Layer, objects: PageObjects) -> bool:
    return objects.image_cover >= CARRIED or layer.invisible > 0.5 or layer.characters < FEW_CHARACTERS


def doubt(layer: Layer, image: PageImage, ocr: Ocr) -> str | None:
    """`image` is the page upright, as the layer's boxes are."""
    if _agrees(layer, image, ocr):
        return None
    return _what_the_detector_says(layer, np.asarray(image.open()), ocr)


def _agrees(layer: Layer, image: PageImage, ocr: Ocr) -> bool:
    """Whether the strokes of a small drawing are where the layer has lines, and some of these read alike."""
    boxes = [run.box for run in layer.runs]
    usual = max(1e-3, float(np.median([box.bottom - box.top for box in boxes] or [1.0])))
    drawing = np.asarray(image.open(max_side=round(max(SMALL_SIDE, LINE / usual))))
    found = strokes(drawing)
    if not covered(found, boxes, COVERED, SEEN):
        return False
    low, high = WORTH_READING
    worth = [run for run in layer.runs if low <= len(_legible(_said([run]))) <= high] or list(layer.runs)
    chosen = sorted(worth, key=lambda run: run.box.top)[_spread(len(worth))]
    read = ocr.lines(drawing, [_region(run.box, drawing.shape[:2]) for run in chosen])
    return _alike([_said([run]) for run in chosen], read)


def _what_the_detector_says(layer: Layer, picture: NDArray[np.uint8], ocr: Ocr) -> str | None:
    regions = ocr.regions(picture)
    if not regions:
        return "nothing is printed where it has words"
    boxes = [run.box for run in layer.runs]
    shares = np.array([_share(region, boxes, picture.shape[:2]) for region in regions])
    lengths = np.array([region.width for region in regions])
    if float(lengths[shares >= INSIDE].sum() / lengths.sum()) < COVERED:
        return "it has only a part of what the page shows"
    held = [region for region, share in zip(regions, shares, strict=True) if share >= INSIDE]
    chosen = sorted(held, key=lambda region: region.y)[_spread(len(held))]
    said = [_said(_under(region, layer, picture.shape[:2])) for region in chosen]
    return None if _alike(said, ocr.lines(picture, chosen)) else "it says something else than the page shows"


def _spread(count: int) -> slice:
    """Of this many lines, the ones to read."""
    step = max(1, count // PROBED_LINES)
    return slice(0, step * PROBED_LINES, step)


def _region(box: Box, size: tuple[int, ...]) -> Region:
    height, width = size
    across, down = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
    return Region(across, down, (box.right - box.left) * width, (box.bottom - box.top) * height, 0.0, 1.0)


def _share(region: Region, boxes: list[Box], size: tuple[int, ...]) -> float:
    """The part of a line's length that lies under words of the layer."""
    height, width = size
    left, _, right, _ = region.outline
    covered = 0.0
    for box in boxes:
        if box.top * height < region.y < box.bottom * height:
            covered += max(0.0, min(right, box.right * width) - max(left, box.left * width))
    return covered / max(1.0, right - left)


def _under(region: Region, layer: Layer, size: tuple[int, ...]) -> list[Run]:
    """The layer's pieces in a line."""
    height, width = size
    left, _, right, _ = region.outline
    return [
        run
        for run in layer.runs
        if run.box.top * height < region.y < run.box.bottom * height
        and left < (run.box.left + run.box.right) / 2 * width < right
    ]


def _said(runs: Sequence[Run]) -> str:
    """From left to right."""
    return "".join(word.text for run in sorted(runs, key=lambda run: run.box.left) for word in run.words)


def _legible(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _alike(said: Sequence[str], read: Sequence[str]) -> bool:
    """Whether most lines are, in letters and digits."""
    from rapidfuzz.fuzz import ratio  # heavy: a compiled module, and few pages need it

    alike = [ratio(_legible(one), _legible(other)) / 100 for one, other in zip(said, read, strict=True)]
    return float(np.median(alike)) >= ALIKE
