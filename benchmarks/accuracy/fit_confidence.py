"""Fit the confidence on results whose truth is known.

In: label files and the result files of `docpipe run` on their documents. Out: a calibration in JSON.

    python -m benchmarks.accuracy.fit_confidence \
        --data LABELS.jsonl RESULTS.jsonl sroie --data LABELS2.jsonl RESULTS2.jsonl einvoices \
        --output docpipe/vlm/weights/calibration.json

The third word of --data is a preset or `theirs=ours,...` as `docpipe evaluate --map` takes it (`-`: none). Results of a
schema of your own need `--schema NAME=FILE.json` (or FILE.py:Class). The results must come from one extractor, and from
documents that it was not trained on: a network is surer of what it was trained on.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from docpipe.confidence import COEFFICIENT_SETS, Calibration, Record, fit, records_needed
from docpipe.decide.options import UNCALIBRATED_SIGNALS
from docpipe.errors import InputError
from docpipe.evaluate import Evaluation, evaluate, read_labels, read_map, read_results
from docpipe.evaluate.labels import read_lines
from docpipe.paths import FieldPath
from docpipe.schema import Schema, load_schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import group_of

ERRORS_SHOWN = (0.005, 0.01, 0.02, 0.05, 0.1)
BINS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", nargs=3, action="append", required=True, metavar=("LABELS", "RESULTS", "MAP"))
    parser.add_argument(
        "--schema", action="append", default=[], metavar="NAME=WHERE", help="where a schema is loaded from"
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--plot", type=Path, help="a PNG of how the confidences fared (needs matplotlib)")
    options = parser.parse_args()
    references = dict(pair.split("=", 1) for pair in options.schema)
    records: list[Record] = []
    extractors: set[str] = set()
    for labels, results, names in options.data:
        extractors |= {line["extractor"] for line in read_lines(Path(results)) if line.get("extractor")}
        records += records_of(Path(labels), Path(results), names, references)
    if len(extractors) != 1:
        raise InputError(f"the results come from {sorted(extractors) or 'no extractor'}", hint="Give those of one.")
    # what the first model of a cascade was sure of is judged by the first one's own calibration
    records = [record for record in records if "second" in record.signals] or records
    calibration = fit(records, extractors.pop())
    calibration.save(options.output)
    report(records, calibration)
    if options.plot:
        plot(calibration, options.plot)
    print(f"written to {options.output}")


def records_of(labels: Path, results: Path, names: str, references: Mapping[str, str]) -> list[Record]:
    """Every answered value that the labels judge; what they do not name is left out. `references`: what
    `load_schema` takes for a schema of this name."""
    answers = read_results(results)
    name = next(answer.schema for answer in answers if answer.schema)
    schema = load_schema(references.get(name, name))
    words = [] if names == "-" else names.split(",")
    documents = read_labels(labels, read_map(words, schema))
    answered = {Path(answer.file).name for answer in answers}
    documents = [document for document in documents if Path(document.file).name in answered]
    records = _records(evaluate(documents, answers, schema, only_visible=True), schema)
    # what no model proposed is not accepted, whatever its confidence: it says nothing of the others'
    return [record for record in records if not UNCALIBRATED_SIGNALS & record.signals.keys()]


def _records(evaluation: Evaluation, schema: Schema) -> Iterator[Record]:
    for judged in evaluation.documents:
        if judged.result is None:
            continue
        fields = judged.result.fields
        for verdict in judged.comparisons:
            if verdict.outcome != "missed":
                field = _field_at(fields, verdict.path)
                yield _record(judged.document.file, schema.spec(verdict.path), field, verdict.outcome)
        for list_path, score in judged.lists.items():
            for cell in score.cells:
                if cell.outcome != "missed":
                    spec = schema.spec(str(FieldPath(list_path, None, cell.column)))
                    field = fields[list_path][cell.row][cell.column]
                    yield _record(judged.document.file, spec, field, cell.outcome)


def _field_at(fields: dict[str, Any], path: str) -> dict[str, Any]:
    for name in path.split("."):
        fields = fields[name]
    return fields


def _record(document: str, spec: FieldSpec, field: dict[str, Any], outcome: str) -> Record:
    return Record(document, group_of(spec.kind), field.get("signals", {}), outcome == "right")


def report(records: Sequence[Record], calibration: Calibration) -> None:
    """How the held-out confidences fared: calibration error, and what can be accepted at which error."""
    held_out = calibration.held_out
    print(f"{len(records)} values of {len({record.document for record in records})} documents,", end=" ")
    print(f"{sum(record.right for record in records) / len(records):.1%} right; groups:", end=" ")
    print(", ".join(sorted({COEFFICIENT_SETS[record.group] for record in records})))
    calibration_error = 0.0
    for each in binned(held_out):
        calibration_error += abs(each.confidence - each.right) * each.count / len(held_out)
        print(f"  confidence {each.confidence:.2f}: {each.right:.2f} right of {each.count}")
    print(f"expected calibration error {calibration_error:.3f} on held-out documents")
    for error in ERRORS_SHOWN:
        threshold = calibration.threshold(error)
        accepted = [right for confidence, right in held_out if threshold is not None and confidence >= threshold]
        share = len(accepted) / len(held_out)
        needed = f"nothing can be promised; {records_needed(error)} values that are all right would suffice"
        shown = needed if threshold is None else f"from {threshold:.3f}, {share:.0%} of the values"
        print(f"  error at most {error:.1%}: {shown}, {accepted.count(False)} wrong among them")


class Bin(NamedTuple):
    """The values of one tenth of confidence."""

    middle: float
    confidence: float  # their mean
    right: float  # the share of them
    count: int


def binned(held_out: Sequence[tuple[float, bool]]) -> Iterator[Bin]:
    """Pairs of confidence and whether right -> the bins that are not empty."""
    for number in range(BINS):
        inside = [pair for pair in held_out if min(int(pair[0] * BINS), BINS - 1) == number]
        if inside:
            yield Bin(
                (number + 0.5) / BINS,
                sum(confidence for confidence, _ in inside) / len(inside),
                sum(right for _, right in inside) / len(inside),
                len(inside),
            )


def plot(calibration: Calibration, output: Path) -> None:
    """The reliability of the held-out confidences, and below it how many values have them."""
    from matplotlib.figure import Figure  # heavy; in the extra `train`

    bins = list(binned(calibration.held_out))
    middles = [each.middle for each in bins]
    figure = Figure(figsize=(5, 6), layout="constrained")
    reliability, share = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    reliability.plot((0, 1), (0, 1), color="grey", linewidth=1, label="as promised")
    reliability.plot(
        [each.confidence for each in bins], [each.right for each in bins], marker="o", label="held-out values"
    )
    reliability.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1))
    reliability.legend()
    share.bar(middles, [each.count for each in bins], width=0.9 / BINS)
    share.set(xlabel="confidence", ylabel="values", yscale="log")
    figure.savefig(output, dpi=120)


if __name__ == "__main__":
    main()
