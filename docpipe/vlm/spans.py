"""Logits become choices: spans of words with probabilities, for single fields and for the rows of a list.

In: numpy logits of one page (N words). Out: `Choice`s, best first. No torch, no schema: only numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BEGIN, END, INSIDE = 0, 1, 2
LONGEST = 48  # words of the longest value (an address over several lines, payment terms)
BEGINS = 8  # places where a value may begin that are followed up
LEAST = 0.004  # probability below which a place is not followed up: 25 such would be one tenth
OUTSIDE = 0.02  # words inside a span that are this unlikely to belong are left out (a neighbour column in an address)
TRUST_IN_INSIDE = 0.2  # weight of "each word belongs" beside "it ends here"; at 1 every long address was cut short
SURE = 0.5  # a row or a cell begins here
TALLEST_GAP = 3  # lines without a sure cell after which a row has ended, even if the next beginning was missed
POSSIBLE = 0.08  # a second reading of a cell that the rules may prefer


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[int, ...]  # indexes in reading order
    score: float  # probability 0-1
    inside: float  # mean probability that its words belong to the value


def single(logits: Floats, absent: float) -> tuple[list[Choice], float]:
    """logits [3, N] of a field that does not repeat -> choices, and the probability that it is absent."""
    scores = np.concatenate([np.array([absent], np.float32), logits[BEGIN]])
    chance = _softmax(scores)
    starts = np.argsort(-chance[1:])[:BEGINS]
    inside = _sigmoid(logits[INSIDE])
    choices = [
        _spread(logits, inside, int(start), float(chance[1 + start])) for start in starts if chance[1 + start] >= LEAST
    ]
    return sorted(choices, key=lambda choice: -choice.score), float(chance[0])


def rows(columns: Mapping[str, Floats], starts: Floats, lines: Sequence[int]) -> list[dict[str, list[Choice]]]:
    """columns: list field -> logits [3, N]; starts: logits [3, N] of "first word of each row"; lines: each word's line.
    -> the rows in reading order, each with the choices per column, best first."""
    cells = [(choice, column) for column, logits in columns.items() for choice in _cells(logits)]
    cells.sort(key=lambda cell: (cell[0].words[0], -cell[0].score))
    begins = [int(i) for i in np.flatnonzero(_sigmoid(starts[BEGIN]) > SURE)]
    if not begins and cells:
        begins = [cells[0][0].words[0]]
    table: list[dict[str, list[Choice]]] = []
    row_of, last_line = -1, 0
    for choice, column in cells:
        begun = int(np.searchsorted(begins, choice.words[0], side="right"))
        if begun == 0:
            continue  # before the first row: a heading
        taken = bool(table) and any(c.score >= SURE for c in table[-1].get(column, ()))
        line, sure = lines[choice.words[0]], choice.score >= SURE
        far = bool(table) and line - last_line > TALLEST_GAP
        if far and not sure:
            continue  # no second reading of a cell so far below it
        if begun != row_of or (taken and sure) or far:
            table.append({})
            row_of = begun
            last_line = line
        if sure:
            last_line = max(last_line, line)
        table[-1].setdefault(column, []).append(choice)
    for row in table:
        for choices in row.values():
            choices.sort(key=lambda choice: -choice.score)
    return [row for row in table if any(c[0].score >= SURE for c in row.values())]


def _cells(logits: Floats) -> list[Choice]:
    chance, inside = _sigmoid(logits[BEGIN]), _sigmoid(logits[INSIDE])
    begins = [int(i) for i in np.flatnonzero(chance >= POSSIBLE)]
    sure = [b for b in begins if chance[b] >= SURE]
    choices = []
    for begin in begins:
        following = [b for b in sure if b > begin]
        limit = following[0] if following else len(chance)
        choices.append(_spread(logits, inside, begin, float(chance[begin]), limit))
    return choices


def _spread(logits: Floats, inside: Floats, begin: int, chance: float, limit: int | None = None) -> Choice:
    """The best end for this beginning: an end is likely where the end logit is high and all words up to it belong."""
    stop = min(begin + LONGEST, len(inside) if limit is None else limit)
    belongs = TRUST_IN_INSIDE * np.cumsum(np.log(np.clip(inside[begin:stop], OUTSIDE, 1.0)))
    ends = _softmax((logits[END, begin:stop] + belongs).astype(np.float32))
    end = begin + int(np.argmax(ends))
    words = [i for i in range(begin, end + 1) if i in (begin, end) or inside[i] >= OUTSIDE]
    return Choice(tuple(words), chance * float(ends[end - begin]), float(inside[words].mean()))


def merged(choices: Sequence[Choice], texts: Sequence[str]) -> list[Choice]:
    """A value printed twice is one answer: probabilities of equal texts add up, at the place that is likeliest."""
    best: dict[str, Choice] = {}
    for choice, text in zip(choices, texts, strict=True):
        known = best.get(text)
        total = choice.score + (known.score if known else 0.0)
        keep = choice if known is None else known
        best[text] = Choice(keep.words, min(total, 1.0), keep.inside)
    return sorted(best.values(), key=lambda choice: -choice.score)


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max())
    shares: Floats = powers / powers.sum()
    return shares


def _sigmoid(scores: Floats) -> Floats:
    chances: Floats = (1.0 / (1.0 + np.exp(-np.clip(scores, -30.0, 30.0)))).astype(np.float32)
    return chances
