"""What a model may write next, drafted from the words on the page: values are copied, so most of a draft is right.

In: a document's text lines, and what a sequence has written so far. Out: JSON text that may follow. A draft is never an
answer: the engine keeps of it what greedy choice confirms. It is prompt lookup decoding, with the page's words as read
by docpipe in the place of the prompt.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from docpipe.extractors.generative.backend import OutputSlot
from docpipe.extractors.local.engine.page_text import PageText

CHARACTERS_PER_TOKEN = 8  # at most, on average: a draft is no longer than its tokens could be
QUOTE, ESCAPE, COLON, COMMA = ord('"'), ord("\\"), ord(":"), ord(",")
OBJECT, OBJECT_END, LIST = ord("{"), ord("}"), ord("[")


@dataclass(frozen=True, slots=True)
class DraftText:
    """JSON text that may follow, and what stands before it of the same string."""

    text: str
    context: str = ""


NOTHING = DraftText("")


@dataclass(frozen=True, slots=True)
class CellWords:
    """The words of a cell, by their numbers on the page: `first` up to `end`; both None where it is null or not
    printed. `skipped` words stand between the cell that was written before it and this one."""

    is_null: bool
    first: int | None = None
    end: int | None = None
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _DraftedCell:
    """A cell as it may be written: open, without its closing quote, where nothing says how long it is."""

    text: str
    words: CellWords


class PromptLookup:
    """Of one sequence. It parses what is written as it grows, and knows the row before and how far it has come on the
    page."""

    def __init__(self, page_text: PageText, slot: OutputSlot) -> None:
        self._page = page_text
        cells: Mapping[str, Any] = slot.value_schema.get("items", {}).get("properties", {})
        self._keys = list(cells)
        self._brackets: list[int] = []  # those that are open
        self._string: bytearray | None = None  # the one that is open, without its quotes
        self._is_escaped = self._is_value = False
        self._key = ""
        self._since_end = bytearray()  # written since a value, a key, a row or a list's bracket ended
        self._row: dict[str, CellWords] = {}
        self._previous_row: dict[str, CellWords] = {}
        self._word = 0  # the number of the word behind the cell that was written last

    def advance(self, written: bytes) -> None:
        for byte in written:
            if self._string is not None:
                self._advance_in_string(byte, self._string)
            else:
                self._advance_outside(byte)

    def _advance_in_string(self, byte: int, string: bytearray) -> None:
        if byte == QUOTE and not self._is_escaped:
            text, self._string = _unescaped(bytes(string)), None
            if self._is_value:
                self._end_value(self._locate(text))
            else:
                self._key = text
                self._since_end += string + b'"'
            return
        self._is_escaped = byte == ESCAPE and not self._is_escaped
        string.append(byte)

    def _advance_outside(self, byte: int) -> None:
        self._since_end.append(byte)
        if byte == QUOTE:
            self._string = bytearray()
        elif byte in b"{[":
            self._brackets.append(byte)
            self._is_value = byte == LIST
            if byte == LIST:
                self._since_end.clear()
        elif byte == COLON:
            self._is_value = True
            self._since_end.clear()
        elif byte == COMMA:
            self._is_value = self._brackets[-1:] == [LIST]
        elif self._since_end.endswith(b"null"):
            self._end_value(CellWords(is_null=True))
        elif byte in b"}]" and self._brackets:
            self._brackets.pop()
            if byte == OBJECT_END and self._row:
                self._previous_row, self._row = self._row, {}
                self._word = max([self._word, *(cell.end for cell in self._previous_row.values() if cell.end)])
                self._since_end.clear()

    def _end_value(self, cell: CellWords) -> None:
        if self._is_in_row:
            self._row[self._key] = cell
            self._word = cell.end or self._word
        self._is_value = False
        self._since_end.clear()

    def _locate(self, text: str) -> CellWords:
        """The words of a cell that was written."""
        position = self._position_of(text, self._expected_word(self._key, self._word))
        if position is None:
            return CellWords(is_null=False)
        first = self._page.word_at(position)
        end = self._page.word_at(position + len(text))
        is_first = not self._row and not self._previous_row  # what stands before all rows does not come again
        return CellWords(False, first, max(end, first + 1), 0 if is_first else first - self._word)

    @property
    def _is_in_row(self) -> bool:
        return self._brackets == [OBJECT, LIST, OBJECT]

    def draft_text(self, max_tokens: int) -> DraftText:
        """At most so many tokens of it."""
        max_length = max_tokens * CHARACTERS_PER_TOKEN
        if self._string is not None:
            if not self._is_value:
                return NOTHING
            begun = self._string.decode(errors="replace")
            return DraftText(self._rest_of_value(begun, max_length)[:max_length], f' "{begun}')
        is_between = self._is_in_row or self._brackets == [OBJECT, LIST]
        whole = self._rest_of_row(max_length) if is_between else ""
        written = self._since_end.decode(errors="replace")
        return DraftText(whole[len(written) :][:max_length]) if whole.startswith(written) else NOTHING

    def _rest_of_value(self, begun: str, max_length: int) -> str:
        """The rest of a value, and what may follow it."""
        text = _unescaped(begun.encode())
        if not self._is_in_row:
            position = self._page.find(text, 0) if text else None
            return "" if position is None else _escaped(self._page.rest_of_line(position + len(text))) + '"}'
        position = self._position_of(text, self._expected_word(self._key, self._word))
        if position is None:
            return ""
        first = self._page.word_at(position)
        end = self._expected_end(self._key, first)
        value = self._page.text_of(first, end) if end else ""
        if end is None or len(value) < len(text):  # no row before it says where it ends, or it is longer than that
            return _escaped(self._page.rest_of_line(position + len(text)))
        row = {**self._row, self._key: CellWords(False, first, end)}
        return _escaped(value[len(text) :]) + '"' + self._further_cells(row, end, max_length)

    def _position_of(self, text: str, expected_word: int) -> int | None:
        """Where a cell's text stands that is expected at this word."""
        words = self._page.words
        if expected_word < len(words) and self._page.text.startswith(text, words[expected_word].start):
            return words[expected_word].start
        return self._page.find(text, self._word) if text else None

    def _rest_of_row(self, max_length: int) -> str:
        """What may follow between two values, from the last of them on."""
        if not (self._is_value and self._is_in_row):
            return self._further_cells(self._row, self._word, max_length)
        cell = self._draft_cell(self._key, self._word)
        if not cell.words.end and not cell.words.is_null:
            return f" {cell.text}"
        row = {**self._row, self._key: cell.words}
        return f" {cell.text}" + self._further_cells(row, cell.words.end or self._word, max_length)

    def _further_cells(self, row: Mapping[str, CellWords], word: int, max_length: int) -> str:
        """The cells behind those of this row, and the next rows. `word`: the first that is not yet used."""
        text, row = "", dict(row)
        is_row_start = not self._is_in_row and not row
        while len(text) < max_length and self._keys:
            missing = [key for key in self._keys if key not in row]
            if not missing:
                word = max([word, *(cell.end for cell in row.values() if cell.end)])
                missing, row, is_row_start, text = self._keys, {}, False, text + "}"
            is_first = not row
            if is_first and word >= len(self._page.words):
                return text
            row_opening = "{" if is_row_start and not self._previous_row else ", {"
            cell = self._draft_cell(missing[0], word)
            text += f"{row_opening if is_first else ', '}{json.dumps(missing[0], ensure_ascii=False)}: {cell.text}"
            if not cell.words.is_null and cell.words.end is None:
                return text
            row[missing[0]] = cell.words
            word = cell.words.end or word
        return text

    def _draft_cell(self, key: str, word: int) -> _DraftedCell:
        before = self._previous_row.get(key) or self._row.get(key)
        if before is not None and before.is_null:
            return _DraftedCell("null", before)
        first = self._expected_word(key, word)
        if first >= len(self._page.words):
            return _DraftedCell('"', CellWords(False))
        end = self._expected_end(key, first)
        if end is None:
            rest = self._page.rest_of_line(self._page.words[first].start)
            return _DraftedCell(f'"{_escaped(rest)}', CellWords(False))
        return _DraftedCell(f'"{_escaped(self._page.text_of(first, end))}"', CellWords(False, first, end))

    def _expected_word(self, key: str, word: int) -> int:
        """The word at which a cell begins: as many words are skipped as in the row before."""
        before = self._previous_row.get(key)
        return max(0, word + (before.skipped if before is not None and before.first is not None else 0))

    def _expected_end(self, key: str, first: int) -> int | None:
        """Where a cell ends that begins with this word: as long as in the row before; a text before a number goes on
        up to the next number. None where no row came before."""
        before = self._previous_row.get(key)
        words = self._page.words
        if before is None or before.first is None or before.end is None:
            return None
        is_number = self._page.is_number
        number_follows = before.end < len(words) and is_number(before.end)
        if number_follows and not any(map(is_number, range(before.first, before.end))):
            texts = takewhile(lambda word: not is_number(word), range(first, len(words)))
            return first + max(1, sum(1 for _ in texts))
        return min(first + before.end - before.first, len(words))


def _escaped(text: str) -> str:
    """As it stands within a JSON string."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _unescaped(data: bytes) -> str:
    """What the inside of a JSON string says, as far as it is whole."""
    text = data.decode(errors="replace")
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except json.JSONDecodeError:  # an escape that has only begun
        return text
