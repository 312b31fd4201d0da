"""What scanning and OCR do to words: confused letters, merged and lost words, boxes that are a little off.

In: the words of an example, a random generator. Out: the words with noise, and where each of the old ones has gone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.split_words import split_text

CONFUSIONS = {
    "0": "O", "O": "0", "1": "l", "l": "1", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "2": "Z",
    "Z": "2", ".": ",", ",": ".", ":": ".", "/": "1", "e": "c", "c": "e", "a": "o", "n": "r", "u": "v", "ä": "a",
    "ö": "o", "ü": "u", "é": "e", "è": "e", "ß": "B", "€": "E", "-": "",
}  # fmt: skip
CONFUSED_SHARE = 0.012  # of letters by an OCR engine on a poor scan; good scans stay far below
MERGED_SHARE = 0.05  # of word gaps that RapidOCR closes on receipts
LOST_SHARE = 0.008  # of words that are not detected
MAX_STRENGTH = 2.0  # times the measured noise
MERGED_GAP = 0.6  # heights of a word: narrower gaps may be closed
CONFIDENCE_LOSS, LEAST_LOSS, LOWEST_CONFIDENCE = 0.03, 0.005, 0.3
SHIFT, STRETCH, SHEAR, BOX_JITTER = 0.015, 0.02, 0.004, 0.0012  # standard deviations, in fractions of the page


@dataclass(frozen=True, slots=True)
class NoisyWords:
    words: tuple[Word, ...]
    new_index: Mapping[int, int]  # of each word that was; a lost one has none


def ocr_noise(words: Sequence[Word], random: np.random.Generator) -> NoisyWords:
    """Of a strength drawn from none to MAX_STRENGTH."""
    strength = float(random.uniform(0.0, MAX_STRENGTH))
    noisy: list[Word] = []
    new_index: dict[int, int] = {}
    for index, word in enumerate(words):
        if random.random() < LOST_SHARE * strength:
            continue
        text = _confused(word.text, CONFUSED_SHARE * strength, random)
        previous = noisy[-1] if noisy else None
        if previous and _may_merge(previous, word) and random.random() < MERGED_SHARE * strength:
            noisy[-1] = replace(previous, text=previous.text + text, box=previous.box.union(word.box))
        else:
            loss = random.exponential(CONFIDENCE_LOSS * strength + LEAST_LOSS)
            confidence = float(np.clip(1.0 - loss, LOWEST_CONFIDENCE, 1.0))
            noisy.append(replace(word, text=text, confidence=confidence))
        new_index[index] = len(noisy) - 1
    return NoisyWords(tuple(noisy), new_index)


def jitter(words: tuple[Word, ...], random: np.random.Generator) -> tuple[Word, ...]:
    """The page moved, stretched and slightly sheared as a whole, and each box a little by itself."""
    if not words:
        return words
    boxes = np.array([(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in words])  # [N, 4]
    shift, scale = random.normal(0.0, SHIFT, 2), 1.0 + random.normal(0.0, STRETCH, 2)
    shear = random.normal(0.0, SHEAR) * (boxes[:, :1] - 0.5)
    moved = boxes * np.tile(scale, 2) + np.tile(shift, 2) + random.normal(0.0, BOX_JITTER, boxes.shape)
    moved[:, 1::2] += shear
    return tuple(
        replace(word, box=Box(*box)) for word, box in zip(words, np.clip(moved, 0.0, 1.0).tolist(), strict=True)
    )


def _confused(text: str, share: float, random: np.random.Generator) -> str:
    is_confused = random.random(len(text)) < share
    if not is_confused.any():
        return text
    letters = zip(text, is_confused, strict=True)
    return "".join(CONFUSIONS.get(letter, letter) if confused else letter for letter, confused in letters) or text


def _may_merge(left: Word, right: Word) -> bool:
    """Whether OCR may take both for one word; what `split_words` would split again stays apart."""
    close = right.box.left - left.box.right < MERGED_GAP * (left.box.bottom - left.box.top)
    return left.line == right.line and close and len(split_text(left.text + right.text)) == 1
