"""The whole evaluation: every labelled document against its result, and the figures over all of them.

In: labelled documents, result lines, the schema. Out: an `Evaluation` with comparisons, scores and a JSON form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeVar

from docpipe.evaluate.compare import MatchOutcome, expected_value, label_conventions, match_outcome, typed_value
from docpipe.evaluate.grounding import is_grounded
from docpipe.evaluate.labels import NO_PREDICTION, LabelledDocument, ResultField, ResultLine, pair_with_results
from docpipe.evaluate.rows import CellComparison, ListScore, score_rows
from docpipe.evaluate.scores import (
    CalibrationReport,
    Counts,
    Score,
    ScoredAnswer,
    Scores,
    calibration_report,
    score_documents,
)
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions

NoResultReason = Literal["failed", "missing"]  # docpipe could not process the document; the results have no line for it


@dataclass(frozen=True, slots=True)
class FieldComparison:
    """One scored field of one document. `grounded` is None unless the answer is right and the label
    knows where the value is printed.
    """

    file: str
    path: str
    outcome: MatchOutcome
    label: object
    prediction: ResultField
    grounded: bool | None = None


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """One document: its single fields, its lists, and the paths of answers that the label says nothing about."""

    document: LabelledDocument
    result: ResultLine | None
    comparisons: tuple[FieldComparison, ...]
    lists: Mapping[str, ListScore] = field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()

    @property
    def failure(self) -> NoResultReason | None:
        if self.result is None:
            return "missing"
        return "failed" if self.result.status == "failed" else None

    def mistakes(self) -> Iterator[FieldComparison]:
        """Everything that is not right, single fields first, then the cells of lists."""
        yield from (comparison for comparison in self.comparisons if comparison.outcome != "right")
        for path, list_score in self.lists.items():
            for cell in list_score.cells:
                if cell.outcome != "right":
                    cell_path = str(FieldPath(path, cell.row, cell.column))
                    yield FieldComparison(self.document.file, cell_path, cell.outcome, cell.label, cell.prediction)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`scores` are the single fields (micro and macro over them), `rows` the lists by row, `cells` their
    columns. `not_scored` are label names that the schema does not have, `unlabelled` counts answers
    about which the labels say nothing.
    """

    documents: tuple[ScoredDocument, ...]
    scores: Scores
    rows: Mapping[str, Score]
    cells: Scores
    calibration: CalibrationReport
    grounded: int
    groundable: int
    not_scored: tuple[str, ...]
    unlabelled: Mapping[str, int]

    @property
    def missing(self) -> list[str]:
        return [scored.document.file for scored in self.documents if scored.failure == "missing"]

    @property
    def failed(self) -> list[str]:
        return [scored.document.file for scored in self.documents if scored.failure == "failed"]

    def to_json(self) -> dict[str, object]:
        return {
            "documents": len(self.documents),
            "failed": self.failed,
            "missing": self.missing,
            "micro": self.scores.micro.to_json(),
            "macro": self.scores.macro.to_json(),
            "fields": {path: score.to_json() for path, score in self.scores.fields.items()},
            "rows": {path: score.to_json() for path, score in self.rows.items()},
            "cells": {path: score.to_json() for path, score in self.cells.fields.items()},
            "calibration": self.calibration.to_json(),
            "grounding": {"right_values": self.groundable, "evidence_on_them": self.grounded},
            "not_scored": list(self.not_scored),
            "unlabelled": dict(self.unlabelled),
        }


def evaluate(
    documents: Sequence[LabelledDocument],
    results: Sequence[ResultLine],
    schema: Schema,
    *,
    fields: Sequence[str] = (),
    only_visible: bool = False,
) -> Evaluation:
    """Score every labelled document. `fields` narrows the scoring to these paths (a list by its name);
    `only_visible` leaves out values that their label says are not printed.
    """
    single_fields = {spec.path: spec for spec in schema.fields if spec.list_path is None}
    scored_paths = set(fields) or {*single_fields, *schema.lists()}
    scored = []
    pairs = zip(pair_with_results(documents, results), label_conventions(schema, documents), strict=True)
    for (document, result), conventions in pairs:
        document_paths = scored_paths - (_not_printed(document, result, single_fields) if only_visible else set())
        specs, lists = _select(single_fields, document_paths), _select(schema.lists(), document_paths)
        candidates = _select(single_fields, scored_paths)
        scored.append(
            ScoredDocument(
                document,
                result,
                tuple(_comparisons(document, result, specs, conventions)),
                _list_scores(document, result, lists, conventions),
                tuple(path for path in candidates if _is_unlabelled(path, document, result)),
            )
        )
    return _evaluation_of(scored, schema)


_T = TypeVar("_T")


def _select(entries: Mapping[str, _T], paths: Collection[str]) -> dict[str, _T]:
    """In the order of the schema."""
    return {path: entry for path, entry in entries.items() if path in paths}


def _comparisons(
    document: LabelledDocument, result: ResultLine | None, specs: Mapping[str, FieldSpec], conventions: Conventions
) -> Iterator[FieldComparison]:
    for path, spec in specs.items():
        if path not in document.values:
            continue
        expected = expected_value(spec, document.values[path], conventions)
        prediction = NO_PREDICTION if result is None else result.prediction(path)
        outcome = match_outcome(spec, expected, prediction)
        if outcome is not None:
            grounded = is_grounded(prediction, document.words) if outcome == "right" else None
            yield FieldComparison(document.file, path, outcome, expected.label, prediction, grounded)


def _list_scores(
    document: LabelledDocument,
    result: ResultLine | None,
    lists: Mapping[str, tuple[FieldSpec, ...]],
    conventions: Conventions,
) -> dict[str, ListScore]:
    """A document whose label does not speak of a list is not scored on it."""
    scores = {}
    for path, specs in lists.items():
        if specs[0].is_plain_value:
            labels = document.plain_values(path)
            if labels is not None:
                answers = [] if result is None else result.plain_values(path)
                scores[path] = score_rows({"": specs[0]}, labels, answers, conventions)
        elif path in document.rows:
            columns = {FieldPath.parse(spec.path).leaf: spec for spec in specs}
            predictions = [] if result is None else result.rows(path)
            scores[path] = score_rows(columns, document.rows[path], predictions, conventions)
    return scores


def _is_unlabelled(path: str, document: LabelledDocument, result: ResultLine | None) -> bool:
    return result is not None and path not in document.values and result.prediction(path).value is not None


def _not_printed(
    document: LabelledDocument, result: ResultLine | None, single_fields: Mapping[str, FieldSpec]
) -> set[str]:
    """What the label says is not printed: a single field marked false, a list of which not every row is
    named, and a zero amount that nothing is said about and nothing answers (nobody prints `prepaid 0.00`).
    """
    paths = {path for path, is_visible in document.visible.items() if is_visible is False}
    for path in document.rows:
        printed_rows, all_rows = document.visible.get(f"{path}_named"), document.visible.get(path)
        if printed_rows != all_rows:
            paths.add(path)
    for path, label in document.values.items():
        if path in single_fields and path not in document.visible and single_fields[path].kind.column == "decimal":
            is_answered = result is not None and result.prediction(path).value is not None
            if not is_answered and typed_value("decimal", label) == Decimal(0):
                paths.add(path)
    return paths


def _evaluation_of(scored: Sequence[ScoredDocument], schema: Schema) -> Evaluation:
    comparisons = [comparison for document in scored for comparison in document.comparisons]
    cells = [cell for document in scored for list_score in document.lists.values() for cell in list_score.cells]
    lists = {path for document in scored for path in document.lists}
    compared: list[FieldComparison | CellComparison] = [*comparisons, *cells]
    answers = [
        ScoredAnswer(answer.prediction.confidence, answer.prediction.accepted, answer.outcome == "right")
        for answer in compared
        if answer.outcome != "missed"
    ]
    known = {spec.path for spec in schema.fields} | set(schema.lists())
    labelled = dict.fromkeys(
        path for document in scored for path in [*document.document.values, *document.document.rows]
    )
    return Evaluation(
        documents=tuple(scored),
        scores=score_documents([_counts_by_path(_field_outcomes(document)) for document in scored]),
        rows={path: _row_score(path, scored) for path in schema.lists() if path in lists},
        cells=score_documents([_counts_by_path(_cell_outcomes(document)) for document in scored]),
        calibration=calibration_report(answers),
        grounded=sum(comparison.grounded is True for comparison in comparisons),
        groundable=sum(comparison.grounded is not None for comparison in comparisons),
        not_scored=tuple(path for path in labelled if path not in known),
        unlabelled=Counter(path for document in scored for path in document.unlabelled),
    )


def _field_outcomes(document: ScoredDocument) -> Iterator[tuple[str, MatchOutcome]]:
    for comparison in document.comparisons:
        yield comparison.path, comparison.outcome


def _cell_outcomes(document: ScoredDocument) -> Iterator[tuple[str, MatchOutcome]]:
    for path, list_score in document.lists.items():
        for cell in list_score.cells:
            yield str(FieldPath(path, None, cell.column)), cell.outcome


def _counts_by_path(outcomes: Iterable[tuple[str, MatchOutcome]]) -> dict[str, Counts]:
    counters: dict[str, Counter[str]] = defaultdict(Counter)
    for path, outcome in outcomes:
        counters[path][outcome] += 1
    return {path: Counts(**counts) for path, counts in counters.items()}


def _row_score(path: str, scored: Sequence[ScoredDocument]) -> Score:
    """Rows as counts: a matched row that is not right is wrong, the rest are missed or spurious."""
    counts = [
        _counts_by_path((path, pair.outcome) for pair in document.lists[path].pairs)
        for document in scored
        if path in document.lists
    ]
    return score_documents(counts).fields.get(path, Score(Counts(), None))
