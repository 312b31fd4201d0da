"""The JSON Schema of an output as a provider takes it.

In: a prompt's schema. Out: copies without keywords that a provider refuses, or without types that it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SCHEMA_INSTRUCTION = "The answer must fit this JSON Schema:\n"
"""Before a schema that stands in the prompt: for servers without structured outputs."""

BOUND_KEYWORDS = frozenset(
    {"minLength", "maxLength", "pattern", "minItems", "maxItems", "format", "minimum", "maximum"}
)
"""Keywords that bound a value without changing its shape; which of them a provider takes is in its own module."""


def without_keywords(schema: Mapping[str, Any], keywords: frozenset[str]) -> dict[str, Any]:
    """A copy without these keywords, at any depth. What is under `properties` are names, not keywords."""
    reduced: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in keywords:
            continue
        if keyword == "properties":
            reduced[keyword] = {name: without_keywords(inner, keywords) for name, inner in value.items()}
        elif keyword == "items":
            reduced[keyword] = without_keywords(value, keywords)
        elif keyword == "anyOf":
            reduced[keyword] = [without_keywords(inner, keywords) for inner in value]
        else:
            reduced[keyword] = value
    return reduced


def count_unions(schema: Mapping[str, Any]) -> int:
    """How many values may be of more than one type."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    is_union = isinstance(schema.get("type"), list) or "anyOf" in schema
    return is_union + sum(count_unions(each) for each in inner)


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which null is not allowed: an empty text takes its place, which means the same to docpipe."""
    reduced = dict(schema)
    if isinstance(reduced.get("type"), list):
        reduced["type"] = next((name for name in reduced["type"] if name != "null"), "null")
    if "properties" in reduced:
        reduced["properties"] = {name: without_null(inner) for name, inner in reduced["properties"].items()}
    if "items" in reduced:
        reduced["items"] = without_null(reduced["items"])
    return reduced
