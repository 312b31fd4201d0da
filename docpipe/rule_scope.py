"""Which values a rule reads: those of the whole document, or of one row of a list after the other.

In: rules, whose paths are templates, and the concrete paths of a document. Out: `RuleApplication`s, each with the
concrete paths that the rule reads there. A rule whose templates are all of one list is applied to each of its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from docpipe.paths import FieldPath
from docpipe.schema_ports import Rule


@dataclass(frozen=True)
class RuleApplication:
    """A rule applied once: to the document, or to one row. `paths` are the concrete ones, in the order given."""

    rule: Rule
    paths: tuple[str, ...]
    is_row: bool


def applications_of(rule: Rule, paths: Iterable[str]) -> list[RuleApplication]:
    """One for each row that the paths have, or one for the document, even where it has nothing that the rule reads."""
    templates = set(rule.paths)
    read = [path for path in paths if FieldPath.parse(path).template in templates]
    lists = {FieldPath.parse(template).list_path for template in templates}
    if len(lists) != 1 or None in lists:
        return [RuleApplication(rule, tuple(read), is_row=False)]
    rows: dict[str, list[str]] = {}
    for path in read:
        rows.setdefault(FieldPath.parse(path).row, []).append(path)
    return [RuleApplication(rule, tuple(cells), is_row=True) for cells in rows.values()]


def rows_of(column: str, paths: Iterable[str]) -> list[str]:
    """The rows that the paths have in a column's list, in their order: `line_items[0]`, `line_items[1]`. A field of the
    document has one row without a name."""
    list_path = FieldPath.parse(column).list_path
    if list_path is None:
        return [""]
    cells = (cell for cell in map(FieldPath.parse, paths) if cell.list_path == list_path)
    numbers = {cell.row: cell.row_number or 0 for cell in cells}
    return sorted(numbers, key=numbers.__getitem__)


def cell_of(column: str, row: str) -> str:
    """`line_items[].amount` in `line_items[2]` -> `line_items[2].amount`; the leaf alone in the row without a name."""
    leaf = FieldPath.parse(column).leaf
    return f"{row}.{leaf}" if row and leaf else row or leaf
