"""Which rules of a schema hold for the values of a document.

In: fields, a schema. Out: checked rules, how many hold, lists that add up. A rule that cannot be applied, as a value is
missing, neither holds nor is broken.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from docpipe.data import Field
from docpipe.paths import FieldPath
from docpipe.rule_scope import RuleApplication, applications_of
from docpipe.schema import Schema


class CheckedRule(NamedTuple):
    application: RuleApplication
    holds: bool


class RuleCounts(NamedTuple):
    """How many rules hold and are broken: over the document, and within rows."""

    held: int
    broken: int
    held_in_rows: int
    broken_in_rows: int


def checked_rules(fields: Iterable[Field], schema: Schema) -> Iterator[CheckedRule]:
    """All that could be applied, hints among them, each once for each row that it is about."""
    values = {field.path: field.value for field in fields if field.value is not None}
    for rule in schema.rules:
        for application in applications_of(rule, values):
            holds = rule.check({path: values[path] for path in application.paths})
            if holds is not None:
                yield CheckedRule(application, holds)


def broken_rules(fields: Iterable[Field], schema: Schema) -> Iterator[RuleApplication]:
    return (checked.application for checked in checked_rules(fields, schema) if not checked.holds)


def rule_counts(fields: Iterable[Field], schema: Schema) -> RuleCounts:
    checked = [(each.application.is_row, each.holds) for each in checked_rules(fields, schema)]
    return RuleCounts(*(checked.count(kind) for kind in ((False, True), (False, False), (True, True), (True, False))))


def lists_that_add_up(fields: Iterable[Field], schema: Schema) -> set[str]:
    """Lists of which a rule over the document holds, and none that reads them is broken."""
    held: set[str | None] = set()
    broken: set[str | None] = set()
    for application, holds in checked_rules(fields, schema):
        lists = {FieldPath.parse(template).list_path for template in application.rule.paths}
        if not holds:
            broken |= lists
        elif not application.is_row:
            held |= lists
    return {path for path in held - broken if path is not None}
