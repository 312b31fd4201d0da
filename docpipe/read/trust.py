"""Is a text layer what the page shows?

In: a layer, what carries the page, its picture, OCR. Out: None when the layer may be believed, else the reason.
Most pages are judged by their characters alone. Where a picture carries the page, where characters are not painted or
where there are few of them, some lines are read by OCR and compared: that costs the detector, but not reading the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from docpipe.read.ocr import Ocr
from docpipe.read.textlayer import Layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box
    from docpipe.read.detect import Region
    from docpipe.render import PageLook

CARRIED = 0.3  # of the page under pictures: logos stay below, scans are above
FEW_CHARACTERS = 120  # fewer are a header, a stamp or a page number; the rest may be drawn as shapes
PROBED_LINES = 8  # spread over the page
ALIKE = 0.7  # similarity of a line's letters and digits; chosen, not fitted: two readings differ by a few
COVERED = 0.75  # of the length of the lines that the detector sees, by words of the layer
INSIDE = 0.5  # of a line's length under words of the layer: the layer has this line


def needs_a_look(layer: Layer, look: PageLook) -> bool:
    return look.image_cover >= CARRIED or layer.invisible > 0.5 or layer.characters < FEW_CHARACTERS


def doubt(layer: Layer, picture: NDArray[np.uint8], ocr: Ocr) -> str | None:
    """`picture` is the page upright, as the layer's boxes are."""
    regions = ocr.regions(picture)
    if not regions:
        return "nothing is printed where it has words"
    boxes = [run.box for run in layer.runs]
    shares = np.array([_share(region, boxes, picture.shape[:2]) for region in regions])
    lengths = np.array([region.width for region in regions])
    if float(lengths[shares >= INSIDE].sum() / lengths.sum()) < COVERED:
        return "it has only a part of what the page shows"
    held = [region for region, share in zip(regions, shares, strict=True) if share >= INSIDE]
    held.sort(key=lambda region: region.y)
    chosen = held[:: max(1, len(held) // PROBED_LINES)][:PROBED_LINES]
    read = ocr.lines(picture, chosen)
    alike = [_alike(text, _under(region, layer, picture.shape[:2])) for region, text in zip(chosen, read, strict=True)]
    return None if float(np.median(alike)) >= ALIKE else "it says something else than the page shows"


def _share(region: Region, boxes: list[Box], size: tuple[int, ...]) -> float:
    """The part of a line's length that lies under words of the layer."""
    height, width = size
    left, _, right, _ = region.outline
    covered = 0.0
    for box in boxes:
        if box.top * height < region.y < box.bottom * height:
            covered += max(0.0, min(right, box.right * width) - max(left, box.left * width))
    return covered / max(1.0, right - left)


def _under(region: Region, layer: Layer, size: tuple[int, ...]) -> str:
    """The layer's words in a line, from left to right."""
    height, width = size
    left, _, right, _ = region.outline
    inside = [
        run
        for run in layer.runs
        if run.box.top * height < region.y < run.box.bottom * height
        and left < (run.box.left + run.box.right) / 2 * width < right
    ]
    return "".join(word.text for run in sorted(inside, key=lambda run: run.box.left) for word in run.words)


def _alike(one: str, other: str) -> float:
    from rapidfuzz.fuzz import ratio  # heavy: a compiled module, and few pages need it

    letters = ["".join(char for char in text.casefold() if char.isalnum()) for text in (one, other)]
    return float(ratio(*letters)) / 100
