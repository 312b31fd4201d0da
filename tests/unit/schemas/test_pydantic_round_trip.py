"""What Pydantic writes of a class loads again and means the same."""

from __future__ import annotations

import datetime as dt
import enum
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, NewType, Optional, Union
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, PositiveInt, condecimal

from docpipe.errors import SchemaError
from docpipe.schema import list_schemas, load_schema
from docpipe.schemas.kinds import Deduction, Expected, Iban, Identifier, Quantity, Text

PlateNumber = NewType("PlateNumber", str)


class Colour(enum.Enum):
    """Colours that we paint in."""

    RED = "red"
    BLUE = "blue"


class Grade(enum.IntEnum):
    FIRST = 1
    SECOND = 2


class Mixed(enum.Enum):
    NONE = "none"
    HALF = 0.5


class Workshop(BaseModel):
    """Where it was done."""

    name: str | None = Field(None, description="name of the workshop")
    opened: Optional[dt.time] = None  # noqa: UP045 - one of the spellings
    phones: list[str] = Field(default_factory=list, description="telephone numbers")


class Part(BaseModel):
    partNumber: str | None = None  # noqa: N815 - as others write it
    grade: Grade | None = None
    price: condecimal(ge=0, decimal_places=2) | None = None  # type: ignore[valid-type]
    maker: Workshop | None = None


class RowOfParts(BaseModel):
    """Without lists: it is a row."""

    part_number: str | None = None
    pieces: PositiveInt | None = Field(None, examples=["12"])


class EverySpelling(BaseModel):
    a: Optional[str] = None  # noqa: UP045
    b: Union[None, Decimal] = None  # noqa: UP007, RUF036
    c: Annotated[Optional[int], Field(ge=0, description="pieces")] = None  # noqa: UP045
    d: Optional[Annotated[str, Field(min_length=2, description="two letters")]] = None  # noqa: UP045
    e: Annotated[float, Field(gt=0)] | None = None
    f: "dt.date | None" = None  # noqa: UP037
    g: Optional[Union[int, float]] = Field(None, title="Whole or not")  # noqa: UP007, UP045
    h: Decimal | int | None = None
    i: dt.date | dt.datetime | None = None
    j: Literal["a", "b", None] = None
    k: Literal[1, 2] | None = None
    l: Literal["x"] | Literal["y"] | None = None  # noqa: E741
    m: PlateNumber | None = None
    n: UUID | None = None
    o: bool = False


class Repair(BaseModel):
    """A repair of a vehicle."""

    number: str
    receivedAt: dt.datetime | None = None  # noqa: N815
    due_date: dt.date | None = None
    colour: Colour | None = None
    finish: Mixed | None = None
    workshop: Workshop | None = Field(None, description="who has done it")
    rows: list[RowOfParts] = Field(default_factory=list)


class Lists(BaseModel):
    tags: list[str]
    amounts: list[Decimal] | None = Field(None, description="all amounts", examples=["1.00"])
    days: Sequence[dt.date] = ()
    marks: set[str] = set()
    grades: tuple[Grade, ...] = ()
    sizes: list[Annotated[int, Field(ge=1, description="size in cm")]] = Field(default_factory=list, max_length=3)
    colours: list[Colour] = Field(default_factory=list)


class WithKinds(BaseModel):
    """What docpipe reads in annotations, and Pydantic does not."""

    account: Annotated[str | None, Iban(), Expected()] = Field(None, description="account to pay to")
    weight: Annotated[float | None, Quantity()] = None
    reference: Annotated[int | str | None, Identifier()] = None
    taken_off: Annotated[Decimal, Deduction()]
    accounts: list[Annotated[str, Iban()]] = Field(default_factory=list)
    references: Annotated[list[str], Identifier(), Expected()] = Field(default_factory=list)
    colour: Annotated[Colour | None, Expected()] = None


SHIPPED = [load_schema(name).model for name in list_schemas()]


def meaning(schema):
    return (
        schema.name,
        schema.description,
        [(spec.path, spec.prompt, spec.kind, spec.required, spec.examples, spec.list_path) for spec in schema.fields],
    )


@pytest.mark.parametrize("model", [Workshop, RowOfParts, EverySpelling, Repair, Lists, WithKinds, *SHIPPED])
def test_a_class_and_its_json_schema_ask_the_same(model):
    assert meaning(load_schema(model.model_json_schema())) == meaning(load_schema(model))


@pytest.mark.parametrize("model", [EverySpelling, Repair, Lists])
def test_the_constraints_hold_there_too(model):
    again = load_schema(model.model_json_schema()).model
    values = {"tags": ["a"], "number": "R1", "sizes": [0], "c": -1, "d": "x", "e": 0}
    broken = [name for name in ("sizes", "c", "d", "e") if name in model.model_fields]
    for name in broken:
        for each in (model, again):
            with pytest.raises(ValueError, match=name):
                each(**{key: values[key] for key in (name, "tags", "number") if key in model.model_fields})


@dataclass(frozen=True)
class Plate(Text):
    name: ClassVar[str] = "plate"


class Vehicle(BaseModel):
    plate: Annotated[str | None, Plate()] = None


def test_a_kind_of_ones_own_is_text_there_and_the_log_says_so(caplog):
    with caplog.at_level(logging.WARNING, "docpipe.schemas"):
        again = load_schema(Vehicle.model_json_schema())
    assert again.spec("plate").kind == Text()
    assert "#/properties/plate/x-kind of the JSON Schema names the kind plate" in caplog.text


class Twice(BaseModel):
    inner: Twice | None = None


class Fixed(BaseModel):
    pair: tuple[str, int] | None = None


class Bare(BaseModel):
    items: list | None = None


class Deep(BaseModel):
    rows: list[list[str]] = Field(default_factory=list)


class Either(BaseModel):
    size: int | str | None = None


class Holder(BaseModel):
    parts: list[Part] = Field(default_factory=list)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (Twice, "inner is inside itself"),
        (Fixed, "pair is tuple"),
        (Bare, "items is <class 'list'>"),
        (Deep, "rows is a list inside a list"),
        (Either, "size has the type int | str"),
        (Holder, "parts\\[\\].maker.phones is a list inside a list"),
    ],
)
def test_a_class_that_cannot_be_asked_for_is_refused_in_both_forms(model, reason):
    with pytest.raises(SchemaError, match=reason) as refused:
        load_schema(model)
    assert refused.value.hint
    with pytest.raises(SchemaError, match=r"^#"):
        load_schema(model.model_json_schema())
