"""Rules that only object: when they hold they prove nothing, and when they are broken a value is certainly wrong.

In: typed values by concrete path. Out: True, False, or None when a value that is needed is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from docpipe.data import Severity
from docpipe.rule_scope import cell_of, rows_of
from docpipe.schemas.adjustments import NOTHING_BETWEEN, Adjustments, Values, as_decimal

MINOR_UNIT = Decimal("0.01")


@dataclass(frozen=True)
class NotAbove:
    """Net is not above gross unless the tax is of the other sign: `NotAbove("net_total", "gross_total", "tax_total")`.

    Sizes are compared, since a credit note may print all of them negative. What the net is `adjusted_by` may lie
    between: then it is the smaller of the possible sums that counts.
    """

    net: str
    gross: str
    tax: str
    adjusted_by: Adjustments = NOTHING_BETWEEN
    code: str = "net_above_gross"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.net, self.gross, self.tax, *self.adjusted_by.paths)

    def check(self, values: Values) -> bool | None:
        net, gross, tax = (as_decimal(values.get(path)) for path in (self.net, self.gross, self.tax))
        if net is None or gross is None or net * gross <= 0 or (tax is not None and tax * net < 0):
            return None
        smallest = min(abs(added) for added in self.adjusted_by.sums(net, values))
        return smallest <= abs(gross) + MINOR_UNIT

    def explain(self, values: Values) -> str:
        return f"{self.net} {values.get(self.net)} is above {self.gross} {values.get(self.gross)}"


@dataclass(frozen=True)
class TaxBelowGross:
    """The tax is less than the gross that holds it: `TaxBelowGross("tax_total", "gross_total")`."""

    tax: str
    gross: str
    code: str = "tax_above_gross"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.tax, self.gross)

    def check(self, values: Values) -> bool | None:
        tax, gross = as_decimal(values.get(self.tax)), as_decimal(values.get(self.gross))
        return None if tax is None or gross is None or tax * gross <= 0 else abs(tax) < abs(gross)

    def explain(self, values: Values) -> str:
        return f"{self.tax} {values.get(self.tax)} is not less than {self.gross} {values.get(self.gross)}"


@dataclass(frozen=True)
class NetWithoutTax:
    """The net is not the gross where a tax table has a tax: `NetWithoutTax("net_total", "gross_total", "taxes[].tax")`.

    What the net is `adjusted_by` may lie between: a subtotal with tax, less a discount, is no net either.
    """

    net: str
    gross: str
    column: str
    adjusted_by: Adjustments = NOTHING_BETWEEN
    code: str = "net_holds_tax"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.net, self.gross, self.column, *self.adjusted_by.paths)

    def check(self, values: Values) -> bool | None:
        net, gross, tax = as_decimal(values.get(self.net)), as_decimal(values.get(self.gross)), self._tax(values)
        if net is None or gross is None or abs(tax) <= MINOR_UNIT:
            return None
        return all(abs(added - gross) > MINOR_UNIT for added in self.adjusted_by.sums(net, values))

    def explain(self, values: Values) -> str:
        net = f"{self.net} {values.get(self.net)}{self.adjusted_by.told(values)}"
        return f"{net} is {self.gross} {values.get(self.gross)}, though the tax of {self._tax(values)} lies between"

    def _tax(self, values: Values) -> Decimal:
        taxes = (as_decimal(values.get(cell_of(self.column, row))) for row in rows_of(self.column, values))
        return sum((tax for tax in taxes if tax is not None), Decimal(0))


@dataclass(frozen=True)
class NoTaxOfOtherSign:
    """In a tax table no tax at a rate has another sign than the net: such an amount is withheld, or taken off.

    A row with a base of its own is judged by that (`RateTimesBase`): goods that came back have a negative one.
    """

    rate: str
    base: str
    tax: str
    net: str
    code: str = "tax_of_other_sign"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.rate, self.base, self.tax, self.net)

    def check(self, values: Values) -> bool | None:
        if as_decimal(values.get(self.net)) is None or not rows_of(self.tax, values):
            return None
        return not self._taxes_of_other_sign(values)

    def explain(self, values: Values) -> str:
        taxes = " and ".join(map(str, self._taxes_of_other_sign(values)))
        return f"the tax {taxes} is of another sign than {self.net} {values.get(self.net)}"

    def _taxes_of_other_sign(self, values: Values) -> list[Decimal]:
        net = as_decimal(values.get(self.net)) or Decimal(0)
        taxes: list[Decimal] = []
        for row in rows_of(self.tax, values):
            rate, base, tax = (as_decimal(values.get(cell_of(path, row))) for path in (self.rate, self.base, self.tax))
            if rate and base is None and tax is not None and rate * tax * net < 0:
                taxes.append(tax)
        return taxes


@dataclass(frozen=True)
class NotTheCash:
    """The total is not what was handed over, of which the change came back: `NotTheCash("total", "subtotal", "change",
    ("tax", "tip"))`. Where the taxes fill the same gap as the change, nothing is said."""

    total: str
    due: str
    change: str
    between: tuple[str, ...] = ()
    code: str = "total_is_cash"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.total, self.due, self.change, *self.between)

    def check(self, values: Values) -> bool | None:
        total, due, change = (as_decimal(values.get(path)) for path in (self.total, self.due, self.change))
        if total is None or due is None or not change:
            return None
        between = sum((as_decimal(values.get(path)) or Decimal(0) for path in self.between), Decimal(0))
        is_cash = abs(due + abs(change) - total) <= MINOR_UNIT
        return not is_cash or abs(due + between - total) <= MINOR_UNIT

    def explain(self, values: Values) -> str:
        return (
            f"{self.total} {values.get(self.total)} is {self.due} {values.get(self.due)} and {self.change} "
            f"{values.get(self.change)}: it may be the money that was handed over"
        )


@dataclass(frozen=True)
class NotTheSame:
    """Two fields name different things: `NotTheSame("invoice_number", "preceding_invoice_number")`."""

    one: str
    other: str
    code: str = "same_reference"
    severity: Severity = "warning"
    only_objects: ClassVar[bool] = True

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.one, self.other)

    def check(self, values: Values) -> bool | None:
        one, other = values.get(self.one), values.get(self.other)
        if one is None or other is None:
            return None
        return _letters(one) != _letters(other)

    def explain(self, values: Values) -> str:
        return f"{self.one} and {self.other} are both {values.get(self.one)}"


def _letters(value: object) -> str:
    return "".join(letter for letter in str(value).casefold() if letter.isalnum())
