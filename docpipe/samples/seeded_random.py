"""Reproducible random choices: every choice of a drawn document comes from one seed.

In: a seed (any text). Out: a `SeededRandom`, which is `random.Random` with the draws that documents need. The same
seed makes the same document only as long as the draws keep their order: a draw whose outcome is not used stays.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import TypeVar

T = TypeVar("T")

FIRST_DATE = date(1998, 1, 1)
LAST_DATE = date(2027, 12, 31)
RECENT_DATE = date(2012, 1, 1)
RECENT_SHARE = 0.75  # of the dates are younger: of the documents that people still process, most are
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"  # no I, O and Q: few numbering schemes print them


class SeededRandom(random.Random):
    """Random choices that read like a sentence."""

    def chance(self, probability: float) -> bool:
        return self.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def pick_several(self, options: Sequence[T], count: int) -> list[T]:
        """Up to `count` different options, in random order."""
        return self.sample(list(options), min(count, len(options)))

    def from_pattern(self, pattern: str) -> str:
        """`#` becomes a digit, `%` a digit other than 0, `?` a capital letter."""
        characters = []
        for character in pattern:
            if character == "#":
                characters.append(str(int(self.random() * 10)))
            elif character == "%":
                characters.append(str(1 + int(self.random() * 9)))
            elif character == "?":
                characters.append(self.pick(LETTERS))
            else:
                characters.append(character)
        return "".join(characters)

    def amount(self, low: float, high: float, decimals: int = 2) -> Decimal:
        """An amount whose size is spread evenly over the orders of magnitude, often a round price."""
        value = low * (high / low) ** self.random()
        if decimals and self.chance(0.25):
            value = round(value) or 1.0
        elif decimals and self.chance(0.25):
            value = round(value) + self.pick((0.5, 0.9, 0.95, 0.99, 0.49))
        return Decimal(f"{value:.{decimals}f}")

    def random_date(self) -> date:
        start = RECENT_DATE if self.chance(RECENT_SHARE) else FIRST_DATE
        return start + timedelta(days=int(self.random() * (LAST_DATE - start).days))
