"""The kinds: what a field is, and so how its printed text becomes a value and when two values are the same.

In: a field's annotation `Annotated[Decimal | None, Money()]`. Out: `parse(text, conventions)` and `same(left, right)`.
This is their public home; they live by subject in words, numbers, dates and codes.
"""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any, Literal, get_args, get_origin

from docpipe.schema_fields import Expected
from docpipe.schema_ports import Kind
from docpipe.schemas.codes import Currency, Iban, Unit, VatId
from docpipe.schemas.conventions import conventions
from docpipe.schemas.dates import ClockTime, IsoDate
from docpipe.schemas.numbers import Deduction, Integer, Money, Quantity, Rate
from docpipe.schemas.words import Address, Boolean, Choice, Identifier, InvoiceType, Name, Phone, Text, similarity

__all__ = [
    "Address",
    "Boolean",
    "Choice",
    "ClockTime",
    "Currency",
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
    "VatId",
    "conventions",
    "kind_for_type",
    "similarity",
]

_BY_TYPE: dict[type, Kind] = {
    str: Text(),
    Decimal: Money(),
    float: Quantity(),
    int: Integer(),
    bool: Boolean(),
    dt.date: IsoDate(),
    dt.time: ClockTime(),
}


def kind_for_type(annotation: Any) -> Kind | None:
    """The kind of a field that names none: by its type alone, never by its name. None: there is no kind for it."""
    if get_origin(annotation) is Literal:
        return Choice(tuple(str(value) for value in get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Choice(tuple(str(member.value) for member in annotation))
    return _BY_TYPE.get(annotation) if isinstance(annotation, type) else None
