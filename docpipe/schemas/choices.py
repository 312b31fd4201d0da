"""Choices among values that are not all texts: numbers (`7`, `19`), or numbers and texts.

In: the values that a schema allows, and a printed text. Out: a kind for them; `Parsed` with the value as the schema
has it, so that it fits its type.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Group, Kind, Parsed
from docpipe.schemas.numbers import Quantity
from docpipe.schemas.words import Boolean, Choice

ChoiceValue = str | int | float


def choice_of(values: Iterable[object]) -> Kind | None:
    """The kind of a field that has one of these values; null among them says only that it may be absent. None: they
    are no texts and numbers, or there are none."""
    distinct = tuple(dict.fromkeys(value for value in values if value is not None))
    if distinct and all(isinstance(value, bool) for value in distinct):
        return Boolean()
    if not distinct or not all(isinstance(value, ChoiceValue) and not isinstance(value, bool) for value in distinct):
        return None
    if all(isinstance(value, str) for value in distinct):
        return Choice(tuple(str(value) for value in distinct))
    return ValueChoice(distinct)  # type: ignore[arg-type]


@dataclass(frozen=True)
class ValueChoice:
    """One of a few values, of which some are numbers. A print is compared as a number first: `7,00 %` is 7."""

    values: tuple[ChoiceValue, ...] = ()

    name: ClassVar[str] = "choice"

    @property
    def group(self) -> Group:
        return "choice" if self.column == "text" else "number"

    @property
    def column(self) -> ColumnType:
        if all(isinstance(value, int) for value in self.values):
            return "integer"
        return "text" if any(isinstance(value, str) for value in self.values) else "decimal"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        by_number = {Decimal(str(value)): value for value in self.values if not isinstance(value, str)}
        number = Quantity().parse(text, conventions)
        if isinstance(number.value, Decimal) and number.value in by_number:
            return Parsed(by_number[number.value], number.issue, number.message, number.severity)
        word = Choice(tuple(value for value in self.values if isinstance(value, str))).parse(text, conventions)
        if word.value is not None:
            return word
        return Parsed(None, "not_a_choice", f"{text!r} is none of {', '.join(map(str, self.values))}")

    def same(self, left: object, right: object) -> bool:
        return left == right
