"""A JSON Schema that leaves no room for values without end or that nobody prints.

In: a JSON Schema. Out: the same with bounds where it names none: on numbers, which could have any number of digits, on
e-mail addresses, and on times, where the formats allow a 61st second and fractions of any length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

NUMBER_MOST = 10**15  # whole numbers up to here survive as a float, and no invoice has more
SECONDS = "[0-5][0-9](\\.[0-9]{1,6})?(Z|[+-][0-9:]{5})"
PATTERNS = {
    "time": f"^[0-9:]{{6}}{SECONDS}$",
    "date-time": f"^[0-9-]{{10}}T[0-9:]{{6}}{SECONDS}$",
    "email": "^[^@]{1,64}@[^@]{1,63}$",  # RFC 5321 has 64 before the sign; a name between dots has 63
}
OF_SCHEMAS = frozenset({"properties", "patternProperties", "$defs", "definitions"})
LISTS_OF_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
ONE_SCHEMA = frozenset({"items", "additionalProperties"})


def bounded(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in OF_SCHEMAS:
            found[keyword] = {name: _inner(part) for name, part in value.items()}
        elif keyword in LISTS_OF_SCHEMAS:
            found[keyword] = [_inner(part) for part in value]
        else:
            found[keyword] = _inner(value) if keyword in ONE_SCHEMA else value
    return {**found, **_bounds(schema)}


def _inner(part: Any) -> Any:
    return bounded(part) if isinstance(part, Mapping) else part


def _bounds(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "enum" in schema or "const" in schema:
        return {}
    kinds = schema.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else set(kinds) if isinstance(kinds, Sequence) else set()
    bounds: dict[str, Any] = {}
    if kinds & {"integer", "number"}:
        if not {"minimum", "exclusiveMinimum"} & schema.keys():
            bounds["minimum"] = -NUMBER_MOST
        if not {"maximum", "exclusiveMaximum"} & schema.keys():
            bounds["maximum"] = NUMBER_MOST
    if "pattern" not in schema and schema.get("format") in PATTERNS:
        bounds["pattern"] = PATTERNS[schema["format"]]
    return bounds
