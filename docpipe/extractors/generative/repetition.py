"""Does an answer repeat itself without end?

In: what was written so far, as tokens or as text. Out: whether its end is a loop. A loop is cut off, and is no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Limits:
    """A piece of up to `phrase` is shorter than a row, so what repeats is a word or a sign: `least` in all is a loop.
    A longer piece may be a row, up to `longest`."""

    phrase: int
    least: int
    longest: int


# An IBAN of noughts has 34 signs, so `least` is more. A small row of two cells, `{"item": "Beer", "net": "3.50"}, `,
# has some 14 tokens and 33 characters, so `phrase` is less. A row of ten cells has some 90 tokens, or 350 characters.
TOKENS = _Limits(phrase=8, least=40, longest=96)
CHARACTERS = _Limits(phrase=24, least=120, longest=400)
# A bar writes each of the same twelve beers on a line of its own. More than that in one go is rung up as `12 x`.
ROWS = 16


def is_looping(sequence: Sequence[int] | str) -> bool:
    """To be asked after each token: some hundred comparisons, whatever the length."""
    limits = CHARACTERS if isinstance(sequence, str) else TOKENS
    length = len(sequence)
    if length < limits.least:
        return False
    last = sequence[-1]
    for period in range(1, min(limits.longest, length // 2) + 1):
        if sequence[-1 - period] != last:
            continue
        needed = limits.least if period <= limits.phrase else period * ROWS
        if needed <= length and _repeats(sequence, period, needed):
            return True
    return False


def _repeats(sequence: Sequence[int] | str, period: int, needed: int) -> bool:
    """The last `needed` are the same when moved by one period. Most are told by the last two periods."""
    length = len(sequence)
    if sequence[length - period :] != sequence[length - 2 * period : length - period]:
        return False
    return sequence[length - needed + period :] == sequence[length - needed : length - period]
