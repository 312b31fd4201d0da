"""One label against one answer: is it right? Values are compared by the field's kind.

In: a FieldSpec, a label, an answered leaf. Out: an Outcome.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Literal

from docpipe.evaluate.labels import Labelled, Leaf
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import ColumnType, Conventions

Outcome = Literal["right", "wrong", "missed", "spurious"]

ORDER_UNKNOWN = "date_order_unknown"
PLAIN_NUMBER = re.compile(r"-?\d+(\.\d+)?")
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


def typed(column: ColumnType, value: object) -> object:
    """A JSON value of the result file as the type of its column; what does not fit stays text."""
    if value is None or not isinstance(value, str | int | float):
        return value
    try:
        match column:
            case "decimal":
                return Decimal(str(value))
            case "date":
                return date.fromisoformat(str(value))
            case "time":
                return time.fromisoformat(str(value))
            case _:
                return value
    except (ValueError, InvalidOperation):
        return value


def readings(spec: FieldSpec, label: object, conventions: Conventions) -> list[object]:
    """The values that count as right for this label. Empty: the kind cannot parse it.

    A list holds alternatives (a total printed twice) or the lines of one text; both count.
    """
    if isinstance(label, dict):
        return list(address_readings(label, conventions.language))
    if isinstance(label, list):
        texts = [*label, label_text(label)] if len(label) > 1 else label
        return [value for text in texts for value in readings(spec, text, conventions)]
    if spec.kind.column == "decimal" and PLAIN_NUMBER.fullmatch(str(label).strip()):
        return [Decimal(str(label).strip())]
    parsed = spec.kind.parse(str(label), conventions)
    if parsed.issue == ORDER_UNKNOWN:
        return _both_orders(spec, str(label), conventions)
    return [] if parsed.value is None else [parsed.value]


def _both_orders(spec: FieldSpec, label: str, conventions: Conventions) -> list[object]:
    """Both dates that `05/06/2018` may be: where nobody knows which one is meant, either answer is right."""
    orders = (replace(conventions, day_first=day_first) for day_first in (True, False))
    return [spec.kind.parse(label, order).value for order in orders]


def address_readings(parts: Mapping[str, object], language: str | None) -> Iterator[str]:
    """The ways in which an address in parts is printed: town before or after the postcode, with or
    without the country as a code or a name.
    """
    street = [str(parts[name]) for name in ADDRESS_LINES if parts.get(name)]
    town = [str(parts[name]) for name in ("postcode", "city") if parts.get(name)]
    region = [str(parts[name]) for name in ("region", "state") if parts.get(name)]
    for last in ["", *country_names(str(parts.get("country") or ""), language)]:
        yield " ".join([*street, *town, *region, last]).strip()
        yield " ".join([*street, *town[::-1][:1], *region, *town[:-1], last]).strip()


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
class Wanted:
    """A label made ready for comparison: the values that count as right, and the texts as printed."""

    label: object
    values: tuple[object, ...]
    texts: frozenset[str]

    @property
    def absent(self) -> bool:
        return is_absent(self.label)


def wanted(spec: FieldSpec, label: object, conventions: Conventions) -> Wanted:
    if is_absent(label):
        return Wanted(label, (), frozenset())
    texts = [*label, label] if isinstance(label, list) else [label]
    printed = frozenset(letters_and_digits(label_text(text)) for text in texts)
    return Wanted(label, tuple(readings(spec, label, conventions)), printed)


def agrees(spec: FieldSpec, want: Wanted, leaf: Leaf) -> bool:
    """Whether the answer is right. A label that its kind cannot parse is compared as printed."""
    if want.values:
        answer = typed(spec.kind.column, leaf.value)
        return any(spec.kind.same(value, answer) for value in want.values)
    return any(letters_and_digits(str(text)) in want.texts for text in (leaf.value, leaf.raw) if text is not None)


def is_absent(label: object) -> bool:
    """An explicit null, blank text or empty list: the value is not on the document."""
    return not label_text(label).strip()


def judge(spec: FieldSpec, want: Wanted, leaf: Leaf) -> Outcome | None:
    """None: rightly absent. An answer without a value (printed, but not parsable) is no answer."""
    if leaf.value is None:
        return None if want.absent else "missed"
    if want.absent:
        return "spurious"
    return "right" if agrees(spec, want, leaf) else "wrong"


def label_conventions(schema: Schema, documents: Sequence[Labelled]) -> list[Conventions]:
    """How each label writes dates and numbers: what its own document says.

    The decimal mark may come from the other labels: a file has one author and mostly one habit. The order of day and
    month may not: labels copy what is printed, and documents of several countries lie in one file.
    """
    telling = {spec.path for spec in schema.fields if spec.kind.column in ("date", "decimal")}
    printed = [_texts(document, telling) for document in documents]
    together = schema.conventions([text for texts in printed for text in texts])
    found = []
    for document, texts in zip(documents, printed, strict=True):
        own = schema.conventions([*(word.text for word in document.words), *texts])
        found.append(
            replace(
                own,
                decimal_mark=own.decimal_mark or together.decimal_mark,
                language=document.language or own.language,
                country=document.country or own.country,
            )
        )
    return found


def _texts(document: Labelled, paths: Collection[str]) -> list[str]:
    return [label_text(label) for path, label in document.values.items() if path in paths and not is_absent(label)]
