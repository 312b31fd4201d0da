"""Schemas: a name, a class or a JSON Schema becomes the list of fields to look for.

In: `invoice`, `module:Class`, `path/to/file.py:Class`, `file.json`, a Pydantic class, a JSON Schema as a dict, or
`auto`: the document decides.
Out: a `Schema` that every step reads: fields with prompts and kinds, rules, version.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, is_dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from docpipe.errors import SchemaError
from docpipe.paths import FieldPath
from docpipe.schema_fields import FieldSpec, is_model, leaves
from docpipe.schema_lookup import find_class, kinds, shipped
from docpipe.schema_ports import CAPTIONS_KEYWORD, EXPECTED_KEYWORD, KIND_KEYWORD, Conventions, Kind, Rule, group_of

if TYPE_CHECKING:
    from pydantic import BaseModel

VERSION_DIGITS = 12
OWN_KEYWORDS = (KIND_KEYWORD, EXPECTED_KEYWORD, CAPTIONS_KEYWORD)
AUTO = "auto"  # all shipped schemas; each document is read by the one that it is of


@dataclass(frozen=True)
class Schema:
    """What to look for. `version` is the first 12 hex digits of the sha256 of name, prompts, kinds and rules.

    `reference` is what `load_schema` takes to build the same schema in another process. `choices`: this is no schema
    but several, of which each document has one; it has no fields itself. `narrowed_from`: the schema of which this is
    a part (`only`).
    """

    name: str
    version: str
    description: str
    model: type[BaseModel]
    fields: tuple[FieldSpec, ...]
    rules: tuple[Rule, ...]
    reference: str = field(default="", compare=False)
    choices: tuple[Schema, ...] = ()
    narrowed_from: Schema | None = field(default=None, compare=False, repr=False)

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
        columns: dict[str, tuple[FieldSpec, ...]] = {}
        for spec in self.fields:
            if spec.list_path is not None:
                columns[spec.list_path] = (*columns.get(spec.list_path, ()), spec)
        return columns

    def text_column(self, list_path: str) -> FieldSpec | None:
        """The first column of words of a list: what its rows are called."""
        columns = (spec for spec in self.fields if spec.list_path == list_path and not spec.is_plain_value)
        return next((spec for spec in columns if group_of(spec.kind) == "text"), None)

    def only(self, paths: Collection[str]) -> Schema:
        """With these fields alone (templates, or paths of whole lists), to ask for nothing else: without rules, and
        with a version of its own."""
        full_schema = self.narrowed_from or self
        fields = tuple(spec for spec in self.fields if spec.path in paths or spec.list_path in paths)
        version = _digest("\n".join((full_schema.version, *(spec.path for spec in fields))))
        return replace(self, version=version, fields=fields, rules=(), narrowed_from=full_schema)

    def conventions(self, texts: Iterable[str]) -> Conventions:
        """How the document with these lines writes dates and numbers (delegates to the schema package's kinds)."""
        conventions: Conventions = kinds().conventions(texts)
        return conventions

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of a result, with the prompts as descriptions."""
        return self.model.model_json_schema()

    def __copy__(self) -> Schema:
        return self  # nothing in it changes

    def __deepcopy__(self, memo: dict[int, Any]) -> Schema:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """A schema crosses process borders as its reference: classes made from files cannot be pickled."""
        if "<locals>" in self.reference:
            raise SchemaError(
                f"the schema class {self.reference} is local to a function and cannot be sent to another process",
                hint="Define the class at the top level of its module.",
            )
        if self.narrowed_from is None:
            return (load_schema, (self.reference,))
        return (_narrowed, (self.reference, tuple(spec.path for spec in self.fields)))

    @cached_property
    def _by_path(self) -> Mapping[str, FieldSpec]:
        return {spec.path: spec for spec in self.fields}


def load_schema(reference: str | type[BaseModel] | Mapping[str, Any]) -> Schema:
    """Raises SchemaError with a hint that names what is wrong and where."""
    if reference == AUTO:
        return _auto()
    if isinstance(reference, Mapping):
        reference = _json_text(reference)
    if isinstance(reference, str):
        model, text = find_class(reference)
    else:
        model, text = reference, f"{reference.__module__}:{reference.__qualname__}"
    if not is_model(model):
        raise SchemaError(f"{text} is not a Pydantic class", hint="Derive it from pydantic.BaseModel.")
    return _schema_of(model, text)


@lru_cache(maxsize=64)  # the version takes 5 ms to work out, and a service asks for it several times a document
def _schema_of(model: type[BaseModel], text: str) -> Schema:
    fields = tuple(leaves(model))
    if not fields:
        raise SchemaError(f"{text} has no fields", hint="Add annotated fields to the class.")
    name = text if text in shipped() else _snake(model.__name__)
    description = " ".join((model.__doc__ or "").split())
    schema = Schema(name, "", description, model, fields, _rules_of(model, fields), text)
    return replace(schema, version=_version(schema))


def _json_text(content: Mapping[str, Any]) -> str:
    """A dict has no name and no file: its text is the reference that makes the same schema in another process."""
    try:
        return json.dumps(content, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(
            f"the dict is no JSON Schema: {error}",
            hint="Its values are those that JSON has; of a class give the class.",
        ) from error


def _narrowed(reference: str, templates: Collection[str]) -> Schema:
    return load_schema(reference).only(templates)


def _auto() -> Schema:
    from pydantic import BaseModel  # heavy: 0.1 s that `docpipe --help` must not pay

    choices = tuple(load_schema(name) for name in list_schemas())
    version = _digest(" ".join(choice.version for choice in choices))
    description = f"Whatever the document is: {', '.join(choice.name for choice in choices)}."
    return Schema(AUTO, version, description, BaseModel, (), (), AUTO, choices)


def list_schemas() -> list[str]:
    """The names of the schemas that ship with docpipe."""
    return list(shipped())


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
        "json_schema": _without_kinds(schema.json_schema()),
        "fields": [[s.path, s.prompt, _identity(s.kind), s.required, list(s.examples)] for s in schema.fields],
        "rules": [_identity(rule) for rule in schema.rules],
    }
    if captioned := [[s.path, repr(s.captioned)] for s in schema.fields if s.captioned]:
        canonical["captioned"] = captioned
    return _digest(json.dumps(canonical, ensure_ascii=False, sort_keys=True, default=str))


def _without_kinds(node: Any) -> Any:
    """What Pydantic says of its own: kinds and expected fields count by themselves."""
    if isinstance(node, list):
        return [_without_kinds(part) for part in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_kinds(part) for key, part in node.items() if key not in OWN_KEYWORDS}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]


def _identity(part: Kind | Rule) -> str:
    """Class and parameters of a kind or rule, without addresses in memory."""
    return repr(part) if is_dataclass(part) else f"{type(part).__qualname__} {sorted(vars(part).items())}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
