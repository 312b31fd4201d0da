"""The fields of a Pydantic class: what is looked for, with which prompt, as which kind.

In: a class. Out: its leaves in order as `FieldSpec`s; objects give dotted paths, lists give `[]`, and a list of plain
values is one leaf: `tags[]`.
"""

from __future__ import annotations

import functools
import operator
import types
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from docpipe.errors import SchemaError
from docpipe.paths import words_of
from docpipe.schema_lookup import kinds
from docpipe.schema_ports import CAPTIONS_KEYWORD, COLUMN_TYPES, EXPECTED_KEYWORD, GROUPS, Kind, group_of

if TYPE_CHECKING:
    from pydantic import BaseModel

CaptionPart = Literal["value", "second", "caption"]
LIST_TYPES = (list, tuple, set, frozenset, Sequence, Set)


@dataclass(frozen=True, slots=True)
class Expected:
    """Marks a field that may be absent but without which a document is not complete:
    `Annotated[Decimal | None, Money(), Expected()]`."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:
        """Pydantic's own word for it, `required`, is for fields that have no default."""
        return {**handler(core_schema), EXPECTED_KEYWORD: True}


@dataclass(frozen=True, slots=True)
class Captioned:
    """Marks a field that is read from lines that have one of these captions (docpipe/extractors/captions.py), since the
    embedded network was not trained on it. Models that generate their answer are asked by its description, as ever.

    `takes`: the value behind the caption, the second one there (the end of a period), or the caption itself. `below`:
    only under a line that has an amount and one of these captions. `beside_network`: the network was trained on the
    field and is asked; captions speak where it finds nothing, or where a rule breaks with what it found.
    """

    captions: tuple[str, ...]
    takes: CaptionPart = "value"
    below: tuple[str, ...] = ()
    beside_network: bool = False

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:
        return {**handler(core_schema), CAPTIONS_KEYWORD: self.as_json()}

    def as_json(self) -> dict[str, Any]:
        content = {"captions": list(self.captions), "takes": self.takes, "below": list(self.below)}
        return {**content, "beside_network": True} if self.beside_network else content


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One leaf of the schema. `path` is a template: `gross_total`, `seller.name`, `line_items[].amount`, `tags[]`.

    `list_path` is the list it belongs to (`line_items`) or None; `prompt` is the field's description;
    `examples` are texts as they may be printed. `required`: without it the document is not complete. `captioned`: by
    which words it is found where no network was trained to, or beside one.
    Lists nest one level deep.
    """

    path: str
    name: str
    prompt: str
    kind: Kind
    required: bool
    list_path: str | None = None
    examples: tuple[str, ...] = ()
    captioned: Captioned | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the embedded network is asked about it."""
        return self.captioned is None or self.captioned.beside_network

    @property
    def is_plain_value(self) -> bool:
        """Whether it is what a list of plain values holds: `tags[]`."""
        return self.path == f"{self.list_path}[]"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What the annotation of a field says: its type without `| None` and `Annotated`, and what it carries beside.

    `model` is the class of an object, or of the items of a list; None for a leaf. Of a list of plain values `bare_type`
    and `metadata` are those of a value, then of the list.
    """

    bare_type: Any
    metadata: tuple[Any, ...]
    model: type[BaseModel] | None
    is_list: bool


def leaves(
    model: type[BaseModel], prefix: str = "", list_path: str | None = None, outer: tuple[type[BaseModel], ...] = ()
) -> Iterator[FieldSpec]:
    """The leaves of a class in order; `outer` are the classes that it is inside of. Raises SchemaError."""
    outer = (*outer, model)
    for name in model.model_fields:
        path, annotation = prefix + name, annotation_of(model, name)
        if annotation.is_list and list_path is not None:
            raise SchemaError(
                f"{model.__name__}: {path} is a list inside a list", hint="Lists nest one level deep; flatten it."
            )
        if annotation.model in outer:
            raise SchemaError(
                f"{model.__name__}: {path} is inside itself, without end",
                hint="Give the inner object a class of its own that does not repeat.",
            )
        if annotation.model is None:
            yield _leaf(
                model, name, f"{path}[]" if annotation.is_list else path, path if annotation.is_list else list_path
            )
        elif annotation.is_list:
            yield from leaves(annotation.model, f"{path}[].", path, outer)
        else:
            yield from leaves(annotation.model, f"{path}.", list_path, outer)


def annotation_of(model: type[BaseModel], name: str) -> Annotation:
    """Of the field of this name. Raises SchemaError for a list that has no single type of items."""
    info = model.model_fields[name]
    bare, metadata = _unwrapped(info.annotation, list(info.metadata))
    if not _is_list(bare):
        return Annotation(bare, tuple(metadata), bare if is_model(bare) else None, is_list=False)
    items = [item for item in get_args(bare) if item is not ...]
    item, of_item = _unwrapped(items[0], []) if len(items) == 1 else (None, [])
    is_fixed = get_origin(bare) is tuple and ... not in get_args(bare)
    if item is None or is_fixed or _is_list(item):
        raise SchemaError(
            f"{model.__name__}: {name} is {'a list inside a list' if _is_list(item) else bare}",
            hint="A list holds objects of one Pydantic class, or plain values of one type: list[str], list[Decimal].",
        )
    if is_model(item):
        return Annotation(bare, tuple(metadata), item, is_list=True)
    return Annotation(item, (*of_item, *metadata), None, is_list=True)


def _is_list(candidate: Any) -> bool:
    return candidate in (list, tuple, set, frozenset) or get_origin(candidate) in LIST_TYPES


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
            hint="Use str, Decimal, int, float, bool, date, datetime, time, an enum or a Literal, a list or a class of"
            " these, or annotate it with a kind: Annotated[int | str, Identifier()].",
        )
    _check_kind(kind, f"{model.__name__}: {path}")
    inner = [mark for mark in annotation.metadata if hasattr(mark, "description") and hasattr(mark, "examples")]
    descriptions = [mark.description for mark in (info, *inner) if mark.description]
    titles = [mark.title for mark in (info, *inner) if says_more(mark.title, name)]
    examples = next((mark.examples for mark in (info, *inner) if mark.examples), None)
    return FieldSpec(
        path=path,
        name=name,
        prompt=" ".join(next(iter((*descriptions, *titles)), words_of(name)).split()),
        kind=kind,
        required=info.is_required() or any(isinstance(mark, Expected) for mark in annotation.metadata),
        list_path=list_path,
        examples=tuple(str(text) for example in examples or () for text in _each(example)),
        captioned=next((mark for mark in annotation.metadata if isinstance(mark, Captioned)), None),
    )


def _each(example: Any) -> Sequence[Any]:
    """An example of a list of plain values may be a list."""
    return example if isinstance(example, list | tuple) else [example]


def says_more(title: str | None, name: str) -> bool:
    """Whether a title is more than the name in other letters, as those that Pydantic writes are (`Due Date`)."""
    return bool(title) and _letters(str(title)) != _letters(name)


def _letters(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _unwrapped(annotation: Any, metadata: list[Any]) -> tuple[Any, list[Any]]:
    """The type without `| None`, `Annotated` and a name of its own, and all metadata met on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, [*metadata, *more])
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if _unwrapped(part, [])[0] is not type(None)]
        return _unwrapped(parts[0], metadata) if len(parts) == 1 else (functools.reduce(operator.or_, parts), metadata)
    named = getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)  # NewType, `type X =`
    return _unwrapped(named, metadata) if named is not None else (annotation, metadata)


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
