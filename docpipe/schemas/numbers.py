"""Kinds for numbers: what all share, and amounts of money. Quantities, rates and integers are in quantities.py.

In: a printed text such as `1.234,50 €` and the document's conventions. Out: `Parsed` with a Decimal or an int.
A text with several different numbers, or a number whose mark may separate decimals or thousands, says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Literal, NamedTuple

from docpipe.schema_ports import ColumnType, Conventions, NamedInJsonSchema, Parsed
from docpipe.schemas.amount_conventions import has_colon_amounts, is_time_of_day
from docpipe.schemas.codes import currency_marks
from docpipe.schemas.ocr_repairs import repair_number
from docpipe.schemas.signs import ignored_text, is_sign_mark, sign_of
from docpipe.schemas.territories import currency_in, has_no_cents, has_three_decimals

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
_APOSTROPHE_GROUPS = re.compile(r"\d{1,3}(?:['’´`]\d{2})*(?:['’´`]\d{3})+(?:[.,]\d+)?")
_APOSTROPHE_CENTS = re.compile(r"(\d+)['’´`](\d{2})")
"""`12'50`: decimals of handwriting and of shops in Spain and Italy."""
_USUAL_FORMS = str.maketrans({chr(0xFEE0 + ord(char)): char for char in "0123456789.,"} | {"٫": ".", "٬": ","})
"""Full-width figures and marks of East Asia, and the marks of Arabic numbers."""
_NO_CENTS = re.compile(r"([.,])[-−–]")
"""`1.234,-`: the mark before the dash is the decimal mark."""
_POINT_CURRENCIES = re.compile(
    r"[$£¥₹₱฿]|\bRM(?![a-z])|(?<![A-Z])(?:USD|GBP|MYR|AUD|NZD|CAD|SGD|HKD|INR|JPY|CNY|THB|PHP)(?![A-Z])"
)
"""Currencies whose own countries all write a decimal point. EUR, CHF, and the crowns are written both ways."""

_COLON_CENTS = re.compile(r"(?<![\d:.,])(\d{1,3}(?:[ \u00a0\u202f.]\d{3})+|\d+):(\d{2})(?![\d:])")
"""`2 714:00`: kronor and öre."""
_NEGATIVE = re.compile(r"\s*[-−–]\s?\d+:\d{2}\s*$")
_COLON_COUNTRIES, _COLON_LANGUAGES = frozenset({"SE", "NO", "DK"}), frozenset({"sv", "nb", "no", "da"})


@dataclass(frozen=True, slots=True)
class PrintedNumber:
    """One number in a text: its value, and where it stands, and from where to where it reaches with its currency and
    its sign. `issue`: why the value is doubtful, as in `Parsed`."""

    value: Decimal
    start: int
    end: int
    reach: tuple[int, int]
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

    words_are_units: ClassVar[bool] = True
    """Whether any word behind the number may be its unit; behind an amount of money few words are harmless."""

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        text = text.translate(_USUAL_FORMS)
        repaired = repair_number(text)
        plain = self.with_usual_figures(repaired, conventions)
        all_numbers = self.printed_numbers(plain, conventions)
        numbers = self.choose(plain, all_numbers)
        if not numbers:
            return Parsed(None, "not_a_number", f"no number in {text!r}")
        if len({number.value for number in numbers}) > 1:
            values = ", ".join(str(number.value) for number in numbers)
            return Parsed(None, "several_numbers", f"{text!r} holds several numbers: {values}")
        (first, *_same) = numbers
        if first.issue is not None:
            return Parsed(first.value, first.issue, first.message)
        reaches = [number.reach for number in all_numbers]
        if ignored := ignored_text(plain, reaches, words_are_units=self.words_are_units):
            return Parsed(first.value, "text_ignored", f"{text!r} was read as {first.value}, without {ignored!r}")
        if repaired != text:
            return Parsed(first.value, "ocr_repaired", f"{text!r} was read as {repaired!r}", "info")
        return Parsed(first.value)

    def with_usual_figures(self, text: str, conventions: Conventions) -> str:  # noqa: ARG002
        """The text with those numbers that this kind alone writes in another way, in the usual one."""
        return text

    def printed_numbers(self, text: str, conventions: Conventions) -> list[PrintedNumber]:
        """The numbers of a text, from left to right."""
        numbers = (
            _printed_number(
                match, conventions, self.mark(match.group(), text, conventions), self.assumed_mark(text, conventions)
            )
            for match in _NUMBER.finditer(text)
        )
        return [number for number in numbers if number is not None]

    def mark(self, printed: str, text: str, conventions: Conventions) -> DecimalMark | None:  # noqa: ARG002
        """The decimal mark that is known for a number printed in a text."""
        return conventions.decimal_mark or ("." if _POINT_CURRENCIES.search(text) else None)

    def assumed_mark(self, text: str, conventions: Conventions) -> DecimalMark:  # noqa: ARG002
        """What a single mark before three digits is taken for where nothing decides: it is then doubtful."""
        return self.unknown_mark_is

    def choose(self, text: str, numbers: list[PrintedNumber]) -> list[PrintedNumber]:
        """Those that can be this kind of number; a percentage is not an amount when there is another number."""
        amounts = [number for number in numbers if not text[number.end :].lstrip().startswith("%")]
        return amounts or numbers

    def is_mark(self, word: str) -> bool:
        return is_sign_mark(word)

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
    words_are_units: ClassVar[bool] = False

    def with_usual_figures(self, text: str, conventions: Conventions) -> str:
        """`2 714:00` -> `2 714,00` on documents of Sweden, Norway and Denmark. What may be a time of day is an amount
        only where the document has amounts with a colon, or the text itself says so: a currency, a minus."""
        is_nordic = conventions.country in _COLON_COUNTRIES or conventions.language in _COLON_LANGUAGES
        if not is_nordic:
            return text
        is_sure = conventions.has_colon_amounts or has_colon_amounts(text) or _NEGATIVE.match(text)

        def with_comma(match: re.Match[str]) -> str:
            return f"{match[1]},{match[2]}" if is_sure or not is_time_of_day(match.group()) else match.group()

        return _COLON_CENTS.sub(with_comma, text)

    def mark(self, printed: str, text: str, conventions: Conventions) -> DecimalMark | None:
        """In a currency without cents the mark in `6.500` and `6,500` groups."""
        if _ONE_GROUP.fullmatch(printed) and _has_whole_prices(conventions):
            return "," if "." in printed else "."
        return super().mark(printed, text, conventions)

    def assumed_mark(self, text: str, conventions: Conventions) -> DecimalMark:
        """In a currency with three decimals (`150.500 KWD`) the mark separates them."""
        currencies = {*currency_marks(text), _currency_of_document(conventions) or ""}
        return "." if any(map(has_three_decimals, currencies)) else self.unknown_mark_is

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


def _has_whole_prices(conventions: Conventions) -> bool:
    currency = _currency_of_document(conventions)
    return currency is not None and has_no_cents(currency)


def _currency_of_document(conventions: Conventions) -> str | None:
    """The document's currency, or that of its country when none is printed."""
    return conventions.currency or (currency_in(conventions.country) if conventions.country else None)


def _printed_number(
    match: re.Match[str], conventions: Conventions, mark: DecimalMark | None, assumed_mark: DecimalMark
) -> PrintedNumber | None:
    """The number that a match stands for, or None when its groups make no number (`12.03.2018`)."""
    printed, text = match.group(), match.string
    plain = _without_groups_of_apostrophes(_BLANKS.sub("", printed))
    if dashed := _NO_CENTS.match(text, match.end()):
        mark = "." if dashed[1] == "." else ","
    digits, issue, message = _digits(plain, mark, assumed_mark)
    if digits is None:
        return None
    if issue is None and " " in printed and "," not in printed and (mark == "." or "." in printed):
        issue, message = "several_numbers", f"{printed!r} may be one number or several"
    value, sign = Decimal(digits), sign_of(text, match.start(), match.end(), conventions)
    if printed.startswith(",") and sign.is_negative and issue is None:
        issue, message = "sign_unknown", f"{text!r}: the dash may be a minus, or stand for no whole units"
    if sign.doubt and issue is None:
        issue, message = "sign_unknown", f"{text!r}: {sign.doubt}"
    reach = (sign.start, sign.end)
    return PrintedNumber(-value if sign.is_negative else value, match.start(), match.end(), reach, issue, message)


def _without_groups_of_apostrophes(printed: str) -> str:
    """`12'600.00` -> `12600.00`, `12'50` -> `12.50`. What is grouped otherwise stays as it is: no number."""
    if cents := _APOSTROPHE_CENTS.fullmatch(printed):
        return f"{cents[1]}.{cents[2]}"
    return _APOSTROPHES.sub("", printed) if _APOSTROPHE_GROUPS.fullmatch(printed) else printed


def _digits(plain: str, mark: DecimalMark | None, assumed_mark: DecimalMark) -> _Digits:
    """`mark` is the decimal mark if it is known, `guess` what a single mark before three digits is taken for."""
    if _APOSTROPHES.search(plain):
        return _Digits(None)
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
