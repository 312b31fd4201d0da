"""Is a text layer what the page shows?

In: a text layer, the page's objects, its picture, OCR. Out: None when the layer agrees with the picture, else how it
does not.
Most pages are judged by their characters alone. Where a picture carries the page, where characters are not painted or
where there are few of them, the ink of a small drawing is compared with the layer's boxes and some lines are read where
the layer has them. Only where these disagree is the whole page searched for text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from docpipe.read.detect import Region
from docpipe.read.legibility import LEGIBLE, is_in_alphabet
from docpipe.read.ocr import Ocr
from docpipe.read.strokes import stroke_mask, strokes_match_boxes
from docpipe.read.text_layer import TextLayer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box, PageImage
    from docpipe.read.order import TextRun
    from docpipe.read.recognise import RecognisedRegion
    from docpipe.render import PageObjects

PICTURE_COVER = 0.3  # of the page under pictures: logos stay below, scans are above
FEW_CHARACTERS = 120  # fewer are a header, a stamp or a page number; the rest may be drawn as shapes
PROBED_LINES = 8  # spread over the page
MIN_SIMILARITY = 0.7  # of a line's letters and digits; chosen, not fitted: two readings differ by a few
MIN_COVERED = 0.75  # of the strokes, and of the length of the lines that the detector finds, by words of the layer
LINE_COVERED = 0.5  # of a line's length under words of the layer: the layer has this line
DRAWING_SIDE = 1_000  # pixels of the small drawing: 85 dpi on A4, what the rasteriser has drawn already
LINE_PIXELS = 20  # pixels of a usual line in it, so that it can be read; small print needs a larger drawing
MIN_LINES_WITH_STROKES = 0.9  # of the layer's lines have strokes under them
PROBE_LENGTHS = (3, 40)  # letters and digits of a line: fewer say little, more cost more


def needs_check(layer: TextLayer, objects: PageObjects) -> bool:
    return objects.image_cover >= PICTURE_COVER or layer.invisible_share > 0.5 or layer.characters < FEW_CHARACTERS


def contradiction(layer: TextLayer, image: PageImage, ocr: Ocr) -> str | None:
    """What speaks against the layer. `image` is the page upright, as the layer's boxes are."""
    if _strokes_and_probes_agree(layer, image, ocr):
        return None
    return _contradiction_by_detection(layer, np.asarray(image.open()), ocr)


def _strokes_and_probes_agree(layer: TextLayer, image: PageImage, ocr: Ocr) -> bool:
    """Whether the strokes of a small drawing are where the layer has lines, and OCR of some lines gives their text."""
    boxes = [run.box for run in layer.runs]
    usual_height = max(1e-3, float(np.median([box.bottom - box.top for box in boxes] or [1.0])))
    drawing = np.asarray(image.open(max_side=round(max(DRAWING_SIDE, LINE_PIXELS / usual_height))))
    if not strokes_match_boxes(stroke_mask(drawing), boxes, MIN_COVERED, MIN_LINES_WITH_STROKES):
        return False
    low, high = PROBE_LENGTHS
    candidates = [run for run in layer.runs if low <= len(_letters_and_digits(_text_of([run]))) <= high]
    candidates = candidates or list(layer.runs)
    probes = sorted(candidates, key=lambda run: run.box.top)[_evenly_spread(len(candidates))]
    readings = ocr.recognised(drawing, [_region(run.box, drawing.shape[:2]) for run in probes])
    return _are_alike([_text_of([run]) for run in probes], readings)


def _contradiction_by_detection(layer: TextLayer, picture: NDArray[np.uint8], ocr: Ocr) -> str | None:
    regions = ocr.regions(picture)
    if not regions:
        return "nothing is printed where it has words"
    boxes = [run.box for run in layer.runs]
    shares = np.array([_covered_share(region, boxes, picture.shape[:2]) for region in regions])
    lengths = np.array([region.width for region in regions])
    if float(lengths[shares >= LINE_COVERED].sum() / lengths.sum()) < MIN_COVERED:
        return "it has only a part of what the page shows"
    covered_regions = [region for region, share in zip(regions, shares, strict=True) if share >= LINE_COVERED]
    probes = sorted(covered_regions, key=lambda region: region.y)[_evenly_spread(len(covered_regions))]
    layer_texts = [_text_of(_runs_in(region, layer, picture.shape[:2])) for region in probes]
    is_alike = _are_alike(layer_texts, ocr.recognised(picture, probes))
    return None if is_alike else "it says something else than the page shows"


def _evenly_spread(count: int) -> slice:
    """Of this many lines, the ones to read."""
    step = max(1, count // PROBED_LINES)
    return slice(0, step * PROBED_LINES, step)


def _region(box: Box, size: tuple[int, ...]) -> Region:
    height, width = size
    x, y = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
    return Region(x, y, (box.right - box.left) * width, (box.bottom - box.top) * height, 0.0, 1.0)


def _covered_share(region: Region, boxes: list[Box], size: tuple[int, ...]) -> float:
    """The part of a line's length that lies under words of the layer."""
    height, width = size
    line = region.upright_box
    covered = 0.0
    for box in boxes:
        if box.top * height < region.y < box.bottom * height:
            covered += max(0.0, min(line.right, box.right * width) - max(line.left, box.left * width))
    return covered / max(1.0, line.right - line.left)


def _runs_in(region: Region, layer: TextLayer, size: tuple[int, ...]) -> list[TextRun]:
    """The layer's runs in a line."""
    height, width = size
    line = region.upright_box
    return [
        run
        for run in layer.runs
        if run.box.top * height < region.y < run.box.bottom * height
        and line.left < (run.box.left + run.box.right) / 2 * width < line.right
    ]


def _text_of(runs: Sequence[TextRun]) -> str:
    """From left to right."""
    return "".join(word.text for run in sorted(runs, key=lambda run: run.box.left) for word in run.words)


def _letters_and_digits(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def _are_alike(layer_texts: Sequence[str], readings: Sequence[RecognisedRegion]) -> bool:
    """Whether most lines are, in letters and digits. Where the layer has a script that OCR does not know, it is
    contradicted only by print that OCR can read."""
    from rapidfuzz.fuzz import ratio  # heavy: a compiled module, and few pages need it

    pairs = list(zip(layer_texts, readings, strict=True))
    legibilities = [reading.legibility for text, reading in pairs if not is_in_alphabet(text)]
    if legibilities and float(np.median(legibilities)) < LEGIBLE:
        pairs = [(text, reading) for text, reading in pairs if is_in_alphabet(text)]
    similarities = [
        ratio(_letters_and_digits(text), _letters_and_digits(reading.text)) / 100 for text, reading in pairs
    ]
    return not similarities or float(np.median(similarities)) >= MIN_SIMILARITY
