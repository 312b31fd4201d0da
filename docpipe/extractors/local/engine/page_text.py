"""The words of a document as one text, in which values are looked up.

In: text lines in reading order. Out: positions of texts, numbers of words, and what stands around them.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

NUMBER = re.compile(r"[€$£+-]*\d[\d.,]*[^\W\d_]{0,3}[%€$£-]?")  # with a unit, but not `A4`


class WordSpan(NamedTuple):
    """Where a word stands in the text: from `start` up to `end`."""

    start: int
    end: int


class PageText:
    """`text` has a blank between two words, a line break between lines and around them; `words` are in its order."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.text = "\n".join(["", *(" ".join(line.split()) for line in lines), ""])
        self.words = [WordSpan(*match.span()) for match in re.finditer(r"\S+", self.text)]
        self._starts = [word.start for word in self.words]

    def find(self, value: str, near_word: int) -> int | None:
        """Where this stands from the beginning of a word on, nearest to the word of this number."""
        here = self.words[near_word].start - 1 if near_word < len(self.words) else len(self.text)
        behind = [self.text.find(blank + value, here) + 1 for blank in (" ", "\n")]
        before = [self.text.rfind(blank + value, 0, here + len(value)) + 1 for blank in (" ", "\n")]
        return min(filter(None, behind + before), key=lambda position: abs(position - here), default=None)

    def word_at(self, position: int) -> int:
        """The number of the first word that begins here or later."""
        return bisect_left(self._starts, position)

    def rest_of_line(self, position: int) -> str:
        return self.text[position : self.text.index("\n", position)] if position < len(self.text) else ""

    def text_of(self, first: int, end: int) -> str:
        """Of the words from this number up to that."""
        return self.text[self.words[first].start : self.words[end - 1].end] if first < end <= len(self.words) else ""

    def is_number(self, word: int) -> bool:
        start, end = self.words[word]
        return NUMBER.fullmatch(self.text, start, end) is not None
