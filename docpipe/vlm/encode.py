"""The words of a page and its picture become the arrays of `PageInputs`. No torch: training and production share this.

In: the words of one page with their boxes, and its picture. Out: numpy arrays, N words.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Word
from docpipe.vlm.deskew_boxes import deskewed
from docpipe.vlm.inputs import (
    CANVAS_HEIGHT,
    CANVAS_WIDTH,
    NEIGHBOURS_ABOVE,
    NEIGHBOURS_BELOW,
    NEIGHBOURS_LEFT,
    SHAPE_BUCKETS,
    TOKENS_PER_WORD,
    UNKNOWN_TOKEN,
    Float32Array,
    Int64Array,
    PageInputs,
    WordFeature,
)

if TYPE_CHECKING:
    from PIL.Image import Image
    from tokenizers import Tokenizer

MAX_WORDS = 448  # of one pass; with 48 patches and the fields about 512 positions, what the text encoder was made for
WINDOW_OVERLAP = MAX_WORDS // 4  # words that neighbouring windows of one page share, so that no table row is cut
MAX_GAP = 4.0  # heights of print: two columns
MAX_UP, MAX_DOWN, MAX_LEFT = 4.0, 3.0, 12.0  # heights of print from a value to where its printed label may begin
SAME_HEIGHT = 0.6  # heights of print up or down within which two words stand beside each other
VERTICAL_WEIGHT = 3.0  # a line further up is as far as three heights to the left
MAX_PRINT_RATIO, MAX_ASPECT = 4.0, 4.0

_SHAPE_RULES = ((re.compile(r"[0-9]"), "9"), (re.compile(r"[A-ZÀ-ÖØ-Þ]"), "A"), (re.compile(r"[a-zß-öø-ÿ]"), "a"))
_RUNS = re.compile(r"(A{4}|a{4}|9{6})(?:A+|a+|9+)")


def word_shape(text: str) -> int:
    """A bucket for how the word looks: `12/03/2018` -> `99/99/9999`. Runs of letters longer than four are cut."""
    for pattern, replacement in _SHAPE_RULES:
        text = pattern.sub(replacement, text)
    return zlib.crc32(_RUNS.sub(r"\1", text)[:24].encode()) % SHAPE_BUCKETS


def load_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # heavy: 10 MB native library

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode_page(
    words: Sequence[Word], aspect: float, picture: Float32Array, tokenizer: Tokenizer
) -> PageInputs[NDArray[Any]]:
    """`aspect` is the page's height over its width; `picture` comes from `canvas_picture`."""
    lines, printed_boxes = np.array([w.line for w in words], np.int64), word_boxes(words)
    page_boxes = deskewed(printed_boxes, lines)
    return PageInputs(
        token_ids=word_token_ids([w.text for w in words], tokenizer),
        shape_ids=np.array([word_shape(w.text) for w in words], np.int64),
        page_boxes=page_boxes,
        word_features=_word_features(words, page_boxes, aspect),
        canvas_boxes=on_canvas(page_boxes, aspect),
        image_boxes=on_canvas(printed_boxes, aspect),
        neighbours=_neighbours(lines, page_boxes, aspect),
        picture=picture,
    )


def on_canvas(boxes: Float32Array, aspect: float) -> Float32Array:
    """Boxes in fractions of the page -> [N, 4] in fractions of the canvas."""
    width, height = canvas_size(aspect)
    scale = np.array([width / CANVAS_WIDTH, height / CANVAS_HEIGHT] * 2, np.float32)
    return np.clip(boxes * scale, 0.0, 1.0).astype(np.float32)


def word_boxes(words: Sequence[Word]) -> Float32Array:
    """[N, 4] left, top, right, bottom in fractions of the page."""
    return np.array([(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in words], np.float32).reshape(-1, 4)


def word_token_ids(texts: Sequence[str], tokenizer: Tokenizer) -> Int64Array:
    """[N, TOKENS_PER_WORD]"""
    token_ids = np.zeros((len(texts), TOKENS_PER_WORD), np.int64)
    for row, encoding in enumerate(tokenizer.encode_batch(list(texts), add_special_tokens=False)):
        ids = encoding.ids or [UNKNOWN_TOKEN]
        if len(ids) > TOKENS_PER_WORD:
            ids = [*ids[: TOKENS_PER_WORD - 2], *ids[-2:]]
        token_ids[row, : len(ids)] = ids
    return token_ids


def canvas_size(aspect: float) -> tuple[int, int]:
    """Width and height in pixels of a page of this aspect fitted into the canvas."""
    if aspect * CANVAS_WIDTH <= CANVAS_HEIGHT:
        return CANVAS_WIDTH, max(1, round(aspect * CANVAS_WIDTH))
    return max(1, round(CANVAS_HEIGHT / aspect)), CANVAS_HEIGHT


def canvas_picture(image: Image) -> Float32Array:
    """The page as ink on the canvas: 0 paper, 1 black; the paper's own grey is taken off."""
    from PIL import Image as PillowImage  # heavy: native library

    width, height = canvas_size(image.height / image.width)
    resized = np.asarray(image.convert("L").resize((width, height), PillowImage.Resampling.BOX, reducing_gap=2.0))
    paper_grey = max(float(np.percentile(resized, 75)), 32.0)
    ink = blank_picture()
    ink[:height, :width] = np.clip(1.0 - resized.astype(np.float32) / paper_grey, 0.0, 1.0)
    return ink


def blank_picture() -> Float32Array:
    """White paper, for a page without a picture."""
    return np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)


def _word_features(words: Sequence[Word], boxes: Float32Array, aspect: float) -> Float32Array:
    """[N, 8] by WordFeature."""
    features = np.zeros((len(words), len(WordFeature)), np.float32)
    lines: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        lines.setdefault(word.line, []).append(index)
    for number, indexes in enumerate(lines.values()):
        line = boxes[indexes]
        for place, index in enumerate(indexes):
            features[index, WordFeature.PLACE_IN_LINE] = place / len(indexes)
            features[index, WordFeature.LINE] = number / len(lines)
            features[index, WordFeature.FIRST_OF_LINE] = float(place == 0)
        print_heights = np.maximum((line[:, 3] - line[:, 1]) * aspect, 1e-4)
        gaps = line[1:, 0] - line[:-1, 2]  # nothing is before the first and after the last
        before, after = np.concatenate([[np.inf], gaps]), np.concatenate([gaps, [np.inf]])
        features[indexes, WordFeature.GAP_BEFORE] = np.clip(before / print_heights, 0.0, MAX_GAP)
        features[indexes, WordFeature.GAP_AFTER] = np.clip(after / print_heights, 0.0, MAX_GAP)
    if words:
        heights = boxes[:, 3] - boxes[:, 1]
        features[:, WordFeature.CONFIDENCE] = [w.confidence for w in words]
        ratios = heights / max(float(np.median(heights)), 1e-4)
        features[:, WordFeature.PRINT_HEIGHT] = np.minimum(ratios, MAX_PRINT_RATIO)
        features[:, WordFeature.ASPECT] = min(aspect, MAX_ASPECT)
    return features


def _neighbours(lines: Int64Array, boxes: Float32Array, aspect: float) -> Int64Array:
    """[N, NEIGHBOURS]: of the words of other lines that stand above, below and left of a word those that its printed
    label may begin with (left of it: end with), nearest first. A label above begins left of its value's right edge and
    not far to the left; one beside its value is of another line where the gap between them is wide."""
    left, right = boxes[:, 0], boxes[:, 2]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2 * aspect
    height = np.maximum((boxes[:, 3] - boxes[:, 1]) * aspect, 1e-4)[:, None]
    up = (middle[:, None] - middle[None, :]) / height  # [N, N] heights of print; negative below
    left_distance = (left[:, None] - left[None, :]) / height
    gap = (left[:, None] - right[None, :]) / height
    other_line = lines[:, None] != lines[None, :]
    overlapping = other_line & (left[None, :] < right[:, None]) & (left_distance < MAX_LEFT)
    distance = VERTICAL_WEIGHT * np.abs(up) + np.abs(left_distance)
    above = np.where(overlapping & (up > SAME_HEIGHT) & (up < MAX_UP), distance, np.inf)
    below = np.where(overlapping & (up < -SAME_HEIGHT) & (up > -MAX_DOWN), distance, np.inf)
    before = np.where(other_line & (np.abs(up) <= SAME_HEIGHT) & (gap > -SAME_HEIGHT), gap, np.inf)
    return np.concatenate(
        [_nearest(above, NEIGHBOURS_ABOVE), _nearest(below, NEIGHBOURS_BELOW), _nearest(before, NEIGHBOURS_LEFT)],
        axis=1,
    )


def _nearest(distance: NDArray[np.floating[Any]], count: int) -> Int64Array:
    """[N, N] -> [N, count] indexes of the nearest, -1 where there are no more."""
    nearest = np.full((len(distance), count), -1, np.int64)
    order = np.argsort(distance, axis=1)[:, :count]
    is_neighbour = np.isfinite(np.take_along_axis(distance, order, axis=1))
    nearest[:, : order.shape[1]] = np.where(is_neighbour, order, -1)
    return nearest


def word_windows(count: int) -> list[range]:
    """Ranges of at most MAX_WORDS words that cover a page; neighbours share WINDOW_OVERLAP words."""
    if count <= MAX_WORDS:
        return [range(count)]
    starts = range(0, count - WINDOW_OVERLAP, MAX_WORDS - WINDOW_OVERLAP)
    return [range(start, min(start + MAX_WORDS, count)) for start in starts]
