"""Is the result whole and sound? Pydantic, required fields, the schema's rules, and the status with its reasons.

In: decided fields, the schema, the pages. Out: an Extraction that is `complete` or `needs_review`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from docpipe.data import Extraction, Field, Issue, Page, Status
from docpipe.paths import FieldPath
from docpipe.result import RunIdentity, put
from docpipe.rule_check import broken_rules
from docpipe.schema import Schema
from docpipe.schema_fields import annotation_of
from docpipe.schema_ports import Rule
from docpipe.unread_script import is_unread

if TYPE_CHECKING:
    from pydantic import BaseModel

MAX_FIELDS_NAMED = 5  # fields that one sentence names


def validate(
    fields: Sequence[Field], schema: Schema, pages: Sequence[Page], *, run: RunIdentity, issues: Sequence[Issue] = ()
) -> Extraction:
    """`issues` are what the extractor and the decision say about the document as a whole."""
    checked = _refused_by_pydantic(fields, schema)
    before = [*(issue for page in pages for issue in page.issues), *issues]
    document_issues = [
        *before,
        *_model_issues(checked, schema),
        *_missing_required(checked, schema, is_read=not is_unread(before)),
        *_broken_rules(checked, schema),
        *([] if any(issue.code == "not_calibrated" for issue in issues) else _low_confidence(checked)),
    ]
    return Extraction(
        document_id=run.document_id,
        schema=schema.name,
        schema_version=schema.version,
        extractor=run.extractor,
        run_key=run.key,
        status=_status(checked, document_issues),
        pages=len(pages),
        fields=tuple(checked),
        issues=tuple(document_issues),
    )


def to_model(extraction: Extraction, schema: Schema) -> BaseModel:
    """The result as the schema's class. Where a required value is missing, its attribute is None."""
    from pydantic import ValidationError  # heavy: 0.1 s that `docpipe --help` must not pay

    tree = _value_tree(_by_tree_path(extraction.fields, schema))
    for name, info in schema.model.model_fields.items():
        if info.is_required() and annotation_of(schema.model, name).is_list:
            tree.setdefault(name, [])
    try:
        return schema.model.model_validate(tree, by_alias=True, by_name=True)
    except ValidationError:
        return _constructed(schema.model, tree)


def _by_tree_path(fields: Iterable[Field], schema: Schema) -> dict[str, Field]:
    """The fields that have a value, by their places in the tree: a list of plain values has no gaps where a text could
    not be read."""
    templates = {spec.path for spec in schema.fields if spec.is_plain_value}
    counts: Counter[str] = Counter()
    by_path: dict[str, Field] = {}
    for field in fields:
        path = FieldPath.parse(field.path)
        if field.value is None:
            continue
        if path.template in templates:
            path = path.renumbered(counts[path.template])
            counts[path.template] += 1
        by_path[str(path)] = field
    return by_path


def _value_tree(by_tree_path: Mapping[str, Field]) -> dict[str, Any]:
    """The typed values, nested as the schema nests them; what is absent is left to the schema's defaults."""
    tree: dict[str, Any] = {}
    for path, field in by_tree_path.items():
        put(tree, path, field.value)
    return tree


def _constructed(model: type[BaseModel], tree: Mapping[str, Any]) -> BaseModel:
    """An object without validation, its parts being objects too."""
    values: dict[str, Any] = {}
    for name, info in model.model_fields.items():
        value, part = tree.get(name), annotation_of(model, name).model
        if value is None:
            values[name] = info.get_default(call_default_factory=True) if not info.is_required() else None
        elif part is not None and isinstance(value, list):
            values[name] = [_constructed(part, row) for row in value]
        else:
            values[name] = _constructed(part, value) if part is not None else value
    return model.model_construct(**values)


def _pydantic_errors(fields: Iterable[Field], schema: Schema) -> Iterator[tuple[str, str]]:
    """Path and message of what Pydantic refuses; the path is empty when it refuses the whole."""
    from pydantic import ValidationError  # heavy: see to_model

    by_tree_path = _by_tree_path(fields, schema)
    try:
        schema.model.model_validate(_value_tree(by_tree_path), by_alias=True, by_name=True)
    except ValidationError as refused:
        for error in refused.errors(include_url=False):
            if error["type"] == "missing":
                continue  # _missing_required names them
            # where Pydantic tried several types, the location is of a part of the value
            location = str(FieldPath.of_steps(error["loc"]))
            named = (path for path in by_tree_path if location == path or location.startswith(f"{path}."))
            refused_path = next(named, None)
            if refused_path is not None:
                yield by_tree_path[refused_path].path, error["msg"]
            else:
                yield "", f"{location}: {error['msg']}" if location else error["msg"]


def _refused_by_pydantic(fields: Sequence[Field], schema: Schema) -> list[Field]:
    """Fields whose value the schema's class does not take lose the value and keep what is printed."""
    refused = {path: message for path, message in _pydantic_errors(fields, schema) if path}
    return [
        replace(
            field,
            value=None,
            accepted=False,
            issues=(*field.issues, Issue("refused", f"{field.raw!r}: {refused[field.path]}", field=field.path)),
        )
        if field.path in refused
        else field
        for field in fields
    ]


def _model_issues(fields: Iterable[Field], schema: Schema) -> Iterator[Issue]:
    """What the class's own validators say about the whole."""
    for path, message in _pydantic_errors(fields, schema):
        if not path:
            yield Issue("refused", message)


def _missing_required(fields: Sequence[Field], schema: Schema, *, is_read: bool) -> Iterator[Issue]:
    """`is_read`: no part of the document is in a script that was not read."""
    where = "on the document" if is_read else "on the document, part of which is in a script that was not read"
    present = {field.path for field in fields if field.raw is not None}
    for spec in schema.fields:
        if not spec.required:
            continue
        if spec.list_path is None:
            required = [spec.path]
        else:
            column, paths = FieldPath.parse(spec.path), map(FieldPath.parse, present)
            numbers = {path.row_number or 0 for path in paths if path.list_path == spec.list_path}
            required = [str(column.renumbered(number)) for number in sorted(numbers)]
            if spec.is_plain_value and not numbers:
                required = [spec.list_path]
        for path in required:
            if path not in present:
                yield Issue("missing_required", f"{path} was not found {where}", field=path)
    if not present:
        yield Issue("nothing_found", f"no field of the schema {schema.name} was found {where}")


def _broken_rules(fields: Sequence[Field], schema: Schema) -> Iterator[Issue]:
    values = {field.path: field.value for field in fields}
    for application in broken_rules(fields, schema):
        rule, read = application.rule, {path: values[path] for path in application.paths}
        yield Issue(rule.code, rule.explain(read), rule.severity, field=_field_to_check(rule, read))


def _field_to_check(rule: Rule, values: Mapping[str, object]) -> str | None:
    """The field to look at first: a total that a column does not add up to, else the last single one."""
    single = [path for path in rule.paths if path in values]
    if single:
        return single[0] if FieldPath.parse(rule.paths[0]).is_cell else single[-1]
    cells = [path for template in rule.paths for path in values if FieldPath.parse(path).template == template]
    return cells[-1] if cells else None


def _low_confidence(fields: Sequence[Field]) -> Iterator[Issue]:
    """One sentence about the values whose confidence is all that speaks against them."""
    unsure = sorted(filter(_is_unsure, fields), key=lambda field: field.confidence)
    if not unsure:
        return
    present = sum(field.raw is not None for field in fields)
    named = ", ".join(f"{field.path} ({field.confidence:.2f})" for field in unsure[:MAX_FIELDS_NAMED])
    more = f" and {len(unsure) - MAX_FIELDS_NAMED} more" if len(unsure) > MAX_FIELDS_NAMED else ""
    yield Issue("low_confidence", f"{len(unsure)} of {present} values are not sure enough: {named}{more}")


def _is_unsure(field: Field) -> bool:
    has_reason = any(issue.severity != "info" for issue in field.issues)
    return field.raw is not None and not field.accepted and not has_reason


def _status(fields: Iterable[Field], issues: Iterable[Issue]) -> Status:
    all_issues = [*issues, *(issue for field in fields for issue in field.issues)]
    return "needs_review" if any(issue.severity != "info" for issue in all_issues) else "complete"
