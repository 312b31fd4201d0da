"""Kinds for numbers: amounts, quantities, rates and integers.

In: a printed text such as `1.234,50 €` and the document's conventions. Out: `Parsed` with a Decimal or an int.
A text with several different numbers, or a number whose mark may separate decimals or thousands, says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple

from docpipe.schema_ports import ColumnType, Conventions, NamedInJsonSchema, Parsed
from docpipe.schemas.ocr_repairs import repair_number
from docpipe.schemas.territories import currency_in, has_no_cents

DecimalMark = Literal[".", ","]

_NUMBER = re.compile(
    r"(?:(?<![\d.,'’])|(?<=[^\W\d_]\.))"  # Rp.17.820: the first point belongs to the currency
    r"(?:\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d)(?:[.,]\d{1,4}(?![\d.,]*\d))?"  # 1 234,50
    r"|\d+(?:[.,'’´`]\d+)*"
    r"|(?<![^\W\d_])[.,]\d+|[.,]\d{2}(?![\d.,]*\d))"  # .50, RM.50
)
_ONE_MARK = re.compile(r"\D*\d{1,3}[.,]\d{3}\D*")
_LOST_MARK = re.compile(r"\D*[1-9]\d{2,5}\D*")
_ONE_GROUP = re.compile(r"[1-9]\d{0,2}[.,]\d{3}")
_BLANKS = re.compile(r"[ \u00a0\u202f]")
_APOSTROPHES = re.compile(r"['’´`]")
_NO_CENTS = re.compile(r"([.,])[-−–]")
"""`1.234,-`: the mark before the dash is the decimal mark."""
_DASHES = "-−–"
_POINT_CURRENCIES = re.compile(
    r"[$£¥₹₱฿]|\bRM(?![a-z])|(?<![A-Z])(?:USD|GBP|MYR|AUD|NZD|CAD|SGD|HKD|INR|JPY|CNY|THB|PHP)(?![A-Z])"
)
"""Currencies whose own countries all write a decimal point. EUR, CHF, and the crowns are written both ways."""

_BEFORE_SIGN = re.compile(r"(?:[A-Za-z]{0,3}\s?[$€£¥₹₱฿]|\b[A-Z]{2,3}|\bFr\.?)?\s*$")
"""A currency that may stand between the sign and the number."""


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """One number in a text: its value, and where it stands. `issue`: why the value is doubtful, as in `Parsed`."""

    value: Decimal
    start: int
    end: int
    issue: str | None = None
    message: str = ""


class _Digits(NamedTuple):
    """A number's digits with a decimal point, and an issue where the point is a guess. None: it is no number."""

    text: str | None
    issue: str | None = None
    message: str = ""


@dataclass(frozen=True)
class Number(NamedInJsonSchema):
    """What amounts, quantities and rates share: one number in a text becomes a Decimal."""

    column: ClassVar[ColumnType] = "decimal"
    name: ClassVar[str] = "number"
    unknown_mark_is: ClassVar[DecimalMark] = "."
    """How `1.234` or `1,234` is read when nothing decides: with "." the mark separates decimals, with "," it groups."""

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        repaired = repair_number(text)
        numbers = self.choose(repaired, self.printed_numbers(repaired, conventions))
        if not numbers:
            return Parsed(None, "not_a_number", f"no number in {text!r}")
        if len({number.value for number in numbers}) > 1:
            values = ", ".join(str(number.value) for number in numbers)
            return Parsed(None, "several_numbers", f"{text!r} holds several numbers: {values}")
        (first, *_same) = numbers
        if first.issue is not None:
            return Parsed(first.value, first.issue, first.message)
        if repaired != text:
            return Parsed(first.value, "ocr_repaired", f"{text!r} was read as {repaired!r}", "info")
        return Parsed(first.value)

    def printed_numbers(self, text: str, conventions: Conventions) -> list[PrintedNumber]:
        """The numbers of a text, from left to right."""
        numbers = (
            _printed_number(match, self.mark(match.group(), text, conventions), self.unknown_mark_is)
            for match in _NUMBER.finditer(text)
        )
        return [number for number in numbers if number is not None]

    def mark(self, printed: str, text: str, conventions: Conventions) -> DecimalMark | None:  # noqa: ARG002
        """The decimal mark that is known for a number printed in a text."""
        return conventions.decimal_mark or ("." if _POINT_CURRENCIES.search(text) else None)

    def choose(self, text: str, numbers: list[PrintedNumber]) -> list[PrintedNumber]:
        """Those that can be this kind of number; a percentage is not an amount when there is another number."""
        amounts = [number for number in numbers if not text[number.end :].lstrip().startswith("%")]
        return amounts or numbers

    def same(self, left: object, right: object) -> bool:
        return left == right

    def otherwise(self, text: str, conventions: Conventions) -> Parsed | None:
        """With the other decimal mark: `13.875` where the document writes `149,07`, since OCR took a comma for a point
        or since a column is written otherwise. Where the document does not say, all its numbers would fit both ways."""
        if conventions.decimal_mark is None or not _ONE_MARK.fullmatch(text):
            return None
        mark: DecimalMark = "," if conventions.decimal_mark == "." else "."
        other = self.parse(text, replace(conventions, decimal_mark=mark))
        return other if other.value is not None and other.value != self.parse(text, conventions).value else None


@dataclass(frozen=True)
class Money(Number):
    """An amount of money. The currency is a field of its own."""

    name: ClassVar[str] = "money"
    unknown_mark_is: ClassVar[DecimalMark] = ","

    def mark(self, printed: str, text: str, conventions: Conventions) -> DecimalMark | None:
        """In a currency without cents the mark in `6.500` and `6,500` groups."""
        if _ONE_GROUP.fullmatch(printed) and _has_whole_prices(conventions):
            return "," if "." in printed else "."
        return super().mark(printed, text, conventions)

    def otherwise(self, text: str, conventions: Conventions) -> Parsed | None:
        """Also with the point that OCR lost: `1200` where the document writes `12.00`."""
        parsed = self.parse(text, conventions)
        lost = _LOST_MARK.fullmatch(text) and conventions.decimal_mark and not _has_whole_prices(conventions)
        if not lost or not isinstance(parsed.value, Decimal):
            return super().otherwise(text, conventions)
        return Parsed(parsed.value.scaleb(-2), "ocr_repaired", f"{text!r} was read without its decimal mark", "info")


@dataclass(frozen=True)
class Deduction(Money):
    """An amount that is taken off, as the amount itself (EN 16931, BT-113): a minus before it is the operation."""

    name_in_json: ClassVar[str] = "deduction"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        parsed = super().parse(text, conventions)
        return replace(parsed, value=abs(parsed.value)) if isinstance(parsed.value, Decimal) else parsed

    def same(self, left: object, right: object) -> bool:
        if isinstance(left, Decimal) and isinstance(right, Decimal):
            return abs(left) == abs(right)
        return left == right


@dataclass(frozen=True)
class Quantity(Number):
    """How many or how much; the unit is a field of its own."""

    name: ClassVar[str] = "quantity"


@dataclass(frozen=True)
class Rate(Number):
    """A percentage: `19 %` is 19."""

    name: ClassVar[str] = "rate"

    def choose(self, text: str, numbers: list[PrintedNumber]) -> list[PrintedNumber]:
        percents = [number for number in numbers if text[number.end :].lstrip().startswith("%")]
        return percents or numbers


@dataclass(frozen=True)
class Integer(Number):
    """A whole number."""

    name: ClassVar[str] = "integer"
    column: ClassVar[ColumnType] = "integer"
    unknown_mark_is: ClassVar[DecimalMark] = ","

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        parsed = super().parse(text, conventions)
        if not isinstance(parsed.value, Decimal):
            return parsed
        if parsed.value != parsed.value.to_integral_value():
            return Parsed(None, "not_an_integer", f"{text!r} is not a whole number")
        return Parsed(int(parsed.value), parsed.issue, parsed.message, parsed.severity)


def _has_whole_prices(conventions: Conventions) -> bool:
    """Whether the document's currency, or that of its country when none is printed, has no cents."""
    currency = conventions.currency or (currency_in(conventions.country) if conventions.country else None)
    return currency is not None and has_no_cents(currency)


def _printed_number(match: re.Match[str], mark: DecimalMark | None, assumed_mark: DecimalMark) -> PrintedNumber | None:
    """The number that a match stands for, or None when its groups make no number (`12.03.2018`)."""
    printed, text = match.group(), match.string
    plain = _APOSTROPHES.sub("", _BLANKS.sub("", printed))
    if dashed := _NO_CENTS.match(text, match.end()):
        mark = "." if dashed[1] == "." else ","
    digits, issue, message = _digits(plain, mark, assumed_mark)
    if digits is None:
        return None
    if issue is None and " " in printed and "," not in printed and (mark == "." or "." in printed):
        issue, message = "several_numbers", f"{printed!r} may be one number or several"
    value = Decimal(digits)
    if _is_negative(text, match.start(), match.end()):
        value = -value
    return PrintedNumber(value, match.start(), match.end(), issue, message)


def _digits(plain: str, mark: DecimalMark | None, assumed_mark: DecimalMark) -> _Digits:
    """`mark` is the decimal mark if it is known, `guess` what a single mark before three digits is taken for."""
    marks = [char for char in plain if char in ".,"]
    if not marks:
        return _Digits(plain)
    last, groups = marks[-1], re.split(r"[.,]", plain)
    if len(set(marks)) == 2:
        whole = groups[:-1]
        is_number = marks.count(last) == 1 and _is_grouped(whole)
        return _Digits(f"{''.join(whole)}.{groups[-1]}" if is_number else None)
    if len(marks) > 1:
        return _Digits("".join(groups) if _is_grouped(groups) else None)
    return _digits_with_one_mark(plain, mark, assumed_mark)


def _digits_with_one_mark(plain: str, mark: DecimalMark | None, assumed_mark: DecimalMark) -> _Digits:
    """Three digits after the only mark may be thousands or decimals; anything else is decimals."""
    before, after = re.split(r"[.,]", plain)
    if len(after) != 3 or len(before) > 3 or before in {"", "0"} or before.startswith("0"):
        return _Digits(f"{before or '0'}.{after}")
    if mark is not None:
        return _Digits(f"{before}.{after}" if mark in plain else before + after)
    digits = f"{before}.{after}" if assumed_mark == "." else before + after
    issue, message = (
        "decimal_mark_unknown",
        f"{plain!r} is {before}.{after} or {before}{after}; the document does not say",
    )
    return _Digits(digits, issue, message)


def _is_grouped(groups: list[str]) -> bool:
    """1 to 3 digits, then threes (or twos as in India), three at the end."""
    first, *rest = groups
    return 1 <= len(first) <= 3 and (
        not rest or (len(rest[-1]) == 3 and ({len(group) for group in rest[:-1]} in ({2}, {3}, set())))
    )


def _is_negative(text: str, start: int, end: int) -> bool:
    """A minus before the number or its currency, directly after it, or parentheses around it."""
    before = _BEFORE_SIGN.sub("", text[:start])
    direct = text[:start].rstrip()
    for head in (direct, before):
        if head and head[-1] in _DASHES:
            lead = head[:-1]
            if (
                not lead.strip()
                or (lead[-1].isspace() and len(direct) == start)
                or (not lead[-1].isalnum() and lead[-1] not in " ")
            ):
                return True
    after = re.sub(r"^\s*(?:[A-Z]{3}|[$€£])", "", text[end:])
    if (after[:1] and after[0] in _DASHES and not after[1:2].isalnum()) and not text[end:].startswith((",", ".")):
        return True
    opened = _BEFORE_SIGN.sub("", text[:start]).rstrip().endswith("(")
    return opened and re.match(r"\s*(?:[A-Z]{2,3}|[$€£])?\s*\)", text[end:]) is not None
