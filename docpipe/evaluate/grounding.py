"""Where the label's own transcript prints a value, and whether the evidence lies there.

In: label words with boxes, a ResultField. Out: boxes; True, False, or None when the transcript does not print it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from docpipe.data import Box
from docpipe.evaluate.compare import letters_and_digits
from docpipe.evaluate.labels import LabelWord, ResultField

MIN_IOU = 0.5  # the usual bar in detection; issue 3 asks for it
MAX_WORDS = 12  # an address runs over up to twelve words or lines; longer runs cost time and find nothing


def is_grounded(prediction: ResultField, words: Sequence[LabelWord]) -> bool | None:
    """Whether the evidence on page 1 (label transcripts cover one page) overlaps a place where the value
    is printed. A value may be printed in several places: any of them will do.
    """
    printed_places = list(printed_boxes(prediction.raw or str(prediction.value), words))
    if not printed_places:
        return None
    evidence_boxes = [evidence.box for evidence in prediction.evidence if evidence.page == 1]
    candidates = [*evidence_boxes, *_united(evidence_boxes)]
    return any(box.iou(place) >= MIN_IOU for box in candidates for place in printed_places)


def _united(boxes: Sequence[Box]) -> list[Box]:
    """Evidence in several pieces (the lines of an address) counts as a whole."""
    return list(accumulate(boxes, Box.union))[-1:]


def printed_boxes(text: str, words: Sequence[LabelWord]) -> Iterator[Box]:
    """Every place where consecutive label words print the text (letters and digits only).

    A label word may be a whole line (`Date: 25/12/2018`); of its first and last word only the part that
    belongs to the text is taken, as if all characters were equally wide.
    """
    target = letters_and_digits(text)
    if not target:
        return
    word_letters = [letters_and_digits(word.text) for word in words]
    for first in range(len(words)):
        joined = ""
        for last in range(first, min(first + MAX_WORDS, len(words))):
            joined += word_letters[last]
            start = joined.find(target)
            if 0 <= start < len(word_letters[first]):
                yield _box(words[first : last + 1], word_letters[first : last + 1], start, start + len(target))
                break
            if start >= 0:
                break  # it begins in a later word


def _box(words: Sequence[LabelWord], word_letters: Sequence[str], start: int, end: int) -> Box:
    """The union of the words' boxes, cut to the characters from `start` to `end` of their joined text."""
    boxes = []
    offset = 0
    for word, letters in zip(words, word_letters, strict=True):
        if letters:
            left = max(start - offset, 0) / len(letters)
            right = min(end - offset, len(letters)) / len(letters)
            width = word.box.right - word.box.left
            boxes.append(
                Box(word.box.left + left * width, word.box.top, word.box.left + right * width, word.box.bottom)
            )
        offset += len(letters)
    whole = boxes[0]
    for box in boxes[1:]:
        whole = whole.union(box)
    return whole
