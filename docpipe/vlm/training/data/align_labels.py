"""Where a known value is printed among the words that were read: labels without boxes become spans.

In: the words of a page and the truth as text. Out: every span of words that prints it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from rapidfuzz.fuzz import ratio

from docpipe.data import Box, Word
from docpipe.vlm.training.data.examples import Span

NAME_LIKENESS = 85.0  # rapidfuzz ratio of letters and digits; OCR slips stay above, neighbouring lines fall below
LONGEST_SPAN = 60  # words of an address over several lines
INSIDE_SHARE = 0.5  # of a word's area that a label's box must cover
FLIGHT = ("flight_from", "flight_to")
BETWEEN_DAYS = 3  # words: "01/05/20 - 01/11/20", "from … to …"
WITHIN_SHARE = 0.7  # of a label's area that a longer word must cover


def plain(text: str) -> str:
    """Letters and digits only, lower case."""
    return re.sub(r"[\W_]+", "", text.lower())


def exact_spans(words: Sequence[Word], wanted: Callable[[str], bool], longest: int) -> list[Span]:
    """Spans of at most `longest` words of one line whose joined text is wanted; the shortest at each start."""
    found: list[Span] = []
    for start in range(len(words)):
        for end in range(start, min(start + longest, len(words))):
            if words[end].line != words[start].line:
                break
            if wanted(" ".join(w.text for w in words[start : end + 1])):
                found.append(tuple(range(start, end + 1)))
                break
    return [span for span in found if not any(set(other) < set(span) for other in found)]


def likely_spans(words: Sequence[Word], text: str, likeness: float = NAME_LIKENESS) -> list[Span]:
    """Spans of consecutive words, over lines too, that are most like the text. All equally good ones."""
    target = plain(text)
    texts = [plain(w.text) for w in words]
    best: list[tuple[float, Span]] = []
    for start in range(len(words)):
        if not texts[start]:
            continue
        length = 0
        for end in range(start, min(start + LONGEST_SPAN, len(words))):
            length += len(texts[end])
            if length < 0.8 * len(target) or not texts[end]:
                continue
            score = ratio(target, "".join(texts[start : end + 1]), score_cutoff=likeness)
            if score:
                best.append((score, tuple(range(start, end + 1))))
            if length > 1.25 * len(target):
                break
    best.sort(key=lambda item: (-item[0], len(item[1])))
    kept: list[tuple[float, Span]] = []
    for score, span in best:
        if score >= best[0][0] - 3.0 and not any(set(span) & set(other) for _, other in kept):
            kept.append((score, span))
    return [span for _, span in kept]


def span_in_boxes(words: Sequence[Word], boxes: Sequence[Box]) -> Span:
    """The words that lie mostly inside the boxes of one printed value; where a value is only a part of a word ("$" of
    "$12.00"), that word."""
    inside = [i for i, word in enumerate(words) if any(_covered(word.box, box) >= INSIDE_SHARE for box in boxes)]
    if not inside:
        inside = [i for i, word in enumerate(words) if all(_covered(box, word.box) >= WITHIN_SHARE for box in boxes)]
    return tuple(inside)


def _covered(inner: Box, outer: Box) -> float:
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    return max(width, 0.0) * max(height, 0.0) / inner.area if inner.area else 0.0


def flights(labels: Sequence[dict[str, list[Span]]], pages: Sequence[Sequence[Word]]) -> list[dict[str, list[Span]]]:
    """Of an order's pages: where first and last day of the flight stand together, other places that print one of them
    (the rows of its weeks) are not asked about. An order whose days stand together nowhere is left as it is."""
    first, last = FLIGHT
    pairs = [
        _together(found.get(first, ()), found.get(last, ()), words) for found, words in zip(labels, pages, strict=True)
    ]
    if not any(pairs):
        return list(labels)
    made = []
    for found, together in zip(labels, pairs, strict=True):
        kept = {path: spans for path, spans in found.items() if path not in FLIGHT}
        if together:
            kept |= {first: sorted({a for a, _ in together}), last: sorted({b for _, b in together})}
        made.append(kept)
    return made


def _together(first: Sequence[Span], last: Sequence[Span], words: Sequence[Word]) -> list[tuple[Span, Span]]:
    return [
        (a, b)
        for a in first
        for b in last
        if 0 < b[0] - a[-1] <= BETWEEN_DAYS and words[a[-1]].line == words[b[0]].line
    ]
