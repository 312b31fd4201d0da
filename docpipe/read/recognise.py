"""What is printed in each region.

In: the picture, its regions, the OCR models. Out: for each region its text as words with pixel boxes and confidences.
Crops are recognised at their own width (the network's time goes by width, and padding is most of a short line).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from math import ceil, cos, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.read.detect import PixelBox, Region, network_input
from docpipe.read.ink import Extent, InkMask, words_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.read.ocr_models import OcrModels

CROP_HEIGHT = 48  # pixels, what the recogniser was trained for
COLUMN = 8  # pixels of the crop behind one column of the recogniser's output
WIDTH_STEP = 16  # pixels: crops of nearly the same width share a batch
MARGIN = 6  # pixels of paper left and right of the ink; the detector leaves three times as much
MAX_CROP_WIDTH = 3200  # pixels; a longer line is squeezed
BATCH_WIDTH = 1600  # pixels of all crops of one call together: above it a call gains nothing and memory grows
SLANT_SHIFT = 0.12  # of the height: a line that rises less over its width is cut out straight
VERTICAL_ASPECT = 1.5  # height / width above which a region is text that runs up the page
VERTICAL_HEIGHT = 2.0  # ... if it is also this many times as high as the page's lines (a digit is not)


@dataclass(frozen=True, slots=True)
class RecognisedWord:
    text: str
    box: PixelBox
    confidence: float


@dataclass(frozen=True, slots=True)
class RecognisedRegion:
    region: Region
    words: tuple[RecognisedWord, ...]
    confidence: float  # mean over the characters; 0 when nothing was read
    legibility: float = 0.0  # 0 to 1: how much of the line's ink belongs to characters, times how probable they are
    crop_width: int = 0  # pixels of the line when it is CROP_HEIGHT high; 0 of text that runs up the page

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Crop:
    """A region cut out, upright, 48 pixels high, without the paper at its ends. `offset` is where it begins in the
    region's crop of `full_width` pixels. `is_vertical`: the text ran up the page and was turned."""

    region: Region
    pixels: NDArray[Any]
    ink: InkMask
    offset: int
    full_width: int
    is_vertical: bool


def cut_out(picture: NDArray[Any], regions: Sequence[Region]) -> list[Crop]:
    usual_height = float(np.median([region.height for region in regions if not region.is_tall] or [0]))
    return [_crop(picture, region, usual_height) for region in regions]


def _crop(picture: NDArray[Any], region: Region, usual_height: float) -> Crop:
    import cv2  # heavy: 0.1 s, and only pages without a text layer need it

    pixels = _straight(picture, region)
    is_vertical = region.height > VERTICAL_ASPECT * region.width and region.height > VERTICAL_HEIGHT * usual_height
    if is_vertical:
        pixels = np.rot90(pixels, -1)
    height, width = pixels.shape[:2]
    full_width = min(MAX_CROP_WIDTH, max(COLUMN, ceil(CROP_HEIGHT * width / height)))
    line = cv2.resize(np.ascontiguousarray(pixels), (full_width, CROP_HEIGHT))
    left, right = InkMask(line).edges()
    offset = max(0, left - MARGIN)
    trimmed = np.ascontiguousarray(line[:, offset : max(offset + COLUMN, right + MARGIN)])
    return Crop(region, trimmed, InkMask(trimmed), offset, full_width, is_vertical)


def _straight(picture: NDArray[Any], region: Region) -> NDArray[Any]:
    """The region's pixels; the slant of a skewed page is taken out."""
    import cv2  # heavy: see _crop

    rise = abs(sin(radians(region.angle))) * max(region.width, region.height)
    if rise > SLANT_SHIFT * min(region.width, region.height) + 1:
        transform = cv2.getRotationMatrix2D((region.x, region.y), region.angle, 1)
        transform[:, 2] += np.array([region.width / 2 - region.x, region.height / 2 - region.y])
        size = (max(1, round(region.width)), max(1, round(region.height)))
        return cv2.warpAffine(picture, transform, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = picture.shape[:2]
    top = min(height - 1, max(0, round(region.y - region.height / 2)))
    left = min(width - 1, max(0, round(region.x - region.width / 2)))
    bottom = max(top + 1, round(region.y + region.height / 2))
    right = max(left + 1, round(region.x + region.width / 2))
    return picture[top:bottom, left:right]


def flip(crop: Crop) -> Crop:
    """Turned by 180 degrees."""
    pixels = np.ascontiguousarray(crop.pixels[::-1, ::-1])
    offset = crop.full_width - crop.offset - pixels.shape[1]
    return replace(crop, pixels=pixels, ink=InkMask(pixels), offset=offset)


def recognise(crops: Sequence[Crop], models: OcrModels) -> list[RecognisedRegion]:
    """One region per crop, in the order of the crops."""
    by_width = sorted(range(len(crops)), key=lambda index: crops[index].pixels.shape[1])
    batches = _batches(by_width, crops)
    regions: dict[int, RecognisedRegion] = {}

    def run_batch(batch: list[int]) -> list[tuple[int, RecognisedRegion]]:
        best, probability = models.characters(_stack([crops[index].pixels for index in batch]))
        return [
            (index, _decode(crops[index], best[row], probability[row], models.alphabet))
            for row, index in enumerate(batch)
        ]

    with ThreadPoolExecutor(models.threads) as pool:
        for recognised in pool.map(run_batch, reversed(batches)):  # the widest first: no long tail at the end
            regions.update(recognised)
    return [regions[index] for index in range(len(crops))]


def _padded_width(crop: Crop) -> int:
    return WIDTH_STEP * ceil(int(crop.pixels.shape[1]) / WIDTH_STEP)


def _batches(by_width: list[int], crops: Sequence[Crop]) -> list[list[int]]:
    batches: list[list[int]] = []
    for index in by_width:
        width = _padded_width(crops[index])
        last = batches[-1] if batches else []
        if last and _padded_width(crops[last[0]]) == width and (len(last) + 1) * width <= BATCH_WIDTH:
            last.append(index)
        else:
            batches.append([index])
    return batches


def _stack(pictures: list[NDArray[Any]]) -> NDArray[np.float32]:
    """(n, 3, 48, width); the padding is zero, the middle grey, as in training."""
    width = ceil(max(picture.shape[1] for picture in pictures) / WIDTH_STEP) * WIDTH_STEP
    stacked = np.zeros((len(pictures), 3, CROP_HEIGHT, width), np.float32)
    for row, picture in enumerate(pictures):
        stacked[row, :, :, : picture.shape[1]] = network_input(picture)
    return stacked


def _decode(
    crop: Crop, best: NDArray[np.intp], probability: NDArray[np.float32], alphabet: Sequence[str]
) -> RecognisedRegion:
    """From CTC output to text: one entry per column, repeats are one character, blanks separate."""
    new_characters = np.flatnonzero((best != 0) & np.diff(best, prepend=-1).astype(bool))
    new_characters = new_characters[new_characters * COLUMN < crop.pixels.shape[1]]  # beyond is padding
    texts = [alphabet[best[column]] for column in new_characters]
    confidences = probability[new_characters]
    centres = (new_characters + 0.5) * COLUMN
    printed = np.array([not text.isspace() for text in texts], dtype=bool)
    legibility = crop.ink.explained(centres[printed], confidences[printed])
    crop_width = 0 if crop.is_vertical else int(crop.pixels.shape[1])
    if not texts:
        return RecognisedRegion(crop.region, (), 0.0, legibility, crop_width)
    words = tuple(
        RecognisedWord(
            "".join(texts[word.start : word.end]),
            _box_in_picture(crop, word.extent),
            float(confidences[word.start : word.end].mean()),
        )
        for word in words_in(crop.ink, texts, centres.tolist())
    )
    return RecognisedRegion(crop.region, words, float(confidences.mean()), legibility, crop_width)


def _box_in_picture(crop: Crop, extent: Extent) -> PixelBox:
    """The upright box around a stretch of the crop."""
    region = crop.region
    along, across = (region.height, region.width) if crop.is_vertical else (region.width, region.height)
    length = (extent.right - extent.left) / crop.full_width * along
    middle = ((crop.offset + (extent.left + extent.right) / 2) / crop.full_width - 0.5) * along
    depth = (extent.bottom - extent.top) / CROP_HEIGHT * across
    offset = ((extent.top + extent.bottom) / 2 / CROP_HEIGHT - 0.5) * across
    right, down = (offset, -middle) if crop.is_vertical else (middle, offset)
    width, height = (depth, length) if crop.is_vertical else (length, depth)
    slope = radians(region.angle)
    x = region.x + right * cos(slope) - down * sin(slope)
    y = region.y + right * sin(slope) + down * cos(slope)
    width, height = width + abs(sin(slope)) * height / 2, height + abs(sin(slope)) * width / 2
    return PixelBox(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
