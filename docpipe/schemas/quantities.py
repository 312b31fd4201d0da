"""Kinds for numbers that are no money: quantities, rates and integers.

In: a printed text such as `2½ hrs` or `19 %` and the document's conventions. Out: `Parsed` with a Decimal or an int.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from docpipe.schema_ports import ColumnType, Conventions, Parsed
from docpipe.schemas.numbers import DecimalMark, Number, PrintedNumber

_PRODUCT = re.compile(r"\s*(?P<count>\d{1,4})\s?[x×*]\s?(?P<each>\d{1,4}(?:[.,]\d)?)\s*(?:[^\W\d_]+[²³]?\.?)?\s*")
_FRACTION = re.compile(
    r"(?<![\d/.,])(?:(?P<whole>\d{1,4})\s?)?(?:(?P<sign>[½¼¾⅓⅔⅛⅜⅝⅞])|(?<!\d)(?P<part>\d)/(?P<of>\d{1,2}))(?![\d/])"
)


@dataclass(frozen=True)
class Quantity(Number):
    """How many or how much; the unit is a field of its own."""

    name: ClassVar[str] = "quantity"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        """Also of a product: `3 x 2.4 m` are 7.2 m. With two decimals (`3 x 2.40`) the second may be a price."""
        product = _PRODUCT.fullmatch(text)
        if product is None:
            return super().parse(text, conventions)
        value = Decimal(product["count"]) * Decimal(product["each"].replace(",", "."))
        return Parsed(value, "calculated", f"{text!r} was read as {value}", "info")

    def with_usual_figures(self, text: str, conventions: Conventions) -> str:  # noqa: ARG002
        """`2½` -> `2.5`, `1/2` -> `0.5`."""
        return _FRACTION.sub(_decimal_fraction, text)


@dataclass(frozen=True)
class Rate(Number):
    """A percentage: `19 %` is 19."""

    name: ClassVar[str] = "rate"

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        """What is negative or above 100 is no rate of a tax: it is an amount of another column."""
        parsed = super().parse(text, conventions)
        if isinstance(parsed.value, Decimal) and not 0 <= parsed.value <= 100:
            return Parsed(None, "not_a_rate", f"{text!r} is not from 0 to 100 %")
        return parsed

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


def _decimal_fraction(match: re.Match[str]) -> str:
    """`2½` -> `2.5`, `1/3` -> `0.3333`; a text that is no fraction below one stays (`10/3`)."""
    if match["sign"]:
        part = Decimal(str(unicodedata.numeric(match["sign"])))
    elif 0 < int(match["part"]) < int(match["of"]):
        part = Decimal(match["part"]) / Decimal(match["of"])
    else:
        return match.group()
    return format((Decimal(match["whole"] or 0) + part).quantize(Decimal("0.0001")).normalize(), "f")
