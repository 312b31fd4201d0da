"""Lists: which answered row answers which labelled row, and whether it is right.

In: labelled rows, answered rows, the list's columns. Out: `RowPair`s and an outcome for every cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from docpipe.evaluate.compare import Outcome, Wanted, agrees, judge, label_text, letters_and_digits, wanted
from docpipe.evaluate.labels import Leaf, Row
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions

# a row of goods is right when these agree; any other list is compared in all columns that its labels have
GOODS_COLUMNS = ("description", "quantity", "amount")
# below this (a description that is 0.6 similar and no figure) two rows have nothing in common
MIN_ROW_WORTH = 0.3
# rows that are equally alike match in their order; small enough never to outweigh half a letter of a description
ORDER_WORTH = 1e-4

WantedRow = Mapping[str, Wanted]
AnswerRow = Mapping[str, Leaf]
NOTHING = Leaf(None)


@dataclass(frozen=True, slots=True)
class RowPair:
    """One labelled row and the answered row that was matched with it (either may be None)."""

    label: int | None
    answer: int | None
    right: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One judged cell. `row` counts answered rows from 0 where there is one, else labelled rows."""

    row: int
    column: str
    outcome: Outcome
    label: object
    leaf: Leaf


@dataclass(frozen=True, slots=True)
class ListScore:
    pairs: tuple[RowPair, ...]
    cells: tuple[Cell, ...]


def score_rows(
    columns: Mapping[str, FieldSpec], labels: Sequence[Row], answers: Sequence[AnswerRow], conventions: Conventions
) -> ListScore:
    """Match the rows one to one so that as many cells as possible agree, then judge rows and cells."""
    wants = [{name: wanted(spec, row.get(name), conventions) for name, spec in columns.items()} for row in labels]
    labelled = [name for name in columns if any(not row[name].absent for row in wants)]
    keys = _key_columns(columns, labelled)
    pairs = []
    for row, column in _best_matching(columns, wants, answers):
        right = all(_cell_right(columns[key], wants[row][key], answers[column].get(key, NOTHING)) for key in keys)
        pairs.append(RowPair(row, column, right and bool(keys)))
    taken_labels, taken_answers = {pair.label for pair in pairs}, {pair.answer for pair in pairs}
    pairs += [RowPair(row, None) for row in range(len(wants)) if row not in taken_labels]
    pairs += [RowPair(None, column) for column in range(len(answers)) if column not in taken_answers]
    return ListScore(tuple(pairs), tuple(_cells({name: columns[name] for name in labelled}, wants, answers, pairs)))


def _key_columns(columns: Mapping[str, FieldSpec], labelled: Sequence[str]) -> list[str]:
    if {"description", "amount"} <= set(columns):
        return [name for name in GOODS_COLUMNS if name in labelled]
    return list(labelled)


def _best_matching(
    columns: Mapping[str, FieldSpec], wants: Sequence[WantedRow], answers: Sequence[AnswerRow]
) -> Iterator[tuple[int, int]]:
    """The Hungarian method: a greedy choice would pair the first of two rows with the same price wrongly."""
    from scipy.optimize import linear_sum_assignment  # heavy: 0.2 s, and only lists need it

    worth = np.zeros((len(wants), len(answers)))
    for row, want in enumerate(wants):
        for column, answer in enumerate(answers):
            apart = abs(row - column) / max(len(wants), len(answers))
            worth[row, column] = _row_worth(columns, want, answer) - ORDER_WORTH * apart
    for row, column in zip(*linear_sum_assignment(worth, maximize=True), strict=True):
        if worth[row, column] >= MIN_ROW_WORTH:
            yield int(row), int(column)


def _row_worth(columns: Mapping[str, FieldSpec], wants: WantedRow, answer: AnswerRow) -> float:
    """Agreeing cells count 1; a text that is not similar enough counts half its similarity."""
    worth = 0.0
    for name, spec in columns.items():
        want, leaf = wants[name], answer.get(name, NOTHING)
        if want.absent or leaf.value is None:
            continue
        if agrees(spec, want, leaf):
            worth += 1.0
        elif spec.kind.column == "text":
            worth += fuzz.ratio(letters_and_digits(label_text(want.label)), letters_and_digits(str(leaf.value))) / 200
    return worth


def _cell_right(spec: FieldSpec, want: Wanted, leaf: Leaf) -> bool:
    """In a row, a cell that the label leaves open cannot make the row wrong."""
    return want.absent or judge(spec, want, leaf) == "right"


def _cells(
    columns: Mapping[str, FieldSpec], wants: Sequence[WantedRow], answers: Sequence[AnswerRow], pairs: Sequence[RowPair]
) -> Iterator[Cell]:
    """Every labelled cell; a spurious row's cells too, but not what a row answers beyond its label."""
    for pair in pairs:
        for name, spec in columns.items():
            leaf = NOTHING if pair.answer is None else answers[pair.answer].get(name, NOTHING)
            want = Wanted(None, (), frozenset()) if pair.label is None else wants[pair.label][name]
            if pair.label is not None and want.absent:
                continue
            outcome = judge(spec, want, leaf)
            if outcome is not None:
                row = pair.answer if pair.answer is not None else pair.label
                yield Cell(row or 0, name, outcome, want.label, leaf)
