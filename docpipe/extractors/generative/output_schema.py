"""What a model may write: a schema's fields as slots with the JSON Schema of their values.

In: a Schema. Out: `OutputSlot`s. Values are strings as they are printed, or null; what a text means is the kinds'
business. The schema bounds what is written, so that an output ends: a number has digits, a date too, and no field is
an essay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docpipe.extractors.generative.backend import OutputSlot, object_schema
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Group, group_of, max_length_of

DOCUMENT_TYPE = "document"  # the slot in which a model names the type of the document that it sees

# Characters, by the kinds' groups: several times what is usual, so that only a model that rambles meets them.
MAX_LENGTHS: Mapping[Group, int] = {"address": 300, "name": 160, "identifier": 80}  # a kind may name its own
DEFAULT_MAX_LENGTH = 400
NUMBER_PREFIX, NUMBER_SUFFIX = 20, 40  # characters around the first digit: `Total EUR 1.234,50`, `12 janvier 2024`
MAX_ROWS = 300  # of one completion: more do not fit on the pages of one prompt
ROW_LIMITS = (16, 32, 64, 128, MAX_ROWS)  # few, so that servers keep what they make of a schema

TOKENS_PER_CHARACTER = 1.0  # digits, and letters of other scripts, take a token each
SLOT_OVERHEAD_TOKENS = 16  # the key, quotes and braces
CELL_TOKENS = 16  # of a cell with its key, on average over a row
LIST_MAX_TOKENS = 4_000  # some ninety rows of six cells; servers with a short context refuse more


def output_slots(schema: Schema, printed_rows: int = MAX_ROWS) -> tuple[OutputSlot, ...]:
    """One for each single field, one for each list, in schema order. A list has no more rows than the pages have rows
    of words, so that a model that repeats itself comes to an end."""
    lists, max_rows = schema.lists(), next((limit for limit in ROW_LIMITS if limit >= printed_rows), MAX_ROWS)
    slots: dict[str, OutputSlot] = {}
    for spec in schema.fields:
        if spec.list_path is None:
            slots[spec.path] = OutputSlot(spec.path, value_schema(spec), _max_tokens(spec))
        elif spec.list_path not in slots:
            cells = lists[spec.list_path]
            max_tokens = min(LIST_MAX_TOKENS, max_rows * len(cells) * CELL_TOKENS)
            slots[spec.list_path] = OutputSlot(spec.list_path, list_schema(cells, max_rows), max_tokens)
    return tuple(slots.values())


def type_slot(schema: Schema) -> OutputSlot:
    """For a schema of choices: which of them a document is."""
    names = [choice.name for choice in schema.choices]
    return OutputSlot(DOCUMENT_TYPE, {"type": "string", "enum": names}, SLOT_OVERHEAD_TOKENS + max(map(len, names)))


def value_schema(spec: FieldSpec) -> dict[str, Any]:
    """A printed text, or null."""
    if group_of(spec.kind) in ("number", "date", "time"):
        return {"type": ["string", "null"], "pattern": _number_pattern()}
    return {"type": ["string", "null"], "minLength": 1, "maxLength": _max_length(spec)}


def list_schema(specs: Sequence[FieldSpec], max_rows: int = MAX_ROWS) -> dict[str, Any]:
    """A list of rows, whose cells are named as in the schema; or of plain values."""
    if not cell_name(specs[0]):
        value: dict[str, Any] = {**value_schema(specs[0]), "type": "string"}
        return {"type": "array", "items": value, "maxItems": max_rows}
    cells: Mapping[str, Mapping[str, Any]] = {cell_name(spec): value_schema(spec) for spec in specs}
    return {"type": "array", "items": object_schema(cells), "maxItems": max_rows}


def cell_name(spec: FieldSpec) -> str:
    """`line_items[].price.net` -> `price.net`; empty for plain values: `tags[]`."""
    return FieldPath.parse(spec.path).leaf


def _number_pattern() -> str:
    """A line of text with a digit in it: a model cannot explain itself where a number belongs."""
    return f'^[^0-9"\\\\\\n\\r\\t]{{0,{NUMBER_PREFIX}}}[0-9][^"\\\\\\n\\r\\t]{{0,{NUMBER_SUFFIX}}}$'


def _max_length(spec: FieldSpec) -> int:
    return max_length_of(spec.kind) or MAX_LENGTHS.get(group_of(spec.kind), DEFAULT_MAX_LENGTH)


def _max_tokens(spec: FieldSpec) -> int:
    is_text = "maxLength" in value_schema(spec)
    characters = _max_length(spec) if is_text else NUMBER_PREFIX + 1 + NUMBER_SUFFIX
    return SLOT_OVERHEAD_TOKENS + len(spec.path) + round(characters * TOKENS_PER_CHARACTER)
