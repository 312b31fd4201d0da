"""Words of a text layer that nobody sees: in the colour of their ground, painted over, switched off, too small.

In: a text layer and the page's picture. Out: the layer without them, and what they say.
The picture shows a word if there is ink where it stands: a small drawing tells for most, and where it has none a large
one is asked. A word that may have been painted over or switched off (docpipe/render/covered.py), and that has other
words in its place or ink in a part of it only, is read by OCR.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.read.legibility import is_in_alphabet
from docpipe.read.order import TextRun
from docpipe.read.word_crops import CropReading, digits, read_crops, similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box, PageImage, Word
    from docpipe.read.ocr import Ocr
    from docpipe.read.text_layer import TextLayer

PREVIEW_SIDE = 1_000  # pixels of the small drawing: 85 dpi on A4, what the rasteriser has drawn already
MIN_CONTRAST = 12  # of 255 between the lightest and the darkest pixel under a word: light grey print has 40 and more
MIN_SIZE = 1.5  # points of a line's height, and ...
MIN_SIZE_OF_PAGE = 0.0025  # ... of the page's shorter side: below both nobody reads it (a poster has small print too)
SHARED_AREA = 0.1  # of the smaller of two words: they stand in the same place
SIMILAR_HEIGHT = 2.0  # times; a watermark across the page is no word in a line's place
LIKE = 0.8  # similarity of a word to what OCR reads in its place: it is printed there
UNLIKE = 0.5  # ... it is not


def visible_layer(layer: TextLayer, image: PageImage, ocr: Ocr, *, height_in_points: float) -> TextLayer | None:
    """None when nothing is left. `image` is the page upright, as the layer's boxes are."""
    words = [word for run in layer.runs for word in run.words]
    preview = np.asarray(image.open(max_side=PREVIEW_SIDE))
    hidden = _tiny_words(layer.runs, preview.shape[1] / preview.shape[0], height_in_points)
    without_ink = [word for word in words if not _has_ink(preview, word.box)]
    doubtful = [word for word in words if word.box in layer.doubtful and _is_readable(word, preview)]
    rivals = _words_in_the_same_place(doubtful, words)
    partly = [word for word in doubtful if not _has_ink_in_all_halves(preview, word.box)]
    if without_ink or rivals or partly:
        pixels = np.asarray(image.open())
        hidden |= {word.box for word in without_ink if not _has_ink(pixels, word.box)}
        asked = [word for word in dict.fromkeys((*rivals, *partly)) if word.box not in hidden]
        hidden |= _not_printed(asked, rivals, pixels, ocr)
    if not hidden:
        return layer
    texts = tuple(word.text for word in words if word.box in hidden)
    runs = tuple(run for old in layer.runs if (run := _without(old, hidden)) is not None)
    return replace(layer, runs=runs, hidden=layer.hidden + texts) if runs else None


def _tiny_words(runs: Sequence[TextRun], aspect: float, height_in_points: float) -> set[Box]:
    shorter_side = min(1.0, aspect)  # in heights of the page
    tiny: set[Box] = set()
    for run in runs:
        size = min(run.box.bottom - run.box.top, (run.box.right - run.box.left) * aspect)
        if size * height_in_points < MIN_SIZE and size < MIN_SIZE_OF_PAGE * shorter_side:
            tiny.update(word.box for word in run.words)
    return tiny


def _pixels_of(pixels: NDArray[Any], box: Box) -> NDArray[Any]:
    """At least one pixel each way."""
    height, width = pixels.shape[:2]
    top, left = min(height - 1, int(box.top * height)), min(width - 1, int(box.left * width))
    return pixels[top : max(top + 1, int(np.ceil(box.bottom * height))), left : int(np.ceil(box.right * width)) or 1]


def _has_ink(pixels: NDArray[Any], box: Box) -> bool:
    """A pixel more on each side: a stroke may be drawn between two pixels."""
    height, width = pixels.shape[:2]
    wider = replace(
        box,
        left=max(0.0, box.left - 1 / width),
        top=max(0.0, box.top - 1 / height),
        right=min(1.0, box.right + 1 / width),
        bottom=min(1.0, box.bottom + 1 / height),
    )
    return _has_contrast(_pixels_of(pixels, wider))


def _has_ink_in_all_halves(pixels: NDArray[Any], box: Box) -> bool:
    """Left, right, upper and lower; of what is too small to be halved, the whole."""
    part = _pixels_of(pixels, box)
    rows, columns = part.shape[0] // 2, part.shape[1] // 2
    if rows < 2 or columns < 2:
        return _has_ink(pixels, box)
    halves = part[:-rows], part[rows:], part[:, :-columns], part[:, columns:]
    return all(_has_contrast(half) for half in halves)


def _has_contrast(pixels: NDArray[Any]) -> bool:
    """Of one colour channel at least: red print on grey of the same brightness is seen."""
    if pixels.size == 0:
        return False
    channels = pixels.reshape(-1, pixels.shape[-1])
    return bool((channels.max(axis=0).astype(int) - channels.min(axis=0) >= MIN_CONTRAST).any())


def _is_readable(word: Word, pixels: NDArray[Any]) -> bool:
    """Single characters, signs, words that run up the page and scripts out of its alphabet say nothing to the
    recogniser."""
    height, width = pixels.shape[:2]
    is_flat = (word.box.right - word.box.left) * width > (word.box.bottom - word.box.top) * height
    return is_flat and sum(map(str.isalnum, word.text)) > 1 and is_in_alphabet(word.text)


def _words_in_the_same_place(doubtful: Sequence[Word], words: Sequence[Word]) -> dict[Word, list[Word]]:
    """For each doubtful word the others of about its height that overlap it. A line of dashes to write on is none."""
    others = [word for word in words if any(map(str.isalnum, word.text))]
    rivals: dict[Word, list[Word]] = {}
    if not doubtful:
        return rivals
    edges = np.array([(word.box.left, word.box.top, word.box.right, word.box.bottom) for word in others])
    left, top, right, bottom = edges.T
    areas = np.maximum(1e-12, (right - left) * (bottom - top))
    for word in doubtful:
        width = np.minimum(right, word.box.right) - np.maximum(left, word.box.left)
        height = np.minimum(bottom, word.box.bottom) - np.maximum(top, word.box.top)
        shared = np.maximum(0, width) * np.maximum(0, height) / np.minimum(areas, max(1e-12, word.box.area))
        found = [others[index] for index in np.flatnonzero(shared > SHARED_AREA).tolist()]
        found = [other for other in found if other.text != word.text and _of_one_height(word, other)]
        if found:
            rivals[word] = found
    return rivals


def _of_one_height(word: Word, other: Word) -> bool:
    low, high = sorted((word.box.bottom - word.box.top, other.box.bottom - other.box.top))
    return high <= SIMILAR_HEIGHT * low


def _not_printed(
    asked: Sequence[Word], rivals: Mapping[Word, Sequence[Word]], pixels: NDArray[Any], ocr: Ocr
) -> set[Box]:
    """Those of the words asked for that OCR does not read where they stand, while it does read their rivals."""
    read = list(dict.fromkeys((*asked, *(rival for word in asked for rival in rivals.get(word, ())))))
    readings = dict(zip(read, read_crops(ocr, pixels, [word.box for word in read]), strict=True))
    return {word.box for word in asked if _is_hidden(word, rivals.get(word, ()), readings)}


def _is_hidden(word: Word, rivals: Sequence[Word], readings: Mapping[Word, CropReading]) -> bool:
    own = similarity(word.text, readings[word].text)
    if not rivals:
        return own < UNLIKE
    printed = [rival for rival in rivals if similarity(rival.text, readings[rival].text) >= LIKE]
    other_digits = any(digits(rival.text) != digits(word.text) for rival in printed)
    has_own_digits = digits(readings[word].text) == digits(word.text)
    return bool(printed) and (own < UNLIKE or (own < 1.0 and other_digits and not has_own_digits))


def _without(run: TextRun, hidden: set[Box]) -> TextRun | None:
    words = tuple(word for word in run.words if word.box not in hidden)
    if len(words) == len(run.words):
        return run
    if not words:
        return None
    left, right = min(word.box.left for word in words), max(word.box.right for word in words)
    return TextRun(words, replace(run.box, left=left, right=right))


def quoted(texts: Sequence[str], count: int = 5) -> Iterator[str]:
    """The first words, for a message; long ones are cut."""
    yield from (text if len(text) <= 40 else f"{text[:39]}…" for text in texts[:count])
    if len(texts) > count:
        yield "…"
