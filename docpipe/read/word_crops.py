"""What the picture says where single words of a text layer stand.

In: the page's pixels, boxes of words. Out: for each box what OCR reads in it, and comparisons of two readings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docpipe.read.detect import Region

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box
    from docpipe.read.ocr import Ocr

PADDING = 0.2  # of a word's height, on each side: the recogniser learnt from crops with some paper around


@dataclass(frozen=True, slots=True)
class CropReading:
    """What OCR reads in a crop, without blanks, and how sure it is: the mean over the characters."""

    text: str
    confidence: float


def read_crops(ocr: Ocr, pixels: NDArray[Any], boxes: Sequence[Box]) -> list[CropReading]:
    """One for each box, all in one batch."""
    if not boxes:
        return []
    regions = ocr.recognised(pixels, [padded_region(box, pixels.shape[:2]) for box in boxes])
    return [CropReading("".join(word.text for word in region.words), region.confidence) for region in regions]


def padded_region(box: Box, size: tuple[int, ...]) -> Region:
    """The box with some paper around, in pixels of a picture of (height, width)."""
    height, width = size
    padding = 2 * (1 + PADDING * min((box.bottom - box.top) * height, (box.right - box.left) * width))
    x, y = (box.left + box.right) / 2 * width, (box.top + box.bottom) / 2 * height
    region_width, region_height = (box.right - box.left) * width + padding, (box.bottom - box.top) * height + padding
    return Region(x, y, region_width, region_height, 0.0, 1.0)


def letters_and_digits(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def similarity(left: str, right: str) -> float:
    """Of the letters and digits, 0-1."""
    from rapidfuzz.fuzz import ratio  # heavy: a compiled module, and few pages need it

    return float(ratio(letters_and_digits(left), letters_and_digits(right))) / 100
