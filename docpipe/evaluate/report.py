"""The whole evaluation: every labelled document against its result, and the figures over all of them.

In: labelled documents, result lines, the schema. Out: an `Evaluation` with verdicts, scores and a JSON form.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from docpipe.evaluate.compare import Outcome, judge, label_conventions, typed, wanted
from docpipe.evaluate.grounding import is_grounded
from docpipe.evaluate.labels import Labelled, Leaf, Result, pair_up
from docpipe.evaluate.rows import ListScore, RowPair, score_rows
from docpipe.evaluate.scores import Calibration, Counts, Score, Scores, calibrate, score
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions

Trouble = str  # "failed" or "missing"
NO_ANSWER = Leaf(None)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged field of one document. `grounded` is None unless the answer is right and the label
    knows where the value is printed.
    """

    file: str
    path: str
    outcome: Outcome
    label: object
    leaf: Leaf
    grounded: bool | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One document: its verdicts on single fields, its lists, and why it has no answers if it has none."""

    document: Labelled
    result: Result | None
    verdicts: tuple[Verdict, ...]
    lists: Mapping[str, ListScore] = field(default_factory=dict)
    unlabelled: tuple[str, ...] = ()

    @property
    def trouble(self) -> Trouble | None:
        if self.result is None:
            return "missing"
        return "failed" if self.result.status == "failed" else None

    def mistakes(self) -> Iterator[Verdict]:
        """Everything that is not right, single fields first, then the cells of lists."""
        yield from (verdict for verdict in self.verdicts if verdict.outcome != "right")
        for path, found in self.lists.items():
            for cell in found.cells:
                if cell.outcome != "right":
                    place = f"{path}[{cell.row}].{cell.column}"
                    yield Verdict(self.document.file, place, cell.outcome, cell.label, cell.leaf)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`scores` are the single fields (micro and macro over them), `rows` the lists by row, `cells` their
    columns. `not_scored` are label names that the schema does not have, `unlabelled` counts answers
    about which the labels say nothing.
    """

    documents: tuple[Judged, ...]
    scores: Scores
    rows: Mapping[str, Score]
    cells: Scores
    calibration: Calibration
    grounded: int
    groundable: int
    not_scored: tuple[str, ...]
    unlabelled: Mapping[str, int]

    @property
    def missing(self) -> list[str]:
        return [judged.document.file for judged in self.documents if judged.trouble == "missing"]

    @property
    def failed(self) -> list[str]:
        return [judged.document.file for judged in self.documents if judged.trouble == "failed"]

    def to_json(self) -> dict[str, object]:
        return {
            "documents": len(self.documents),
            "failed": self.failed,
            "missing": self.missing,
            "micro": self.scores.micro.to_json(),
            "macro": self.scores.macro.to_json(),
            "fields": {path: each.to_json() for path, each in self.scores.fields.items()},
            "rows": {path: each.to_json() for path, each in self.rows.items()},
            "cells": {path: each.to_json() for path, each in self.cells.fields.items()},
            "calibration": self.calibration.to_json(),
            "grounding": {"right_values": self.groundable, "evidence_on_them": self.grounded},
            "not_scored": list(self.not_scored),
            "unlabelled": dict(self.unlabelled),
        }


def evaluate(
    documents: Sequence[Labelled],
    results: Sequence[Result],
    schema: Schema,
    *,
    fields: Sequence[str] = (),
    only_visible: bool = False,
) -> Evaluation:
    """Score every labelled document. `fields` narrows the scoring to these paths (a list by its name);
    `only_visible` leaves out values that their label says are not printed.
    """
    singles = {spec.path: spec for spec in schema.fields if spec.list_path is None}
    chosen = set(fields) or {*singles, *schema.lists()}
    judged = []
    pairs = zip(pair_up(documents, results), label_conventions(schema, documents), strict=True)
    for (document, result), conventions in pairs:
        wanted_paths = chosen - (_hidden(document, result, singles) if only_visible else set())
        judged.append(
            Judged(
                document,
                result,
                tuple(_verdicts(document, result, _only(singles, wanted_paths), conventions)),
                _list_scores(document, result, _only(schema.lists(), wanted_paths), conventions),
                tuple(path for path in _only(singles, chosen) if _is_beyond_label(path, document, result)),
            )
        )
    return _summed_up(judged, schema)


_T = TypeVar("_T")


def _only(entries: Mapping[str, _T], paths: Collection[str]) -> dict[str, _T]:
    """In the order of the schema."""
    return {path: entry for path, entry in entries.items() if path in paths}


def _verdicts(
    document: Labelled, result: Result | None, specs: Mapping[str, FieldSpec], conventions: Conventions
) -> Iterator[Verdict]:
    for path, spec in specs.items():
        if path not in document.values:
            continue
        want = wanted(spec, document.values[path], conventions)
        leaf = NO_ANSWER if result is None else result.leaf(path)
        outcome = judge(spec, want, leaf)
        if outcome is not None:
            grounded = is_grounded(leaf, document.words) if outcome == "right" else None
            yield Verdict(document.file, path, outcome, want.label, leaf, grounded)


def _list_scores(
    document: Labelled, result: Result | None, lists: Mapping[str, tuple[FieldSpec, ...]], conventions: Conventions
) -> dict[str, ListScore]:
    """A document whose label does not speak of a list is not scored on it."""
    scores = {}
    for path, specs in lists.items():
        if path in document.rows:
            columns = {spec.path.rpartition("[].")[2]: spec for spec in specs}
            answers = [] if result is None else result.rows(path)
            scores[path] = score_rows(columns, document.rows[path], answers, conventions)
    return scores


def _is_beyond_label(path: str, document: Labelled, result: Result | None) -> bool:
    return result is not None and path not in document.values and result.leaf(path).value is not None


def _hidden(document: Labelled, result: Result | None, singles: Mapping[str, FieldSpec]) -> set[str]:
    """What the label says is not printed: a single field marked false, a list of which not every row is
    named, and a zero amount that nothing is said about and nothing answers (nobody prints `prepaid 0.00`).
    """
    hidden = {path for path, seen in document.visible.items() if seen is False}
    for path in document.rows:
        named, rows = document.visible.get(f"{path}_named"), document.visible.get(path)
        if named != rows:
            hidden.add(path)
    for path, label in document.values.items():
        if path in singles and path not in document.visible and singles[path].kind.column == "decimal":
            answered = result is not None and result.leaf(path).value is not None
            if not answered and typed("decimal", label) == Decimal(0):
                hidden.add(path)
    return hidden


def _summed_up(judged: Sequence[Judged], schema: Schema) -> Evaluation:
    verdicts = [verdict for each in judged for verdict in each.verdicts]
    cells = [cell for each in judged for found in each.lists.values() for cell in found.cells]
    lists = {path for each in judged for path in each.lists}
    pairs = [(v.leaf, v.outcome) for v in verdicts] + [(cell.leaf, cell.outcome) for cell in cells]
    answers = [(leaf, outcome) for leaf, outcome in pairs if outcome != "missed"]
    known = {spec.path for spec in schema.fields} | set(schema.lists())
    labelled = dict.fromkeys(path for each in judged for path in [*each.document.values, *each.document.rows])
    return Evaluation(
        documents=tuple(judged),
        scores=score([_counted((v.path, v.outcome) for v in each.verdicts) for each in judged]),
        rows={path: _row_score(path, judged) for path in schema.lists() if path in lists},
        cells=score([_counted(_named_cells(each)) for each in judged]),
        calibration=calibrate([(leaf.confidence, leaf.accepted, outcome == "right") for leaf, outcome in answers]),
        grounded=sum(verdict.grounded is True for verdict in verdicts),
        groundable=sum(verdict.grounded is not None for verdict in verdicts),
        not_scored=tuple(path for path in labelled if path not in known),
        unlabelled=Counter(path for each in judged for path in each.unlabelled),
    )


def _named_cells(each: Judged) -> Iterator[tuple[str, Outcome]]:
    for path, found in each.lists.items():
        for cell in found.cells:
            yield f"{path}[].{cell.column}", cell.outcome


def _counted(outcomes: Iterable[tuple[str, Outcome]]) -> dict[str, Counts]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for path, outcome in outcomes:
        counted[path][outcome] += 1
    return {path: Counts(**counts) for path, counts in counted.items()}


def _row_score(path: str, judged: Sequence[Judged]) -> Score:
    """Rows as counts: a matched row that is not right is wrong, the rest are missed or spurious."""
    documents = []
    for each in judged:
        if path in each.lists:
            pairs = each.lists[path].pairs
            outcomes = [_row_outcome(pair) for pair in pairs]
            documents.append(_counted((path, outcome) for outcome in outcomes))
    return score(documents).fields.get(path, Score(Counts(), None))


def _row_outcome(pair: RowPair) -> Outcome:
    if pair.answer is None:
        return "missed"
    if pair.label is None:
        return "spurious"
    return "right" if pair.right else "wrong"
