"""Kinds for words: free text, names, addresses, phone numbers and yes/no.

In: a printed text. Out: `Parsed` with a string or a bool; text kinds never fail on a non-empty text.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Group, NamedInJsonSchema, Parsed

MIN_SIMILARITY = 0.9
"""Names and addresses are the same from this similarity of letters and digits on."""

MIN_PHONE_DIGITS = 5
MIN_LOCAL_PHONE_DIGITS = 7
"""Digits. Two phone numbers that agree in this many last digits differ only in their prefix."""

YES = frozenset(["yes", "y", "ja", "j", "oui", "o", "si", "sí", "s", "true", "x", "1", "✓", "✔", "☑", "☒"])
NO = frozenset(["no", "n", "nein", "non", "nee", "false", "0", "☐"])


def one_line(text: str) -> str:
    """The text in composed Unicode with single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=65536)
def folded(text: str) -> str:
    """Letters and digits only, without case and accents: what is compared between prints."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in plain if char.isalnum())


def similarity(left: str, right: str) -> float:
    """0-1 over letters and digits."""
    from rapidfuzz.distance import Indel  # heavy: a compiled module that only comparisons need

    return Indel.normalized_similarity(folded(left), folded(right))


@dataclass(frozen=True)
class Text(NamedInJsonSchema):
    """Free text, as printed."""

    name: ClassVar[str] = "text"
    column: ClassVar[ColumnType] = "text"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        return Parsed(one_line(text) or None)

    def same(self, left: object, right: object) -> bool:
        return similarity(str(left), str(right)) >= MIN_SIMILARITY


@dataclass(frozen=True)
class Name(Text):
    """The name of a person or a company."""

    name: ClassVar[str] = "name"
    group: ClassVar[Group] = "name"


@dataclass(frozen=True)
class Address(Text):
    """A postal address; its lines are joined by blanks."""

    name: ClassVar[str] = "address"
    group: ClassVar[Group] = "address"


@dataclass(frozen=True)
class Phone(Text):
    """A telephone number, as printed. Compared by its digits; a country prefix on one side alone does not matter."""

    name: ClassVar[str] = "phone"
    group: ClassVar[Group] = "identifier"
    max_length: ClassVar[int] = 50

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        number = re.search(r"[+(]?\d[\d\s()./–-]*\d", text)
        if number is None or len(_digits(number.group())) < MIN_PHONE_DIGITS:
            return Parsed(None, "not_a_phone", f"no telephone number in {text!r}")
        return Parsed(one_line(number.group()))

    def same(self, left: object, right: object) -> bool:
        shorter, longer = sorted((_digits(str(left)).lstrip("0"), _digits(str(right)).lstrip("0")), key=len)
        return shorter == longer or (len(shorter) >= MIN_LOCAL_PHONE_DIGITS and longer.endswith(shorter))


@dataclass(frozen=True)
class Boolean(NamedInJsonSchema):
    """Yes or no, a cross or a tick."""

    name: ClassVar[str] = "boolean"
    column: ClassVar[ColumnType] = "boolean"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002
        word = text.strip(" .:[]()").casefold()
        if word in YES or word in NO:
            return Parsed(word in YES)
        return Parsed(None, "not_a_boolean", f"{text!r} is neither yes nor no")

    def same(self, left: object, right: object) -> bool:
        return left == right


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())
