"""Schemas: a name, a class or a JSON Schema file becomes the list of fields to look for.

In: `invoice`, `module:Class`, `path/to/file.py:Class`, `file.json`, or a Pydantic class.
Out: a `Schema` that every step reads: fields with prompts and kinds, rules, version.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from docpipe.protocols import Conventions, Kind, Rule, Texts

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One leaf of the schema. `path` is a template: `gross_total`, `line_items[].amount`.

    `list_path` is the list it belongs to (`line_items`) or None; `prompt` is the field's description;
    `examples` are texts as they may be printed. Lists nest one level deep.
    """

    path: str
    name: str
    prompt: str
    kind: Kind
    required: bool
    list_path: str | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """What to look for. `version` is the first 12 hex digits of the sha256 of the canonical JSON Schema + prompts + kinds + rules."""

    name: str
    version: str
    description: str
    model: type[BaseModel]
    fields: tuple[FieldSpec, ...]
    rules: tuple[Rule, ...]

    def spec(self, path: str) -> FieldSpec:
        """The leaf behind a concrete or template path. Raises SchemaError."""
        raise NotImplementedError

    def lists(self) -> dict[str, tuple[FieldSpec, ...]]:
        """List path -> its leaves, in schema order."""
        raise NotImplementedError

    def conventions(self, texts: Texts) -> Conventions:
        """How the document with these lines writes dates and numbers (delegates to the schema package's kinds)."""
        raise NotImplementedError

    def json_schema(self) -> dict[str, Any]:
        raise NotImplementedError


def load_schema(reference: str | type[BaseModel]) -> Schema:
    """Raises SchemaError with a hint that names what is wrong and where."""
    raise NotImplementedError


def template(path: str) -> str:
    """`line_items[2].amount` -> `line_items[].amount`."""
    raise NotImplementedError
