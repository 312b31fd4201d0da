"""Does an output repeat itself without end?

In: what was written so far, as tokens or as text. Out: whether its end is a loop. A loop is cut off, and is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RepetitionLimits:
    """In tokens or in characters. A period of up to `phrase_length` is shorter than a row, so what repeats is a word or
    a sign: `min_repeated` in all is a loop. A longer period may be a row, up to `max_period`."""

    phrase_length: int
    min_repeated: int
    max_period: int


# An IBAN of noughts has 34 signs, so `min_repeated` is more. A small row of two cells,
# `{"item": "Beer", "net": "3.50"}, `, has some 14 tokens and 33 characters, so `phrase_length` is less. A row of ten
# cells has some 90 tokens, or 350 characters.
TOKEN_LIMITS = RepetitionLimits(phrase_length=8, min_repeated=40, max_period=96)
CHARACTER_LIMITS = RepetitionLimits(phrase_length=24, min_repeated=120, max_period=400)
# A bar writes each of the same twelve beers on a line of its own. More than that in one go is rung up as `12 x`.
MAX_EQUAL_ROWS = 16


def is_looping(sequence: Sequence[int] | str) -> bool:
    """To be asked after each token: some hundred comparisons, whatever the length."""
    limits = CHARACTER_LIMITS if isinstance(sequence, str) else TOKEN_LIMITS
    length = len(sequence)
    if length < limits.min_repeated:
        return False
    last = sequence[-1]
    for period in range(1, min(limits.max_period, length // 2) + 1):
        if sequence[-1 - period] != last:
            continue
        needed = limits.min_repeated if period <= limits.phrase_length else period * MAX_EQUAL_ROWS
        if needed <= length and _repeats(sequence, period, needed):
            return True
    return False


def _repeats(sequence: Sequence[int] | str, period: int, needed: int) -> bool:
    """Whether the last `needed` are the same when moved by one period. The last two periods decide most cases."""
    length = len(sequence)
    if sequence[length - period :] != sequence[length - 2 * period : length - period]:
        return False
    return sequence[length - needed + period :] == sequence[length - needed : length - period]
