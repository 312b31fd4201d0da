"""Logits become choices: spans of words with probabilities, for single fields and for the rows of a list.

In: numpy logits of one page (N words). Out: `Choice`s, best first. No torch, no schema: only numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
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
SAME = 10.0  # logit of a word with itself
BESIDE = 4.0  # logit that a line of print adds between its own words: the reader has levelled it, boxes may lie askew.
# Of 0, 2, 4 and 8 on worn receipts (`docpipe.samples --many 100 --schema receipt --seed 700000 --worn`, then `run` and
# `evaluate`): .815, .831, .839, .845 of rows. 8 overrules the network whatever it says.
POSSIBLE = 0.08  # a second reading of a cell that the rules may prefer


@dataclass(frozen=True, slots=True)
class Choice:
    words: tuple[int, ...]  # indexes in reading order
    score: float  # probability 0-1
    inside: float  # mean probability that its words belong to the value


def single(logits: Floats, absent: float, lines: Sequence[int]) -> tuple[list[Choice], float]:
    """logits [3, N] of a field that does not repeat -> choices, and the probability that it is absent. `lines`: each
    word's line of print."""
    inside = _sigmoid(logits[INSIDE])
    begin = logits[BEGIN] + _apart(np.concatenate([np.zeros(1, np.float32), inside[:-1]]))
    chance = _softmax(np.concatenate([np.array([absent], np.float32), begin]))
    starts = np.argsort(-chance[1:])[:BEGINS]
    choices = [
        _spread(logits, inside, int(start), float(chance[1 + start]), lines)
        for start in starts
        if chance[1 + start] >= LEAST
    ]
    return sorted(choices, key=lambda choice: -choice.score), float(chance[0])


def rows(columns: Mapping[str, Floats], together: Floats, lines: Sequence[int]) -> list[dict[str, list[Choice]]]:
    """columns: list field -> logits [3, N]; together [N, N]: logits that two words begin cells of the same row.
    -> the rows in reading order, each with the choices per column, best first.

    Sure cells make the rows, one after the other in reading order: a cell joins the row that it belongs to most, or
    opens one. A second cell of a column in one row is another reading of it, and so is every unsure cell."""
    found = [(choice, column) for column, logits in columns.items() for choice in _cells(logits, lines)]
    begins = {(choice.words[0], column) for choice, column in found if choice.score >= SURE}
    cells = [
        (_without(choice, {word for word, other in begins if other != column}), column) for choice, column in found
    ]
    cells.sort(key=lambda cell: (cell[0].score < SURE, cell[0].words[0], -cell[0].score))
    table: list[dict[str, list[Choice]]] = []
    members: list[list[int]] = []  # of each row: the first words of its sure cells
    for choice, column in cells:
        begin = choice.words[0]
        likeness = [_likeness(together, begin, own, lines) for own in members]
        best = int(np.argmax(likeness)) if likeness else -1
        joins = best >= 0 and likeness[best] > 0.0
        if choice.score < SURE:
            if joins:
                table[best].setdefault(column, []).append(choice)
            continue
        if not joins:
            table.append({})
            members.append([])
            best = len(table) - 1
        table[best].setdefault(column, []).append(choice)
        members[best].append(begin)
    for row in table:
        for choices in row.values():
            choices.sort(key=lambda choice: -choice.score)
    order = sorted(range(len(table)), key=lambda number: min(members[number]))
    return [table[number] for number in order]


def _without(choice: Choice, others: Set[int]) -> Choice:
    """A cell ends where one of another column surely begins: the number behind the first line of a description."""
    first, *rest = choice.words
    return replace(choice, words=(first, *(word for word in rest if word not in others)))


def _likeness(together: Floats, begin: int, members: Sequence[int], lines: Sequence[int]) -> float:
    """Mean over the cells of a row; a word that begins two columns belongs to itself."""
    return float(
        np.mean([
            SAME if begin == other else together[begin, other] + BESIDE * (lines[begin] == lines[other])
            for other in members
        ])
    )  # fmt: skip


def _cells(logits: Floats, lines: Sequence[int]) -> list[Choice]:
    chance, inside = _sigmoid(logits[BEGIN]), _sigmoid(logits[INSIDE])
    begins = [int(i) for i in np.flatnonzero(chance >= POSSIBLE)]
    sure = [b for b in begins if chance[b] >= SURE]
    choices = []
    for begin in begins:
        following = [b for b in sure if b > begin]
        limit = following[0] if following else len(chance)
        choices.append(_spread(logits, inside, begin, float(chance[begin]), lines[:limit]))
    return choices


def _spread(logits: Floats, inside: Floats, begin: int, chance: float, lines: Sequence[int]) -> Choice:
    """The best end for this beginning: an end is likely where the end logit is high, all words up to it belong, and the
    next one does not. `lines` ends where the value must."""
    stop = min(begin + LONGEST, len(lines))
    belongs = TRUST_IN_INSIDE * np.cumsum(np.log(np.clip(inside[begin:stop], OUTSIDE, 1.0)))
    following = np.concatenate([inside, np.zeros(1, np.float32)])[begin + 1 : stop + 1]
    ends = _softmax((logits[END, begin:stop] + belongs + _apart(following)).astype(np.float32))
    end = begin + int(np.argmax(ends))
    words = [i for part in _lines(range(begin, end + 1), lines) for i in _kept(part, inside, (begin, end))]
    return Choice(tuple(words), chance * float(ends[end - begin]), float(inside[words].mean()))


def _lines(words: range, lines: Sequence[int]) -> Iterator[list[int]]:
    for _, together in groupby(words, key=lambda word: lines[word]):
        yield list(together)


def _kept(line: Sequence[int], inside: Floats, edges: tuple[int, int]) -> Sequence[int]:
    """The part of a line that belongs to a value: a neighbour column is left out before or behind it, no word between
    two others."""
    belong = [place for place, word in enumerate(line) if word in edges or inside[word] >= OUTSIDE]
    return line[belong[0] : belong[-1] + 1] if belong else ()


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
