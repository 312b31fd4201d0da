"""Labels and results for the tests of evaluation, written to files and read back as the command does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from docpipe.evaluate import Counts, Evaluation, evaluate, read_labels, read_map, read_results
from docpipe.schema import load_schema

RIGHT, WRONG, MISSED, SPURIOUS = Counts(right=1), Counts(wrong=1), Counts(missed=1), Counts(spurious=1)


def predicted(value: Any, confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    field = {"value": value, "raw": None if value is None else str(value), "confidence": confidence}
    return {"accepted": False, "evidence": [], "issues": [], **field, **more}


def label_line(file: str, fields: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"file": file, "fields": fields, **more}


def result_line(file: str, fields: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {"file": file, "schema": "receipt", "status": "complete", "fields": fields, "error": None, **more}


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


class Evaluator:
    """Writes labels and results to files and evaluates them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def evaluate(
        self,
        labels: list[dict[str, Any]],
        results: list[dict[str, Any]],
        *,
        schema: str = "receipt",
        maps: tuple[str, ...] = (),
        **options: Any,
    ) -> Evaluation:
        loaded = load_schema(schema)
        documents = read_labels(write(self.folder / "labels.jsonl", labels), read_map(maps, loaded))
        result_lines = read_results(write(self.folder / "results.jsonl", results))
        return evaluate(documents, result_lines, loaded, **options)

    def evaluate_one(
        self, label: dict[str, Any], fields: dict[str, Any], *, schema: str = "receipt", **more: Any
    ) -> Evaluation:
        return self.evaluate([label_line("a.pdf", label, **more)], [result_line("a.pdf", fields)], schema=schema)


def counts_of(evaluation: Evaluation, path: str) -> Counts:
    return evaluation.scores.fields[path].counts
