"""JSON Schemas as other programs and people write them: what they mean, and what is said where that cannot be done."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
from decimal import Decimal

import pytest

from docpipe.errors import SchemaError
from docpipe.schema import load_schema


def schema(**properties):
    return load_schema({"type": "object", "properties": properties})


def kinds(loaded):
    return {spec.path: spec.kind.name for spec in loaded.fields}


def prompts(loaded):
    return {spec.path: spec.prompt for spec in loaded.fields}


def test_a_dict_is_a_schema_and_crosses_process_borders():
    content = {"title": "Parking ticket", "type": "object", "properties": {"fee": {"type": "number"}}}
    loaded = load_schema(content)
    assert (loaded.name, kinds(loaded)) == ("parking_ticket", {"fee": "money"})
    assert pickle.loads(pickle.dumps(loaded)) == loaded == load_schema(dict(content))
    assert pickle.loads(pickle.dumps(loaded.only(["fee"]))) == loaded.only(["fee"])


def test_a_dict_that_json_does_not_know_is_refused():
    with pytest.raises(SchemaError, match="the dict is no JSON Schema"):
        load_schema({"type": "object", "properties": {"fee": {"type": Decimal}}})


NULLABLE = [
    {"type": ["string", "null"], "format": "date"},
    {"type": ["null", "string"], "format": "date"},
    {"type": "string", "nullable": True, "format": "date"},
    {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}], "default": None},
    {"oneOf": [{"type": "null"}, {"type": "string", "format": "date"}]},
    {"anyOf": [{"type": "string"}, {"const": None}], "format": "date"},
    {"anyOf": [{"$ref": "#/$defs/Day"}, {"type": "null"}]},
    {"allOf": [{"$ref": "#/$defs/Day"}], "nullable": True},
    {"$ref": "#/$defs/Day", "description": "day"},
    {"$ref": "#/properties/first"},
]


@pytest.mark.parametrize("node", NULLABLE)
def test_a_value_that_may_be_null_is_the_value(node):
    day = {"type": "string", "format": "date"}
    loaded = load_schema({"type": "object", "properties": {"first": day, "day": node}, "$defs": {"Day": day}})
    assert kinds(loaded)["day"] == "date"
    assert loaded.model(day="2026-03-05").day == dt.date(2026, 3, 5)


def test_definitions_are_followed_from_anywhere():
    loaded = load_schema(
        {
            "$ref": "#/definitions/Delivery%20note",
            "definitions": {
                "Delivery note": {
                    "type": "object",
                    "properties": {
                        "sender": {"$ref": "#/definitions/a~1b"},
                        "receiver": {"anyOf": [{"$ref": "#/definitions/a~1b"}, {"type": "null"}]},
                        "parcels": {"type": "array", "items": {"$ref": "#/definitions/parcel"}},
                    },
                },
                "a/b": {"type": "object", "properties": {"town": {"type": "string"}}},
                "parcel": {"type": "object", "properties": {"weight": {"type": "number", "format": "quantity"}}},
            },
        }
    )
    assert kinds(loaded) == {"sender.town": "text", "receiver.town": "text", "parcels[].weight": "quantity"}


def test_a_schema_may_refer_to_itself_by_its_own_name():
    loaded = load_schema(
        {
            "$id": "https://example.org/lease.json",
            "type": "object",
            "properties": {"rent": {"$ref": "https://example.org/lease.json#/$defs/amount"}},
            "$defs": {"amount": {"type": "number"}},
        }
    )
    assert kinds(loaded) == {"rent": "money"}


def test_parts_of_an_object_are_put_together():
    loaded = load_schema(
        {
            "allOf": [{"$ref": "#/$defs/base"}, {"required": ["owner"]}],
            "type": "object",
            "properties": {"owner": {"type": "string"}},
            "$defs": {"base": {"type": "object", "required": ["plate"], "properties": {"plate": {"type": "string"}}}},
        }
    )
    assert [(spec.path, spec.required) for spec in loaded.fields] == [("plate", True), ("owner", True)]


@pytest.mark.parametrize(
    ("node", "kind"),
    [
        ({"anyOf": [{"type": "number"}, {"type": "string"}]}, "money"),  # a Decimal, as Pydantic writes it
        ({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^-?\d+(\.\d+)?$"}, {"type": "null"}]}, "money"),
        ({"anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"}]}, "money"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "money"),
        ({"type": ["integer", "number", "null"]}, "money"),
        ({"type": "number", "format": "double"}, "money"),
        ({"type": "integer", "format": "int64"}, "integer"),
        ({"type": "number", "format": "currency"}, "money"),
        ({"type": "string", "format": "currency"}, "currency"),
        ({"anyOf": [{"not": {}}, {"type": "boolean"}]}, "boolean"),
        ({"type": "integer", "format": "date-time"}, "integer"),
        ({"type": "string", "format": "date-time"}, "datetime"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}, "datetime"),
        ({"anyOf": [{"type": "string", "format": "email"}, {"type": "string", "maxLength": 9}]}, "text"),
        ({"type": "string", "format": "uuid"}, "identifier"),
        ({"const": "paid"}, "choice"),
        ({"type": "string", "enum": ["paid", "open", None]}, "choice"),
        ({"anyOf": [{"const": "paid"}, {"enum": ["open"]}]}, "choice"),
        ({"anyOf": [{"enum": ["paid"]}, {"type": "string"}]}, "text"),
        ({"enum": [5, 10, 20]}, "choice"),
        ({"type": "number", "enum": [0.5, 1]}, "choice"),
        ({"enum": ["n/a", 7, 19]}, "choice"),
        ({"enum": [True, False]}, "boolean"),
        ({"const": True}, "boolean"),
        ({"type": "array", "items": {"type": "string"}}, None),
        (
            {"anyOf": [{"type": "array", "items": {"type": "string"}, "title": n} for n in "ab"] + [{"type": "null"}]},
            None,
        ),
    ],
)
def test_what_is_said_in_many_ways_is_one_kind(node, kind):
    assert kinds(schema(a=node)) == ({"a": kind} if kind else {"a[]": "text"})


def test_annotations_and_unknown_keywords_are_passed_over():
    loaded = load_schema(
        {
            "name": "ticket",
            "strict": True,
            "type": "object",
            "x-order": ["a"],
            "additionalProperties": {"type": "string"},
            "propertyOrdering": ["a"],
            "properties": {
                "a": {
                    "type": "string", "name": "A", "readOnly": True, "example": "T-1", "x-ui": {"width": 3},
                    "default": "-", "contentMediaType": "text/plain",
                }
            },
        }
    )  # fmt: skip
    assert [(spec.path, spec.examples) for spec in loaded.fields] == [("a", ("T-1",))]


def test_names_become_words_where_nothing_else_is_said():
    loaded = schema(
        dueDate={"type": "string"},
        sellerVATId={"type": "string"},
        GrossTotal={"type": "number"},
        delivery_town={"type": "string", "title": "Delivery Town"},
        Skonto={"type": "number", "title": "Cash discount"},
        buyerName={"type": "string", "title": "Buyername", "description": "who has bought it"},
    )
    assert list(prompts(loaded).values()) == [
        "due date", "seller VAT id", "gross total", "delivery town", "Cash discount", "who has bought it",
    ]  # fmt: skip


def test_names_in_other_alphabets_are_names():
    loaded = load_schema(
        {
            "title": "Störungsmeldung für Züge",
            "type": "object",
            "properties": {
                "Zählerstand": {"type": "integer"}, "номер": {"type": "string"}, "Ra\u0308ume": {"type": "integer"},
            },
        }
    )  # fmt: skip
    assert loaded.name == "störungsmeldung_für_züge"
    assert list(kinds(loaded)) == ["Zählerstand", "номер", "Räume"], "composed, however they were typed"
    assert loaded.model(**{"Zählerstand": 7}).Zählerstand == 7


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("Fällig am", "fällig_am"), ("tax-rate", "tax_rate"), ("2nd", "field_2nd"), ("seller.name", "seller_name"),
        ("€", "field"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_one_gets_a_proposal(name, proposal):
    with pytest.raises(SchemaError, match="begins with a letter") as refused:
        schema(**{name: {"type": "string"}})
    assert repr(proposal) in refused.value.hint


def test_what_is_asserted_of_values_is_checked():
    loaded = schema(
        code={"type": "string", "pattern": "^(?!0)[0-9]{3}$"},
        price={"type": "number", "minimum": 0, "exclusiveMinimum": True, "multipleOf": 0.05},
        count={"type": "integer", "maximum": 9},
        tags={"type": "array", "items": {"type": "string", "maxLength": 3}, "minItems": 1, "uniqueItems": True},
    )
    good = {"code": "120", "price": "0.15", "count": 9, "tags": ["a", "b"]}
    assert loaded.model(**good).price == Decimal("0.15")
    for field, value in (
        ("code", "012"), ("price", "0"), ("price", "0.07"), ("count", 10), ("tags", ["a", "a"]), ("tags", ["long"]),
        ("tags", []),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=field):
            loaded.model(**{**good, field: value})


def test_what_cannot_be_checked_is_logged_with_its_place(caplog):
    node = {"type": "string", "format": "date", "minLength": 10, "not": {"const": "2026-01-01"}}
    with caplog.at_level(logging.WARNING, "docpipe.schemas"):
        schema(first_of_the_log=node)
    assert [record.getMessage().partition(" ")[0] for record in caplog.records] == [
        "#/properties/first_of_the_log/minLength",
        "#/properties/first_of_the_log/not",
    ]


LINE = {"type": "object", "properties": {"day": {"type": "string"}}}


@pytest.mark.parametrize(
    ("node", "place", "advice"),
    [
        ({"$ref": "https://example.org/day.json"}, "#/properties/a/$ref", "$defs"),
        ({"$ref": "day.json#/day"}, "#/properties/a/$ref", "$defs"),
        ({"$ref": "#/$defs/nothing"}, "#/properties/a/$ref", "path of a definition"),
        ({"$ref": "#"}, "#/properties/a/$ref is recursive", "Write the inner object out"),
        ({"$ref": "#/$defs/tree"}, "#/$defs/tree/properties/branch/$ref is recursive", "Write the inner object out"),
        ({"anyOf": [{"type": "string"}, {"type": "boolean"}]}, "#/properties/a/anyOf", '"string"'),
        ({"anyOf": [LINE, {"type": "string"}]}, "#/properties/a/anyOf", '"string"'),
        ({"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[A-Z]"}]}, "#/properties/a/anyOf", '"string"'),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, "#/properties/a/oneOf", '"string"'),
        ({"anyOf": [{"type": "number"}, {"type": "string", "format": "date"}]}, "#/properties/a/anyOf", '"string"'),
        ({"type": ["string", "number"]}, "#/properties/a/type", '"string"'),
        ({"type": "array", "items": {"type": "array", "items": LINE}}, "#/properties/a/items is a list", "one level"),
        ({"type": "array", "items": {**LINE, "properties": {"b": {"type": "array", "items": {"type": "string"}}}}},
         "#/properties/a/items/properties/b is a list inside a list", "one level"),
        ({"type": "array", "prefixItems": [{"type": "string"}]}, "#/properties/a/items is missing", '"items"'),
        ({"description": "anything"}, "#/properties/a/type is missing", '"string"'),
        ({"type": "null"}, "#/properties/a is always null", '"string"'),
        ({"type": "text"}, "#/properties/a/type is 'text'", "string"),
        ({"type": "object", "additionalProperties": {}}, "#/properties/a has no properties", "a name and a value"),
        ({"enum": [{"a": 1}]}, "#/properties/a/enum", "docs/schemas.md"),
        ({"enum": []}, "#/properties/a/enum", '"enum"'),
        ({"allOf": [{"type": "string"}, {"type": "number"}]}, "#/properties/a/allOf/1/type says two things", "holds"),
        ({"type": "string", "pattern": "("}, "#/properties/a/pattern", "brackets"),
        ({"type": "string", "maxLength": "9"}, "#/properties/a/maxLength", "number"),
        ({**LINE, "required": True}, "#/properties/a/required is no list", '"required": ["a"]'),
    ],
)  # fmt: skip
def test_what_cannot_be_done_names_its_place_and_says_what_to_write(node, place, advice):
    tree = {"type": "object", "properties": {"branch": {"$ref": "#/$defs/tree"}}}
    with pytest.raises(SchemaError) as refused:
        load_schema({"type": "object", "properties": {"a": node}, "$defs": {"tree": tree}})
    assert refused.value.message.startswith(place)
    assert advice in refused.value.hint


def test_a_schema_in_its_wrapping_is_told_apart():
    with pytest.raises(SchemaError) as refused:
        load_schema({"type": "object", "name": "ticket", "strict": True, "schema": LINE})
    assert "'schema'" in refused.value.hint
