"""What is true of a drawn document: its values, where they are printed, and their normalised forms.

In: a text that answers fields of a schema. Out: `FieldText` while the document is drawn, then a `SampleDocument` with
a `PrintedValue` for each printing of a value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from docpipe.data import Box
from docpipe.paths import FieldPath


@dataclass(frozen=True)
class PrintedValue:
    """One printing of a value. `path` is concrete (`line_items[2].amount`); one box per printed line."""

    path: str
    text: str
    page: int
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class SampleDocument:
    """A drawn document and all that is true of it. `field_descriptions` has one for each path template;
    `adds_up` is False where the arithmetic was meant to be wrong."""

    schema: str
    language: str
    pdf: bytes
    printed_values: tuple[PrintedValue, ...]
    truth: dict[str, Any]
    field_descriptions: Mapping[str, str]
    page_count: int
    adds_up: bool = True


@dataclass(frozen=True)
class FieldText:
    """A text that is the value of one or more fields, as it is printed; lines are split by newlines."""

    text: str
    paths: tuple[str, ...]
    normalised: Any

    def with_text(self, text: str) -> FieldText:
        """The same value, printed in another way."""
        return replace(self, text=text)

    def with_more_paths(self, *paths: str) -> FieldText:
        return replace(self, paths=self.paths + paths)


RichTextRun = str | FieldText
RichText = RichTextRun | Sequence[RichTextRun]  # text in one style, some parts of which are values


def field_text(path: str, text: str, normalised: Any = None) -> FieldText:
    """The value of one field. Its normalised form is its text unless another one is given."""
    return FieldText(text, (path,), " ".join(text.split()) if normalised is None else normalised)


def text_runs(text: RichText) -> Sequence[RichTextRun]:
    return [text] if isinstance(text, str | FieldText) else text


def plain_text(text: RichText) -> str:
    return "".join(run.text if isinstance(run, FieldText) else run for run in text_runs(text))


def nested_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """`{"line_items[0].amount": "1.00"}` -> `{"line_items": [{"amount": "1.00"}]}`."""
    lists: dict[str, dict[int, dict[str, Any]]] = {}
    nested: dict[str, Any] = {}
    for path, value in values.items():
        field = FieldPath.parse(path)
        if field.list_path is None or field.row_number is None:
            nested[path] = value
        else:
            lists.setdefault(field.list_path, {}).setdefault(field.row_number, {})[field.leaf] = value
    for name, rows in lists.items():
        nested[name] = [rows.get(index, {}) for index in range(max(rows) + 1)]
    return nested
