"""A JSON Schema becomes a Pydantic class.

In: an object with properties, as people and programs write it (draft 2020-12): a property is a string, number, integer,
boolean, a choice of values, an object, or a list of objects or of plain values. Out: the class.
What cannot be done raises SchemaError with its JSON pointer and with what to write instead.
"""

from __future__ import annotations

import json
import re
import unicodedata
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from docpipe.errors import SchemaError
from docpipe.schema_fields import Captioned, CaptionPart, Expected, says_more
from docpipe.schema_ports import CAPTIONS_KEYWORD, EXPECTED_KEYWORD, KIND_KEYWORD
from docpipe.schemas.json_constraints import constraints_of, is_rust_pattern
from docpipe.schemas.json_nodes import JsonNode
from docpipe.schemas.json_reader import JsonSchemaReader
from docpipe.schemas.json_types import leaf_type

_HINT = "docs/schemas.md lists what a JSON Schema may hold; a Pydantic class can say more."
_INNER_HINT = "Lists nest one level deep: make the inner one a text, or its rows the rows of the outer list."


def model_from_file(path: Path) -> type[BaseModel]:
    """The class that a JSON Schema file describes, named by its title or the file's name."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SchemaError(
            f"cannot read {path}: {error.strerror}", hint="Check the path of the JSON Schema file."
        ) from error
    except ValueError as error:
        raise SchemaError(f"{path} is not JSON: {error}", hint="Save the file as UTF-8.") from error
    return _model_from_text(text, path.stem, str(path))


def model_from_text(text: str) -> type[BaseModel]:
    """The class that a JSON Schema describes, named by its title."""
    return _model_from_text(text, "document", "the schema")


@lru_cache(maxsize=64)  # the same text is the same class: a schema that comes back from another process is the same one
def _model_from_text(text: str, name: str, source: str) -> type[BaseModel]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{source} is not JSON: {error}", hint="Check it with a JSON editor.") from error
    builder = _ClassBuilder(JsonSchemaReader(content))
    node = builder.reader.root()
    if node.type != "object":
        hint = 'A schema starts with {"type": "object", "properties": …}.'
        raise SchemaError(f"{source}: # is not an object", hint=hint)
    referenced = str(content.get("$ref", "")).rpartition("/")[2]
    return builder.model(node, _class_name(str(node.keywords.get("title") or referenced or name)))


@dataclass(frozen=True, slots=True)
class _Property:
    """A property of an object that becomes a field of the class `owner`."""

    name: str
    node: JsonNode
    required: bool
    owner: str

    @property
    def pointer(self) -> str:
        return self.node.place.pointer

    @property
    def class_name(self) -> str:
        """Of the class that is made for it, if it is an object or a list of objects."""
        return self.owner + _class_name(self.name)

    @property
    def described(self) -> dict[str, Any]:
        """The argument of `Field`. A title that says no more than the name is none."""
        description, title = (self.node.keywords.get(keyword) for keyword in ("description", "title"))
        said = description or (title if says_more(title, self.name) else None)
        return {"description": None if said is None else str(said)}


class _ClassBuilder:
    """Makes classes of the nodes of one JSON Schema."""

    def __init__(self, reader: JsonSchemaReader) -> None:
        self.reader = reader

    def model(self, node: JsonNode, name: str, in_list: bool = False) -> type[BaseModel]:
        """The class of an object, `in_list` for one that is a row."""
        pointer = node.place.pointer
        if not node.properties:
            raise SchemaError(f"{pointer} has no properties", hint=_no_properties_hint(node))
        required = node.keywords.get("required", [])
        if not isinstance(required, list):
            raise SchemaError(f"{pointer}/required is no list of names", hint='Name the properties: "required": ["a"].')
        if unknown := [key for key in required if key not in node.properties]:
            raise SchemaError(f"{pointer}/required names {unknown}, which are no properties", hint=_HINT)
        constraints_of(node, None)
        fields: dict[str, Any] = {}
        for key, raw in node.properties.items():
            field_name = unicodedata.normalize("NFKC", key)  # as Python reads names
            _check_name(field_name, raw.place.pointer)
            inner = self.reader.read(raw)
            expected = key in required or inner.keywords.get(EXPECTED_KEYWORD) is True
            child = _Property(field_name, inner, expected, name)
            fields[field_name] = self._field(child, in_list)
        return _created(name, str(node.keywords.get("description", "")), fields, pointer)

    def _field(self, child: _Property, in_list: bool) -> tuple[Any, Any]:
        """The annotation and the `Field`, as Pydantic takes them."""
        node = child.node
        if node.type == "array":
            if in_list:
                raise SchemaError(f"{child.pointer} is a list inside a list", hint=_INNER_HINT)
            return self._list_field(child)
        if node.type == "object":
            inner = self.model(node, child.class_name, in_list)
            return inner | None, Field(default=None, **child.described)
        return _leaf(node, child.required), Field(
            default=None,
            examples=_examples(node),
            **child.described,
            **constraints_of(node, leaf_type(node).python_type),
        )

    def _list_field(self, child: _Property) -> tuple[Any, Any]:
        node = child.node
        if node.items is None:
            hint = 'Say what the list holds: "items": {"type": "string"}, or an object with properties.'
            raise SchemaError(f"{child.pointer}/items is missing", hint=hint)
        item = self.reader.read(node.items)
        if KIND_KEYWORD in node.keywords:
            item = replace(item, keywords={KIND_KEYWORD: node.keywords[KIND_KEYWORD], **item.keywords})
        if item.type == "array":
            raise SchemaError(f"{item.place.pointer} is a list inside a list", hint=_INNER_HINT)
        row: Any
        if item.type == "object":
            row = self.model(item, child.class_name, in_list=True)
        else:
            leaf = leaf_type(item)
            inner = Field(
                description=item.keywords.get("description"),
                examples=_examples(item),
                **constraints_of(item, leaf.python_type),
            )
            row = Annotated[leaf.python_type, leaf.kind, inner]
        annotation: Any = list[row]
        if child.required and item.type != "object":
            annotation = Annotated[annotation, Expected()]
        arguments: dict[str, Any] = {**child.described, **constraints_of(node, list)}
        if item.type != "object":
            arguments["examples"] = _examples(node)
        if arguments.get("min_length"):
            arguments["validate_default"] = True
        if node.keywords.get("uniqueItems") is True:
            annotation = Annotated[annotation, AfterValidator(_all_different)]
            arguments["json_schema_extra"] = {"uniqueItems": True}
        return annotation, Field(default_factory=list, **arguments)


def _leaf(node: JsonNode, expected: bool) -> Any:
    leaf = leaf_type(node)
    annotation: Any = Annotated[leaf.python_type | None, leaf.kind]
    if expected:
        annotation = Annotated[annotation, Expected()]
    captioned = _captioned(node)
    return annotation if captioned is None else Annotated[annotation, captioned]


def _captioned(node: JsonNode) -> Captioned | None:
    """What Pydantic wrote of a class that has it; None where others use the keyword for something else."""
    content = node.keywords.get(CAPTIONS_KEYWORD)
    if not isinstance(content, dict) or content.get("takes") not in get_args(CaptionPart):
        return None
    captions, below = content.get("captions"), content.get("below")
    if not isinstance(captions, list) or not isinstance(below, list):
        return None
    beside_network = content.get("beside_network") is True
    return Captioned(tuple(map(str, captions)), content["takes"], tuple(map(str, below)), beside_network)


def _examples(node: JsonNode) -> list[Any] | None:
    """`example` is OpenAPI's."""
    examples = node.keywords.get("examples", [node.keywords["example"]] if "example" in node.keywords else None)
    return examples if isinstance(examples, list) else None


def _created(name: str, description: str, fields: Mapping[str, Any], pointer: str) -> type[BaseModel]:
    patterns = [mark.pattern for _type, info in fields.values() for mark in info.metadata if hasattr(mark, "pattern")]
    config = ConfigDict(protected_namespaces=())
    if not all(map(is_rust_pattern, filter(None, patterns))):
        config["regex_engine"] = "python-re"  # it knows look-around
    with warnings.catch_warnings():
        # a field may be called `json` or `copy`, which Pydantic warns of: results are read by field, not by method
        warnings.filterwarnings("ignore", message=".*shadows an attribute.*")
        try:
            return create_model(name, __config__=config, __doc__=description, **fields)
        except Exception as error:
            raise SchemaError(f"{pointer} makes no class: {error}", hint=_HINT) from error


def _no_properties_hint(node: JsonNode) -> str:
    wrapped = next((key for key in ("schema", "parameters", "json_schema") if key in node.keywords), None)
    if wrapped is not None:
        return f"The schema seems to stand below {wrapped!r}: give that object alone."
    if "additionalProperties" in node.keywords or "patternProperties" in node.keywords:
        return "Free names cannot be asked for: name the properties, or take a list of objects with a name and a value."
    return 'Name what is to be found: "properties": {"total": {"type": "number"}}.'


def _all_different(items: list[Any]) -> list[Any]:
    if any(item in items[:number] for number, item in enumerate(items)):
        raise ValueError("its items are not all different")
    return items


def _check_name(name: str, pointer: str) -> None:
    """A name is an attribute in Python, a column in SQL and a step of a path."""
    if not name.isidentifier() or name.startswith("_"):
        raise SchemaError(
            f"{pointer}: a field's name has letters, digits and _, and begins with a letter",
            hint=f"Use {_field_name(name)!r}, and write the name as people know it into the description.",
        )
    if name.startswith("model_") and hasattr(BaseModel, name):
        raise SchemaError(f"{pointer}: {name} is a name of Pydantic's own", hint=f"Use {name + '_'!r}.")


def _class_name(text: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[\W_]+", text)) or "Document"


def _field_name(text: str) -> str:
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFKC", text).lower()).strip("_")
    return name if name.isidentifier() else f"field_{name}".strip("_")
