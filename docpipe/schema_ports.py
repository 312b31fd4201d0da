"""What a schema is made of: the protocols of kinds and rules, and what they take and return.

In: nothing of the steps. Out: `Kind` and `Rule`, which a schema's fields and class carry; the shipped ones live in
docpipe/schemas. All structural: a class of one's own needs no base class.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, get_args, runtime_checkable

from docpipe.data import Severity

ColumnType = Literal["text", "decimal", "date", "datetime", "time", "integer", "boolean", "float"]
Group = Literal["text", "name", "address", "identifier", "date", "time", "number", "code", "choice"]
"""How the steps treat kinds that are alike: what the network is asked, which coefficients a confidence has, what a
generative model may write. `code` is of a short list (`EUR`, yes or no), `choice` one of a few values in words."""

KIND_KEYWORD, EXPECTED_KEYWORD, CAPTIONS_KEYWORD = "x-kind", "x-expected", "x-captions"
"""In a JSON Schema that Pydantic writes of a class: what docpipe alone reads in its annotations. See
`NamedInJsonSchema`, `Expected` and `Captioned`."""

COLUMN_TYPES: tuple[ColumnType, ...] = get_args(ColumnType)
GROUPS: tuple[Group, ...] = get_args(Group)
_GROUP_OF_COLUMN: Mapping[ColumnType, Group] = {
    "text": "text",
    "decimal": "number",
    "integer": "number",
    "float": "number",
    "date": "date",
    "datetime": "date",
    "time": "time",
    "boolean": "code",
}


@dataclass(frozen=True, slots=True)
class Conventions:
    """How this document writes dates and numbers, read from the document itself. None: it does not say.

    `day_first` comes from a date that can be read only one way, or from language and country, and
    `reasons` say which (`"25/12/2018 on page 1"`), or are empty when nothing decided. `years` are those of the dates
    that are printed with a year of four digits.
    """

    day_first: bool | None = None
    decimal_mark: Literal[".", ","] | None = None
    language: str | None = None
    country: str | None = None
    currency: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    has_booking_letters: bool = False
    """`108,43 H` is a credit (Haben), `108,43 S` a debit (Soll)."""

    has_colon_amounts: bool = False
    """Cents stand behind a colon (`2 714:00`), so that `12:50` may be money."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a kind made of a printed text. `issue` is a code from docs/errors.md when the value
    is doubtful (`date_order_unknown`, `check_digit`); value None with an issue means not parsable."""

    value: object
    issue: str | None = None
    message: str = ""
    severity: Severity = "warning"
    is_something_else: bool = False
    """The text as a whole is something else, as a date where an identifier is sought: no part of it is tried."""


class Kind(Protocol):
    """The type of a field: how its printed text becomes a value. It hangs on a field's annotation and is called by the
    steps through the schema.

    Two more attributes may be there: `group` (see `group_of`) and `max_length` (see `max_length_of`).
    """

    @property
    def name(self) -> str:
        """text, identifier, name, address, date, time, money, quantity, rate, currency, iban, vat_id, ..."""
        ...

    @property
    def column(self) -> ColumnType: ...

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        """Never raises on a printed text; what cannot be parsed comes back with an issue."""
        ...

    def same(self, left: object, right: object) -> bool:
        """Whether two values are equal for a user (amounts as numbers, identifiers without blanks and case,
        names and addresses at similarity >= 0.9 of letters and digits)."""
        ...


class NamedInJsonSchema:
    """A base of the shipped kinds: where a class names one, the JSON Schema that Pydantic writes of the class does, so
    that it is the same kind when that is loaded. Programs that do not know the keyword pass over it."""

    name: ClassVar[str]
    name_in_json: ClassVar[str] = ""
    """Where it is not its name."""

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> dict[str, Any]:
        return {**handler(core_schema), KIND_KEYWORD: self.name_in_json or self.name}


def group_of(kind: Kind) -> Group:
    """The group that a kind names as its `group`, else the one of its column: a decimal is a number."""
    group: Group | None = getattr(kind, "group", None)
    return _GROUP_OF_COLUMN[kind.column] if group is None else group


def max_length_of(kind: Kind) -> int | None:
    """The characters of the longest print that a generative model may write for this kind, if the kind says so."""
    length: int | None = getattr(kind, "max_length", None)
    return length


@runtime_checkable
class Ambiguous(Protocol):
    """A kind whose texts may mean something else than they seem to."""

    def otherwise(self, text: str, conventions: Conventions) -> Parsed | None:
        """The other meaning of a text; None where there is none. It is only taken where a rule speaks for it."""
        ...


@runtime_checkable
class Marked(Protocol):
    """A kind whose values may have a mark apart from them that changes what they are: a sign, a half of the day."""

    def is_mark(self, word: str) -> bool:
        """Whether a word beside a value may be (a part of) such a mark: a dash, a currency, `CR`, `PM`."""
        ...


@runtime_checkable
class AmountMark(Protocol):
    """A kind whose values stand as marks beside amounts of money: a currency."""

    def marks_amount(self, text: str) -> bool:
        """Whether a text is an amount with its mark and nothing else: `¥20,000-`, `CHF 12.50`, `6.00 €`."""
        ...


@runtime_checkable
class CheckDigits(Protocol):
    """A kind of codes that prove themselves by check digits."""

    def checked(self, text: str) -> str | None:
        """The code in a text whose check digits are right."""
        ...


class Rule(Protocol):
    """A rule that the values of one document must satisfy together.

    `paths` are the templates it reads (`line_items[].amount`, `net_total`). More attributes may be there:
    `only_objects`, see the function, and those of `TaxedTotals`.
    """

    @property
    def code(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def paths(self) -> tuple[str, ...]: ...

    def check(self, values: Mapping[str, object]) -> bool | None:
        """`values` maps concrete paths (`line_items[0].amount`) to typed values. None: cannot be judged
        because a value it needs is missing."""
        ...

    def explain(self, values: Mapping[str, object]) -> str:
        """One sentence with the figures, for the issue's message."""
        ...


@runtime_checkable
class ProductRule(Rule, Protocol):
    """A rule that a row's amount is its quantity times its unit price, each named by its template. What is printed on
    the lines of a row is then compared with it."""

    @property
    def quantity(self) -> str: ...

    @property
    def unit_price(self) -> str: ...

    @property
    def amount(self) -> str: ...


@runtime_checkable
class ColumnSum(Protocol):
    """A rule by which a column of a list adds up to one of several totals."""

    @property
    def column(self) -> str:
        """The template of the column: `line_items[].amount`."""
        ...

    @property
    def totals(self) -> tuple[str, ...]:
        """Paths of single fields, from the least to the one that holds all, taxes included."""
        ...


def only_objects(rule: Rule) -> bool:
    """Whether a rule that holds proves nothing (that net is not above gross), so that its breach alone counts."""
    return bool(getattr(rule, "only_objects", False))


@runtime_checkable
class TaxedTotals(Protocol):
    """A rule that names a document's net, its tax and its gross. Where rules over them are broken, the sum that the
    page prints is looked for; see docs/decisions/0028-totals-that-the-page-settles.md."""

    @property
    def net(self) -> str: ...

    @property
    def tax(self) -> str: ...

    @property
    def gross(self) -> str: ...
