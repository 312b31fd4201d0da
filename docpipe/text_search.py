"""Where a text stands among the words of a page.

In: a page, and a text. Out: its occurrences, best first, each as Evidence with one tight box per line.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz

from docpipe.data import Box, Evidence, Match, Page
from docpipe.text_normalisation import (
    MIN_SIMILARITY,
    cuts_a_word,
    date_key,
    is_mostly_digits,
    lookalike_key,
    number_key,
    squeeze,
    squeeze_with_offsets,
)

# A shorter text is found by chance: with four letters one slip gives .75, and one in a thousand words is that near.
MIN_FUZZY_LETTERS = 5
# Spans of words that are tried as one number or date: `25. December 2018` is 3, `1 234 567,89` 3, `EUR - 1 234,50` 4.
MAX_SPAN_WORDS = 4
# Occurrences kept per text and page: enough to choose by neighbourhood, few enough for a page of 500 zeros.
MAX_OCCURRENCES = 20
# A word belongs to a box when at least this share of the smaller of the two lies in the other.
MIN_INSIDE_SHARE = 0.5
# Lines that make up this share of a text's letters are that text, when they do not follow each other on the page
# (the lines of an address beside another column).
MIN_COVERED_SHARE = 0.9
_QUALITIES: dict[Match, float] = {"exact": 1.0, "normalised": 0.9}
_CUT_PENALTY = 0.05  # taken from the quality of a match that starts or ends inside a word
_LINE_PENALTY = 0.02  # taken for every further line


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One place where a text is printed. `quality` (0-1) ranks it; `first_word` gives the reading order."""

    page: int
    first_word: int
    evidence: tuple[Evidence, ...]
    match: Match
    quality: float


class _LinePart(NamedTuple):
    """A line of the page that is a part of a text: where in the text, and the line's first and last word."""

    offset: int
    first: int
    last: int


class PageIndex:
    """A page's words, prepared for many searches."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.words = page.words
        self.printed = " ".join(word.text for word in page.words)  # all of the page
        starts = np.cumsum([0, *(len(word.text) + 1 for word in page.words)])
        self._starts: list[int] = starts.tolist()
        self._squeezed, self._offsets = squeeze_with_offsets(self.printed)

    def words_in(self, box: Box) -> list[int]:
        """Indexes of the words that lie in the box (or hold it: evidence may be a part of a word)."""
        if not self.words:
            return []
        left, top, right, bottom = self._corners
        wide = np.clip(np.minimum(right, box.right) - np.maximum(left, box.left), 0, None)
        high = np.clip(np.minimum(bottom, box.bottom) - np.maximum(top, box.top), 0, None)
        smaller = np.maximum(np.minimum((right - left) * (bottom - top), box.area), 1e-12)
        inside: list[int] = np.flatnonzero(wide * high >= MIN_INSIDE_SHARE * smaller).tolist()
        return inside

    def text(self, first: int, last: int) -> str:
        """The words from `first` to `last` (inclusive) with single blanks."""
        return self.printed[self._starts[first] : self._starts[last + 1] - 1]

    def quote(self, first: int, last: int, match: Match = "exact") -> tuple[Evidence, ...]:
        """Evidence for the words from `first` to `last` (inclusive)."""
        return self._evidence(self._starts[first], self._starts[last] + len(self.words[last].text), match)

    def find(self, text: str) -> list[Occurrence]:
        """The occurrences of a text on this page, best first; looser matches only when there are no stricter ones."""
        if not self.words or not text.strip():
            return []
        for search in (self._exact, self._normalised, self._by_lines, self._fuzzy):
            occurrences = list(search(text))
            if occurrences:
                best = sorted(occurrences, key=lambda occurrence: (-occurrence.quality, occurrence.first_word))
                return best[:MAX_OCCURRENCES]
        return []

    def same_number(self, text: str) -> list[Occurrence]:
        """Where the number of a text is printed, however it is written: `2` is `2,00`."""
        key = number_key(text)
        return list(self._spans(self._numbers.get(key, ()))) if key is not None else []

    # -- the searches, from strict to loose ---------------------------------------------------------------------

    def _exact(self, text: str) -> Iterator[Occurrence]:
        text = " ".join(text.split())
        start = self.printed.find(text)
        while start >= 0:
            if not cuts_a_word(self.printed, start, start + len(text)):
                yield self._occurrence(start, start + len(text), "exact")
            start = self.printed.find(text, start + 1)

    def _normalised(self, text: str) -> Iterator[Occurrence]:
        number, date = number_key(text), date_key(text)
        squeezed = squeeze(text)
        if number is not None:
            yield from self._spans(self._numbers.get(number, ()))
        if date is not None:
            yield from self._spans(self._dates.get(date, ()))
        if squeezed and (number is None or (squeezed.isdigit() and re.search(r"[.,]\d", text) is None)):
            yield from self._squeezed_matches(squeezed)

    def _squeezed_matches(self, squeezed: str) -> Iterator[Occurrence]:
        index = self._squeezed.find(squeezed)
        while index >= 0:
            start, end = self._offsets[index], self._offsets[index + len(squeezed) - 1] + 1
            if not cuts_a_word(self.printed, start, end):
                yield self._occurrence(start, end, "normalised")
            index = self._squeezed.find(squeezed, index + 1)

    def _by_lines(self, text: str) -> Iterator[Occurrence]:
        """Whole lines that together make up the text, for blocks that stand beside other columns."""
        squeezed = squeeze(text)
        if len(squeezed) < 3 * MIN_FUZZY_LETTERS:
            return
        parts: list[_LinePart] = []
        for first, last in self._lines:
            line = squeeze(self.text(first, last))
            offset = squeezed.find(line) if len(line) >= MIN_FUZZY_LETTERS else -1
            if offset >= 0 and not any(self._overlaps(part, offset, offset + len(line)) for part in parts):
                parts.append(_LinePart(offset, first, last))
        covered = sum(self._length(part.first, part.last) for part in parts) / len(squeezed)
        if covered < MIN_COVERED_SHARE:
            return
        match: Match = "normalised" if covered == 1.0 else "fuzzy"
        evidence = tuple(quote for part in sorted(parts) for quote in self.quote(part.first, part.last, match))
        quality = covered * _QUALITIES["normalised"] - _LINE_PENALTY * (len(evidence) - 1)
        yield Occurrence(self.page.number, min(part.first for part in parts), evidence, match, quality)

    def _overlaps(self, part: _LinePart, start: int, end: int) -> bool:
        return start < part.offset + self._length(part.first, part.last) and part.offset < end

    def _fuzzy(self, text: str) -> Iterator[Occurrence]:
        squeezed = squeeze(text)
        if len(squeezed) < MIN_FUZZY_LETTERS:
            return
        if is_mostly_digits(squeezed):
            offsets = self._lookalike_offsets(lookalike_key(squeezed), is_date=date_key(text) is not None)
            if offsets is None:
                return  # one other digit is another value
            start, end = offsets
            similarity = 1.0
        else:
            aligned = fuzz.partial_ratio_alignment(squeezed, self._squeezed, score_cutoff=100 * MIN_SIMILARITY)
            is_longer = len(squeezed) > len(self._squeezed) / MIN_SIMILARITY
            if aligned is None or is_longer or aligned.dest_end <= aligned.dest_start:
                return
            start, end = self._offsets[aligned.dest_start], self._offsets[aligned.dest_end - 1] + 1
            start, end = self._whole_words(start, end)
            similarity = fuzz.ratio(squeezed, squeeze(self.printed[start:end])) / 100
            if similarity < MIN_SIMILARITY:
                return  # `Total` is in `Subtotal`, but it is not that word
        yield self._occurrence(start, end, "fuzzy", similarity)

    def _lookalike_offsets(self, key: str, *, is_date: bool) -> tuple[int, int] | None:
        """The first whole print that could be these digits; a date may be glued to the time that follows it:
        `09/02/201811:35`."""
        index = self._lookalikes.find(key)
        while index >= 0:
            start, end = self._offsets[index], self._offsets[index + len(key) - 1] + 1
            if is_date or not cuts_a_word(self.printed, start, end):
                return (start, end) if is_date else self._whole_words(start, end)
            index = self._lookalikes.find(key, index + 1)
        return None

    # -- places -----------------------------------------------------------------------------------------------------

    def _spans(self, spans: Sequence[tuple[int, int]]) -> Iterator[Occurrence]:
        for first, last in spans:
            yield self._occurrence(self._starts[first], self._starts[last] + len(self.words[last].text), "normalised")

    def _occurrence(self, start: int, end: int, match: Match, similarity: float | None = None) -> Occurrence:
        evidence = self._evidence(start, end, match)
        whole_start, whole_end = self._whole_words(start, end)
        quality = _QUALITIES[match] if similarity is None else similarity * MIN_SIMILARITY
        quality -= _LINE_PENALTY * (len(evidence) - 1)
        quality -= _CUT_PENALTY * ((whole_start, whole_end) != (start, end))
        return Occurrence(self.page.number, self._word_at(start), evidence, match, max(0.0, quality))

    def _evidence(self, start: int, end: int, match: Match) -> tuple[Evidence, ...]:
        """One quote per line; a word that belongs only in part gives only that part of its box."""
        quotes: list[Evidence] = []
        line = -1
        for index in range(self._word_at(start), self._word_at(end - 1) + 1):
            word, begin = self.words[index], self._starts[index]
            cut = word.text[max(0, start - begin) : end - begin]
            box = _cut_box(word.box, max(0, start - begin), len(cut), len(word.text))
            if quotes and word.line == line:
                quotes[-1] = Evidence(self.page.number, quotes[-1].box.union(box), f"{quotes[-1].text} {cut}", match)
            else:
                quotes.append(Evidence(self.page.number, box, cut, match))
            line = word.line
        return tuple(quotes)

    def _word_at(self, offset: int) -> int:
        return min(bisect_right(self._starts, offset), len(self.words)) - 1

    def _whole_words(self, start: int, end: int) -> tuple[int, int]:
        """The offsets widened to the words they cut, blanks and punctuation at the words' ends aside."""
        while start > 0 and self.printed[start - 1].isalnum():
            start -= 1
        while end < len(self.printed) and self.printed[end].isalnum():
            end += 1
        return start, end

    def _length(self, first: int, last: int) -> int:
        return len(squeeze(self.text(first, last)))

    # -- prepared once, when first needed ----------------------------------------------------------------------------

    @cached_property
    def _corners(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        boxes = np.array([(w.box.left, w.box.top, w.box.right, w.box.bottom) for w in self.words])
        return boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3]

    @cached_property
    def _lines(self) -> list[tuple[int, int]]:
        """First and last word of each line."""
        firsts = [i for i, word in enumerate(self.words) if i == 0 or word.line != self.words[i - 1].line]
        return [(first, last - 1) for first, last in zip(firsts, [*firsts[1:], len(self.words)], strict=True)]

    @cached_property
    def _lookalikes(self) -> str:
        return lookalike_key(self._squeezed)

    @cached_property
    def _numbers(self) -> dict[str, list[tuple[int, int]]]:
        spans: dict[str, list[tuple[int, int]]] = {}
        for first, last, text in self._short_spans():
            edge_digits = any(map(str.isdigit, self.words[first].text)) and any(map(str.isdigit, self.words[last].text))
            if edge_digits and (key := number_key(text)) is not None:
                spans.setdefault(key, []).append((first, last))
        return spans

    @cached_property
    def _dates(self) -> dict[tuple[int, ...], list[tuple[int, int]]]:
        spans: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for first, last, text in self._short_spans():
            key = date_key(text)
            if key is not None and all(date_key(" ".join(cut)) != key for cut in _shorter(text)):
                spans.setdefault(key, []).append((first, last))
        return spans

    def _short_spans(self) -> Iterator[tuple[int, int, str]]:
        """Runs of up to MAX_SPAN_WORDS words on one line that hold a digit."""
        for first, word in enumerate(self.words):
            text = ""
            for last in range(first, min(first + MAX_SPAN_WORDS, len(self.words))):
                if self.words[last].line != word.line:
                    break
                text = f"{text} {self.words[last].text}" if text else self.words[last].text
                if any(map(str.isdigit, text)):
                    yield first, last, text


def _cut_box(box: Box, start: int, length: int, full_length: int) -> Box:
    """The part of a word's box that holds `length` letters from `start`, letters being equally wide."""
    if length >= full_length:
        return box
    step = (box.right - box.left) / max(1, full_length)
    return Box(box.left + start * step, box.top, box.left + (start + length) * step, box.bottom)


def _shorter(text: str) -> list[list[str]]:
    words = text.split(" ")
    return [words[1:], words[:-1]] if len(words) > 1 else []
