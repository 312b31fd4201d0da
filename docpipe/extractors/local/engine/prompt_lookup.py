"""What a model may write next, guessed from the words on the page: values are copied, so most of a guess is right.

In: a document's text lines, and what a branch has written so far. Out: JSON text that may follow. A guess is never an
answer: the engine keeps of it what greedy choice confirms.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from docpipe.extractors.generative.backend import Slot

CHARACTERS = 8  # that a token has at most, on average: a guess is no longer than its tokens could be
QUOTE, ESCAPE = ord('"'), ord("\\")
OBJECT, LIST = ord("{"), ord("[")
NUMBER = re.compile(r"[€$£+-]*\d[\d.,]*[^\W\d_]{0,3}[%€$£-]?")  # with a unit, but not `A4`


class Printed:
    """The words of a document in reading order: `text` has a blank between two words, a line break between lines."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.text = "\n".join(["", *(" ".join(line.split()) for line in lines), ""])
        self.words = [found.span() for found in re.finditer(r"\S+", self.text)]
        self._starts = [start for start, _ in self.words]

    def find(self, value: str, word: int) -> int | None:
        """Where this stands from the beginning of a word on, nearest to the word of this number."""
        here = self.words[word][0] - 1 if word < len(self.words) else len(self.text)
        after = [self.text.find(before + value, here) + 1 for before in (" ", "\n")]
        back = [self.text.rfind(before + value, 0, here + len(value)) + 1 for before in (" ", "\n")]
        return min(filter(None, after + back), key=lambda place: abs(place - here), default=None)

    def word_at(self, place: int) -> int:
        """The number of the first word that begins here or later."""
        return bisect_left(self._starts, place)

    def line(self, place: int) -> str:
        """The rest of the line."""
        return self.text[place : self.text.index("\n", place)] if place < len(self.text) else ""

    def span(self, first: int, after: int) -> str:
        return self.text[self.words[first][0] : self.words[after - 1][1]] if first < after <= len(self.words) else ""

    def is_number(self, word: int) -> bool:
        start, end = self.words[word]
        return NUMBER.fullmatch(self.text, start, end) is not None


@dataclass(frozen=True, slots=True)
class _Cell:
    """`first` and `after` number its words; both None where it is null or not printed. `skipped` words stand between
    the cell that was written before it and this one."""

    is_null: bool
    first: int | None = None
    after: int | None = None
    skipped: int = 0


class Guesses:
    """Of one branch. It reads along what is written, and knows the last row and how far it has come on the page."""

    def __init__(self, printed: Printed, slot: Slot) -> None:
        self._printed = printed
        row: Mapping[str, Any] = slot.value.get("items", {}).get("properties", {})
        self._keys = list(row)
        self._open: list[int] = []
        self._string: bytearray | None = None
        self._is_escaped = self._is_value = False
        self._key = ""
        self._since = bytearray()  # written since a value, a key, a row or a list's bracket ended
        self._row: dict[str, _Cell] = {}
        self._last: dict[str, _Cell] = {}
        self._word = 0

    def read(self, written: bytes) -> None:
        for byte in written:
            if self._string is not None:
                self._within(byte, self._string)
            else:
                self._between(byte)

    def _within(self, byte: int, string: bytearray) -> None:
        if byte == QUOTE and not self._is_escaped:
            text, self._string = _plain(bytes(string)), None
            if self._is_value:
                self._end(self._cell(text))
            else:
                self._key = text
                self._since += string + b'"'
            return
        self._is_escaped = byte == ESCAPE and not self._is_escaped
        string.append(byte)

    def _between(self, byte: int) -> None:
        self._since.append(byte)
        if byte == QUOTE:
            self._string = bytearray()
        elif byte in b"{[":
            self._open.append(byte)
            self._is_value = byte == LIST
            if byte == LIST:
                self._since.clear()
        elif byte == ord(":"):
            self._is_value = True
            self._since.clear()
        elif byte == ord(","):
            self._is_value = self._open[-1:] == [LIST]
        elif self._since.endswith(b"null"):
            self._end(_Cell(is_null=True))
        elif byte in b"}]" and self._open:
            self._open.pop()
            if byte == ord("}") and self._row:
                self._last, self._row = self._row, {}
                self._word = max([self._word, *(cell.after for cell in self._last.values() if cell.after)])
                self._since.clear()

    def _end(self, cell: _Cell) -> None:
        if self._in_row:
            self._row[self._key] = cell
            self._word = cell.after or self._word
        self._is_value = False
        self._since.clear()

    def _cell(self, text: str) -> _Cell:
        expected = self._expected(self._key, self._word)
        place = self._place(text, expected)
        if place is None:
            return _Cell(is_null=False)
        first = self._printed.word_at(place)
        after = self._printed.word_at(place + len(text))
        skipped = first - self._word if self._row or self._last else 0  # what stands before all rows is said once
        return _Cell(False, first, max(after, first + 1), skipped)

    @property
    def _in_row(self) -> bool:
        return self._open == [OBJECT, LIST, OBJECT]

    def guess(self, tokens: int) -> tuple[str, str]:
        """JSON text that may follow, at most so many tokens of it, and what stands before it of the same string."""
        most = tokens * CHARACTERS
        if self._string is not None:
            if not self._is_value:
                return "", ""
            begun = self._string.decode(errors="replace")
            return self._value(begun, most)[:most], f' "{begun}'
        whole = self._row_on(most) if self._in_row or self._open == [OBJECT, LIST] else ""
        since = self._since.decode(errors="replace")
        return (whole[len(since) :][:most], "") if whole.startswith(since) else ("", "")

    def _value(self, begun: str, most: int) -> str:
        """The rest of a value, and what may follow it."""
        text = _plain(begun.encode())
        if not self._in_row:
            place = self._printed.find(text, 0) if text else None
            return "" if place is None else _escaped(self._printed.line(place + len(text))) + '"}'
        place = self._place(text, self._expected(self._key, self._word))
        if place is None:
            return ""
        first = self._printed.word_at(place)
        after = self._after(self._key, first)
        value = self._printed.span(first, after) if after else ""
        if after is None or len(value) < len(text):  # no row before it says where it ends, or it is longer than that
            return _escaped(self._printed.line(place + len(text)))
        done = {**self._row, self._key: _Cell(False, first, after)}
        return _escaped(value[len(text) :]) + '"' + self._cells(done, after, most)

    def _place(self, text: str, word: int) -> int | None:
        """Where a cell's text stands that is expected at this word."""
        words = self._printed.words
        if word < len(words) and self._printed.text.startswith(text, words[word][0]):
            return words[word][0]
        return self._printed.find(text, self._word) if text else None

    def _row_on(self, most: int) -> str:
        """What may follow between two values, from the last of them on."""
        if self._is_value and self._in_row:
            cell, word = self._next(self._key, self._word)
            return f" {cell}" + (self._cells({**self._row, self._key: word}, word.after or self._word, most)
                                 if word.after or word.is_null else "")  # fmt: skip
        return self._cells(self._row, self._word, most)

    def _cells(self, done: Mapping[str, _Cell], word: int, most: int) -> str:
        """The cells after these, and the next row."""
        told, done = "", dict(done)
        fresh = not self._in_row and not done
        while len(told) < most and self._keys:
            left = [key for key in self._keys if key not in done]
            if not left:
                word = max([word, *(cell.after for cell in done.values() if cell.after)])
                left, done, fresh, told = self._keys, {}, False, told + "}"
            is_first = not done
            if is_first and word >= len(self._printed.words):
                return told
            opening = ("{" if fresh and not self._last else ", {") if is_first else ", "
            said, cell = self._next(left[0], word)
            told += f"{opening}{json.dumps(left[0], ensure_ascii=False)}: {said}"
            if not cell.is_null and cell.after is None:
                return told
            done[left[0]] = cell
            word = cell.after or word
        return told

    def _next(self, key: str, word: int) -> tuple[str, _Cell]:
        """A cell as it may be written: open where nothing says how long it is."""
        before = self._last.get(key) or self._row.get(key)
        if before is not None and before.is_null:
            return "null", before
        first = self._expected(key, word)
        if first >= len(self._printed.words):
            return '"', _Cell(False)
        after = self._after(key, first)
        if after is None:
            return f'"{_escaped(self._printed.line(self._printed.words[first][0]))}', _Cell(False)
        return f'"{_escaped(self._printed.span(first, after))}"', _Cell(False, first, after)

    def _expected(self, key: str, word: int) -> int:
        before = self._last.get(key)
        return max(0, word + (before.skipped if before is not None and before.first is not None else 0))

    def _after(self, key: str, first: int) -> int | None:
        """Where a cell ends that begins with this word: as long as in the row before; a text before a number goes on
        up to the next number. None where no row came before."""
        before = self._last.get(key)
        words = self._printed.words
        if before is None or before.first is None or before.after is None:
            return None
        end, is_number = before.after, self._printed.is_number
        if end < len(words) and is_number(end) and not any(map(is_number, range(before.first, end))):
            return first + max(1, sum(1 for _ in takewhile(lambda word: not is_number(word), range(first, len(words)))))
        return min(first + end - before.first, len(words))


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _plain(raw: bytes) -> str:
    """What a JSON string says, as far as it is whole."""
    text = raw.decode(errors="replace")
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except json.JSONDecodeError:  # an escape that has only begun
        return text
