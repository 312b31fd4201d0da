"""The folder `schemas/` holds the shipped schemas as JSON Schema, in step with the code, and examples that load."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field

from docpipe.errors import SchemaError
from docpipe.schema import list_schemas, load_schema
from docpipe.schemas.kinds import Deduction, Text
from docpipe.schemas.to_json import json_file, main
from tests.support.repository import ROOT

FOLDER = ROOT / "schemas"


def fields(schema):
    return [(spec.path, spec.prompt, spec.kind, spec.required, spec.examples) for spec in schema.fields]


@pytest.mark.parametrize("name", list_schemas())
def test_the_files_are_in_step(name):
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    assert text == json_file(load_schema(name)), "write them anew: python -m docpipe.schemas.to_json schemas"


def test_there_is_a_file_for_each_shipped_schema_and_no_other(tmp_path):
    main(tmp_path / "new")
    written = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert written == sorted(path.name for path in FOLDER.glob("*.json")) == sorted(f"{n}.json" for n in list_schemas())


@pytest.mark.parametrize("name", list_schemas())
def test_a_shipped_file_makes_the_same_fields_again(name):
    again = load_schema(str(FOLDER / f"{name}.json"))
    assert (again.name, again.description) == (name, load_schema(name).description)
    assert fields(again) == fields(load_schema(name))
    assert again.rules == ()


def test_the_examples_load_as_they_stand_and_say_the_same():
    as_class = load_schema(f"{FOLDER}/examples/ad_buy.py:AdBuy")
    as_file = load_schema(f"{FOLDER}/examples/ad_buy.json")
    assert fields(as_class) == fields(as_file)
    assert [rule.code for rule in as_class.rules] == ["dates_out_of_order", "sum_mismatch"]
    assert (FOLDER / "examples/ad_buy.json").read_text("utf-8") == json_file(as_class)


def test_the_documentation_shows_the_example():
    text = (ROOT / "docs/schemas.md").read_text("utf-8")
    shown = text.partition("# schemas/examples/ad_buy.py\n")[2].partition("```")[0]
    assert shown
    assert (FOLDER / "examples/ad_buy.py").read_text("utf-8").endswith(shown)


def test_objects_lists_and_choices_survive(tmp_path):
    class Price(BaseModel):
        """What it costs."""

        net: Annotated[float | None, Deduction()] = None

    class Row(BaseModel):
        size: Literal["S", "M"] | None = None
        price: Price | None = None
        sold: bool | None = None

    class Order(BaseModel):
        price: Price | None = Field(None, description="the price of all")
        rows: list[Row] = Field(default_factory=list, description="the rows")

    path = tmp_path / "order.json"
    path.write_text(json_file(load_schema(Order)), encoding="utf-8")
    assert fields(load_schema(str(path))) == fields(load_schema(Order))
    assert json.loads(path.read_text("utf-8"))["properties"]["rows"]["description"] == "the rows"


def test_a_kind_of_ones_own_has_no_name_in_json_schema():
    @dataclass(frozen=True)
    class Plate(Text):
        name: ClassVar[str] = "plate"

    class Car(BaseModel):
        plate: Annotated[str | None, Plate()] = None

    with pytest.raises(SchemaError, match="plate has the kind plate"):
        json_file(load_schema(Car))
