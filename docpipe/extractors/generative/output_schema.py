"""What a model may write: a schema's fields as slots with the JSON Schema of their values.

In: a Schema. Out: `Slot`s. Values are strings as they are printed, or null; what a text means is the kinds' business.
The schema bounds what is written, so that an answer ends: a number has digits, a date too, and no field is an essay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from docpipe.extractors.generative.backend import Slot, object_of
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Group, group_of, max_length_of

DOCUMENT = "document"  # the slot in which a model says what sort of document it sees

# Characters: several times what is usual, so that only a model that rambles meets them.
LENGTHS: Mapping[Group, int] = {"address": 300, "name": 160, "identifier": 80}  # a kind may name its own
TEXT_LENGTH = 400
NUMBER_BEFORE, NUMBER_AFTER = 20, 40  # around the first digit: `Total EUR 1.234,50`, `12 janvier 2024`
ROWS_MOST = 300  # rows of one answer: more do not fit on the pages of one question

TOKENS_PER_CHARACTER = 1.0  # digits, and letters of other scripts, take a token each
TOKENS_AROUND = 16  # the key, quotes and braces
LIST_TOKENS = 4_000  # some ninety rows of six cells; servers with a short context refuse more


def slots(schema: Schema) -> tuple[Slot, ...]:
    """One for each single field, one for each list, in schema order."""
    lists = schema.lists()
    found: dict[str, Slot] = {}
    for spec in schema.fields:
        if spec.list_path is None:
            found[spec.path] = Slot(spec.path, leaf(spec), _tokens(spec))
        elif spec.list_path not in found:
            found[spec.list_path] = Slot(spec.list_path, rows(lists[spec.list_path]), LIST_TOKENS)
    return tuple(found.values())


def type_slot(schema: Schema) -> Slot:
    """Which of a schema's choices a document is."""
    names = [choice.name for choice in schema.choices]
    return Slot(DOCUMENT, {"type": "string", "enum": names}, TOKENS_AROUND + max(map(len, names)))


def leaf(spec: FieldSpec) -> dict[str, Any]:
    """A printed text, or null."""
    if group_of(spec.kind) in ("number", "date", "time"):
        return {"type": ["string", "null"], "pattern": _with_a_digit()}
    return {"type": ["string", "null"], "minLength": 1, "maxLength": _length(spec)}


def rows(specs: Sequence[FieldSpec]) -> dict[str, Any]:
    """A list of rows; cells are named as in the schema."""
    cells: Mapping[str, Mapping[str, Any]] = {cell_name(spec): leaf(spec) for spec in specs}
    return {"type": "array", "items": object_of(cells), "maxItems": ROWS_MOST}


def cell_name(spec: FieldSpec) -> str:
    """`line_items[].price.net` -> `price.net`."""
    return FieldPath.parse(spec.path).leaf


def _with_a_digit() -> str:
    """A line of text with a digit in it: a model cannot explain itself where a number belongs."""
    return f'^[^0-9"\\\\\\n\\r\\t]{{0,{NUMBER_BEFORE}}}[0-9][^"\\\\\\n\\r\\t]{{0,{NUMBER_AFTER}}}$'


def _length(spec: FieldSpec) -> int:
    return max_length_of(spec.kind) or LENGTHS.get(group_of(spec.kind), TEXT_LENGTH)


def _tokens(spec: FieldSpec) -> int:
    is_text = "maxLength" in leaf(spec)
    characters = _length(spec) if is_text else NUMBER_BEFORE + 1 + NUMBER_AFTER
    return TOKENS_AROUND + len(spec.path) + round(characters * TOKENS_PER_CHARACTER)
