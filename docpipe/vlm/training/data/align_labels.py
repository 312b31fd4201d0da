"""Where a known value is printed among the words that were read: labels without boxes become spans.

In: the words of a page and the truth as text. Out: every span of words that prints it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.fuzz import ratio

from docpipe.data import Box, Word
from docpipe.vlm.training.data.examples import Span

MIN_SIMILARITY = 85.0  # rapidfuzz ratio of letters and digits; OCR slips stay above, neighbouring lines fall below
SIMILARITY_TIE = 3.0  # points below the best that are as good
LENGTH_RATIO = (0.8, 1.25)  # of a similar span to the text
MAX_SPAN_WORDS = 60  # words of an address over several lines
MIN_WORD_COVER = 0.5  # of a word's area that a label's box must cover
MIN_LABEL_COVER = 0.7  # of a label's area that a longer word must cover
FLIGHT = ("flight_from", "flight_to")
MAX_WORDS_BETWEEN_DAYS = 3  # "01/05/20 - 01/11/20", "from … to …"


def match_key(text: str) -> str:
    """Letters and digits only, lower case."""
    return re.sub(r"[\W_]+", "", text.lower())


def exact_spans(words: Sequence[Word], matches: Callable[[str], bool], max_words: int) -> list[Span]:
    """Spans of at most `max_words` of one line whose joined text matches; the shortest at each start."""
    spans: list[Span] = []
    for start in range(len(words)):
        for end in range(start, min(start + max_words, len(words))):
            if words[end].line != words[start].line:
                break
            if matches(" ".join(w.text for w in words[start : end + 1])):
                spans.append(tuple(range(start, end + 1)))
                break
    return [span for span in spans if not any(set(other) < set(span) for other in spans)]


@dataclass(frozen=True, slots=True)
class _SimilarSpan:
    span: Span
    similarity: float  # 0-100


def similar_spans(words: Sequence[Word], text: str, min_similarity: float = MIN_SIMILARITY) -> list[Span]:
    """Spans of consecutive words, over lines too, that are most like the text. All equally good ones."""
    similar = list(_similar_spans([match_key(w.text) for w in words], match_key(text), min_similarity))
    similar.sort(key=lambda item: (-item.similarity, len(item.span)))
    best: list[Span] = []
    for item in similar:
        is_tied = item.similarity >= similar[0].similarity - SIMILARITY_TIE
        if is_tied and not any(set(item.span) & set(other) for other in best):
            best.append(item.span)
    return best


def _similar_spans(keys: Sequence[str], target: str, min_similarity: float) -> Iterator[_SimilarSpan]:
    shortest, longest = (share * len(target) for share in LENGTH_RATIO)
    for start in range(len(keys)):
        if not keys[start]:
            continue
        length = 0
        for end in range(start, min(start + MAX_SPAN_WORDS, len(keys))):
            length += len(keys[end])
            if length < shortest or not keys[end]:
                continue
            similarity = ratio(target, "".join(keys[start : end + 1]), score_cutoff=min_similarity)
            if similarity:
                yield _SimilarSpan(tuple(range(start, end + 1)), similarity)
            if length > longest:
                break


def span_in_boxes(words: Sequence[Word], boxes: Sequence[Box]) -> Span:
    """The words that lie mostly inside the boxes of one printed value; where a value is only a part of a word ("$" of
    "$12.00"), that word."""
    inside = [i for i, word in enumerate(words) if any(_cover(word.box, box) >= MIN_WORD_COVER for box in boxes)]
    if not inside:
        inside = [i for i, word in enumerate(words) if all(_cover(box, word.box) >= MIN_LABEL_COVER for box in boxes)]
    return tuple(inside)


def _cover(inner: Box, outer: Box) -> float:
    """The share of the inner box that the outer one covers."""
    width = min(inner.right, outer.right) - max(inner.left, outer.left)
    height = min(inner.bottom, outer.bottom) - max(inner.top, outer.top)
    return max(width, 0.0) * max(height, 0.0) / inner.area if inner.area else 0.0


def keep_flight_periods(
    labels: Sequence[dict[str, list[Span]]], pages: Sequence[Sequence[Word]]
) -> list[dict[str, list[Span]]]:
    """Of an order's pages: where first and last day of the flight stand together, other places that print one of them
    (the rows of its weeks) are not asked about. An order that prints its days together on no line is left as it is."""
    first, last = FLIGHT
    periods = [
        adjacent_spans(spans.get(first, ()), spans.get(last, ()), words, MAX_WORDS_BETWEEN_DAYS)
        for spans, words in zip(labels, pages, strict=True)
    ]
    if not any(periods):
        return list(labels)
    changed = []
    for spans, pairs in zip(labels, periods, strict=True):
        others = {path: own for path, own in spans.items() if path not in FLIGHT}
        if pairs:
            others |= {first: sorted({a for a, _ in pairs}), last: sorted({b for _, b in pairs})}
        changed.append(others)
    return changed


def adjacent_spans(
    first: Sequence[Span], last: Sequence[Span], words: Sequence[Word], max_distance: int
) -> list[tuple[Span, Span]]:
    """Pairs of which the second stands on the same line, at most so many words behind the first."""
    return [
        (a, b)
        for a in first
        for b in last
        if 0 < b[0] - a[-1] <= max_distance and words[a[-1]].line == words[b[0]].line
    ]
