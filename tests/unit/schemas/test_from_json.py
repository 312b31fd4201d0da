"""How a JSON Schema file becomes a schema, and what is said when it cannot."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from docpipe.errors import SchemaError
from docpipe.schema import load_schema


def json_file(folder: Path, content: object) -> str:
    path = folder / "ad buy.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def test_a_json_schema_becomes_a_schema_with_kinds(tmp_path):
    content = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ad buy",
        "description": "An order for advertising time.",
        "type": "object",
        "required": ["contract_number"],
        "properties": {
            "contract_number": {"type": "string", "description": "number of the contract", "examples": ["77120"]},
            "gross": {"type": ["number", "null"], "title": "Gross amount", "minimum": 0},
            "flight_from": {"type": "string", "format": "date"},
            "at": {"type": "string", "format": "time"},
            "account": {"type": "string", "format": "iban"},
            "mail": {"type": "string", "format": "email"},
            "spots": {"type": "integer"},
            "paid": {"type": "boolean"},
            "medium": {"enum": ["tv", "radio", None]},
            "agency": {"type": "object", "properties": {"name": {"type": "string", "format": "name"}}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"day": {"type": "string"}}}},
            "json": {"type": "string"},
        },
        "additionalProperties": False,
    }
    schema = load_schema(json_file(tmp_path, content))
    assert (schema.name, schema.description) == ("ad_buy", "An order for advertising time.")
    assert [(spec.path, spec.kind.name) for spec in schema.fields] == [
        ("contract_number", "text"), ("gross", "money"), ("flight_from", "date"), ("at", "time"), ("account", "iban"),
        ("mail", "text"), ("spots", "integer"), ("paid", "boolean"), ("medium", "choice"), ("agency.name", "name"),
        ("rows[].day", "text"), ("json", "text"),
    ]  # fmt: skip
    assert schema.spec("contract_number").required
    assert schema.spec("gross").prompt == "Gross amount"
    assert schema.spec("flight_from").prompt == "flight from"


def test_a_result_is_checked_against_the_constraints_of_the_json_schema(tmp_path):
    content = {"type": "object", "properties": {"gross": {"type": "number", "minimum": 0}}}
    model = load_schema(json_file(tmp_path, content)).model
    assert model.model_validate({"gross": "12.50"}).model_dump() == {"gross": Decimal("12.50")}
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        model.model_validate({"gross": "-1"})


def nested(node: object) -> dict[str, object]:
    return {"type": "object", "properties": {"a": node}}


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (nested({"anyOf": [{"type": "string"}, {"type": "boolean"}]}), "#/properties/a/anyOf"),
        (nested({"$ref": "#/$defs/x"}), "#/properties/a/\\$ref"),
        (nested({"type": ["string", "number"]}), "#/properties/a/type"),
        (nested({"enum": [{}, []]}), "#/properties/a/enum"),
        (nested({"type": "array", "items": {"type": "array"}}), "#/properties/a/items"),
        (nested({"type": "array"}), "#/properties/a/items"),
        (nested(True), "#/properties/a"),
        (nested({"type": "string", "pattern": "("}), "#"),
        ({"type": "object", "properties": {"a b": {"type": "string"}}}, "#/properties/a b"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["b"]}, "#/required"),
        ({"type": "object", "properties": {"a": {"type": "string"}}, "oneOf": []}, "#/oneOf"),
        ({"type": "object", "properties": {}}, "#"),
        ({"type": "string"}, "#"),
        ([], "#"),
    ],
)
def test_what_a_json_schema_may_not_hold_is_named_by_its_place(tmp_path, content, pointer):
    with pytest.raises(SchemaError, match=pointer):
        load_schema(json_file(tmp_path, content))


def test_lists_inside_lists_are_refused_in_a_json_schema_too(tmp_path):
    row = {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}
    outer = {"type": "array", "items": {"type": "object", "properties": {"inner": row}}}
    with pytest.raises(SchemaError, match="list inside a list"):
        load_schema(json_file(tmp_path, nested(outer)))


def test_a_file_that_is_not_json_is_refused_with_the_line(tmp_path):
    path = tmp_path / "x.json"
    path.write_text('{"type":\n "object",,}', encoding="utf-8")
    with pytest.raises(SchemaError, match="line 2"):
        load_schema(str(path))
