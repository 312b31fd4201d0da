"""The alternatives of a JSON Schema (`anyOf`, `oneOf`) as one node: the kind of value that they have in common.

In: alternatives that are read. Out: a `JsonNode` for all of them. Null is none of them, as every field may be absent.
A field has one kind, so alternatives of several raise SchemaError.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from docpipe.errors import SchemaError
from docpipe.schemas.json_nodes import ASSERTIONS, JsonNode, Place

NUMBERS = {"integer", "number"}
NUMBERS_IN_TEXT, NO_NUMBERS = ("12", "12.5", "-3"), ("", "ab", "x1")
"""Texts by which a pattern shows that it is of numbers: one of the first fits, and none of the second."""


def node_of_union(alternatives: Sequence[JsonNode], place: Place) -> JsonNode:
    """Whatever fits one of the alternatives fits it. Raises SchemaError."""
    real = [node for node in alternatives if not node.is_null and node.keywords.get("not") != {}]  # which nothing fits
    if not real:
        return alternatives[0]
    if all(_assertions(node) == _assertions(real[0]) for node in real):
        return real[0]
    if all(node.type is None for node in real):
        return JsonNode(place, keywords={"anyOf": "alternatives"})  # of conditions such as `required`: not checked
    texts = [node for node in real if _is_text(node)]
    numbers = [node for node in real if node.types and set(node.types) <= NUMBERS and node.values is None]
    if all(node.values is not None for node in real):
        return JsonNode(place, values=tuple(value for node in real for value in node.values or ()))
    if len(texts) == len(real):
        return JsonNode(place, ("string",), keywords=_shared_keywords([each for each in texts if each.values is None]))
    is_number = any("number" in node.types for node in numbers)
    if len(numbers) == len(real) or (is_number and all(map(_is_number_in_text, texts)) and _are(real, numbers, texts)):
        return JsonNode(place, ("number" if is_number else "integer",), keywords=_shared_keywords(numbers))
    kinds = " and ".join(dict.fromkeys(node.type or "anything" for node in real))
    raise SchemaError(
        f"{place.pointer} holds values of different kinds: {kinds}",
        hint='A field has one kind. Write one of them; {"type": "string"} takes any print as text.',
    )


def _is_text(node: JsonNode) -> bool:
    """A choice may leave out that its values are texts."""
    return node.types == ("string",) or (
        not node.types and all(isinstance(value, str) for value in node.values or (0,))
    )


def _are(nodes: Sequence[JsonNode], *groups: Sequence[JsonNode]) -> bool:
    return len(nodes) == sum(map(len, groups))


def _is_number_in_text(node: JsonNode) -> bool:
    """Whether a text beside a number is the same number in digits, as Pydantic writes a Decimal: with a pattern of
    numbers, or with nothing said about it."""
    pattern = node.keywords.get("pattern")
    if node.values is not None or "format" in node.keywords:
        return False
    if pattern is None:
        return True
    try:
        expression = re.compile(str(pattern))
    except re.error:
        return False
    return any(map(expression.search, NUMBERS_IN_TEXT)) and not any(map(expression.search, NO_NUMBERS))


def _shared_keywords(nodes: Sequence[JsonNode]) -> dict[str, Any]:
    """What all of them say; a date with or without a time of day may have one."""
    first, *others = nodes
    common = {key: value for key, value in first.keywords.items() if all(o.keywords.get(key) == value for o in others)}
    formats = {node.keywords.get("format") for node in nodes}
    return {**common, "format": "date-time"} if formats == {"date", "date-time"} else common


def _assertions(node: JsonNode) -> Mapping[str, object]:
    """All that it says about a value, to compare it by."""
    own = {key: value for key, value in node.keywords.items() if key in (*ASSERTIONS, "required")}
    inner = {name: child.content for name, child in node.properties.items()}
    items = None if node.items is None else node.items.content
    return {"types": node.types, "values": node.values, "own": own, "properties": inner, "items": items}
