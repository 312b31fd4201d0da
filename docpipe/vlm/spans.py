"""Logits become choices: spans of words with probabilities, for single fields and for the rows of a list.

In: numpy logits of one page (N words). Out: `Choice`s, best first. No torch, no schema: only numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

BEGIN, END, INSIDE = 0, 1, 2
LONGEST = 48  # words of the longest value (an address over several lines, payment terms)
BEGINS = 8  # places where a value may begin that are followed up
LEAST = 0.004  # probability below which a place is not followed up: 25 such would be one tenth
# The next two were chosen on drawn documents that training had not seen (seeds from 900000), never on real ones.
OUTSIDE = 0.1  # words inside a span that are this unlikely to belong are left out (a neighbour column in an address)
TRUST_IN_INSIDE = 0.2  # weight of "its words belong, those beside it do not" beside "it begins and ends here"
SURE = 0.5  # a cell begins here
TALLEST_GAP = 3  # lines without a sure cell after which a row has ended
POSSIBLE = 0.08  # a second reading of a cell that the rules may prefer


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[int, ...]  # indexes in reading order
    score: float  # probability 0-1
    inside: float  # mean probability that its words belong to the value


def single(logits: Floats, absent: float) -> tuple[list[Choice], float]:
    """logits [3, N] of a field that does not repeat -> choices, and the probability that it is absent."""
    inside = _sigmoid(logits[INSIDE])
    begin = logits[BEGIN] + _apart(np.concatenate([np.zeros(1, np.float32), inside[:-1]]))
    chance = _softmax(np.concatenate([np.array([absent], np.float32), begin]))
    starts = np.argsort(-chance[1:])[:BEGINS]
    choices = [
        _spread(logits, inside, int(start), float(chance[1 + start])) for start in starts if chance[1 + start] >= LEAST
    ]
    return sorted(choices, key=lambda choice: -choice.score), float(chance[0])


def rows(columns: Mapping[str, Floats], lines: Sequence[int]) -> list[dict[str, list[Choice]]]:
    """columns: list field -> logits [3, N]; lines: each word's line of print.
    -> the rows in reading order, each with the choices per column, best first.

    A line opens a new row when at least half of its sure cells would be second ones in the row above it. So a cell that
    was missed, a wrapped description or one wrong cell does not break the table."""
    table: list[dict[str, list[Choice]]] = []
    last_line = 0
    for line, cells in _lines(columns, lines):
        sure = [column for choice, column in cells if choice.score >= SURE]
        far = bool(table) and line - last_line > TALLEST_GAP
        if sure:
            again = sum(_sure_of(table[-1], column) for column in sure) if table else len(sure)
            if far or 2 * again >= len(sure):
                table.append({})
            last_line = line
        elif far or not table:
            continue  # no second reading of a cell so far away
        for choice, column in cells:
            table[-1].setdefault(column, []).append(choice)
    for row in table:
        for choices in row.values():
            choices.sort(key=lambda choice: -choice.score)
    return table


def _lines(columns: Mapping[str, Floats], lines: Sequence[int]) -> Iterator[tuple[int, list[tuple[Choice, str]]]]:
    """The possible cells, line by line. Where the first column comes again (two pairs on one line), the line is cut."""
    cells = [(choice, column) for column, logits in columns.items() for choice in _cells(logits)]
    cells.sort(key=lambda cell: (cell[0].words[0], -cell[0].score))
    for line, together in groupby(cells, key=lambda cell: lines[cell[0].words[0]]):
        part: list[tuple[Choice, str]] = []
        first = ""
        for choice, column in together:
            if choice.score >= SURE and column == first:
                yield line, part
                part = []
            elif choice.score >= SURE:
                first = first or column
            part.append((choice, column))
        yield line, part


def _sure_of(row: Mapping[str, Sequence[Choice]], column: str) -> bool:
    return any(choice.score >= SURE for choice in row.get(column, ()))


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
    """The best end for this beginning: an end is likely where the end logit is high, all words up to it belong, and the
    next one does not."""
    stop = min(begin + LONGEST, len(inside) if limit is None else limit)
    belongs = TRUST_IN_INSIDE * np.cumsum(np.log(np.clip(inside[begin:stop], OUTSIDE, 1.0)))
    following = np.concatenate([inside, np.zeros(1, np.float32)])[begin + 1 : stop + 1]
    ends = _softmax((logits[END, begin:stop] + belongs + _apart(following)).astype(np.float32))
    end = begin + int(np.argmax(ends))
    words = [i for i in range(begin, end + 1) if i in (begin, end) or inside[i] >= OUTSIDE]
    return Choice(tuple(words), chance * float(ends[end - begin]), float(inside[words].mean()))


def _apart(inside: Floats) -> Floats:
    """What the words beside a value say about its edges: little when they do not belong to it."""
    apart: Floats = TRUST_IN_INSIDE * np.log(np.clip(1.0 - inside, OUTSIDE, 1.0))
    return apart


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
