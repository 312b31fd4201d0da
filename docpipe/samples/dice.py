"""Chance with a memory: every choice of a drawn document comes from one seed.

In: a seed (any text). Out: a `Dice`, which is `random.Random` with the throws that drawing needs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

FIRST_DAY = date(1998, 1, 1)
LAST_DAY = date(2027, 12, 31)
RECENT_DAY = date(2012, 1, 1)  # three quarters of the documents people still process are younger
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O and Q: few numbering schemes print them


class SeededRandom(random.Random):
    """Random throws that read like a sentence."""

    def chance(self, share: float) -> bool:
        return self.random() < share

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def pick_several(self, options: Sequence[T], count: int) -> list[T]:
        """Up to `count` different options, in random order."""
        return self.sample(list(options), min(count, len(options)))

    def from_pattern(self, text: str) -> str:
        """`#` becomes a digit, `%` a digit other than 0, `?` a capital letter."""
        made = []
        for sign in text:
            if sign == "#":
                made.append(str(int(self.random() * 10)))
            elif sign == "%":
                made.append(str(1 + int(self.random() * 9)))
            elif sign == "?":
                made.append(self.pick(LETTERS))
            else:
                made.append(sign)
        return "".join(made)

    def amount(self, low: float, high: float, places: int = 2) -> Decimal:
        """An amount whose size is spread evenly over the orders of magnitude, often a round price."""
        value = low * (high / low) ** self.random()
        if places and self.chance(0.25):
            value = round(value) or 1.0
        elif places and self.chance(0.25):
            value = round(value) + self.pick((0.5, 0.9, 0.95, 0.99, 0.49))
        return Decimal(f"{value:.{places}f}")

    def date(self) -> date:
        start = RECENT_DAY if self.chance(0.75) else FIRST_DAY
        return start + timedelta(days=int(self.random() * (LAST_DAY - start).days))
