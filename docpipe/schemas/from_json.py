"""A JSON Schema file becomes a Pydantic class.

In: a file in a subset of JSON Schema draft 2020-12: an object with properties; a property is a string, number, integer,
boolean, enum of strings, object, or array of objects. Out: the class.
What is not in the subset raises SchemaError with its JSON pointer.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from docpipe.errors import SchemaError
from docpipe.schema_fields import Expected
from docpipe.schema_ports import Kind
from docpipe.schemas.codes import Currency, Iban, Unit, VatId
from docpipe.schemas.dates import ClockTime, IsoDate
from docpipe.schemas.numbers import Deduction, Integer, Money, Quantity, Rate
from docpipe.schemas.words import Address, Boolean, Choice, Identifier, InvoiceType, Name, Phone, Text

TYPES: Mapping[str, tuple[Any, Kind]] = {
    "string": (str, Text()),
    "number": (Decimal, Money()),
    "integer": (int, Integer()),
    "boolean": (bool, Boolean()),
}
FORMATS: Mapping[str, tuple[Any, Kind]] = {
    "date": (dt.date, IsoDate()),
    "time": (dt.time, ClockTime()),
    **{
        kind.name: (str, kind)
        for kind in (Name(), Address(), Identifier(), Phone(), Unit(), Currency(), Iban(), VatId())
    },
    "invoice_type": (str, InvoiceType()),
    **{kind.name: (Decimal, kind) for kind in (Money(), Quantity(), Rate())},
    "deduction": (Decimal, Deduction()),
}
"""`date` and `time` are JSON Schema's own; the others name a kind. An unknown format (`email`) stays text."""

CONSTRAINTS = {
    "pattern": "pattern",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
}
"""JSON Schema's keyword -> argument of a Pydantic field: checked after the extraction."""

LEAF_KEYWORDS = {"type", "title", "description", "examples", "default", "$comment", "deprecated", "format", "enum"}
OBJECT_KEYWORDS = {
    "type",
    "title",
    "description",
    "properties",
    "required",
    "additionalProperties",
    "$schema",
    "$id",
    "$comment",
    "examples",
}
ARRAY_KEYWORDS = {"type", "title", "description", "items", "$comment", "examples", "default", "minItems", "maxItems"}

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_HINT = "docs/schemas.md lists what a JSON Schema file may hold; a Pydantic class can say more."


def model_from_file(path: Path) -> type[BaseModel]:
    """The class that a JSON Schema file describes, named by its title or the file's name."""
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SchemaError(
            f"cannot read {path}: {error.strerror}", hint="Check the path of the JSON Schema file."
        ) from error
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON: {error}", hint="Check the file with a JSON editor.") from error
    node = _checked(content, "#", OBJECT_KEYWORDS)
    if _type(node, "#") != "object":
        raise SchemaError(
            f"{path}: # is not an object", hint='A schema starts with {"type": "object", "properties": …}.'
        )
    return _model(node, "#", _class_name(str(node.get("title") or path.stem)))


def _model(node: Mapping[str, Any], pointer: str, name: str) -> type[BaseModel]:
    properties, required = node.get("properties"), node.get("required", [])
    if not isinstance(properties, dict) or not properties:
        raise SchemaError(f"{pointer} has no properties", hint=_HINT)
    if not isinstance(required, list) or (unknown := [key for key in required if key not in properties]):
        raise SchemaError(f"{pointer}/required names {unknown}, which are no properties", hint=_HINT)
    fields = dict(_fields(properties, required, pointer, name))
    with warnings.catch_warnings():
        # a field may be called `json` or `copy`, which Pydantic warns of: results are read by field, not by method
        warnings.filterwarnings("ignore", message=".*shadows an attribute.*")
        try:
            return create_model(
                name, __config__=ConfigDict(protected_namespaces=()), __doc__=str(node.get("description", "")), **fields
            )
        except Exception as error:
            raise SchemaError(f"{pointer} makes no class: {error}", hint=_HINT) from error


def _fields(properties: Mapping[str, Any], required: list[str], pointer: str, name: str) -> Iterator[tuple[str, Any]]:
    for key, child in properties.items():
        child_pointer = f"{pointer}/properties/{key.replace('~', '~0').replace('/', '~1')}"
        if not _NAME.fullmatch(key):
            raise SchemaError(
                f"{child_pointer}: a field name has letters, digits and _ only", hint=f"Use {_field_name(key)!r}."
            )
        if not isinstance(child, dict):
            raise SchemaError(f"{child_pointer} is not an object", hint=_HINT)
        described: dict[str, Any] = {"description": child.get("description") or child.get("title")}
        json_type = _type(child, child_pointer)
        if json_type == "array":
            item = _checked(
                _checked(child, child_pointer, ARRAY_KEYWORDS).get("items"), f"{child_pointer}/items", OBJECT_KEYWORDS
            )
            if _type(item, f"{child_pointer}/items") != "object":
                raise SchemaError(
                    f"{child_pointer}/items is not an object", hint="A list holds objects with properties."
                )
            row = _model(item, f"{child_pointer}/items", name + _class_name(key))
            yield key, (list[row], Field(default_factory=list, **described))  # type: ignore[valid-type]
        elif json_type == "object":
            inner = _model(_checked(child, child_pointer, OBJECT_KEYWORDS), child_pointer, name + _class_name(key))
            yield key, (inner | None, Field(default=None, **described))
        else:
            yield key, (_leaf_type(child, child_pointer, key in required), _leaf_field(child, described))


def _leaf_type(node: Mapping[str, Any], pointer: str, expected: bool) -> Any:
    _checked(node, pointer, LEAF_KEYWORDS | set(CONSTRAINTS))
    if "enum" in node:
        values = [value for value in node["enum"] if value is not None]
        if not values or not all(isinstance(value, str) for value in values):
            raise SchemaError(f"{pointer}/enum holds other things than strings", hint=_HINT)
        typed: tuple[Any, Kind] = (Literal[tuple(values)], Choice(tuple(values)))
    else:
        typed = FORMATS.get(str(node.get("format"))) or TYPES[_type(node, pointer)]
    python_type, kind = typed
    if expected:
        return Annotated[python_type | None, kind, Expected()]
    return Annotated[python_type | None, kind]


def _leaf_field(node: Mapping[str, Any], described: Mapping[str, Any]) -> Any:
    constraints = {argument: node[keyword] for keyword, argument in CONSTRAINTS.items() if keyword in node}
    return Field(default=None, examples=node.get("examples"), **described, **constraints)


def _checked(node: Any, pointer: str, allowed: set[str]) -> Mapping[str, Any]:
    if not isinstance(node, dict):
        raise SchemaError(f"{pointer} is missing or not an object", hint=_HINT)
    for key in node:
        if key not in allowed and not key.startswith("x-"):
            raise SchemaError(f"{pointer}/{key} is not supported", hint=_HINT)
    if isinstance(node.get("additionalProperties"), dict):
        raise SchemaError(f"{pointer}/additionalProperties is not supported", hint=_HINT)
    return node


def _type(node: Mapping[str, Any], pointer: str) -> str:
    """The type without `null`, which every field may be."""
    json_type = node.get("type")
    if json_type is None and "enum" in node:
        return "string"
    if json_type is None and not (node.keys() - LEAF_KEYWORDS - OBJECT_KEYWORDS - ARRAY_KEYWORDS - set(CONSTRAINTS)):
        json_type = "object" if "properties" in node else "array" if "items" in node else None
    names = [name for name in json_type if name != "null"] if isinstance(json_type, list) else [json_type]
    if len(names) != 1 or names[0] not in {*TYPES, "object", "array"}:
        unsupported = ("$ref", "anyOf", "oneOf", "allOf", "const", "not", "if")
        keyword = next((key for key in node if key in unsupported), "type")
        raise SchemaError(f"{pointer}/{keyword} is not supported", hint=_HINT)
    return str(names[0])


def _class_name(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", text)) or "Document"


def _field_name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "field"
