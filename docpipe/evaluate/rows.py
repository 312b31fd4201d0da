"""Lists: which predicted row belongs to which labelled row, and whether it is right.

In: labelled rows, predicted rows, the list's columns. Out: `RowPair`s and an outcome for every cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz import fuzz

from docpipe.evaluate.compare import (
    ExpectedValue,
    MatchOutcome,
    expected_value,
    is_right,
    label_text,
    letters_and_digits,
    match_outcome,
)
from docpipe.evaluate.labels import NO_PREDICTION, LabelRow, ResultField
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions

# a row of goods is right when these agree; any other list is compared in all columns that its labels have
GOODS_COLUMNS = ("description", "quantity", "amount")
# below this (a description that is 0.6 similar and no figure) two rows have nothing in common
MIN_ROW_SIMILARITY = 0.3
# rows that are equally alike match in their order; small enough never to outweigh half a letter of a description
ORDER_PENALTY = 1e-4

ExpectedRow = Mapping[str, ExpectedValue]
ResultRow = Mapping[str, ResultField]


@dataclass(frozen=True, slots=True)
class RowPair:
    """A labelled row and the predicted row that was matched with it, by their numbers (either may be None)."""

    label: int | None
    prediction: int | None
    right: bool = False

    @property
    def outcome(self) -> MatchOutcome:
        if self.prediction is None:
            return "missed"
        if self.label is None:
            return "spurious"
        return "right" if self.right else "wrong"


@dataclass(frozen=True, slots=True)
class CellComparison:
    """One compared cell. `row` counts predicted rows from 0 where there is one, else labelled rows."""

    row: int
    column: str
    outcome: MatchOutcome
    label: object
    prediction: ResultField


@dataclass(frozen=True, slots=True)
class ListScore:
    """How the rows of one list were matched, and the cells that were compared."""

    pairs: tuple[RowPair, ...]
    cells: tuple[CellComparison, ...]


def score_rows(
    columns: Mapping[str, FieldSpec],
    labels: Sequence[LabelRow],
    predicted_rows: Sequence[ResultRow],
    conventions: Conventions,
) -> ListScore:
    """Match the rows one to one so that as many cells as possible agree, then compare rows and cells."""
    expected_rows = [
        {name: expected_value(spec, row.get(name), conventions) for name, spec in columns.items()} for row in labels
    ]
    labelled_columns = [name for name in columns if any(not row[name].is_absent for row in expected_rows)]
    key_columns = _key_columns(columns, labelled_columns)
    pairs = []
    for row, column in _match_rows(columns, expected_rows, predicted_rows):
        right = all(
            _is_cell_right(columns[key], expected_rows[row][key], predicted_rows[column].get(key, NO_PREDICTION))
            for key in key_columns
        )
        pairs.append(RowPair(row, column, right and bool(key_columns)))
    matched_labels, matched_predictions = {pair.label for pair in pairs}, {pair.prediction for pair in pairs}
    pairs += [RowPair(row, None) for row in range(len(expected_rows)) if row not in matched_labels]
    pairs += [RowPair(None, column) for column in range(len(predicted_rows)) if column not in matched_predictions]
    compared = {name: columns[name] for name in labelled_columns}
    return ListScore(tuple(pairs), tuple(_compare_cells(compared, expected_rows, predicted_rows, pairs)))


def _key_columns(columns: Mapping[str, FieldSpec], labelled: Sequence[str]) -> list[str]:
    if {"description", "amount"} <= set(columns):
        return [name for name in GOODS_COLUMNS if name in labelled]
    return list(labelled)


def _match_rows(
    columns: Mapping[str, FieldSpec], expected_rows: Sequence[ExpectedRow], predicted_rows: Sequence[ResultRow]
) -> Iterator[tuple[int, int]]:
    """The Hungarian method: a greedy choice would pair the first of two rows with the same price wrongly."""
    from scipy.optimize import linear_sum_assignment  # heavy: 0.2 s, and only lists need it

    similarities = np.zeros((len(expected_rows), len(predicted_rows)))
    for row, expected_row in enumerate(expected_rows):
        for column, predicted_row in enumerate(predicted_rows):
            distance = abs(row - column) / max(len(expected_rows), len(predicted_rows))
            similarities[row, column] = _row_similarity(columns, expected_row, predicted_row) - ORDER_PENALTY * distance
    for row, column in zip(*linear_sum_assignment(similarities, maximize=True), strict=True):
        if similarities[row, column] >= MIN_ROW_SIMILARITY:
            yield int(row), int(column)


def _row_similarity(columns: Mapping[str, FieldSpec], expected_row: ExpectedRow, predicted_row: ResultRow) -> float:
    """Agreeing cells count 1; a text that is not similar enough counts half its similarity."""
    similarity = 0.0
    for name, spec in columns.items():
        expected, prediction = expected_row[name], predicted_row.get(name, NO_PREDICTION)
        if expected.is_absent or prediction.value is None:
            continue
        if is_right(spec, expected, prediction):
            similarity += 1.0
        elif spec.kind.column == "text":
            label = letters_and_digits(label_text(expected.label))
            similarity += fuzz.ratio(label, letters_and_digits(str(prediction.value))) / 200
    return similarity


def _is_cell_right(spec: FieldSpec, expected: ExpectedValue, prediction: ResultField) -> bool:
    """In a row, a cell that the label leaves open cannot make the row wrong."""
    return expected.is_absent or match_outcome(spec, expected, prediction) == "right"


def _compare_cells(
    columns: Mapping[str, FieldSpec],
    expected_rows: Sequence[ExpectedRow],
    predicted_rows: Sequence[ResultRow],
    pairs: Sequence[RowPair],
) -> Iterator[CellComparison]:
    """Every labelled cell; a spurious row's cells too, but not what a row answers beyond its label."""
    for pair in pairs:
        for name, spec in columns.items():
            prediction = (
                NO_PREDICTION if pair.prediction is None else predicted_rows[pair.prediction].get(name, NO_PREDICTION)
            )
            expected = ExpectedValue(None, (), frozenset()) if pair.label is None else expected_rows[pair.label][name]
            if pair.label is not None and expected.is_absent:
                continue
            outcome = match_outcome(spec, expected, prediction)
            if outcome is not None:
                row = pair.prediction if pair.prediction is not None else pair.label
                yield CellComparison(row or 0, name, outcome, expected.label, prediction)
