"""The fields of a Pydantic class: what is looked for, with which prompt, as which kind.

In: a class. Out: its leaves in order as `FieldSpec`s; objects give dotted paths, lists give `[]`.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from docpipe.errors import SchemaError
from docpipe.schema_lookup import kinds
from docpipe.schema_ports import COLUMN_TYPES, GROUPS, Kind, group_of

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Expected:
    """Marks a field that may be absent but without which a document is not complete:
    `Annotated[Decimal | None, Money(), Expected()]`."""


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One leaf of the schema. `path` is a template: `gross_total`, `seller.name`, `line_items[].amount`.

    `list_path` is the list it belongs to (`line_items`) or None; `prompt` is the field's description;
    `examples` are texts as they may be printed. `required`: without it the document is not complete.
    Lists nest one level deep.
    """

    path: str
    name: str
    prompt: str
    kind: Kind
    required: bool
    list_path: str | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Annotation:
    """What the annotation of a field says: its type without `| None` and `Annotated`, and what it carries beside.

    `model` is the class of an object, or of the items of a list; None for a leaf.
    """

    bare_type: Any
    metadata: tuple[Any, ...]
    model: type[BaseModel] | None
    is_list: bool


def leaves(model: type[BaseModel], prefix: str = "", list_path: str | None = None) -> Iterator[FieldSpec]:
    """The leaves of a class in order. Raises SchemaError."""
    for name in model.model_fields:
        path, annotation = prefix + name, annotation_of(model, name)
        if annotation.is_list and list_path is not None:
            raise SchemaError(
                f"{model.__name__}: {path} is a list inside a list", hint="Lists nest one level deep; flatten it."
            )
        if annotation.model is None:
            yield _leaf(model, name, path, list_path)
        elif annotation.is_list:
            yield from leaves(annotation.model, f"{path}[].", path)
        else:
            yield from leaves(annotation.model, f"{path}.", list_path)


def annotation_of(model: type[BaseModel], name: str) -> Annotation:
    """Of the field of this name. Raises SchemaError for a list of anything but objects."""
    info = model.model_fields[name]
    bare, metadata = _unwrapped(info.annotation, list(info.metadata))
    if get_origin(bare) not in (list, tuple, set, frozenset):
        return Annotation(bare, tuple(metadata), bare if is_model(bare) else None, is_list=False)
    item = next(iter(get_args(bare)), None)
    if get_origin(item) is Annotated:
        item = get_args(item)[0]
    if not is_model(item):
        raise SchemaError(
            f"{model.__name__}: {name} is a list of {item}",
            hint="A list holds objects: make the item a Pydantic class with fields.",
        )
    return Annotation(bare, tuple(metadata), item, is_list=True)


def is_model(candidate: Any) -> bool:
    """Whether it is a Pydantic class."""
    from pydantic import BaseModel  # heavy: 0.1 s that `docpipe --help` must not pay

    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _leaf(model: type[BaseModel], name: str, path: str, list_path: str | None) -> FieldSpec:
    info, annotation = model.model_fields[name], annotation_of(model, name)
    kind = next(filter(_is_kind, annotation.metadata), None) or kinds().kind_for_type(annotation.bare_type)
    if kind is None:
        raise SchemaError(
            f"{model.__name__}: {path} has the type {annotation.bare_type}, which has no kind",
            hint="Use str, Decimal, int, float, bool, date, time, an enum or a Literal, or annotate it with a kind.",
        )
    _check_kind(kind, f"{model.__name__}: {path}")
    return FieldSpec(
        path=path,
        name=name,
        prompt=" ".join((info.description or name.replace("_", " ")).split()),
        kind=kind,
        required=info.is_required() or any(isinstance(mark, Expected) for mark in annotation.metadata),
        list_path=list_path,
        examples=tuple(str(example) for example in info.examples or ()),
    )


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """The type without `| None` and `Annotated`, and all metadata met on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, [*metadata, *more])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        if len(parts) == 1:
            return _unwrapped(parts[0], metadata)
    return annotation, metadata


def _is_kind(candidate: Any) -> bool:
    return all(hasattr(candidate, name) for name in ("name", "column", "parse", "same")) and not isinstance(
        candidate, type
    )


def _check_kind(kind: Kind, location: str) -> None:
    """A kind of one's own may have any name, but its column and its group are those that the steps know."""
    if kind.column not in COLUMN_TYPES:
        hint = f"A column is {', '.join(COLUMN_TYPES)}."
        raise SchemaError(f"{location}: the kind {kind.name} has the column {kind.column!r}", hint=hint)
    if group_of(kind) not in GROUPS:
        hint = f"A group is {', '.join(GROUPS)}; leave it out, and the column decides."
        raise SchemaError(f"{location}: the kind {kind.name} has the group {group_of(kind)!r}", hint=hint)
