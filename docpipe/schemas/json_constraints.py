"""What a JSON Schema says about a value beside its type, as arguments of a Pydantic field, which checks it after the
extraction.

In: a node, and the Python type of its value. Out: arguments of `pydantic.Field`. What asserts something and cannot be
checked is logged, once, with its JSON pointer.
"""

from __future__ import annotations

import logging
import multiprocessing
import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any

from docpipe.errors import SchemaError
from docpipe.schemas.json_nodes import JsonNode

log = logging.getLogger("docpipe.schemas")

OF_TEXT = {"pattern": "pattern", "minLength": "min_length", "maxLength": "max_length"}
OF_NUMBER = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "multipleOf": "multiple_of",
}
OF_LIST = {"minItems": "min_length", "maxItems": "max_length"}
"""JSON Schema's keyword -> argument of a Pydantic field."""

UNCHECKED = (
    *("not", "if", "anyOf", "dependentRequired", "dependentSchemas", "dependencies", "patternProperties"),
    *("propertyNames", "minProperties", "maxProperties", "unevaluatedProperties", "unevaluatedItems"),
    *("contains", "prefixItems", "additionalItems"),
)
"""They restrict values, and nothing here checks them."""


def constraints_of(node: JsonNode, python_type: Any) -> dict[str, Any]:
    """Of a text, a number or a list. What does not concern values of its type asserts nothing, as the standard says."""
    is_checked: Mapping[str, str] = {}
    if python_type is str:
        is_checked = OF_TEXT
    elif python_type in (Decimal, int):
        is_checked = OF_NUMBER
    elif python_type is list:
        is_checked = OF_LIST
    keywords = _without_draft_4(node.keywords)
    concerned = OF_TEXT if node.type == "string" else is_checked
    for keyword in (*concerned, *UNCHECKED):
        if keyword in keywords and keyword not in is_checked:
            _log_unchecked(node.place.inner(keyword).pointer)
    return {
        argument: _checked(keywords[keyword], keyword, node, python_type)
        for keyword, argument in is_checked.items()
        if keyword in keywords
    }


def _without_draft_4(keywords: Mapping[str, Any]) -> Mapping[str, Any]:
    """`"minimum": 0, "exclusiveMinimum": true`, as draft 4 and OpenAPI 3.0 have it, is `"exclusiveMinimum": 0`."""
    translated = dict(keywords)
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(translated.get(exclusive), bool) and translated.pop(exclusive) and bound in translated:
            translated[exclusive] = translated.pop(bound)
    return translated


def _checked(value: Any, keyword: str, node: JsonNode, python_type: Any) -> Any:
    pointer = node.place.inner(keyword).pointer
    if keyword == "pattern":
        if not isinstance(value, str) or not (_is_python_pattern(value) or is_rust_pattern(value)):
            raise SchemaError(f"{pointer} is no regular expression: {value!r}", hint="Check its brackets.")
        return value
    counts = keyword not in OF_NUMBER
    if isinstance(value, bool) or not isinstance(value, int if counts else int | float) or (counts and value < 0):
        raise SchemaError(f"{pointer} is no number: {value!r}", hint=f'Write a number: "{keyword}": 1.')
    return Decimal(str(value)) if keyword == "multipleOf" and python_type is Decimal else value


def _is_python_pattern(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


@lru_cache(maxsize=256)
def is_rust_pattern(pattern: str) -> bool:
    """Whether Pydantic's own expressions, which have no look-around, know it."""
    from pydantic import Field, TypeAdapter  # heavy: 0.1 s that `docpipe --help` must not pay

    try:
        TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except Exception:  # noqa: BLE001 - pydantic_core's own error, whose class is no public name
        return False
    return True


def _log_unchecked(pointer: str) -> None:
    log_once(f"{pointer} of the JSON Schema is not checked")


@lru_cache(maxsize=1024)
def log_once(message: str) -> None:
    """Not again for the same schema, and not in the worker processes of a run, whose parent has said it."""
    if multiprocessing.parent_process() is None:
        log.warning("%s", message)
