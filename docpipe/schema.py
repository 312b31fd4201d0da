"""Schemas: a name, a class or a JSON Schema file becomes the list of fields to look for.

In: `invoice`, `module:Class`, `path/to/file.py:Class`, `file.json`, a Pydantic class, or `auto`: the document decides.
Out: a `Schema` that every step reads: fields with prompts and kinds, rules, version.
"""

from __future__ import annotations

import hashlib
import json
import re
import types
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from docpipe.errors import SchemaError
from docpipe.paths import FieldPath
from docpipe.schema_lookup import find_class, kinds, shipped
from docpipe.schema_ports import COLUMN_TYPES, GROUPS, Conventions, Kind, Rule, group_of

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

VERSION_DIGITS = 12
AUTO = "auto"  # all shipped schemas; each document is read by the one that it is of


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


@dataclass(frozen=True)
class Schema:
    """What to look for. `version` is the first 12 hex digits of the sha256 of name, prompts, kinds and rules.

    `reference` is what `load_schema` takes to build the same schema in another process. `choices`: this is no schema
    but several, of which each document has one; it has no fields itself.
    """

    name: str
    version: str
    description: str
    model: type[BaseModel]
    fields: tuple[FieldSpec, ...]
    rules: tuple[Rule, ...]
    reference: str = field(default="", compare=False)
    choices: tuple[Schema, ...] = ()

    def chosen(self, name: str) -> Schema:
        """The schema of that name among the choices; itself where there is nothing to choose. Raises SchemaError."""
        if not self.choices:
            return self
        try:
            return next(choice for choice in self.choices if choice.name == name)
        except StopIteration:
            names = ", ".join(choice.name for choice in self.choices)
            raise SchemaError(f"{self.name} has no schema {name!r}", hint=f"It chooses among {names}.") from None

    def spec(self, path: str) -> FieldSpec:
        """The leaf behind a concrete or template path. Raises SchemaError."""
        try:
            return self._by_path[FieldPath.parse(path).template]
        except KeyError:
            raise SchemaError(
                f"schema {self.name} has no field {path}", hint=f"Its fields are: {', '.join(self._by_path)}."
            ) from None

    def lists(self) -> dict[str, tuple[FieldSpec, ...]]:
        """List path -> its leaves, in schema order."""
        found: dict[str, tuple[FieldSpec, ...]] = {}
        for spec in self.fields:
            if spec.list_path is not None:
                found[spec.list_path] = (*found.get(spec.list_path, ()), spec)
        return found

    def only(self, paths: Collection[str]) -> Schema:
        """With these fields alone (templates, or paths of whole lists), to ask for nothing else: without rules."""
        kept = tuple(spec for spec in self.fields if spec.path in paths or spec.list_path in paths)
        return replace(self, fields=kept, rules=())

    def conventions(self, texts: Iterable[str]) -> Conventions:
        """How the document with these lines writes dates and numbers (delegates to the schema package's kinds)."""
        conventions: Conventions = kinds().conventions(texts)
        return conventions

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a result, with the prompts as descriptions."""
        return self.model.model_json_schema()

    def __reduce__(self) -> tuple[Any, ...]:
        """A schema crosses process borders as its reference: classes made from files cannot be pickled."""
        if "<locals>" in self.reference:
            raise SchemaError(
                f"the schema class {self.reference} is local to a function and cannot be sent to another process",
                hint="Define the class at the top level of its module.",
            )
        return (load_schema, (self.reference,))

    @cached_property
    def _by_path(self) -> Mapping[str, FieldSpec]:
        return {spec.path: spec for spec in self.fields}


def load_schema(reference: str | type[BaseModel]) -> Schema:
    """Raises SchemaError with a hint that names what is wrong and where."""
    if reference == AUTO:
        return _auto()
    if isinstance(reference, str):
        model, text = find_class(reference)
    else:
        model, text = reference, f"{reference.__module__}:{reference.__qualname__}"
    if not _is_model(model):
        raise SchemaError(f"{text} is not a Pydantic class", hint="Derive it from pydantic.BaseModel.")
    return _schema_of(model, text)


@lru_cache(maxsize=64)  # the version takes 5 ms to work out, and a service asks for it several times a document
def _schema_of(model: type[BaseModel], text: str) -> Schema:
    fields = tuple(_leaves(model, "", None))
    if not fields:
        raise SchemaError(f"{text} has no fields", hint="Add annotated fields to the class.")
    name = text if text in shipped() else _snake(model.__name__)
    description = " ".join((model.__doc__ or "").split())
    schema = Schema(name, "", description, model, fields, _rules_of(model, fields), text)
    return replace(schema, version=_version(schema))


def _auto() -> Schema:
    from pydantic import BaseModel  # heavy: 0.1 s that `docpipe --help` must not pay

    choices = tuple(load_schema(name) for name in list_schemas())
    version = hashlib.sha256(" ".join(choice.version for choice in choices).encode()).hexdigest()[:VERSION_DIGITS]
    description = f"Whatever the document is: {', '.join(choice.name for choice in choices)}."
    return Schema(AUTO, version, description, BaseModel, (), (), AUTO, choices)


def list_schemas() -> list[str]:
    """The names of the schemas that ship with docpipe."""
    return list(shipped())


def _leaves(model: type[BaseModel], prefix: str, list_path: str | None) -> Iterator[FieldSpec]:
    """The leaves of a class in order: nested objects give dotted paths, lists give `[]`."""
    for name, info in model.model_fields.items():
        path = prefix + name
        bare, metadata = _unwrap(info)
        if get_origin(bare) in (list, tuple, set, frozenset):
            if list_path is not None:
                raise SchemaError(
                    f"{model.__name__}: {path} is a list inside a list", hint="Lists nest one level deep; flatten it."
                )
            item = _item_model(bare, f"{model.__name__}: {path}")
            yield from _leaves(item, f"{path}[].", path)
        elif _is_model(bare):
            yield from _leaves(bare, f"{path}.", list_path)
        else:
            yield _leaf(model, name, path, list_path, (bare, metadata))


def _leaf(
    model: type[BaseModel], name: str, path: str, list_path: str | None, typed: tuple[Any, list[Any]]
) -> FieldSpec:
    info = model.model_fields[name]
    bare, metadata = typed
    kind = next((item for item in metadata if _is_kind(item)), None) or kinds().kind_for_type(bare)
    if kind is None:
        raise SchemaError(
            f"{model.__name__}: {path} has the type {bare}, which has no kind",
            hint="Use str, Decimal, int, float, bool, date, time, an enum or a Literal, or annotate it with a kind.",
        )
    _check_kind(kind, f"{model.__name__}: {path}")
    return FieldSpec(
        path=path,
        name=name,
        prompt=" ".join((info.description or name.replace("_", " ")).split()),
        kind=kind,
        required=info.is_required() or any(isinstance(item, Expected) for item in metadata),
        list_path=list_path,
        examples=tuple(str(example) for example in info.examples or ()),
    )


def _unwrap(info: FieldInfo) -> tuple[Any, list[Any]]:
    """The type without `| None` and `Annotated`, and all metadata met on the way."""
    metadata, bare = list(info.metadata), info.annotation
    while True:
        if get_origin(bare) is Annotated:
            bare, *more = get_args(bare)
            metadata += more
            continue
        if get_origin(bare) in (Union, types.UnionType):
            rest = [part for part in get_args(bare) if part is not type(None)]
            if len(rest) == 1:
                bare = rest[0]
                continue
        return bare, metadata


def _item_model(bare: Any, where: str) -> type[BaseModel]:
    (item, *_rest) = get_args(bare) or (None,)
    if get_origin(item) is Annotated:
        item = get_args(item)[0]
    if not _is_model(item):
        raise SchemaError(
            f"{where} is a list of {item}", hint="A list holds objects: make the item a Pydantic class with fields."
        )
    found: type[BaseModel] = item
    return found


def _is_model(candidate: Any) -> bool:
    from pydantic import BaseModel  # heavy: see load_schema

    return isinstance(candidate, type) and issubclass(candidate, BaseModel)


def _is_kind(candidate: Any) -> bool:
    return all(hasattr(candidate, name) for name in ("name", "column", "parse", "same")) and not isinstance(
        candidate, type
    )


def _check_kind(kind: Kind, where: str) -> None:
    """A kind of one's own may have any name, but its column and its group are those that the steps know."""
    if kind.column not in COLUMN_TYPES:
        hint = f"A column is {', '.join(COLUMN_TYPES)}."
        raise SchemaError(f"{where}: the kind {kind.name} has the column {kind.column!r}", hint=hint)
    if group_of(kind) not in GROUPS:
        hint = f"A group is {', '.join(GROUPS)}; leave it out, and the column decides."
        raise SchemaError(f"{where}: the kind {kind.name} has the group {group_of(kind)!r}", hint=hint)


def _rules_of(model: type[BaseModel], fields: tuple[FieldSpec, ...]) -> tuple[Rule, ...]:
    rules: tuple[Rule, ...] = tuple(getattr(model, "rules", ()))
    known = {spec.path for spec in fields}
    for rule in rules:
        unknown = [path for path in rule.paths if path not in known]
        if unknown:
            raise SchemaError(
                f"{model.__name__}: the rule {rule.code} reads {', '.join(unknown)}, which the schema does not have",
                hint=f"Its fields are: {', '.join(sorted(known))}.",
            )
    return rules


def _version(schema: Schema) -> str:
    """Changes when anything that can change a result changes; the same on every machine."""
    canonical = {
        "name": schema.name,
        "description": schema.description,
        "json_schema": schema.json_schema(),
        "fields": [[s.path, s.prompt, _identity(s.kind), s.required, list(s.examples)] for s in schema.fields],
        "rules": [_identity(rule) for rule in schema.rules],
    }
    text = json.dumps(canonical, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _identity(part: Kind | Rule) -> str:
    """Class and parameters of a kind or rule, without addresses in memory."""
    return repr(part) if is_dataclass(part) else f"{type(part).__qualname__} {sorted(vars(part).items())}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
