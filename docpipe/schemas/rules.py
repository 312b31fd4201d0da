"""Rules: what the values of one document must satisfy together.

In: typed values by concrete path (`line_items[0].amount`).
Out: True, False, or None when a value that is needed is missing.
A schema lists its rules in `rules: ClassVar[tuple[Rule, ...]]`. A broken rule never changes a value: it says that one
of those it reads may be wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from docpipe.data import Severity
from docpipe.paths import FieldPath

Values = Mapping[str, object]

MINOR_UNIT = Decimal("0.01")
HALF_UNIT = Decimal("0.005")
"""Each printed amount was rounded once, so it is at most half a minor unit off."""
CASH_ROUNDING = Decimal("0.03")
"""Totals paid in cash are rounded to 5 minor units (MY, CH, AU): that moves them by at most 2, the sum by one more."""
TAX_ROUNDING = Decimal("0.05")
"""A tax may be the sum of taxes rounded line by line: ten lines move it by at most 5 minor units."""


@dataclass(frozen=True)
class Sum:
    """A column of a list adds up to one of the totals: `Sum("line_items[].amount", ("net_total", "gross_total"))`.

    Tolerance: half a minor unit for each row and one for the total.
    """

    column: str
    totals: tuple[str, ...]
    code: str = "sum_mismatch"
    severity: Severity = "warning"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.column, *self.totals)

    def check(self, values: Values) -> bool | None:
        amounts, totals = self._figures(values)
        if not amounts or not totals or None in amounts:
            return None
        found = sum((amount for amount in amounts if amount is not None), Decimal(0))
        if any(abs(found - total) <= MINOR_UNIT + HALF_UNIT * len(amounts) for total in totals.values()):
            return True
        return False if len(totals) == len(self.totals) else None

    def explain(self, values: Values) -> str:
        amounts, totals = self._figures(values)
        found = sum((amount for amount in amounts if amount is not None), Decimal(0))
        printed = ", ".join(f"{path} is {total}" for path, total in totals.items())
        return f"the {len(amounts)} values of {self.column} add up to {found}, but {printed}"

    def _figures(self, values: Values) -> tuple[list[Decimal | None], dict[str, Decimal]]:
        amounts = [_decimal(values.get(_cell(self.column, row))) for row in _rows(values, self.column)]
        totals = {path: total for path in self.totals if (total := _decimal(values.get(path))) is not None}
        return amounts, totals


@dataclass(frozen=True)
class Total:
    """Amounts add up: `Total("gross_total", plus=("net_total", "tax_total"))`.

    `minus` are taken off. Those named in `optional` count as nothing when absent; those named in `included` may already
    be part of another (a receipt's subtotal may or may not contain the tax).
    """

    total: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    tolerance: Decimal = MINOR_UNIT
    code: str = "total_mismatch"
    severity: Severity = "warning"

    @property
    def paths(self) -> tuple[str, ...]:
        return (*self.plus, *self.minus, self.total)

    def check(self, values: Values) -> bool | None:
        total, parts = _decimal(values.get(self.total)), self._parts(values)
        if total is None or parts is None or not any(path in parts for path in self.plus):
            return None
        whole = sum(parts.values(), Decimal(0))
        without = sum((part for path, part in parts.items() if path not in self.included), Decimal(0))
        return any(abs(found - total) <= self.tolerance for found in (whole, without))

    def explain(self, values: Values) -> str:
        parts = self._parts(values) or {}
        shown = " + ".join(f"{path} {part}" for path, part in parts.items())
        return f"{shown} is {sum(parts.values(), Decimal(0))}, but {self.total} is {values.get(self.total)}"

    def _parts(self, values: Values) -> dict[str, Decimal] | None:
        """Signed parts by path; None when one that is needed is missing."""
        parts: dict[str, Decimal] = {}
        for path in (*self.plus, *self.minus):
            part = _decimal(values.get(path))
            if part is not None:
                parts[path] = -abs(part) if path in self.minus else part
            elif path not in self.optional:
                return None
        return parts


@dataclass(frozen=True)
class RowProduct:
    """In each row of a list quantity x unit price = amount. A discount on the line may break it: this is a hint."""

    quantity: str
    unit_price: str
    amount: str
    code: str = "row_mismatch"
    severity: Severity = "info"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.quantity, self.unit_price, self.amount)

    def check(self, values: Values) -> bool | None:
        verdicts = [abs(product - amount) <= slack for _row, product, amount, slack in self._products(values)]
        return all(verdicts) if verdicts else None

    def explain(self, values: Values) -> str:
        wrong = [
            f"{row} has {values[_cell(self.quantity, row)]} x {values[_cell(self.unit_price, row)]}"
            f" = {product}, and the amount {amount}"
            for row, product, amount, slack in self._products(values)
            if abs(product - amount) > slack
        ]
        return "; ".join(wrong)

    def _products(self, values: Values) -> Iterator[tuple[str, Decimal, Decimal, Decimal]]:
        """Row, product, amount and tolerance: the amount is rounded once, the unit price at its last printed digit."""
        for row in _rows(values, self.amount):
            quantity, price, amount = (_decimal(values.get(_cell(path, row))) for path in self.paths)
            if quantity is not None and price is not None and amount is not None:
                yield row, quantity * price, amount, MINOR_UNIT + abs(quantity) * _last_digit(price) / 2


@dataclass(frozen=True)
class RateTimesBase:
    """In each row of a tax table rate x base = tax."""

    rate: str
    base: str
    tax: str
    tolerance: Decimal = TAX_ROUNDING
    code: str = "tax_mismatch"
    severity: Severity = "warning"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.rate, self.base, self.tax)

    def check(self, values: Values) -> bool | None:
        verdicts = [abs(expected - tax) <= self.tolerance for _row, expected, tax in self._taxes(values)]
        return all(verdicts) if verdicts else None

    def explain(self, values: Values) -> str:
        wrong = [
            f"{row} has {values[_cell(self.rate, row)]} % of {values[_cell(self.base, row)]},"
            f" which is {expected.quantize(MINOR_UNIT)}, and the tax {tax}"
            for row, expected, tax in self._taxes(values)
            if abs(expected - tax) > self.tolerance
        ]
        return "; ".join(wrong)

    def _taxes(self, values: Values) -> Iterator[tuple[str, Decimal, Decimal]]:
        for row in _rows(values, self.tax):
            rate, base, tax = (_decimal(values.get(_cell(path, row))) for path in self.paths)
            if rate is not None and base is not None and tax is not None:
                yield row, rate * base / 100, tax


@dataclass(frozen=True)
class DatesInOrder:
    """One date is not before the other: `DatesInOrder("issue_date", "due_date")`."""

    earlier: str
    later: str
    code: str = "dates_out_of_order"
    severity: Severity = "warning"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.earlier, self.later)

    def check(self, values: Values) -> bool | None:
        earlier, later = values.get(self.earlier), values.get(self.later)
        if not isinstance(earlier, dt.date) or not isinstance(later, dt.date):
            return None
        return earlier <= later

    def explain(self, values: Values) -> str:
        return f"{self.later} {values.get(self.later)} is before {self.earlier} {values.get(self.earlier)}"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _rows(values: Values, column: str) -> list[str]:
    """The rows that the values have in a column's list: `line_items[0]`, `line_items[1]`; an empty one outside of
    lists."""
    list_path = FieldPath.parse(column).list_path
    if list_path is None:
        return [""]
    paths = (path for path in map(FieldPath.parse, values) if path.list_path == list_path)
    numbers = {path.row: path.row_number or 0 for path in paths}
    return sorted(numbers, key=numbers.__getitem__)


def _cell(column: str, row: str) -> str:
    """`line_items[].amount` in `line_items[0]` -> `line_items[0].amount`."""
    leaf = FieldPath.parse(column).leaf
    return f"{row}.{leaf}" if row else leaf


def _last_digit(number: Decimal) -> Decimal:
    """One unit of the last printed digit: 4.10 -> 0.01."""
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)
