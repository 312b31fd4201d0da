"""A part of a JSON Schema, as it is written and as it is read.

In: nothing. Out: `RawNode`, whose references and parts are still to be followed, and `JsonNode`, which says all that
holds for its values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ASSERTIONS = (
    *("format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minItems", "maxItems", "uniqueItems"),
)
"""What is said about a value, and is checked. Anything else that is no keyword of the structure says something to
people or programs; where two of those meet, the outer one counts."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of the schema stands, as a JSON pointer (RFC 6901), and the references that led to it."""

    pointer: str = "#"
    references: frozenset[str] = frozenset()

    def inner(self, *steps: str | int) -> Place:
        escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in steps)
        return Place("/".join((self.pointer, *escaped)), self.references)


@dataclass(frozen=True, slots=True)
class RawNode:
    """A part of the schema as it is written."""

    content: Any
    place: Place


@dataclass(frozen=True, slots=True)
class JsonNode:
    """A part of the schema that is read: its keywords, and its children, which are not.

    `types` are those of JSON without null; none where the schema leaves it open. `values` are those of `enum` and
    `const`, or None where any value will do.
    """

    place: Place
    types: tuple[str, ...] = ()
    values: tuple[Any, ...] | None = None
    keywords: Mapping[str, Any] = field(default_factory=dict)
    properties: Mapping[str, RawNode] = field(default_factory=dict)
    items: RawNode | None = None
    is_null: bool = False

    @property
    def type(self) -> str | None:
        """The one type of its values: said, or shown by what is said about them. None where there is none."""
        if self.types:
            return self.types[0]
        if self.values is not None:
            return "enum"
        return "object" if self.properties else "array" if self.items is not None else None
