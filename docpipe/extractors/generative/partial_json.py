"""JSON that may have broken off: its members as far as the text goes, each with the characters that it takes.

In: a text in which an object or a list begins. Out: its members, one by one. Separators are not checked: a model that
forgot a comma still wrote its values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

SEPARATORS = " \t\r\n,:"
_DECODER = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class JsonMember:
    """A key and where its value stands in the source. `end` is None where the text broke off in it."""

    key: str
    source: str
    start: int
    end: int | None

    @property
    def text(self) -> str:
        """Of the value, as it is written."""
        return self.source[self.start : self.end]

    @property
    def printed_text(self) -> str:
        """The string that the value stands for; a number as it is written; empty for null, an object and a list."""
        value = json.loads(self.text, strict=False)
        if value is None or isinstance(value, list | dict):
            return ""
        return value.strip() if isinstance(value, str) else self.text


def first_object(text: str) -> Iterator[JsonMember]:
    """The members of the first object that begins in the text; none where there is no object."""
    start = text.find("{")
    return object_members(text, start) if start >= 0 else iter(())


def is_empty_object(text: str) -> bool:
    return re.fullmatch(r"\s*\{\s*\}\s*", text) is not None


def object_members(text: str, start: int) -> Iterator[JsonMember]:
    """The members of the object that begins at `start`, as far as it goes."""
    position = start + 1
    while (position := _skip_separators(text, position)) < len(text) and text[position] == '"':
        key, after_key = _decode(text, position)
        if after_key is None:
            return
        position = _skip_separators(text, after_key)
        if position >= len(text):
            return
        _, end = _decode(text, position)
        yield JsonMember(str(key), text, position, end)
        if end is None:
            return
        position = end


def list_objects(text: str, start: int) -> Iterator[JsonMember]:
    """The objects of the list that begins at `start`, as far as it goes; their keys are empty."""
    return takewhile(lambda member: text[member.start] == "{", list_values(text, start))


def list_values(text: str, start: int) -> Iterator[JsonMember]:
    """The values of the list that begins at `start`, as far as it goes; their keys are empty."""
    if not text.startswith("[", start):
        return
    position = start + 1
    while (position := _skip_separators(text, position)) < len(text) and text[position] != "]":
        _, end = _decode(text, position)
        yield JsonMember("", text, position, end)
        if end is None:
            return
        position = end


def flattened(member: JsonMember) -> Iterator[JsonMember]:
    """The member, or what is in it under dotted keys where a model nested what the schema has flat."""
    if member.end is None or not member.text.startswith("{"):
        yield member
        return
    for inner in object_members(member.source, member.start):
        yield from flattened(JsonMember(f"{member.key}.{inner.key}", inner.source, inner.start, inner.end))


def _decode(text: str, position: int) -> tuple[object, int | None]:
    """The value that begins here, and where it ends; None where it does not come to its end."""
    try:
        return _DECODER.raw_decode(text, position)
    except (ValueError, RecursionError):
        return None, None


def _skip_separators(text: str, position: int) -> int:
    while position < len(text) and text[position] in SEPARATORS:
        position += 1
    return position
