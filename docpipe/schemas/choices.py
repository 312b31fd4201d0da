"""Choices among the values that a schema allows: texts, numbers (`7`, `19`), or numbers and texts.

In: the values that a schema allows, and a printed text. Out: a kind for them; `Parsed` with the value as the schema
has it, so that it fits its type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Group, Kind, Parsed
from docpipe.schemas.printed_terms import find_terms
from docpipe.schemas.quantities import Quantity
from docpipe.schemas.words import Boolean, Text, folded

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
class Choice(Text):
    """One of a few values. `words` maps a value to further words that are printed for it."""

    values: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    name: ClassVar[str] = "choice"
    group: ClassVar[Group] = "choice"

    def parse(self, text: str, conventions: Conventions) -> Parsed:  # noqa: ARG002 - the protocol's signature
        found = find_terms(text, {value: (value, *self.words.get(value, ())) for value in self.values})
        if not found:
            return Parsed(None, "not_a_choice", f"{text!r} is none of {', '.join(self.values)}")
        longest = max(found, key=lambda term: term.end - term.start)
        return one_of(text, longest.value, [term.value for term in found])

    def same(self, left: object, right: object) -> bool:
        return folded(str(left)) == folded(str(right))


def one_of(text: str, value: str, printed: Iterable[str]) -> Parsed:
    """The value, doubtful where other values are printed beside it."""
    if len(meant := sorted(set(printed))) > 1:
        return Parsed(value, "several_choices", f"{text!r} may be {' or '.join(meant)}")
    return Parsed(value)


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
