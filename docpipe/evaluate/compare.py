"""Is an answer what the label says? Values are compared by the field's kind.

In: a FieldSpec, a label, a ResultField. Out: a MatchOutcome (right, wrong, missed, spurious).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from docpipe.evaluate.labels import LabelledDocument, ResultField
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import ColumnType, Conventions

MatchOutcome = Literal["right", "wrong", "missed", "spurious"]

ORDER_UNKNOWN = "date_order_unknown"
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?")
READERS: Mapping[ColumnType, Callable[[str], object]] = {
    "decimal": Decimal,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}
ADDRESS_LINES = ("line1", "line2", "line3", "line4")


def letters_and_digits(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def label_text(label: object) -> str:
    """A label as one line of text, for people and for comparison as text."""
    if isinstance(label, dict):
        return ", ".join(str(part) for part in label.values() if part)
    if isinstance(label, list):
        return " ".join(str(part) for part in label)
    return "" if label is None else str(label)


def typed_value(column: ColumnType, value: object) -> object:
    """A JSON value of the result file as its column's type; what does not fit stays text."""
    if value is None or not isinstance(value, str | int | float):
        return value
    try:
        return READERS[column](str(value)) if column in READERS else value
    except (ValueError, InvalidOperation):
        return value


def right_values(spec: FieldSpec, label: object, conventions: Conventions) -> list[object]:
    """The values that count as right for this label. Empty: the kind cannot parse it.

    A list holds alternatives (a total printed twice) or the lines of one text; both count.
    """
    if isinstance(label, dict):
        return list(printed_addresses(label, conventions.language))
    if isinstance(label, list):
        texts = [*label, label_text(label)] if len(label) > 1 else label
        return [value for text in texts for value in right_values(spec, text, conventions)]
    if spec.kind.column == "decimal" and PLAIN_NUMBER.fullmatch(str(label).strip()):
        return [Decimal(str(label).strip())]
    parsed = spec.kind.parse(str(label), conventions)
    if parsed.issue == ORDER_UNKNOWN:
        return _both_orders(spec, str(label), conventions)
    return [] if parsed.value is None else [parsed.value]


def _both_orders(spec: FieldSpec, label: str, conventions: Conventions) -> list[object]:
    """Both dates that `05/06/2018` may be: where nothing decides which one is meant, either answer is right."""
    orders = (replace(conventions, day_first=day_first) for day_first in (True, False))
    return [spec.kind.parse(label, order).value for order in orders]


def printed_addresses(parts: Mapping[str, object], language: str | None) -> Iterator[str]:
    """The ways in which an address in parts is printed: town before or after the postcode, with or
    without the country as a code or a name.
    """
    street = [str(parts[name]) for name in ADDRESS_LINES if parts.get(name)]
    town = [str(parts[name]) for name in ("postcode", "city") if parts.get(name)]
    region = [str(parts[name]) for name in ("region", "state") if parts.get(name)]
    for country in ["", *country_names(str(parts.get("country") or ""), language)]:
        yield " ".join([*street, *town, *region, country]).strip()
        yield " ".join([*street, *town[::-1][:1], *region, *town[:-1], country]).strip()


@lru_cache(maxsize=256)
def country_names(code: str, language: str | None) -> tuple[str, ...]:
    """`FR`, `de` -> FR, France, Frankreich."""
    if not code:
        return ()
    from babel import Locale, UnknownLocaleError  # heavy: 40 ms, and only labels with structured addresses need it

    names = [code]
    for name in ("en", language or "en"):
        try:
            names.append(Locale.parse(name).territories.get(code.upper(), code))
        except (UnknownLocaleError, ValueError):
            continue
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class ExpectedValue:
    """A label made ready for comparison: the values that count as right, and the texts as printed."""

    label: object
    values: tuple[object, ...]
    texts: frozenset[str]

    @property
    def is_absent(self) -> bool:
        return is_absent(self.label)


def expected_value(spec: FieldSpec, label: object, conventions: Conventions) -> ExpectedValue:
    if is_absent(label):
        return ExpectedValue(label, (), frozenset())
    texts = [*label, label] if isinstance(label, list) else [label]
    printed = frozenset(letters_and_digits(label_text(text)) for text in texts)
    return ExpectedValue(label, tuple(right_values(spec, label, conventions)), printed)


def is_right(spec: FieldSpec, expected: ExpectedValue, prediction: ResultField) -> bool:
    """Whether the answer is right. A label that its kind cannot parse is compared as printed."""
    if expected.values:
        answer = typed_value(spec.kind.column, prediction.value)
        return any(spec.kind.same(value, answer) for value in expected.values)
    return any(
        letters_and_digits(str(text)) in expected.texts
        for text in (prediction.value, prediction.raw)
        if text is not None
    )


def is_absent(label: object) -> bool:
    """An explicit null, blank text or empty list: the value is not on the document."""
    return not label_text(label).strip()


def match_outcome(spec: FieldSpec, expected: ExpectedValue, prediction: ResultField) -> MatchOutcome | None:
    """None: rightly absent. An answer without a value (printed, but not parsable) is no answer."""
    if prediction.value is None:
        return None if expected.is_absent else "missed"
    if expected.is_absent:
        return "spurious"
    return "right" if is_right(spec, expected, prediction) else "wrong"


def label_conventions(schema: Schema, documents: Sequence[LabelledDocument]) -> list[Conventions]:
    """How each label writes dates and numbers: what its own document says.

    The decimal mark may come from the other labels: a file has one author and mostly one habit. The order of day and
    month may not: labels copy what is printed, and documents of several countries lie in one file.
    """
    ambiguous_paths = {spec.path for spec in schema.fields if spec.kind.column in ("date", "datetime", "decimal")}
    label_texts = [_texts(document, ambiguous_paths) for document in documents]
    of_all_labels = schema.conventions([text for texts in label_texts for text in texts])
    conventions = []
    for document, texts in zip(documents, label_texts, strict=True):
        own = schema.conventions([*(word.text for word in document.words), *texts])
        conventions.append(
            replace(
                own,
                decimal_mark=own.decimal_mark or of_all_labels.decimal_mark,
                language=document.language or own.language,
                country=document.country or own.country,
            )
        )
    return conventions


def _texts(document: LabelledDocument, paths: Collection[str]) -> list[str]:
    return [label_text(label) for path, label in document.values.items() if path in paths and not is_absent(label)]
