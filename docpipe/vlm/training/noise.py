"""What scanning and reading do to words: slips of letters, glued and lost words, boxes that are a little off.

In: words and labels of an example, a random generator. Out: the same, spoilt; spans are carried over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from docpipe.data import Box, Word
from docpipe.vlm.training.examples import Span

CONFUSIONS = {
    "0": "O", "O": "0", "1": "l", "l": "1", "I": "l", "5": "S", "S": "5", "8": "B", "B": "8", "6": "G", "2": "Z",
    "Z": "2", ".": ",", ",": ".", ":": ".", "/": "1", "e": "c", "c": "e", "a": "o", "n": "r", "u": "v", "ä": "a",
    "ö": "o", "ü": "u", "é": "e", "è": "e", "ß": "B", "€": "E", "-": "",
}  # fmt: skip
SLIP = 0.012  # share of letters that an OCR engine confuses on a poor scan; good scans stay far below
GLUED = 0.05  # share of word gaps that RapidOCR closes on receipts
LOST = 0.008  # share of words that are not detected


def spoil(
    words: tuple[Word, ...], labels: Mapping[str, list[Span]], random: np.random.Generator
) -> tuple[tuple[Word, ...], dict[str, list[Span]]]:
    """OCR-like noise of a strength drawn from none to about twice the measured one."""
    strength = float(random.uniform(0.0, 2.0))
    kept: list[Word] = []
    place: dict[int, int] = {}
    for index, word in enumerate(words):
        if random.random() < LOST * strength:
            continue
        text = _slip(word.text, SLIP * strength, random)
        before = kept[-1] if kept else None
        if before and before.line == word.line and _near(before, word) and random.random() < GLUED * strength:
            kept[-1] = replace(before, text=before.text + text, box=before.box.union(word.box))
        else:
            confidence = float(np.clip(1.0 - random.exponential(0.03 * strength + 0.005), 0.3, 1.0))
            kept.append(replace(word, text=text, confidence=confidence))
        place[index] = len(kept) - 1
    moved = {
        path: [tuple(sorted({place[i] for i in span if i in place})) for span in spans]
        for path, spans in labels.items()
    }
    return tuple(kept), {path: [span for span in spans if span] for path, spans in moved.items()}


def jitter(words: tuple[Word, ...], random: np.random.Generator) -> tuple[Word, ...]:
    """The page moved, stretched and slightly sheared as a whole, and each box a little by itself."""
    shift = random.normal(0.0, 0.015, 2)
    scale = 1.0 + random.normal(0.0, 0.02, 2)
    shear = random.normal(0.0, 0.004)
    jittered = []
    for word in words:
        box, own = word.box, random.normal(0.0, 0.0012, 4)
        down = shear * (box.left - 0.5)
        jittered.append(replace(word, box=Box(
            left=float(np.clip(box.left * scale[0] + shift[0] + own[0], 0.0, 1.0)),
            top=float(np.clip(box.top * scale[1] + shift[1] + down + own[1], 0.0, 1.0)),
            right=float(np.clip(box.right * scale[0] + shift[0] + own[2], 0.0, 1.0)),
            bottom=float(np.clip(box.bottom * scale[1] + shift[1] + down + own[3], 0.0, 1.0)),
        )))  # fmt: skip
    return tuple(jittered)


def _slip(text: str, rate: float, random: np.random.Generator) -> str:
    hits = random.random(len(text)) < rate
    if not hits.any():
        return text
    slipped = "".join(CONFUSIONS.get(letter, letter) if hit else letter for letter, hit in zip(text, hits, strict=True))
    return slipped or text


def _near(left: Word, right: Word) -> bool:
    return right.box.left - left.box.right < 0.6 * (left.box.bottom - left.box.top)
