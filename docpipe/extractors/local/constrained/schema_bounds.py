"""A JSON Schema that leaves no room for values without end or that nobody prints.

In: a JSON Schema. Out: the same with bounds where it names none: on numbers, which could have any number of digits, on
e-mail addresses, and on times, where the formats allow a 61st second and fractions of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

MAX_NUMBER = 10**15  # whole numbers up to here survive as a float, and no invoice has more
SECONDS = "[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-][0-9:]{5})"
PATTERNS = {
    "time": f"^[0-9:]{{6}}{SECONDS}$",
    "date-time": f"^[0-9-]{{10}}T[0-9:]{{6}}{SECONDS}$",
    "email": "^[^@]{1,64}@[^@]{1,63}$",  # RFC 5321 has 64 before the sign; a name between dots has 63
}
# Keywords of JSON Schema whose value is an object of schemas, a list of them, or one
SCHEMA_OBJECTS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
SCHEMA_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
SINGLE_SCHEMAS = frozenset({"items", "additionalProperties"})


def with_bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    bounded: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in SCHEMA_OBJECTS:
            bounded[keyword] = {name: _inner(part) for name, part in value.items()}
        elif keyword in SCHEMA_LISTS:
            bounded[keyword] = [_inner(part) for part in value]
        else:
            bounded[keyword] = _inner(value) if keyword in SINGLE_SCHEMAS else value
    return {**bounded, **_bounds(schema)}


def _inner(part: Any) -> Any:
    return with_bounds(part) if isinstance(part, Mapping) else part


def _bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema or "const" in schema:
        return {}
    types = schema.get("type", ())
    types = {types} if isinstance(types, str) else set(types) if isinstance(types, Sequence) else set()
    bounds: dict[str, Any] = {}
    if types & {"integer", "number"}:
        if not {"minimum", "exclusiveMinimum"} & schema.keys():
            bounds["minimum"] = -MAX_NUMBER
        if not {"maximum", "exclusiveMaximum"} & schema.keys():
            bounds["maximum"] = MAX_NUMBER
    if "pattern" not in schema and schema.get("format") in PATTERNS:
        bounds["pattern"] = PATTERNS[schema["format"]]
    return bounds
