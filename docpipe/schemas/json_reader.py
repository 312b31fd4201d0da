"""Reads the parts of a JSON Schema: references followed, `allOf` put together, `anyOf` and `oneOf` reduced to the one
kind of value that they have in common, null left out.

In: the content of a JSON Schema (draft 2020-12, and what older drafts and OpenAPI write for the same). Out:
`JsonNode`s.
What cannot be put together raises SchemaError with its JSON pointer and with what to write instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from docpipe.errors import SchemaError
from docpipe.schema_ports import KIND_KEYWORD
from docpipe.schemas.json_nodes import ASSERTIONS, JsonNode, Place, RawNode
from docpipe.schemas.json_unions import node_of_union

TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_NOT_KEYWORDS = ("$ref", "allOf", "anyOf", "oneOf", "type", "enum", "const", "properties", "items")
"""They have attributes of their own in a `JsonNode`, or are followed."""


class JsonSchemaReader:
    """Reads the parts of one schema, whose content is `root`."""

    def __init__(self, root: Any) -> None:
        self._root = root

    def root(self) -> JsonNode:
        return self.read(RawNode(self._root, Place()))

    def read(self, raw: RawNode) -> JsonNode:
        """With its references, parts and alternatives. Raises SchemaError."""
        content, place = raw.content, raw.place
        if not isinstance(content, dict):
            raise SchemaError(
                f"{place.pointer} is no JSON Schema", hint='Write an object that says the type: {"type": "string"}.'
            )
        parts = [self._referenced(content["$ref"], place)] if "$ref" in content else []
        parts += [self.read(each) for each in _listed(content, "allOf", place)]
        node = _merged([*parts, _own(content, place)])
        for keyword in ("anyOf", "oneOf"):
            alternatives = [self.read(each) for each in _listed(content, keyword, place)]
            if alternatives and KIND_KEYWORD in content:
                node = _merged([_of_one_kind(alternatives), node])
            elif alternatives:
                node = _merged([node_of_union(alternatives, place.inner(keyword)), node])
        return node

    def _referenced(self, reference: Any, place: Place) -> JsonNode:
        """What a local reference names. Of a choice that has a definition of its own (what Pydantic writes for an
        enum) title and description are the type's, and no prompt of the field."""
        pointer = place.inner("$ref").pointer
        own_name = self._root.get("$id")
        if isinstance(reference, str) and isinstance(own_name, str):
            reference = reference.removeprefix(own_name.removesuffix("#")) or "#"
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise SchemaError(
                f"{pointer} leads out of the schema: {reference}",
                hint='Nothing is fetched. Copy it below "$defs" and refer to it as "#/$defs/NAME".',
            )
        if reference in place.references or reference == "#":
            raise SchemaError(
                f"{pointer} is recursive: {reference} is inside itself",
                hint="Write the inner object out, as deep as documents have it. Lists nest one level deep.",
            )
        content: Any = self._root
        for step in unquote(reference.removeprefix("#")).split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            inside = content.get(key) if isinstance(content, dict) else None
            if isinstance(content, list) and key.isdigit() and int(key) < len(content):
                inside = content[int(key)]
            content = inside
        if content is None or not reference.startswith("#/"):
            raise SchemaError(f"{pointer}: there is no {reference}", hint="A reference is the path of a definition.")
        node = self.read(RawNode(content, Place(reference, place.references | {reference})))
        hidden = {"title"} | ({"description"} if node.values is not None else set())
        return replace(node, keywords={key: value for key, value in node.keywords.items() if key not in hidden})


def _of_one_kind(alternatives: Sequence[JsonNode]) -> JsonNode:
    """Of values that a kind reads, whatever types of JSON they have: the first that is not null."""
    return next((node for node in alternatives if not node.is_null), alternatives[0])


def _own(content: Mapping[str, Any], place: Place) -> JsonNode:
    """What a part says itself."""
    values = content.get("enum", [content["const"]] if "const" in content else None)
    if values is not None and (not isinstance(values, list) or not values):
        raise SchemaError(f"{place.pointer}/enum is no list of values", hint='Write the values: "enum": ["a", "b"].')
    types = content.get("type", [])
    named = [types] if isinstance(types, str) else types
    if not isinstance(named, list) or not all(name in TYPES for name in named):
        raise SchemaError(f"{place.pointer}/type is {types!r}", hint=f"A type is one of {', '.join(TYPES)}.")
    properties = content.get("properties", {})
    if not isinstance(properties, dict):
        raise SchemaError(f"{place.pointer}/properties is not an object", hint="It maps names to schemas.")
    node = JsonNode(
        place,
        tuple(name for name in dict.fromkeys(named) if name != "null"),
        None if values is None else tuple(value for value in values if value is not None),
        {key: value for key, value in content.items() if key not in _NOT_KEYWORDS},
        {name: RawNode(child, place.inner("properties", name)) for name, child in properties.items()},
        RawNode(content["items"], place.inner("items")) if "items" in content else None,
        is_null=set(named) == {"null"} or (values is not None and all(value is None for value in values)),
    )
    if {"integer", "number"} <= set(node.types):  # a number may be whole
        return replace(node, types=tuple(name for name in node.types if name != "integer"))
    return node


def _listed(content: Mapping[str, Any], keyword: str, place: Place) -> list[RawNode]:
    parts = content.get(keyword, [])
    if not isinstance(parts, list) or (keyword in content and not parts):
        raise SchemaError(f"{place.pointer}/{keyword} is no list of schemas", hint="Write the schemas into a list.")
    return [RawNode(part, place.inner(keyword, number)) for number, part in enumerate(parts)]


def _merged(nodes: Sequence[JsonNode]) -> JsonNode:
    """What holds for all of them at once; of annotations the last one's."""
    merged = nodes[0]
    for node in nodes[1:]:
        merged = _both(merged, node)
    return merged


def _both(inner: JsonNode, outer: JsonNode) -> JsonNode:
    pointer = outer.place.pointer
    keywords = dict(inner.keywords)
    for keyword, value in outer.keywords.items():
        before = keywords.get(keyword)
        if keyword in ASSERTIONS and before not in (None, value):
            raise _contradiction(f"{pointer}/{keyword}", before, value)
        if keyword == "required" and isinstance(before, list) and isinstance(value, list):
            keywords[keyword] = [*before, *value]
        else:
            keywords[keyword] = value
    for name in inner.properties.keys() & outer.properties.keys():
        if inner.properties[name].content != outer.properties[name].content:
            raise _contradiction(outer.properties[name].place.pointer, "one schema", "another")
    if inner.items is not None and outer.items is not None and inner.items.content != outer.items.content:
        raise _contradiction(f"{pointer}/items", "one schema", "another")
    return JsonNode(
        # errors about an object name the place where its properties are
        inner.place if inner.properties and not outer.properties else outer.place,
        _types_of_both(inner, outer),
        _values_of_both(inner, outer),
        keywords,
        {**inner.properties, **outer.properties},
        outer.items or inner.items,
        inner.is_null or outer.is_null,
    )


def _types_of_both(inner: JsonNode, outer: JsonNode) -> tuple[str, ...]:
    if not inner.types or not outer.types:
        return inner.types or outer.types
    common = tuple(name for name in outer.types if name in inner.types)
    if not common and {*inner.types, *outer.types} == {"integer", "number"}:
        common = ("integer",)
    if not common:
        raise _contradiction(f"{outer.place.pointer}/type", *inner.types, *outer.types)
    return common


def _values_of_both(inner: JsonNode, outer: JsonNode) -> tuple[Any, ...] | None:
    if inner.values is None or outer.values is None:
        return inner.values if outer.values is None else outer.values
    common = tuple(value for value in outer.values if value in inner.values)
    if not common:
        raise _contradiction(f"{outer.place.pointer}/enum", inner.values, outer.values)
    return common


def _contradiction(pointer: str, *values: object) -> SchemaError:
    return SchemaError(
        f"{pointer} says two things at once: {' and '.join(map(str, values))}", hint="Write the one that holds."
    )
