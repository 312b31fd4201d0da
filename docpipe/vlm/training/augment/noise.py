"""What scanning and reading do to words: slips of letters, glued and lost words, boxes that are a little off.

In: the words of an example, a random generator. Out: the words, spoilt, and where each of the old ones has gone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from docpipe.data import Box, Word
from docpipe.read.split_words import pieces

CONFUSIONS = {
    "0": "O", "O": "0", "1": "l", "l": "1", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "2": "Z",
    "Z": "2", ".": ",", ",": ".", ":": ".", "/": "1", "e": "c", "c": "e", "a": "o", "n": "r", "u": "v", "ä": "a",
    "ö": "o", "ü": "u", "é": "e", "è": "e", "ß": "B", "€": "E", "-": "",
}  # fmt: skip
SLIP = 0.012  # share of letters that an OCR engine confuses on a poor scan; good scans stay far below
GLUED = 0.05  # share of word gaps that RapidOCR closes on receipts
LOST = 0.008  # share of words that are not detected


def spoil(words: tuple[Word, ...], random: np.random.Generator) -> tuple[tuple[Word, ...], dict[int, int]]:
    """OCR-like noise of a strength drawn from none to about twice the measured one. A lost word has gone nowhere."""
    strength = float(random.uniform(0.0, 2.0))
    kept: list[Word] = []
    place: dict[int, int] = {}
    for index, word in enumerate(words):
        if random.random() < LOST * strength:
            continue
        text = _slip(word.text, SLIP * strength, random)
        before = kept[-1] if kept else None
        if before and _near(before, word) and random.random() < GLUED * strength:
            kept[-1] = replace(before, text=before.text + text, box=before.box.union(word.box))
        else:
            confidence = float(np.clip(1.0 - random.exponential(0.03 * strength + 0.005), 0.3, 1.0))
            kept.append(replace(word, text=text, confidence=confidence))
        place[index] = len(kept) - 1
    return tuple(kept), place


def jitter(words: tuple[Word, ...], random: np.random.Generator) -> tuple[Word, ...]:
    """The page moved, stretched and slightly sheared as a whole, and each box a little by itself."""
    if not words:
        return words
    boxes = np.array([(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in words])  # [N, 4]
    shift, scale = random.normal(0.0, 0.015, 2), 1.0 + random.normal(0.0, 0.02, 2)
    down = random.normal(0.0, 0.004) * (boxes[:, :1] - 0.5)
    moved = boxes * np.tile(scale, 2) + np.tile(shift, 2) + random.normal(0.0, 0.0012, boxes.shape)
    moved[:, 1::2] += down
    places = np.clip(moved, 0.0, 1.0).tolist()
    return tuple(
        Word(word.text, Box(*place), word.confidence, word.source, word.line)
        for word, place in zip(words, places, strict=True)
    )


def _slip(text: str, rate: float, random: np.random.Generator) -> str:
    hits = random.random(len(text)) < rate
    if not hits.any():
        return text
    slipped = "".join(CONFUSIONS.get(letter, letter) if hit else letter for letter, hit in zip(text, hits, strict=True))
    return slipped or text


def _near(left: Word, right: Word) -> bool:
    """Whether a reader may take both for one word; what `unglue` would part again stays apart."""
    close = right.box.left - left.box.right < 0.6 * (left.box.bottom - left.box.top)
    return left.line == right.line and close and len(pieces(left.text + right.text)) == 1
