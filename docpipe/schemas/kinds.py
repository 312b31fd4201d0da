"""The kinds: what a field is, and so how its printed text becomes a value and when two values are the same.

In: a field's annotation `Annotated[Decimal | None, Money()]`. Out: `parse(text, conventions)` and `same(left, right)`.
This is their public home; they live by subject in words, numbers, dates and codes.
"""

from __future__ import annotations

import datetime as dt
import enum
import types
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

from docpipe.schema_fields import Captioned, Expected
from docpipe.schema_ports import Kind
from docpipe.schemas.charge_signs import ChargeSign
from docpipe.schemas.choices import Choice, ValueChoice, choice_of
from docpipe.schemas.codes import Currency, Iban, Unit, VatId
from docpipe.schemas.conventions import conventions
from docpipe.schemas.dates import ClockTime, IsoDate
from docpipe.schemas.datetimes import DateTime
from docpipe.schemas.identifiers import Identifier
from docpipe.schemas.numbers import Deduction, Money
from docpipe.schemas.quantities import Integer, Quantity, Rate
from docpipe.schemas.titles import InvoiceType
from docpipe.schemas.words import Address, Boolean, Name, Phone, Text, similarity

__all__ = [
    "Address",
    "Boolean",
    "Captioned",
    "ChargeSign",
    "Choice",
    "ClockTime",
    "Currency",
    "DateTime",
    "Deduction",
    "Expected",
    "Iban",
    "Identifier",
    "Integer",
    "InvoiceType",
    "IsoDate",
    "Money",
    "Name",
    "Phone",
    "Quantity",
    "Rate",
    "Text",
    "Unit",
    "ValueChoice",
    "VatId",
    "conventions",
    "kind_for_type",
    "kind_of_union",
    "similarity",
]

_BY_TYPE: dict[type, Kind] = {
    str: Text(),
    Decimal: Money(),
    float: Money(),
    int: Integer(),
    bool: Boolean(),
    dt.date: IsoDate(),
    dt.datetime: DateTime(),
    UUID: Identifier(),
    dt.time: ClockTime(),
}


def kind_for_type(annotation: Any) -> Kind | None:
    """The kind of a field that names none: by its type alone, never by its name. A union has the kind that its types
    have in common. None: there is no kind for it."""
    if get_origin(annotation) is Annotated:
        inner, *metadata = get_args(annotation)
        named = (mark for mark in metadata if hasattr(mark, "parse") and hasattr(mark, "same"))
        return next(named, None) or kind_for_type(inner)
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind_for_type(part) for part in get_args(annotation) if part is not type(None)]
        known = [kind for kind in kinds if kind is not None]
        return kind_of_union(known) if len(known) == len(kinds) else None
    if get_origin(annotation) is Literal:
        return choice_of(value.value if isinstance(value, enum.Enum) else value for value in get_args(annotation))
    if not isinstance(annotation, type):
        return None
    if issubclass(annotation, enum.Enum):
        return choice_of(member.value for member in annotation)
    return _BY_TYPE.get(annotation) or (Text() if issubclass(annotation, str) else None)


def kind_of_union(kinds: Sequence[Kind]) -> Kind | None:
    """The kind that reads whatever one of these reads: the same one, a number for whole and other numbers, a date and
    time for dates with and without a time, a choice among the values of several, text for texts. None: there is none,
    as for a number or a text."""
    distinct = [kind for number, kind in enumerate(kinds) if kind not in kinds[:number]]
    if len(distinct) == 1:
        return distinct[0]
    columns = {kind.column for kind in distinct}
    if all(isinstance(kind, Choice | ValueChoice) for kind in distinct):
        return choice_of(value for kind in distinct for value in kind.values)  # type: ignore[attr-defined]
    if any(isinstance(kind, ValueChoice) for kind in distinct):
        return None
    if columns <= {"integer", "decimal", "float"}:
        others = [kind for kind in distinct if not isinstance(kind, Integer)]
        return others[0] if len(others) == 1 else None
    if columns == {"date", "datetime"}:
        return DateTime()
    return Text() if columns == {"text"} else None
