"""The words of a PDF's own text layer.

In: the page's characters with their places. Out: words as runs for the reading order, how far the page must be
turned for them to stand upright, and what the characters themselves say about their worth.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.order import Run

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.render import Characters

VISIBLE_CONFIDENCE = 1.0
WORD_GAP = 0.25  # of the character's height: PDFium marks most blanks itself, this catches the rest
WORD_SHIFT = 0.5  # of the height: further up or down is another line
RUN_GAP = 1.0  # of the height: wider gaps may be columns
LEVEL = 0.25  # of the height: words of one line and size stand so level
DOUBLE = 0.01  # of the page's width between two copies of a word
NO_CHARACTER = frozenset(("Cc", "Cn", "Co", "Cs"))  # control, unassigned, private, surrogate
LETTERS_TO_JUDGE = 40  # fewer letters have no statistics
VOWELS = frozenset("aeiouyäöüáàâéèêíîóôúûæøå")
VOWEL_SHARE = (0.15, 0.75)  # of Latin letters; wide on purpose: chosen, not fitted
MIN_LEGIBLE = 0.5  # letters and digits among the printed characters; chosen, not fitted
MAX_BROKEN = 0.1  # characters without a meaning; a few bullets from symbol fonts are normal


@dataclass(frozen=True, slots=True)
class Layer:
    """`defect` says why the characters cannot be believed, None when nothing speaks against them.
    `invisible` is the share of characters that are not painted.
    """

    runs: tuple[Run, ...]
    turned: int
    invisible: float
    defect: str | None

    @property
    def characters(self) -> int:
        return sum(len(word.text) for run in self.runs for word in run.words)


@dataclass(frozen=True, slots=True)
class _Placed:
    """A word: the box of its ink, and the loose one, as high as the line."""

    text: str
    box: Box
    loose: Box


def read_layer(characters: Characters, *, aspect: float, with_invisible: bool) -> Layer | None:
    """None when there is no layer. `aspect` is the page's width / height as drawn. Invisible characters count only
    `with_invisible`: over a scan they may be what a good OCR read, elsewhere nobody sees them.
    """
    printed = np.array([not char.isspace() for char in characters.text], dtype=bool) & ~characters.generated
    invisible = float(characters.invisible[printed].mean()) if printed.any() else 0.0
    if not with_invisible:
        printed &= ~characters.invisible
    if not printed.any():
        return None
    quarter = np.round(characters.angle / 90).astype(int) % 4
    reading = Counter(quarter[printed].tolist()).most_common(1)[0][0]
    turned = (-90 * reading) % 360
    starts = np.flatnonzero(printed & _breaks(characters, printed, quarter, aspect))
    words = _without_doubles(_words(characters, printed, starts, turned))
    text = "".join(char for char, use in zip(characters.text, printed, strict=True) if use)
    defect = _defect(text, float(characters.unmapped[printed].mean()))
    return Layer(tuple(_runs(words, aspect if turned % 180 == 0 else 1 / aspect)), turned, invisible, defect)


def _words(characters: Characters, printed: NDArray[np.bool_], starts: NDArray[np.intp], turned: int) -> list[_Placed]:
    used = np.flatnonzero(printed)
    first = np.searchsorted(used, starts)
    tight, loose = (_around(turned_boxes(boxes, turned)[used], first) for boxes in (characters.boxes, characters.loose))
    texts = ["".join(characters.text[i] for i in group) for group in np.split(used, first[1:])]
    return [_Placed(*word) for word in zip(texts, tight, loose, strict=True) if not _is_broken(word[0])]


def _around(boxes: NDArray[np.float32], first: NDArray[np.intp]) -> list[Box]:
    """The box around each group of neighbours; `first` are the groups' beginnings."""
    low = np.minimum.reduceat(boxes[:, :2], first).clip(0, 1)
    high = np.maximum.reduceat(boxes[:, 2:], first).clip(0, 1)
    return [Box(*edges) for edges in np.hstack([low, np.maximum(low, high)]).tolist()]


def _breaks(
    characters: Characters, printed: NDArray[np.bool_], quarter: NDArray[np.intp], aspect: float
) -> NDArray[np.bool_]:
    """True where a character starts a new word: after a blank, in another direction, or away from the one before."""
    boxes = characters.loose * np.array([aspect, 1, aspect, 1], np.float32)  # one unit in both directions
    upright = quarter % 2 == 0
    start, end = np.where(upright[:, None], boxes[:, [0, 2]], boxes[:, [1, 3]]).T
    foot, head = np.where(upright[:, None], boxes[:, [1, 3]], boxes[:, [0, 2]]).T
    height = np.maximum(1e-6, head - foot)[1:]
    gap = np.minimum(np.abs(start[1:] - end[:-1]), np.abs(start[:-1] - end[1:]))
    gap[np.abs(start[1:] - start[:-1]) < 1e-6] = 0  # a ligature: its letters share one box
    shift = np.abs((foot + head)[1:] - (foot + head)[:-1]) / 2
    breaks = np.ones(len(printed), dtype=bool)
    away = (gap > WORD_GAP * height) | (shift > WORD_SHIFT * height)
    breaks[1:] = ~printed[:-1] | (quarter[1:] != quarter[:-1]) | away
    return breaks


def _runs(words: list[_Placed], aspect: float) -> Iterator[Run]:
    """Neighbours in the content that also stand side by side in one line become one run."""
    run: list[_Placed] = []
    for word in words:
        if run and not _follows(run[-1].loose, word.loose, aspect):
            yield _run(run)
            run = []
        run.append(word)
    if run:
        yield _run(run)


def _follows(before: Box, after: Box, aspect: float) -> bool:
    height = before.bottom - before.top
    level = max(abs(after.top - before.top), abs(after.bottom - before.bottom)) <= LEVEL * height
    return level and -WORD_GAP * height <= (after.left - before.right) * aspect <= RUN_GAP * height


def _run(words: list[_Placed]) -> Run:
    first, last = words[0].loose, words[-1].loose
    found = tuple(Word(word.text, word.box, VISIBLE_CONFIDENCE, "textlayer", 0) for word in words)
    return Run(found, first.union(last))


def turned_boxes(boxes: NDArray[np.float32], degrees: int) -> NDArray[np.float32]:
    """Boxes in fractions of the page after the page was turned clockwise."""
    left, top, right, bottom = boxes.T
    if degrees == 90:
        return np.stack([1 - bottom, left, 1 - top, right], axis=1)
    if degrees == 180:
        return np.stack([1 - right, 1 - bottom, 1 - left, 1 - top], axis=1)
    if degrees == 270:
        return np.stack([top, 1 - right, bottom, 1 - left], axis=1)
    return boxes


def _without_doubles(words: list[_Placed]) -> list[_Placed]:
    """Bold print is sometimes the same word drawn twice, a little apart."""
    kept: list[_Placed] = []
    seen: dict[str, list[Box]] = {}
    for word in words:
        twins = seen.setdefault(word.text, [])
        if not any(abs(box.left - word.loose.left) < DOUBLE and box.iou(word.loose) > 0.5 for box in twins):
            kept.append(word)
            twins.append(word.loose)
    return kept


def _is_broken(text: str) -> bool:
    return all(char == "\ufffd" or unicodedata.category(char) in NO_CHARACTER for char in text)


def _defect(text: str, unmapped: float) -> str | None:
    """What is wrong with these characters. Wrong font tables give symbols, or letters as in a simple cipher."""
    broken = sum(unicodedata.category(char) in NO_CHARACTER or char == "\ufffd" for char in text)
    if broken / len(text) + unmapped > MAX_BROKEN:
        return "its fonts do not say which characters they print"
    if len(text) < LETTERS_TO_JUDGE:
        return None
    if sum(char.isalnum() for char in text) / len(text) < MIN_LEGIBLE:
        return "it is mostly signs, not letters and digits"
    latin = [char.lower() for char in text if char.isalpha() and char < "\u0250"]
    if len(latin) >= LETTERS_TO_JUDGE:
        share = sum(char in VOWELS for char in latin) / len(latin)
        if not VOWEL_SHARE[0] <= share <= VOWEL_SHARE[1]:
            return "its letters do not form words"
    return None
