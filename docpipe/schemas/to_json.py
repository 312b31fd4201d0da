"""A schema becomes a JSON Schema file: for other programs, and to begin one's own from.

In: a schema. Out: JSON Schema in the subset that `from_json` reads; it makes the same fields again, without the rules,
which JSON Schema cannot say.

    python -m docpipe.schemas.to_json schemas        writes the shipped ones into the folder schemas
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.errors import SchemaError
from docpipe.schema import Schema, list_schemas, load_schema
from docpipe.schema_fields import FieldSpec, annotation_of
from docpipe.schema_ports import CAPTIONS_KEYWORD
from docpipe.schemas.choices import Choice, ValueChoice
from docpipe.schemas.json_types import FORMATS, TYPES

if TYPE_CHECKING:
    from pydantic import BaseModel

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_LIST = re.compile(r"\[\n[^\[\]{}]*\n\s*\]")  # of strings and nulls: they stand on one line
_TYPE_OF_COLUMN = {"decimal": "number", "float": "number", "integer": "integer", "boolean": "boolean"}


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in list_schemas():
        (folder / f"{name}.json").write_text(json_file(load_schema(name)), encoding="utf-8")


def json_file(schema: Schema) -> str:
    """The text of the file. Raises SchemaError for a kind of one's own: JSON Schema has no name for it."""
    title = schema.model.__name__
    content = {"$schema": DRAFT, "title": title, **_object(schema, schema.model, "")}
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return _LIST.sub(lambda match: " ".join(match.group().split()).replace("[ ", "[").replace(" ]", "]"), text) + "\n"


def _object(schema: Schema, model: type[BaseModel], prefix: str) -> dict[str, Any]:
    """An object with a property for each field of a class; `prefix` is its path with a dot."""
    properties = dict(_properties(schema, model, prefix))
    specs = {spec.list_path if spec.is_plain_value else spec.path: spec for spec in schema.fields}
    required = [name for name in properties if (spec := specs.get(prefix + name)) and spec.required]
    described = {"description": " ".join(model.__doc__.split())} if model.__doc__ else {}
    node = {"type": "object", **described, "properties": properties}
    return {**node, "required": required} if required else node


def _properties(schema: Schema, model: type[BaseModel], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, info in model.model_fields.items():
        annotation = annotation_of(model, name)
        if annotation.model is None and annotation.is_list:
            yield name, _plain_list(schema.spec(f"{prefix}{name}[]"))
        elif annotation.model is None:
            yield name, _leaf(schema.spec(prefix + name))
        elif annotation.is_list:
            described = {"description": info.description} if info.description else {}
            yield name, {"type": "array", **described, "items": _object(schema, annotation.model, f"{prefix}{name}[].")}
        else:
            yield name, _object(schema, annotation.model, f"{prefix}{name}.")


def _leaf(spec: FieldSpec) -> dict[str, Any]:
    examples = {"examples": list(spec.examples)} if spec.examples else {}
    captions = {CAPTIONS_KEYWORD: spec.captioned.as_json()} if spec.captioned else {}
    return {**_typed(spec), "description": spec.prompt, **examples, **captions}


def _plain_list(spec: FieldSpec) -> dict[str, Any]:
    """Its values are never null: what is not there is not in the list."""
    item = dict(_typed(spec))
    item["type"] = item["type"][0]
    if "enum" in item:
        item["enum"] = item["enum"][:-1]
    examples = {"examples": list(spec.examples)} if spec.examples else {}
    return {"type": "array", "description": spec.prompt, **examples, "items": item}


def _typed(spec: FieldSpec) -> Mapping[str, Any]:
    """The type, and the format or the values that name the kind."""
    type_name = _TYPE_OF_COLUMN.get(spec.kind.column, "string")
    node = {"type": [type_name, "null"]}
    formats = [name for name, (_type, kind) in FORMATS.items() if kind == spec.kind]
    if formats:
        return {**node, "format": formats[0]}
    if spec.kind == TYPES[type_name][1]:
        return node
    if isinstance(spec.kind, ValueChoice) or (isinstance(spec.kind, Choice) and not spec.kind.words):
        return {**node, "enum": [*spec.kind.values, None]}
    raise SchemaError(
        f"{spec.path} has the kind {spec.kind.name}, which a JSON Schema cannot name",
        hint=f"A format is {', '.join(FORMATS)}.",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Write the shipped schemas as JSON Schema files.")
    parser.add_argument("folder", type=Path)
    main(parser.parse_args().folder)
