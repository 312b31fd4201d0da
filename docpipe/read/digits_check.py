"""Digits of a text layer that are not those of the page.

In: a text layer and the page's picture. Out: the layer with the words that the picture shows, and which those are.
Two kinds of layer lie digit by digit while their letters are right: what another program's OCR read in a scan, and
fonts whose table says of each digit that it is another one. Of the first, each word with a digit is read again. Of
the second, a few words of each font are; a font of which OCR reads none as the layer has it, but each digit always as
the same other one, is not believed.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from docpipe.data import Word
from docpipe.read.word_crops import CropReading, digits, letters_and_digits, read_crops, similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box, PageImage
    from docpipe.read.ocr import Ocr
    from docpipe.read.text_layer import TextLayer

PREVIEW_SIDE = 1_000  # pixels of the drawing that is there already: 85 dpi on A4
PROBED_WORDS = 1  # of a font, with as many different digits as can be had: 10 to 15 ms each, and honest ones agree
CONFIRMING_WORDS = 6  # of a font that is in doubt, at the page's resolution
MIN_PROBED_DIGITS = 3  # in the words that confirm it together: fewer may be misread
MIN_EXCHANGED = 0.75  # of those words have as many digits in the picture as in the layer
MIN_CONSISTENT = 0.9  # of the digits are always read as the same other one
SURE = 0.8  # confidence from which a reading counts; chosen, not fitted
UNSURE = 0.5  # confidence of a word of which the layer and OCR say different things, and OCR is not sure
UNLIKE = 0.5  # similarity of two words below which they are not two readings of one


@dataclass(frozen=True, slots=True)
class CheckedLayer:
    """`differences` are the words that were replaced."""

    layer: TextLayer
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    in_layer: str
    in_picture: str


def with_digits_of_scan(layer: TextLayer, image: PageImage, ocr: Ocr) -> CheckedLayer:
    """Of a layer over a scan. `image` is the page upright, as the layer's boxes are."""
    words = [word for run in layer.runs for word in run.words if digits(word.text)]
    return _read_again(layer, words, np.asarray(image.open()), ocr)


def with_digits_of_fonts(layer: TextLayer, image: PageImage, ocr: Ocr) -> CheckedLayer:
    """Of a layer whose characters are painted."""
    by_font: dict[int, list[Word]] = defaultdict(list)
    for run in layer.runs:
        for word in run.words:
            by_font[layer.fonts.get(word.box, 0)].append(word)
    probes = {font: _most_different_digits(words, PROBED_WORDS) for font, words in by_font.items()}
    asked = [word for words in probes.values() for word in words]
    readings = _readings(asked, np.asarray(image.open(max_side=PREVIEW_SIDE)), ocr)
    doubtful = [font for font, words in probes.items() if words and not any(_agree(word, readings) for word in words)]
    if not doubtful:
        return CheckedLayer(layer)
    pixels = np.asarray(image.open())
    lying = [font for font in doubtful if _lies(by_font[font], pixels, ocr)]
    return _read_again(layer, [word for font in lying for word in by_font[font]], pixels, ocr)


def _most_different_digits(words: Sequence[Word], count: int) -> list[Word]:
    with_digits = [word for word in words if digits(word.text)]
    return sorted(with_digits, key=lambda word: (-len(set(digits(word.text))), len(word.text)))[:count]


def _readings(words: Sequence[Word], pixels: NDArray[Any], ocr: Ocr) -> dict[Box, CropReading]:
    return dict(zip((word.box for word in words), read_crops(ocr, pixels, [w.box for w in words]), strict=True))


def _agree(word: Word, readings: Mapping[Box, CropReading]) -> bool:
    return digits(readings[word.box].text) == digits(word.text)


def _lies(words: Sequence[Word], pixels: NDArray[Any], ocr: Ocr) -> bool:
    """Whether the picture shows for the digits of a font's words other ones, always the same. Where it shows signs in
    their place, the font has been drawn wrongly: that is no reason to believe the drawing."""
    probes = _most_different_digits(words, CONFIRMING_WORDS)
    readings = _readings(probes, pixels, ocr)
    exchanged = [
        word
        for word in probes
        if readings[word.box].confidence >= SURE and len(digits(readings[word.box].text)) == len(digits(word.text))
    ]
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for word in exchanged:
        for in_layer, in_picture in zip(digits(word.text), digits(readings[word.box].text), strict=True):
            seen[in_layer][in_picture] += 1
    total = sum(counter.total() for counter in seen.values())
    consistent = sum(counter.most_common(1)[0][1] for counter in seen.values())
    return (
        not any(_agree(word, readings) for word in probes)
        and len(exchanged) >= MIN_EXCHANGED * len(probes)
        and total >= MIN_PROBED_DIGITS
        and consistent >= MIN_CONSISTENT * total
    )


def _read_again(layer: TextLayer, words: Sequence[Word], pixels: NDArray[Any], ocr: Ocr) -> CheckedLayer:
    readings = _readings(words, pixels, ocr)
    other = [word for word in words if _is_another(word, readings[word.box])]
    lines = {word.box: run.box for run in layer.runs for word in run.words}
    line_boxes = list(dict.fromkeys(lines[word.box] for word in other))
    line_readings = dict(zip(line_boxes, read_crops(ocr, pixels, line_boxes), strict=True))
    changed = {
        word.box: _as_shown(word, readings[word.box], line_readings[lines[word.box]].text)
        for word in other
        if letters_and_digits(word.text) not in letters_and_digits(line_readings[lines[word.box]].text)
    }
    differences = tuple(
        Difference(word.text, changed[word.box].text)
        for word in other
        if word.box in changed and changed[word.box].text != word.text
    )
    runs = tuple(replace(run, words=tuple(changed.get(word.box, word) for word in run.words)) for run in layer.runs)
    return CheckedLayer(replace(layer, runs=runs), differences)


def _is_another(word: Word, reading: CropReading) -> bool:
    """Whether the picture shows other digits; of a word without digits, nothing like it."""
    if digits(word.text) or digits(reading.text):
        return digits(word.text) != digits(reading.text)
    return bool(letters_and_digits(word.text)) and similarity(word.text, reading.text) < UNLIKE


def _as_shown(word: Word, reading: CropReading, line: str) -> Word:
    """The word as the picture shows it, where its crop and its whole line are read alike: an OCR's boxes often cut a
    word, or have a part of the next one. Where they are not, the word stays and is as sure as OCR is of the crop."""
    own, shown = digits(word.text), digits(reading.text)
    if reading.confidence < SURE or not shown or letters_and_digits(reading.text) not in letters_and_digits(line):
        return replace(word, confidence=min(word.confidence, reading.confidence, UNSURE))
    text = "".join(_with_digits(word.text, shown)) if len(own) == len(shown) else reading.text
    return replace(word, text=text, confidence=reading.confidence, source="ocr")


def _with_digits(text: str, shown: str) -> Iterator[str]:
    """The text with other digits: its letters and signs are the layer's, which knows more of them than OCR."""
    rest = iter(shown)
    for char in text:
        yield next(rest) if char.isdecimal() else char
