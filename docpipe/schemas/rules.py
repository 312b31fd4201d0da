"""Rules: what the values of one document must satisfy together.

In: typed values by concrete path (`line_items[0].amount`).
Out: True, False, or None when a value that is needed is missing.
A schema lists its rules in `rules: ClassVar[tuple[Rule, ...]]`. A broken rule never changes a value: it says that one
of those it reads may be wrong.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from docpipe.data import Severity
from docpipe.rule_scope import cell_of, rows_of
from docpipe.schemas.adjustments import NOTHING_BETWEEN, Adjustments, Values, added_up, as_decimal

MINOR_UNIT = Decimal("0.01")
HALF_UNIT = Decimal("0.005")
"""Each printed amount was rounded once, so it is at most half a minor unit off."""
CASH_ROUNDING = Decimal("0.03")
"""Totals paid in cash are rounded to 5 minor units (MY, CH, AU): that moves them by at most 2, the sum by one more."""
TAX_ROUNDING = Decimal("0.05")
"""A tax may be the sum of taxes rounded line by line: ten lines move it by at most 5 minor units."""


@dataclass(frozen=True)
class _RowCheck:
    """What a row's figures make, and what is printed for it. `may_be_credit`: a printed amount below zero is one of
    this size, whichever signs the figures have."""

    name: str  # `line_items[2]`
    expected: Decimal
    printed: Decimal
    tolerance: Decimal
    may_be_credit: bool = False

    @property
    def holds(self) -> bool:
        is_credit = self.may_be_credit and self.printed < 0
        expected = -abs(self.expected) if is_credit else self.expected
        return abs(expected - self.printed) <= self.tolerance


@dataclass(frozen=True)
class Sum:
    """A column of a list adds up to one of the totals: `Sum("line_items[].amount", ("net_total", "gross_total"))`.

    The totals go from the least to the one that holds all. Where one of them is not known, it may be the one that the
    column adds up to; but rows that add up to more than the total that holds all have a row too many, or a discount, a
    return or a deposit is missing. Rows that add up to less may lack the tax.

    Tolerance: half a minor unit for each row and one for the total. `adjusted_by` are amounts that may lie between the
    rows and the total, signed as `signed_amounts` says.
    """

    column: str
    totals: tuple[str, ...]
    code: str = "sum_mismatch"
    severity: Severity = "warning"
    adjusted_by: Adjustments = NOTHING_BETWEEN

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.column, *self.totals, *self.adjusted_by.paths)

    def check(self, values: Values) -> bool | None:
        amounts, totals = self._figures(values)
        if not amounts or not totals or None in amounts:
            return None
        rows = sum((amount for amount in amounts if amount is not None), Decimal(0))
        tolerance = MINOR_UNIT + HALF_UNIT * len(amounts)
        sums = self.adjusted_by.sums(rows, values)
        if any(abs(added - total) <= tolerance for added in sums for total in totals.values()):
            return True
        whole = totals.get(self.totals[-1])
        is_exceeded = whole is not None and all(abs(added) > abs(whole) + tolerance for added in sums)
        return False if is_exceeded or len(totals) == len(self.totals) else None

    def explain(self, values: Values) -> str:
        amounts, totals = self._figures(values)
        added = sum((amount for amount in amounts if amount is not None), Decimal(0))
        printed = ", ".join(f"{path} is {total}" for path, total in totals.items())
        sums = f"{added}{self.adjusted_by.told(values)}"
        subject = "only value of {} is" if len(amounts) == 1 else f"{len(amounts)} values of {{}} add up to"
        return f"the {subject.format(self.column)} {sums}, but {printed}"

    def _figures(self, values: Values) -> tuple[list[Decimal | None], dict[str, Decimal]]:
        amounts = [as_decimal(values.get(cell_of(self.column, row))) for row in rows_of(self.column, values)]
        totals = {path: total for path in self.totals if (total := as_decimal(values.get(path))) is not None}
        return amounts, totals


@dataclass(frozen=True)
class Total:
    """Amounts add up: `Total("gross_total", plus=("net_total", "tax_total"))`.

    `minus` are taken off. Those named in `optional` count as nothing when absent; those named in `included` may already
    be part of another (a receipt's subtotal may or may not contain the tax), as may those that it is `adjusted_by`.
    """

    total: str
    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    included: tuple[str, ...] = ()
    tolerance: Decimal = MINOR_UNIT
    code: str = "total_mismatch"
    severity: Severity = "warning"
    adjusted_by: Adjustments = NOTHING_BETWEEN

    @property
    def paths(self) -> tuple[str, ...]:
        return (*self.plus, *self.minus, self.total, *self.adjusted_by.paths)

    def check(self, values: Values) -> bool | None:
        total, parts = as_decimal(values.get(self.total)), self._parts(values)
        if total is None or parts is None or not any(path in parts for path in self.plus):
            return None
        without = sum((part for path, part in parts.items() if path not in self.included), Decimal(0))
        base = added_up(without, [parts[path] for path in self.included if path in parts])
        sums = (adjusted for added in base for adjusted in self.adjusted_by.sums(added, values))
        return any(abs(added - total) <= self.tolerance for added in sums)

    def explain(self, values: Values) -> str:
        parts = self._parts(values) or {}
        shown = " + ".join(f"{path} {part}" for path, part in parts.items())
        added = f"{sum(parts.values(), Decimal(0))}{self.adjusted_by.told(values)}"
        return f"{shown} is {added}, but {self.total} is {values.get(self.total)}"

    def _parts(self, values: Values) -> dict[str, Decimal] | None:
        """Signed parts by path; None when one that is needed is missing."""
        parts: dict[str, Decimal] = {}
        for path in (*self.plus, *self.minus):
            part = as_decimal(values.get(path))
            if part is not None:
                parts[path] = -abs(part) if path in self.minus else part
            elif path not in self.optional:
                return None
        return parts


@dataclass(frozen=True)
class RowProduct:
    """In each row of a list quantity x unit price = amount. A discount on the line may break it: this is a hint.

    A credit note prints `2 x 145.00 = 290.00-`, or the sign at all three: an amount below zero is compared by its size.
    """

    quantity: str
    unit_price: str
    amount: str
    code: str = "row_mismatch"
    severity: Severity = "info"

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.quantity, self.unit_price, self.amount)

    def check(self, values: Values) -> bool | None:
        verdicts = [row.holds for row in self._products(values)]
        return all(verdicts) if verdicts else None

    def explain(self, values: Values) -> str:
        wrong = [
            f"{row.name} has {values[cell_of(self.quantity, row.name)]} x {values[cell_of(self.unit_price, row.name)]}"
            f" = {row.expected}, and the amount {row.printed}"
            for row in self._products(values)
            if not row.holds
        ]
        return "; ".join(wrong)

    def _products(self, values: Values) -> Iterator[_RowCheck]:
        """The amount is rounded once, the unit price at its last printed digit."""
        for row in rows_of(self.amount, values):
            quantity, price, amount = (as_decimal(values.get(cell_of(path, row))) for path in self.paths)
            if quantity is not None and price is not None and amount is not None:
                tolerance = MINOR_UNIT + abs(quantity) * _last_digit(price) / 2
                yield _RowCheck(row, quantity * price, amount, tolerance, may_be_credit=True)


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
        verdicts = [row.holds for row in self._taxes(values)]
        return all(verdicts) if verdicts else None

    def explain(self, values: Values) -> str:
        wrong = [
            f"{row.name} has {values[cell_of(self.rate, row.name)]} % of {values[cell_of(self.base, row.name)]},"
            f" which is {row.expected.quantize(MINOR_UNIT)}, and the tax {row.printed}"
            for row in self._taxes(values)
            if not row.holds
        ]
        return "; ".join(wrong)

    def _taxes(self, values: Values) -> Iterator[_RowCheck]:
        for row in rows_of(self.tax, values):
            rate, base, tax = (as_decimal(values.get(cell_of(path, row))) for path in self.paths)
            if rate is not None and base is not None and tax is not None:
                yield _RowCheck(row, rate * base / 100, tax, self.tolerance)


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


def _last_digit(number: Decimal) -> Decimal:
    """One unit of the last printed digit: 4.10 -> 0.01."""
    exponent = number.as_tuple().exponent
    return Decimal(1).scaleb(exponent) if isinstance(exponent, int) else Decimal(0)
