"""What a plain value of a JSON Schema is: its type in Python, and the kind by which it is read.

In: a node that is no object and no list. Out: a `LeafType`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from docpipe.errors import SchemaError
from docpipe.schema_ports import KIND_KEYWORD, Kind
from docpipe.schemas.charge_signs import ChargeSign
from docpipe.schemas.choices import choice_of
from docpipe.schemas.codes import Currency, Iban, Unit, VatId
from docpipe.schemas.dates import ClockTime, IsoDate
from docpipe.schemas.datetimes import DateTime
from docpipe.schemas.identifiers import Identifier
from docpipe.schemas.json_constraints import log_once
from docpipe.schemas.json_nodes import JsonNode
from docpipe.schemas.numbers import Deduction, Money
from docpipe.schemas.quantities import Integer, Quantity, Rate
from docpipe.schemas.titles import InvoiceType
from docpipe.schemas.words import Address, Boolean, Name, Phone, Text


@dataclass(frozen=True, slots=True)
class LeafType:
    """Of a plain value: what it is in Python, and how it is read."""

    python_type: Any
    kind: Kind


TYPES: Mapping[str, tuple[Any, Kind]] = {
    "string": (str, Text()),
    "number": (Decimal, Money()),
    "integer": (int, Integer()),
    "boolean": (bool, Boolean()),
}
FORMATS: Mapping[str, tuple[Any, Kind]] = {
    "date": (dt.date, IsoDate()),
    "date-time": (dt.datetime, DateTime()),
    "time": (dt.time, ClockTime()),
    **{
        kind.name: (str, kind)
        for kind in (Name(), Address(), Identifier(), Phone(), Unit(), Currency(), Iban(), VatId())
    },
    "invoice_type": (str, InvoiceType()),
    "charge_sign": (str, ChargeSign()),
    **{kind.name: (Decimal, kind) for kind in (Money(), Quantity(), Rate())},
    "deduction": (Decimal, Deduction()),
    "uuid": (str, Identifier()),
}
"""`date`, `date-time`, `time` and `uuid` are JSON Schema's own; the others name a kind. An unknown format (`email`)
stays text."""

_BY_KIND: Mapping[str, LeafType] = {
    **{kind.name: LeafType(python_type, kind) for python_type, kind in (*FORMATS.values(), *TYPES.values())},
    **{name: LeafType(python_type, kind) for name, (python_type, kind) in FORMATS.items()},
}
# Of a number they say something else: seconds since 1970, an amount of money.
_OF_TEXT_ONLY = ("date", "date-time", "time", "uuid", "currency")
_HINT = "docs/schemas.md lists what a JSON Schema may hold."
_TYPE_HINT = 'Write its type: {"type": "string"}, "number", "integer", "boolean", "object" or "array".'


def leaf_type(node: JsonNode) -> LeafType:
    pointer = node.place.pointer
    if node.is_null:
        raise SchemaError(f"{pointer} is always null", hint=_TYPE_HINT)
    named = _BY_KIND.get(str(node.keywords.get(KIND_KEYWORD)))
    if named is not None:
        return named if node.values is None else LeafType(_choice_type(node).python_type, named.kind)
    if KIND_KEYWORD in node.keywords and node.values is None:
        place, kind = node.place.inner(KIND_KEYWORD).pointer, node.keywords[KIND_KEYWORD]
        log_once(f"{place} of the JSON Schema names the kind {kind}, which only a class can have")
    if node.values is not None:
        return _choice_type(node)
    if not node.types:
        raise SchemaError(f"{pointer}/type is missing: it may hold anything", hint=_TYPE_HINT)
    if len(node.types) > 1:
        raise SchemaError(
            f"{pointer}/type names several kinds: {', '.join(node.types)}",
            hint='A field has one kind. Write one of them; "string" takes any print as text.',
        )
    json_format = str(node.keywords.get("format"))
    of_format = FORMATS.get(json_format)
    if of_format is None or (json_format in _OF_TEXT_ONLY and node.types != ("string",)):
        return LeafType(*TYPES[node.types[0]])
    return LeafType(*of_format)


def _choice_type(node: JsonNode) -> LeafType:
    values = tuple(dict.fromkeys(node.values or ())) if all(map(_is_plain, node.values or ())) else ()
    kind = choice_of(values)
    if kind is None:
        raise SchemaError(
            f"{node.place.pointer}/enum holds other things than texts, numbers, or true and false",
            hint=_HINT,
        )
    return LeafType(bool if isinstance(kind, Boolean) else Literal[values], kind)


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)
