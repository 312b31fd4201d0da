"""The group of a kind: what the network is asked, which coefficients judge the value, what a model may write."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel

from docpipe.confidence import COEFFICIENT_SETS
from docpipe.errors import SchemaError
from docpipe.extractors.generative.output_schema import value_schema
from docpipe.schema import list_schemas, load_schema
from docpipe.schema_ports import COLUMN_TYPES, GROUPS, Conventions, Parsed, group_of
from docpipe.schemas.kinds import Boolean, Choice
from docpipe.vlm.field_queries import field_queries, network_group
from docpipe.vlm.inputs import GROUPS as NETWORK_GROUPS

# As the shipped network was trained and the shipped calibration fitted: kind -> group of the network, coefficients,
# and what a generative model may write (characters; None: a text with a digit).
SHIPPED = {
    "text": ("text", "text", 400),
    "name": ("name", "text", 160),
    "address": ("address", "text", 300),
    "identifier": ("identifier", "code", 80),
    "iban": ("identifier", "code", 50),
    "vat_id": ("identifier", "code", 40),
    "phone": ("identifier", "code", 50),
    "date": ("date", "date", None),
    "time": ("time", "date", None),
    "money": ("number", "amount", None),
    "quantity": ("number", "amount", None),
    "rate": ("number", "amount", None),
    "unit": ("text", "text", 30),
    "currency": ("code", "code", 20),
    "charge_sign": ("code", "text", 400),
    "invoice_type": ("code", "text", 400),
}


@dataclass(frozen=True)
class Weight:
    """A kind of one's own, with nothing but what every kind must have."""

    name: ClassVar[str] = "weight"
    column: ClassVar[str] = "decimal"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        return Parsed(Decimal(text.split(maxsplit=1)[0]))

    def same(self, left: object, right: object) -> bool:
        return left == right


@dataclass(frozen=True)
class Plate(Weight):
    """One that says what it is."""

    name: ClassVar[str] = "plate"
    column: ClassVar[str] = "text"
    group: ClassVar[str] = "identifier"
    max_length: ClassVar[int] = 12


class Parcel(BaseModel):
    """A parcel."""

    weight: Annotated[Decimal | None, Weight()] = None
    plate: Annotated[str | None, Plate()] = None


def treated(spec):
    """How the three who read groups treat a field."""
    return network_group(spec.kind), COEFFICIENT_SETS[group_of(spec.kind)], value_schema(spec).get("maxLength")


def test_shipped_fields_are_asked_and_judged_as_they_were_trained_and_fitted():
    specs = [spec for name in list_schemas() for spec in load_schema(name).fields]
    assert {spec.kind.name: treated(spec) for spec in specs} == SHIPPED


def test_a_decimal_of_ones_own_is_a_number_everywhere():
    schema = load_schema(Parcel)
    assert treated(schema.spec("weight")) == ("number", "amount", None)
    assert "[0-9]" in value_schema(schema.spec("weight"))["pattern"]
    assert field_queries(schema)["weight"].group == "number"


def test_a_kind_of_ones_own_may_say_its_group_and_its_length():
    assert treated(load_schema(Parcel).spec("plate")) == ("identifier", "code", 12)


def test_yes_and_no_is_a_code_and_one_of_a_few_values_a_choice():
    assert (group_of(Boolean()), network_group(Boolean())) == ("code", "code")
    assert (group_of(Choice(("S", "M"))), network_group(Choice(("S", "M")))) == ("choice", "code")


@pytest.mark.parametrize("column", COLUMN_TYPES)
def test_every_column_has_a_group(column):
    assert group_of(type("Own", (Weight,), {"column": column})()) in GROUPS


def test_every_group_is_known_to_the_network_and_to_the_calibration():
    assert set(COEFFICIENT_SETS) == set(GROUPS)
    kinds = [type("Own", (Weight,), {"group": group})() for group in GROUPS]
    assert {network_group(kind) for kind in kinds} == set(NETWORK_GROUPS) - {"document"}


@pytest.mark.parametrize(("attribute", "value"), [("column", "varchar"), ("group", "colour")])
def test_an_unknown_column_or_group_is_an_error_with_a_hint(attribute, value):
    kind = type("Own", (Weight,), {attribute: value})()
    model = type("Model", (BaseModel,), {"__annotations__": {"field": Annotated[str | None, kind]}, "field": None})
    with pytest.raises(SchemaError, match=f"weight has the {attribute} '{value}'") as refused:
        load_schema(model)
    assert f"A {attribute} is" in refused.value.hint
