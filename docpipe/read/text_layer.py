"""The words of a PDF's own text layer.

In: the page's characters with their places. Out: words as runs for the reading order, how far the page must be
turned for them to stand upright, and what is wrong with the characters, if anything.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.order import TextRun

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.render import Characters

VISIBLE_CONFIDENCE = 1.0
WORD_GAP = 0.25  # of the character's height: PDFium marks most blanks itself, this catches the rest
WORD_SHIFT = 0.5  # of the height: further up or down is another line
RUN_GAP = 1.0  # of the height: wider gaps may be columns
SAME_LINE = 0.25  # of the height: tops and bottoms of words of one line and size differ by less
DUPLICATE_SHIFT = 0.01  # of the page's width between two copies of a word
MEANINGLESS_CATEGORIES = frozenset(("Cc", "Cn", "Co", "Cs"))  # control, unassigned, private, surrogate
MIN_LETTERS = 40  # fewer letters have no statistics
VOWELS = frozenset("aeiouyäöüáàâéèêíîóôúûæøå")
VOWEL_SHARE = (0.15, 0.75)  # of Latin letters; wide on purpose: chosen, not fitted
MIN_ALPHANUMERIC = 0.5  # letters and digits among the printed characters; chosen, not fitted
MAX_MEANINGLESS = 0.1  # characters without a meaning; a few bullets from symbol fonts are normal


@dataclass(frozen=True, slots=True)
class TextLayer:
    """`defect` says why the characters cannot be believed, None when nothing speaks against them.
    `invisible_share` is the part of the characters that are not painted. `hidden` are the words that are left out as
    they are not painted, or lie beside the page. `doubtful` are boxes of words that are painted and perhaps not seen.
    `fonts` has the number of each word's font, by its box.
    """

    runs: tuple[TextRun, ...]
    rotation: int
    invisible_share: float
    defect: str | None
    hidden: tuple[str, ...] = ()
    doubtful: frozenset[Box] = frozenset()
    fonts: Mapping[Box, int] = field(default_factory=dict)

    @property
    def characters(self) -> int:
        """How many there are."""
        return sum(len(word.text) for run in self.runs for word in run.words)

    @property
    def doubtful_share(self) -> float:
        """Of the words."""
        return len(self.doubtful) / max(1, sum(len(run.words) for run in self.runs))


@dataclass(frozen=True, slots=True)
class _LayerWord:
    """A word: the box of its ink, and a loose one, as high as the line."""

    text: str
    box: Box
    loose_box: Box
    is_doubtful: bool
    font: int


def read_layer(characters: Characters, *, aspect: float, with_invisible: bool) -> TextLayer | None:
    """None when there is no layer. `aspect` is the page's width / height as drawn. Invisible characters count only
    `with_invisible`: over a scan they may be what a good OCR read, elsewhere nobody sees them.
    """
    printed = np.array([not char.isspace() for char in characters.text], dtype=bool) & ~characters.generated
    invisible_share = float(characters.invisible[printed].mean()) if printed.any() else 0.0
    shown = printed & ~(characters.off_page if with_invisible else characters.invisible)
    if not shown.any():
        return None
    hidden = _texts(characters, printed & ~shown, aspect)
    printed = shown
    direction = np.round(characters.angle / 90).astype(int) % 4
    reading_direction = Counter(direction[printed].tolist()).most_common(1)[0][0]
    rotation = (-90 * reading_direction) % 360
    starts = np.flatnonzero(printed & _breaks(characters, printed, direction, aspect))
    words = _without_duplicates(_words(characters, printed, starts, rotation))
    text = "".join(char for char, is_printed in zip(characters.text, printed, strict=True) if is_printed)
    defect = _defect(text, float(characters.unmapped[printed].mean()))
    upright_aspect = aspect if rotation % 180 == 0 else 1 / aspect
    runs = tuple(_text_runs(words, upright_aspect))
    doubtful = frozenset(word.box for word in words if word.is_doubtful)
    fonts = {word.box: word.font for word in words}
    return TextLayer(runs, rotation, invisible_share, defect, hidden, doubtful, fonts)


def _texts(characters: Characters, chosen: NDArray[np.bool_], aspect: float) -> tuple[str, ...]:
    """The words of these characters alone."""
    if not chosen.any():
        return ()
    direction = np.round(characters.angle / 90).astype(int) % 4
    starts = np.flatnonzero(chosen & _breaks(characters, chosen, direction, aspect))
    return tuple(word.text for word in _words(characters, chosen, starts, 0))


def _words(
    characters: Characters, printed: NDArray[np.bool_], starts: NDArray[np.intp], rotation: int
) -> list[_LayerWord]:
    """`starts` are the indexes of the characters that begin a word."""
    indexes = np.flatnonzero(printed)
    first = np.searchsorted(indexes, starts)
    tight, loose = (
        _group_boxes(rotated_boxes(boxes, rotation)[indexes], first) for boxes in (characters.boxes, characters.loose)
    )
    texts = ["".join(characters.text[i] for i in group) for group in np.split(indexes, first[1:])]
    doubtful = np.logical_or.reduceat(characters.doubtful[indexes], first).tolist()
    fonts = characters.font[starts].tolist()
    words = (_LayerWord(*parts) for parts in zip(texts, tight, loose, doubtful, fonts, strict=True))
    return [word for word in words if not _is_meaningless(word.text)]


def _group_boxes(boxes: NDArray[np.float32], first: NDArray[np.intp]) -> list[Box]:
    """The box around each group of neighbours; `first` are the groups' beginnings."""
    low = np.minimum.reduceat(boxes[:, :2], first).clip(0, 1)
    high = np.maximum.reduceat(boxes[:, 2:], first).clip(0, 1)
    return [Box(*edges) for edges in np.hstack([low, np.maximum(low, high)]).tolist()]


def _breaks(
    characters: Characters, printed: NDArray[np.bool_], direction: NDArray[np.intp], aspect: float
) -> NDArray[np.bool_]:
    """True where a character starts a new word: after a blank, in another direction, or away from the one before."""
    boxes = characters.loose * np.array([aspect, 1, aspect, 1], np.float32)  # one unit in both directions
    upright = direction % 2 == 0
    start, end = np.where(upright[:, None], boxes[:, [0, 2]], boxes[:, [1, 3]]).T
    top, bottom = np.where(upright[:, None], boxes[:, [1, 3]], boxes[:, [0, 2]]).T
    height = np.maximum(1e-6, bottom - top)[1:]
    gap = np.minimum(np.abs(start[1:] - end[:-1]), np.abs(start[:-1] - end[1:]))
    gap[np.abs(start[1:] - start[:-1]) < 1e-6] = 0  # a ligature: its letters share one box
    shift = np.abs((top + bottom)[1:] - (top + bottom)[:-1]) / 2
    breaks = np.ones(len(printed), dtype=bool)
    is_apart = (gap > WORD_GAP * height) | (shift > WORD_SHIFT * height)
    breaks[1:] = ~printed[:-1] | (direction[1:] != direction[:-1]) | is_apart
    return breaks


def _text_runs(words: list[_LayerWord], aspect: float) -> Iterator[TextRun]:
    """Neighbours in the content that also stand side by side in one line become one run."""
    run: list[_LayerWord] = []
    for word in words:
        if run and not _follows(run[-1].loose_box, word.loose_box, aspect):
            yield _text_run(run)
            run = []
        run.append(word)
    if run:
        yield _text_run(run)


def _follows(left: Box, right: Box, aspect: float) -> bool:
    height = left.bottom - left.top
    on_one_line = max(abs(right.top - left.top), abs(right.bottom - left.bottom)) <= SAME_LINE * height
    return on_one_line and -WORD_GAP * height <= (right.left - left.right) * aspect <= RUN_GAP * height


def _text_run(words: list[_LayerWord]) -> TextRun:
    first, last = words[0].loose_box, words[-1].loose_box
    line_words = tuple(Word(word.text, word.box, VISIBLE_CONFIDENCE, "textlayer", 0) for word in words)
    return TextRun(line_words, first.union(last))


def rotated_boxes(boxes: NDArray[np.float32], degrees: int) -> NDArray[np.float32]:
    """Boxes in fractions of the page after the page was turned clockwise."""
    left, top, right, bottom = boxes.T
    if degrees == 90:
        return np.stack([1 - bottom, left, 1 - top, right], axis=1)
    if degrees == 180:
        return np.stack([1 - right, 1 - bottom, 1 - left, 1 - top], axis=1)
    if degrees == 270:
        return np.stack([top, 1 - right, bottom, 1 - left], axis=1)
    return boxes


def _without_duplicates(words: list[_LayerWord]) -> list[_LayerWord]:
    """Bold print is sometimes the same word drawn twice, a little apart."""
    kept: list[_LayerWord] = []
    boxes_by_text: dict[str, list[Box]] = {}
    for word in words:
        same_text_boxes = boxes_by_text.setdefault(word.text, [])
        if not any(_is_shifted_copy(word.loose_box, box) for box in same_text_boxes):
            kept.append(word)
            same_text_boxes.append(word.loose_box)
    return kept


def _is_shifted_copy(box: Box, earlier: Box) -> bool:
    return abs(earlier.left - box.left) < DUPLICATE_SHIFT and earlier.iou(box) > 0.5


def _is_meaningless(text: str) -> bool:
    return all(char == "\ufffd" or unicodedata.category(char) in MEANINGLESS_CATEGORIES for char in text)


def _defect(text: str, unmapped: float) -> str | None:
    """What is wrong with these characters. Wrong font tables give symbols, or letters as in a simple cipher."""
    meaningless = sum(unicodedata.category(char) in MEANINGLESS_CATEGORIES or char == "\ufffd" for char in text)
    if meaningless / len(text) + unmapped > MAX_MEANINGLESS:
        return "its fonts do not say which characters they print"
    if len(text) < MIN_LETTERS:
        return None
    if sum(char.isalnum() for char in text) / len(text) < MIN_ALPHANUMERIC:
        return "it is mostly signs, not letters and digits"
    latin = [char.lower() for char in text if char.isalpha() and char < "\u0250"]
    if len(latin) >= MIN_LETTERS:
        share = sum(char in VOWELS for char in latin) / len(latin)
        if not VOWEL_SHARE[0] <= share <= VOWEL_SHARE[1]:
            return "its letters do not form words"
    return None
