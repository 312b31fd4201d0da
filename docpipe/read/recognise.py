"""What is printed in each region.

In: the picture, its regions, the OCR models. Out: for each region its text as words with pixel boxes and confidences.
Crops are recognised at their own width (the network's time goes by width, and padding is most of a short line).
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.read.detect import Region, network_input

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.read.models import OcrModels

CROP_HEIGHT = 48  # pixels, what the recogniser was trained for
COLUMN = 8  # pixels of the crop behind one column of the recogniser's answer
WIDTH_STEP = 32  # crops of nearly the same width share a batch
MAX_CROP_WIDTH = 3200  # pixels; a longer line is squeezed
BATCH_WIDTH = 1600  # pixels of all crops of one call together: above it a call gains nothing and memory grows
SLANT_SHIFT = 0.12  # of the height: a line that rises less over its width is cut out straight
VERTICAL = 1.5  # height / width above which a region is text that runs up the page
VERTICAL_HEIGHT = 2.0  # ... if it is also this many times as high as the page's lines (a digit is not)


@dataclass(frozen=True, slots=True)
class ReadWord:
    """A word in pixels of the picture: left, top, right, bottom."""

    text: str
    box: tuple[float, float, float, float]
    confidence: float


@dataclass(frozen=True, slots=True)
class ReadRegion:
    region: Region
    words: tuple[ReadWord, ...]
    confidence: float  # mean over the characters; 0 when nothing was read

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Crop:
    """A region cut out, upright, 48 pixels high. `upward`: the text ran up the page and was turned."""

    region: Region
    pixels: NDArray[Any]
    upward: bool = False


def cut_out(picture: NDArray[Any], regions: Sequence[Region]) -> list[Crop]:
    usual = float(np.median([region.height for region in regions if not region.tall] or [0]))
    return [_crop(picture, region, usual) for region in regions]


def _crop(picture: NDArray[Any], region: Region, usual_height: float) -> Crop:
    import cv2  # heavy: 0.1 s, and only pages without a text layer need it

    rise = abs(sin(radians(region.angle))) * max(region.width, region.height)
    if rise <= SLANT_SHIFT * min(region.width, region.height) + 1:
        top, left = max(0, round(region.y - region.height / 2)), max(0, round(region.x - region.width / 2))
        pixels: NDArray[Any] = picture[
            top : max(top + 1, round(region.y + region.height / 2)),
            left : max(left + 1, round(region.x + region.width / 2)),
        ]
    else:
        turn = cv2.getRotationMatrix2D((region.x, region.y), region.angle, 1)
        turn[:, 2] += np.array([region.width / 2 - region.x, region.height / 2 - region.y])
        size = (max(1, round(region.width)), max(1, round(region.height)))
        pixels = cv2.warpAffine(picture, turn, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    upward = region.height > VERTICAL * region.width and region.height > VERTICAL_HEIGHT * usual_height
    if upward:
        pixels = np.rot90(pixels, -1)
    height, width = pixels.shape[:2]
    target = min(MAX_CROP_WIDTH, max(COLUMN, ceil(CROP_HEIGHT * width / height)))
    return Crop(region, cv2.resize(np.ascontiguousarray(pixels), (target, CROP_HEIGHT)), upward)


def recognise(crops: Sequence[Crop], models: OcrModels) -> list[ReadRegion]:
    """One answer per crop, in the order of the crops."""
    by_width = sorted(range(len(crops)), key=lambda index: crops[index].pixels.shape[1])
    batches = _batches(by_width, crops)
    answers: dict[int, ReadRegion] = {}

    def run(batch: list[int]) -> list[tuple[int, ReadRegion]]:
        best, probability = models.characters(_stack([crops[index].pixels for index in batch]))
        return [
            (index, _decode(crops[index], best[row], probability[row], models.alphabet))
            for row, index in enumerate(batch)
        ]

    with ThreadPoolExecutor(models.threads) as pool:
        for answered in pool.map(run, reversed(batches)):  # the widest first: no long tail at the end
            answers.update(answered)
    return [answers[index] for index in range(len(crops))]


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
) -> ReadRegion:
    """The CTC answer: one entry per column, repeats are one character, blanks separate."""
    fresh = np.flatnonzero((best != 0) & np.diff(best, prepend=-1).astype(bool))
    texts = [alphabet[best[column]] for column in fresh]
    certain = probability[fresh]
    words: list[ReadWord] = []
    start = 0
    for end in range(len(texts) + 1):
        if end < len(texts) and not texts[end].isspace():
            continue
        if end > start:
            span = _span(fresh, start, end, crop.pixels.shape[1])
            words.append(ReadWord("".join(texts[start:end]), _on_page(crop, *span), float(certain[start:end].mean())))
        start = end + 1
    return ReadRegion(crop.region, tuple(words), float(certain.mean()) if len(certain) else 0.0)


def _span(columns: NDArray[np.intp], start: int, end: int, width: int) -> tuple[float, float]:
    """Left and right of a word, as fractions of the crop: half-way to its neighbours' characters."""
    left = 0.0 if start == 0 else (columns[start] - 0.5) * COLUMN
    right = float(width) if end == len(columns) else (columns[end - 1] + 1.5) * COLUMN
    return max(0.0, left / width), min(1.0, right / width)


def _on_page(crop: Crop, start: float, end: float) -> tuple[float, float, float, float]:
    """The upright box around a stretch of the region."""
    region = crop.region
    along, across = (region.height, region.width) if crop.upward else (region.width, region.height)
    middle, length = ((start + end) / 2 - 0.5) * along, (end - start) * along
    slope = radians(region.angle)
    if crop.upward:  # the text starts at the foot of the region
        x, y = region.x + middle * sin(slope), region.y - middle * cos(slope)
        return (x - across / 2, y - length / 2, x + across / 2, y + length / 2)
    x, y = region.x + middle * cos(slope), region.y + middle * sin(slope)
    half = (across + abs(sin(slope)) * length) / 2 if abs(region.angle) > 0 else across / 2
    return (x - length / 2, y - half, x + length / 2, y + half)
