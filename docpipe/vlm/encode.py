"""Pages and fields become the arrays that the network reads. No torch here: training and production share this file.

In: the words of one page with their boxes, its picture, and the questions (one per field).
Out: `PageArrays` and `FieldArrays` of numpy, shapes in the comments (N words, F fields).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from docpipe.data import Word
from docpipe.vlm.deskew_boxes import levelled

if TYPE_CHECKING:
    from PIL.Image import Image
    from tokenizers import Tokenizer

PIECES_PER_WORD = 6  # first four and last two; 98 % of the words on invoices have six or fewer
UNKNOWN = 100  # the piece for what the vocabulary does not have
PROMPT_PIECES = 32  # a description of about 20 words
SHAPES = 2048  # buckets for the hashed shape of a word ("99/99/9999")
CANVAS_HEIGHT, CANVAS_WIDTH = 640, 480  # the picture: grey, the page fitted in, white below and right
MAX_WORDS = 448  # of one pass; with 48 patches and the fields about 512 positions, what the text encoder was made for
SHARED = MAX_WORDS // 4  # words that neighbouring windows of one page share, so that no table row is cut
CONTEXT = 8  # numbers a word carries about its place, see `_context`
FIRST = 5  # of them: whether a word is the first of its line
WIDEST_GAP = 4.0  # heights of print: two columns
FAR_UP, FAR_DOWN, FAR_LEFT = 4.0, 3.0, 12.0  # heights of print from a value to where its caption may begin
LEVEL = 0.6  # heights of print up or down within which two words stand beside each other
HEIGHT_COUNTS = 3.0  # a line further up is as far as three heights to the left
ABOVE, BELOW, LEFT = 6, 4, 4  # words near a word that its caption may begin or end with, see `_near`
NEAR = ABOVE + BELOW + LEFT
GROUPS = ("text", "name", "address", "identifier", "date", "time", "number", "code", "document")
DOCUMENT = GROUPS.index("document")  # asks whether the page is of a type of document; only `absent` answers it

_SHAPE_RULES = ((re.compile(r"[0-9]"), "9"), (re.compile(r"[A-ZÀ-ÖØ-Þ]"), "A"), (re.compile(r"[a-zß-öø-ÿ]"), "a"))
_RUNS = re.compile(r"(A{4}|a{4}|9{6})(?:A+|a+|9+)")


@dataclass(frozen=True, slots=True)
class Question:
    """What the network is asked about one field: its description, its group, and whether it repeats in rows."""

    prompt: str
    group: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class FieldArrays:
    pieces: NDArray[np.int64]  # [F, PROMPT_PIECES], 0 is padding
    group: NDArray[np.int64]  # [F] index into GROUPS
    repeated: NDArray[np.int64]  # [F] 0 or 1


@dataclass(frozen=True, slots=True)
class PageArrays:
    pieces: NDArray[np.int64]  # [N, PIECES_PER_WORD], 0 is padding
    shape: NDArray[np.int64]  # [N] hashed shape of the word
    boxes: NDArray[np.float32]  # [N, 4] left, top, right, bottom in fractions of the page, levelled
    context: NDArray[np.float32]  # [N, CONTEXT] see `_context`
    picture: NDArray[np.float32]  # [CANVAS_HEIGHT, CANVAS_WIDTH] ink 0 (paper) to 1 (black)
    places: NDArray[np.float32]  # [N, 4] the boxes in fractions of the canvas, levelled
    seen: NDArray[np.float32]  # [N, 4] where the words are on the picture, in fractions of the canvas
    near: NDArray[np.int64]  # [N, NEAR] indexes of words above, below and left of it, -1 for none


def word_shape(text: str) -> int:
    """A bucket for how the word looks: `12/03/2018` -> `99/99/9999`. Runs of letters longer than four are cut."""
    for pattern, mark in _SHAPE_RULES:
        text = pattern.sub(mark, text)
    return zlib.crc32(_RUNS.sub(r"\1", text)[:24].encode()) % SHAPES


def load_tokenizer(path: Path) -> Tokenizer:
    from tokenizers import Tokenizer  # heavy: 10 MB native library

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def encode_fields(questions: Sequence[Question], tokenizer: Tokenizer) -> FieldArrays:
    pieces = np.zeros((len(questions), PROMPT_PIECES), np.int64)
    for row, question in enumerate(questions):
        ids = tokenizer.encode(question.prompt, add_special_tokens=False).ids[:PROMPT_PIECES] or [UNKNOWN]
        pieces[row, : len(ids)] = ids
    return FieldArrays(
        pieces=pieces,
        group=np.array([GROUPS.index(q.group) for q in questions], np.int64),
        repeated=np.array([int(q.repeated) for q in questions], np.int64),
    )


def encode_page(words: Sequence[Word], aspect: float, picture: NDArray[np.float32], tokenizer: Tokenizer) -> PageArrays:
    """`aspect` is the page's height over its width; `picture` comes from `canvas`."""
    lines, seen = np.array([w.line for w in words], np.int64), boxes_of(words)
    boxes = levelled(seen, lines)
    return PageArrays(
        pieces=word_pieces([w.text for w in words], tokenizer),
        shape=np.array([word_shape(w.text) for w in words], np.int64),
        boxes=boxes,
        context=_context(words, boxes, aspect),
        picture=picture,
        places=on_canvas(boxes, aspect),
        seen=on_canvas(seen, aspect),
        near=_near(lines, boxes, aspect),
    )


def on_canvas(boxes: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
    """Boxes in fractions of the page -> [N, 4] in fractions of the canvas."""
    fit_width, fit_height = fitted(aspect)
    fit = np.array([fit_width / CANVAS_WIDTH, fit_height / CANVAS_HEIGHT] * 2, np.float32)
    return np.clip(boxes * fit, 0.0, 1.0).astype(np.float32)


def boxes_of(words: Sequence[Word]) -> NDArray[np.float32]:
    return np.array([(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in words], np.float32).reshape(-1, 4)


def word_pieces(texts: Sequence[str], tokenizer: Tokenizer) -> NDArray[np.int64]:
    """[N, PIECES_PER_WORD]"""
    pieces = np.zeros((len(texts), PIECES_PER_WORD), np.int64)
    for row, encoding in enumerate(tokenizer.encode_batch(list(texts), add_special_tokens=False)):
        ids = encoding.ids or [UNKNOWN]
        if len(ids) > PIECES_PER_WORD:
            ids = [*ids[: PIECES_PER_WORD - 2], *ids[-2:]]
        pieces[row, : len(ids)] = ids
    return pieces


def fitted(aspect: float) -> tuple[int, int]:
    """Width and height in pixels of a page of this aspect fitted into the canvas."""
    if aspect * CANVAS_WIDTH <= CANVAS_HEIGHT:
        return CANVAS_WIDTH, max(1, round(aspect * CANVAS_WIDTH))
    return max(1, round(CANVAS_HEIGHT / aspect)), CANVAS_HEIGHT


def canvas(image: Image) -> NDArray[np.float32]:
    """The page as ink on the canvas: 0 paper, 1 black; the paper's own grey is taken off."""
    from PIL import Image as PillowImage  # heavy: native library

    width, height = fitted(image.height / image.width)
    small = np.asarray(image.convert("L").resize((width, height), PillowImage.Resampling.BOX, reducing_gap=2.0))
    paper = max(float(np.percentile(small, 75)), 32.0)
    ink = np.zeros((CANVAS_HEIGHT, CANVAS_WIDTH), np.float32)
    ink[:height, :width] = np.clip(1.0 - small.astype(np.float32) / paper, 0.0, 1.0)
    return ink


def _context(words: Sequence[Word], boxes: NDArray[np.float32], aspect: float) -> NDArray[np.float32]:
    """[N, CONTEXT]: place in its line 0-1, its line among the lines 0-1, reading confidence, print height against the
    page's median print, the page's aspect, 1 for the first word of a line, and the gaps to the words before and after
    it on the line in heights of its print."""
    context = np.zeros((len(words), CONTEXT), np.float32)
    lines: dict[int, list[int]] = {}
    for index, word in enumerate(words):
        lines.setdefault(word.line, []).append(index)
    for order, members in enumerate(lines.values()):
        for place, index in enumerate(members):
            context[index, 0] = place / len(members)
            context[index, 1] = order / len(lines)
            context[index, FIRST] = float(place == 0)
        context[members, 6], context[members, 7] = _gaps(boxes[members], aspect)
    if words:
        heights = boxes[:, 3] - boxes[:, 1]
        context[:, 2] = [w.confidence for w in words]
        context[:, 3] = np.minimum(heights / max(float(np.median(heights)), 1e-4), 4.0)
        context[:, 4] = min(aspect, 4.0)
    return context


def _gaps(boxes: NDArray[np.float32], aspect: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Of the words of one line, 0 to WIDEST_GAP; there is nothing before the first and after the last."""
    heights = np.maximum((boxes[:, 3] - boxes[:, 1]) * aspect, 1e-4)
    between = boxes[1:, 0] - boxes[:-1, 2]
    before = np.concatenate([[np.inf], between]) / heights
    after = np.concatenate([between, [np.inf]]) / heights
    return np.clip(before, 0.0, WIDEST_GAP), np.clip(after, 0.0, WIDEST_GAP)


def _near(lines: NDArray[np.int64], boxes: NDArray[np.float32], aspect: float) -> NDArray[np.int64]:
    """[N, NEAR]: of the words of other lines that stand above, below and left of a word those that its caption may
    begin with (left of it: end with), nearest first. A caption above begins left of its value's right edge and not far
    to the left; one beside its value is of another line where the gap between them is wide."""
    left, right = boxes[:, 0], boxes[:, 2]
    middle = (boxes[:, 1] + boxes[:, 3]) / 2 * aspect
    height = np.maximum((boxes[:, 3] - boxes[:, 1]) * aspect, 1e-4)[:, None]
    up = (middle[:, None] - middle[None, :]) / height  # [N, N] heights of print; negative below
    aside = (left[:, None] - left[None, :]) / height
    gap = (left[:, None] - right[None, :]) / height
    other = lines[:, None] != lines[None, :]
    under = other & (left[None, :] < right[:, None]) & (aside < FAR_LEFT)
    far = HEIGHT_COUNTS * np.abs(up) + np.abs(aside)
    above = np.where(under & (up > LEVEL) & (up < FAR_UP), far, np.inf)
    below = np.where(under & (up < -LEVEL) & (up > -FAR_DOWN), far, np.inf)
    before = np.where(other & (np.abs(up) <= LEVEL) & (gap > -LEVEL), gap, np.inf)
    return np.concatenate([_nearest(above, ABOVE), _nearest(below, BELOW), _nearest(before, LEFT)], axis=1)


def _nearest(distance: NDArray[np.floating[Any]], count: int) -> NDArray[np.int64]:
    """[N, N] -> [N, count] indexes of the nearest, -1 where there are no more."""
    nearest = np.full((len(distance), count), -1, np.int64)
    order = np.argsort(distance, axis=1)[:, :count]
    reached = np.isfinite(np.take_along_axis(distance, order, axis=1))
    nearest[:, : order.shape[1]] = np.where(reached, order, -1)
    return nearest


def windows(count: int) -> list[tuple[int, int]]:
    """Word ranges of at most MAX_WORDS that cover a page; neighbours share SHARED words."""
    if count <= MAX_WORDS:
        return [(0, count)]
    starts = range(0, count - SHARED, MAX_WORDS - SHARED)
    return [(start, min(start + MAX_WORDS, count)) for start in starts]
