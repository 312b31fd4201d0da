"""What may lie between a sum and its total: allowances and charges of the whole document, discounts, deposits.

In: typed values by concrete path. Out: `Adjustments`, which the rules of sums take, and the sums that are possible.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from docpipe.rule_scope import cell_of, rows_of

Values = Mapping[str, object]
ALLOWANCE = "allowance"


@dataclass(frozen=True)
class Adjustments:
    """Amounts by template that may already be in a sum, or in neither. All rows of a `column` count together.

    `sign` is the column that says whether a row's amount is an allowance, which is taken off whether or not a minus is
    printed. `plus` and `minus` are single fields.
    """

    column: str = ""
    sign: str = ""
    plus: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return (*((self.column, self.sign) if self.column else ()), *self.plus, *self.minus)

    def sums(self, added: Decimal, values: Values) -> set[Decimal]:
        """What a sum may come to: with and without each of them."""
        return added_up(added, self._amounts(values))

    def told(self, values: Values) -> str:
        """For a message: ` (with 15.00 and -48.00 or without)`, or nothing."""
        amounts = self._amounts(values)
        return f" (with {' and '.join(map(str, amounts))} or without)" if amounts else ""

    def _amounts(self, values: Values) -> list[Decimal]:
        singles = [*((path, 1) for path in self.plus), *((path, -1) for path in self.minus)]
        amounts = [
            amount if factor > 0 else -abs(amount)
            for path, factor in singles
            if (amount := as_decimal(values.get(path))) is not None
        ]
        rows = rows_of(self.column, values) if self.column else []
        signed = [amount for row in rows if (amount := self._signed(row, values)) is not None]
        return [*amounts, *([sum(signed, Decimal(0))] if signed else [])]

    def _signed(self, row: str, values: Values) -> Decimal | None:
        amount = as_decimal(values.get(cell_of(self.column, row)))
        if amount is None or values.get(cell_of(self.sign, row)) != ALLOWANCE:
            return amount
        return -abs(amount)


NOTHING_BETWEEN = Adjustments()


def added_up(base: Decimal, amounts: Sequence[Decimal]) -> set[Decimal]:
    """The base with any of the amounts."""
    chosen = product((False, True), repeat=len(amounts))
    return {
        base + sum((amount for amount, taken in zip(amounts, choice, strict=True) if taken), Decimal(0))
        for choice in chosen
    }


def as_decimal(value: object) -> Decimal | None:
    if isinstance(value, Decimal):
        return value
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else None
