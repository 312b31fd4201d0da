"""Span extraction: logits become spans of words with probabilities, for single fields and for the rows of a list.

In: numpy logits of one page (N words). Out: `ScoredSpan`s, best first. No torch, no schema: only numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from docpipe.vlm.inputs import END, INSIDE, START, Float32Array

MAX_SPAN_WORDS = 48  # words of the longest value (an address over several lines, payment terms)
MAX_STARTS = 8  # places where a value may start that are followed up
MIN_START_PROBABILITY = 0.004  # below it a place is not followed up: 25 such would be one tenth
# The next two were chosen on drawn documents that training had not seen (seeds from 900000), never on real ones.
MIN_INSIDE = 0.1  # words of a span that are less likely inside are left out (a neighbour column in an address)
INSIDE_WEIGHT = 0.2  # weight of "its words are inside, those beside it are not" beside "it starts and ends here"
CELL_THRESHOLD = 0.5  # a cell starts here
SELF_AFFINITY = 10.0  # logit of a word with itself
SAME_LINE_BONUS = 4.0  # logit that a line of print adds between its own words: the reader has deskewed it, boxes may
# lie askew. Of 0, 2, 4 and 8 on worn receipts (`docpipe.samples --many 100 --schema receipt --seed 700000 --worn`, then
# `run` and `evaluate`): .815, .831, .839, .845 of rows. 8 overrules the network whatever it says.
ALTERNATIVE_THRESHOLD = 0.08  # a second reading of a cell that the rules may prefer


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    words: tuple[int, ...]  # indexes in reading order
    score: float  # probability 0-1
    inside: float  # mean probability that its words are inside the value


@dataclass(frozen=True, slots=True)
class FieldSpans:
    """Of a field that does not repeat."""

    spans: list[ScoredSpan]  # best first
    no_answer: float  # probability that it has no value here


@dataclass(frozen=True, slots=True)
class _ColumnSpan:
    """A possible cell of a list."""

    column: str
    span: ScoredSpan


def decode_field(span_logits: Float32Array, no_answer_logit: float, lines: Sequence[int]) -> FieldSpans:
    """span_logits [3, N]; lines: each word's line of print."""
    inside = _sigmoid(span_logits[INSIDE])
    start = span_logits[START] + _log_outside(np.concatenate([np.zeros(1, np.float32), inside[:-1]]))
    probabilities = _softmax(np.concatenate([np.array([no_answer_logit], np.float32), start]))
    starts = np.argsort(-probabilities[1:])[:MAX_STARTS]
    spans = [
        replace(span, score=float(probabilities[1 + word]) * span.score)
        for word in starts
        if probabilities[1 + word] >= MIN_START_PROBABILITY
        for span in [_best_span(span_logits, inside, int(word), lines)]
    ]
    return FieldSpans(sorted(spans, key=lambda span: -span.score), float(probabilities[0]))


def decode_rows(
    columns: Mapping[str, Float32Array], same_row_logits: Float32Array, lines: Sequence[int]
) -> list[dict[str, list[ScoredSpan]]]:
    """columns: list field -> span logits [3, N]; same_row_logits [N, N]: two words start cells of the same row.
    -> the rows in reading order, each with the spans per column, best first.

    Sure cells make the rows, one after the other in reading order: a cell joins the row that it belongs to most, or
    opens one. A second cell of a column in one row is another reading of it, and so is every unsure cell."""
    rows: list[dict[str, list[ScoredSpan]]] = []
    row_starts: list[list[int]] = []  # of each row: the first words of its sure cells
    for cell in _cells(columns, lines):
        start = cell.span.words[0]
        affinities = [_affinity(same_row_logits, start, starts, lines) for starts in row_starts]
        row = int(np.argmax(affinities)) if affinities else -1
        joins = row >= 0 and affinities[row] > 0.0
        if cell.span.score < CELL_THRESHOLD:
            if joins:
                rows[row].setdefault(cell.column, []).append(cell.span)
            continue
        if not joins:
            rows.append({})
            row_starts.append([])
            row = len(rows) - 1
        rows[row].setdefault(cell.column, []).append(cell.span)
        row_starts[row].append(start)
    for cells in rows:
        for spans in cells.values():
            spans.sort(key=lambda span: -span.score)
    order = sorted(range(len(rows)), key=lambda row: min(row_starts[row]))
    return [rows[row] for row in order]


def _cells(columns: Mapping[str, Float32Array], lines: Sequence[int]) -> list[_ColumnSpan]:
    """Of all columns: the sure ones first, then in reading order."""
    cells = [_ColumnSpan(name, span) for name, logits in columns.items() for span in _cell_spans(logits, lines)]
    starts = {(cell.span.words[0], cell.column) for cell in cells if cell.span.score >= CELL_THRESHOLD}
    cells = [
        replace(cell, span=_without(cell.span, {word for word, column in starts if column != cell.column}))
        for cell in cells
    ]
    return sorted(cells, key=lambda cell: (cell.span.score < CELL_THRESHOLD, cell.span.words[0], -cell.span.score))


def _without(span: ScoredSpan, other_cells: Set[int]) -> ScoredSpan:
    """A cell ends where one of another column surely starts: the number behind the first line of a description."""
    first, *rest = span.words
    return replace(span, words=(first, *(word for word in rest if word not in other_cells)))


def _affinity(same_row_logits: Float32Array, start: int, row_starts: Sequence[int], lines: Sequence[int]) -> float:
    """Mean over the cells of a row; a word that starts two columns belongs to itself."""
    return float(
        np.mean([
            SELF_AFFINITY if start == other
            else same_row_logits[start, other] + SAME_LINE_BONUS * (lines[start] == lines[other])
            for other in row_starts
        ])
    )  # fmt: skip


def _cell_spans(span_logits: Float32Array, lines: Sequence[int]) -> list[ScoredSpan]:
    """A span for each word that may start a cell. It ends before the next sure one, unless that is a word of the same
    line which the span holds more surely than another starts there: the `262,00` of `1 262,00` looks like a start, too.
    What starts inside of another is then as likely as that other is not."""
    probabilities, inside = _sigmoid(span_logits[START]), _sigmoid(span_logits[INSIDE])
    starts = [int(word) for word in np.flatnonzero(probabilities >= ALTERNATIVE_THRESHOLD)]
    sure_starts = [word for word in starts if probabilities[word] >= CELL_THRESHOLD]

    def span_before(start: int, stop: int) -> ScoredSpan:
        span = _best_span(span_logits, inside, start, lines[:stop])
        return replace(span, score=float(probabilities[start]) * span.score)

    spans = []
    held_by: dict[int, float] = {}
    for start in starts:
        following = [word for word in sure_starts if word > start]
        span = span_before(start, following[0] if following else len(probabilities))
        if following and lines[following[0]] == lines[start]:
            below = (word for word in following if lines[word] != lines[start])
            whole = span_before(start, next(below, len(probabilities)))
            held = [word for word in following if word in whole.words]
            if held and all(probabilities[word] <= whole.score for word in held):
                span = whole
                held_by |= dict.fromkeys(held, whole.score)
        spans.append(replace(span, score=span.score * (1.0 - held_by.get(start, 0.0))))
    return spans


def _best_span(span_logits: Float32Array, inside: Float32Array, start: int, lines: Sequence[int]) -> ScoredSpan:
    """The best end for this start, with the probability of the end: it is likely where the end logit is high, all words
    up to it are inside, and the next one is not. `lines` ends where the value must."""
    stop = min(start + MAX_SPAN_WORDS, len(lines))
    log_inside = INSIDE_WEIGHT * np.cumsum(np.log(np.clip(inside[start:stop], MIN_INSIDE, 1.0)))
    next_inside = np.concatenate([inside, np.zeros(1, np.float32)])[start + 1 : stop + 1]
    ends = _softmax((span_logits[END, start:stop] + log_inside + _log_outside(next_inside)).astype(np.float32))
    end = start + int(np.argmax(ends))
    words = [word for line in _by_line(range(start, end + 1), lines) for word in _trimmed(line, inside, {start, end})]
    return ScoredSpan(tuple(words), float(ends[end - start]), float(inside[words].mean()))


def _by_line(words: range, lines: Sequence[int]) -> Iterator[list[int]]:
    for _, line in groupby(words, key=lambda word: lines[word]):
        yield list(line)


def _trimmed(line: Sequence[int], inside: Float32Array, edges: Set[int]) -> Sequence[int]:
    """The part of a line that is of a value: a neighbour column is left out before or behind it, no word between two
    others."""
    places = [place for place, word in enumerate(line) if word in edges or inside[word] >= MIN_INSIDE]
    return line[places[0] : places[-1] + 1] if places else ()


def _log_outside(inside: Float32Array) -> Float32Array:
    """What the words beside a value say about its edges: little when they are not inside it."""
    log_outside: Float32Array = INSIDE_WEIGHT * np.log(np.clip(1.0 - inside, MIN_INSIDE, 1.0))
    return log_outside


def merge_equal_texts(spans: Sequence[ScoredSpan], texts: Sequence[str]) -> list[ScoredSpan]:
    """A value printed twice is one answer: probabilities of equal texts add up, at the place that is likeliest.
    `spans` come best first."""
    merged: dict[str, ScoredSpan] = {}
    for span, text in zip(spans, texts, strict=True):
        best = merged.get(text, replace(span, score=0.0))
        merged[text] = replace(best, score=min(span.score + best.score, 1.0))
    return sorted(merged.values(), key=lambda span: -span.score)


def _softmax(logits: Float32Array) -> Float32Array:
    powers = np.exp(logits - logits.max())
    shares: Float32Array = powers / powers.sum()
    return shares


def _sigmoid(logits: Float32Array) -> Float32Array:
    probabilities: Float32Array = (1.0 / (1.0 + np.exp(-np.clip(logits, -30.0, 30.0)))).astype(np.float32)
    return probabilities
