"""The words of a PDF's own text layer.

In: the page's characters with their places. Out: words as runs for the reading order, how far the page must be
turned for them to stand upright, and what the characters themselves say about their worth.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
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
LETTERS_TO_JUDGE = 40  # fewer letters have no statistics
VOWELS = frozenset("aeiouyäöüáàâéèêíîóôúûæøå")
VOWEL_SHARE = (0.15, 0.75)  # of Latin letters; every language of Europe lies at 0.35-0.5, codes and sums lower
MIN_LEGIBLE = 0.5  # letters and digits among the printed characters; price lists with rules of dashes have 0.6
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
    words = _words(characters, printed & ~_breaks(characters, printed, quarter, aspect), printed, turned)
    text = "".join(char for char, use in zip(characters.text, printed, strict=True) if use)
    defect = _defect(text, float(characters.unmapped[printed].mean()))
    return Layer(tuple(_without_doubles(words)), turned, invisible, defect)


def _words(characters: Characters, joined: NDArray[np.bool_], printed: NDArray[np.bool_], turned: int) -> list[Run]:
    """`joined` says which characters continue the word of the one before them."""
    tight = turned_boxes(characters.boxes, turned)
    loose = turned_boxes(characters.loose, turned)
    used = np.flatnonzero(printed)
    groups = np.split(used, np.flatnonzero(~joined[used])[1:])
    return [_run(characters.text, group, tight, loose) for group in groups]


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


def _run(text: str, group: NDArray[np.intp], tight: NDArray[np.float32], loose: NDArray[np.float32]) -> Run:
    word = Word("".join(text[i] for i in group), _around(tight[group]), VISIBLE_CONFIDENCE, "textlayer", 0)
    return Run((word,), _around(loose[group]))


def _around(boxes: NDArray[np.float32]) -> Box:
    left, top = np.clip(boxes[:, :2].min(axis=0), 0, 1).tolist()
    right, bottom = np.clip(boxes[:, 2:].max(axis=0), 0, 1).tolist()
    return Box(left, top, max(left, right), max(top, bottom))


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


def _without_doubles(runs: list[Run]) -> list[Run]:
    """Bold print is sometimes the same word drawn twice, a little apart."""
    kept: list[Run] = []
    seen: dict[str, list[Box]] = {}
    for run in runs:
        text = run.words[0].text
        if not any(run.box.iou(box) > 0.5 for box in seen.get(text, ())):
            kept.append(run)
            seen.setdefault(text, []).append(run.box)
    return kept


def _defect(text: str, unmapped: float) -> str | None:
    """What is wrong with these characters. Wrong font tables give symbols, or letters as in a simple cipher."""
    broken = sum(unicodedata.category(char) in ("Cc", "Cn", "Co", "Cs") or char == "\ufffd" for char in text)
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
