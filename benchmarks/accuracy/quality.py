"""How right the embedded network is on real documents that it was not trained on: what `make bench-quality` prints.

    python -m benchmarks.accuracy.quality --data ../shared/data --out out/quality

In: labelled documents as shared/data/README.md describes them. Out: Markdown tables on standard output; in --out, for
each set, `labels.jsonl` and `results.jsonl` of the documents that were held out (what `docpipe evaluate` and
`benchmarks.accuracy.fit_confidence` take). A second run reads nothing again. The README sums up the last table.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.accuracy.error_causes import error_causes
from docpipe.evaluate import Evaluation, evaluate, read_labels, read_map, read_results
from docpipe.evaluate.scores import CalibrationReport, Score
from docpipe.render import Renderer
from docpipe.schema import load_schema
from docpipe.vlm.training.data.pictures import write_picture
from docpipe.vlm.training.holdout import holdout_names

MICRO, LINE_ITEMS = "**micro**, single fields", "line_items"
FINISHED = (0, 3)  # 3: a document was refused; it counts as missed
LINE_WIDTH = 120
AD_ORDER = Path(__file__).parent / "ad_order.json"


@dataclass(frozen=True, kw_only=True)
class LabelledSet:
    """`part` is what was held out of `origin`, or None where nothing was trained on; `as_pictures`: PDFs are made
    pictures first, so that no text layer helps; `maps`: presets of `docpipe evaluate --map`."""

    title: str
    folder: str
    schema: str
    labels: tuple[str, ...] = ("labels.jsonl",)
    maps: tuple[str, ...] = ()
    origin: str = ""
    part: str | None = None
    only_visible: bool = False
    as_pictures: bool = False
    summary_fields: tuple[str, ...] = ()


RECEIPTS = LabelledSet(
    title="receipts, sellers not seen", folder="receipts", schema="receipt",
    labels=("labels.jsonl", "labels_extra.jsonl"), maps=("sroie",), origin="receipts", part="holdout_seller",
    summary_fields=("merchant_name", "merchant_address", "date", "total"),
)  # fmt: skip
EINVOICES = LabelledSet(
    title="e-invoices kept aside", folder="einvoices", schema="invoice", maps=("einvoices",), origin="einvoices",
    part="both", only_visible=True,
)  # fmt: skip
SETS = (
    RECEIPTS,
    replace(RECEIPTS, title="receipts, sellers as they come", part="holdout_document"),
    EINVOICES,
    replace(EINVOICES, title="e-invoices kept aside, as pictures", as_pictures=True),
    LabelledSet(title="mixed invoices", folder="mixed_invoices", schema="invoice"),
    LabelledSet(title="ad orders kept aside", folder="adbuy", schema=str(AD_ORDER), origin="ad_orders", part="both"),
    LabelledSet(
        title="photo receipts", folder="photo_receipts", schema="receipt", maps=("wildreceipt",),
        summary_fields=("date", "total"),
    ),
    LabelledSet(
        title="French invoices drawn by others", folder="invoices_fr", schema="invoice", maps=("invoices_fr",)
    ),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/quality"))
    parser.add_argument("--only", help="sets whose title contains this")
    parser.add_argument("--model", default="embedded", help="e.g. embedded:FOLDER for weights of your own")
    parser.add_argument(
        "--all", action="store_true", help="also what the shipped network was trained on: for one that left a set out"
    )
    options = parser.parse_args()
    summary = ["\n### Summary\n", "| documents | field | F1 | 95 % interval |", "|---|---|---|---|"]
    sets = [known for known in SETS if (options.only or "") in known.title]
    if options.all:
        sets = [replace(known, title=f"{known.title} and all others", part=None) for known in sets]
    for labelled_set in sets:
        folder = folder_of(labelled_set, options.out)
        gather(labelled_set, options.data, folder)
        read(labelled_set, folder, options.out / "quality.db", options.model)
        evaluation = evaluate_results(labelled_set, folder)
        for line in table(labelled_set, evaluation):
            print(line, flush=True)
        summary += summary_lines(labelled_set, evaluation)
    print("\n".join(summary))


def folder_of(labelled_set: LabelledSet, out: Path) -> Path:
    """Where a run keeps the documents, labels and results of a set."""
    return out / labelled_set.title.replace(",", "").replace(" ", "-")


def gather(labelled_set: LabelledSet, data: Path, folder: Path) -> None:
    """The documents held out and their labels, in a folder of their own."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    source = data / labelled_set.folder
    held_out = None if labelled_set.part is None else set(holdout_names(data, labelled_set.origin, labelled_set.part))
    lines = [line for name in labelled_set.labels for line in (source / name).read_text(encoding="utf-8").splitlines()]
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as labels, Renderer() as renderer:
        for line in lines:
            file = Path(json.loads(line)["file"])
            if held_out is not None and file.as_posix() not in held_out:
                continue
            labels.write((_of_picture(line) if labelled_set.as_pictures else line) + "\n")
            if labelled_set.as_pictures:
                write_picture(source / file, folder / "docs" / file.with_suffix(".tiff").name, renderer)
            else:
                shutil.copy(source / file, folder / "docs")


def _of_picture(label: str) -> str:
    fields = json.loads(label)
    return json.dumps({**fields, "file": str(Path(fields["file"]).with_suffix(".tiff"))})


def read(labelled_set: LabelledSet, folder: Path, database: Path, model: str) -> None:
    command = [sys.executable, "-m", "docpipe", "run", str(folder / "docs"), "--schema", labelled_set.schema]
    command += ["--db", f"sqlite:///{database}", "--output", str(folder / "results.jsonl"), "--model", model]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode not in FINISHED:
        sys.exit(f"docpipe run ended with {done.returncode}:\n{done.stderr[-2000:]}")


def evaluate_results(labelled_set: LabelledSet, folder: Path) -> Evaluation:
    schema = load_schema(labelled_set.schema)
    documents = read_labels(folder / "labels.jsonl", read_map(labelled_set.maps, schema))
    results = read_results(folder / "results.jsonl")
    return evaluate(documents, results, schema, only_visible=labelled_set.only_visible)


def summary_lines(labelled_set: LabelledSet, evaluation: Evaluation) -> Iterator[str]:
    """The lines of this set in the summary: its named fields, the micro average and the line items."""
    scores = {path: evaluation.scores.fields[path] for path in labelled_set.summary_fields}
    scores[MICRO] = evaluation.scores.micro
    scores |= {f"{path} (rows)": score for path, score in evaluation.rows.items() if path == LINE_ITEMS}
    title = f"{labelled_set.title} ({len(evaluation.documents)})"
    for path, score in scores.items():
        if score.counts.right + score.counts.wrong + score.counts.missed:
            yield f"| {title} | {path} | {_number(score.counts.f1)} | {_interval(score.interval)} |"


def table(labelled_set: LabelledSet, evaluation: Evaluation) -> Iterator[str]:
    yield f"\n### {labelled_set.title}: {len(evaluation.documents)} documents\n"
    yield "| field | F1 | 95 % interval | right | wrong | missed | spurious |\n|---|---|---|---|---|---|---|"
    rows: dict[str, Score] = {**evaluation.scores.fields, **{f"{p} (rows)": s for p, s in evaluation.rows.items()}}
    for path, score in [*rows.items(), (MICRO, evaluation.scores.micro)]:
        counts = score.counts
        if counts.right + counts.wrong + counts.missed + counts.spurious:
            yield (
                f"| {path} | {_number(counts.f1)} | {_interval(score.interval)} | {counts.right} | {counts.wrong}"
                f" | {counts.missed} | {counts.spurious} |"
            )
    mistakes = "; ".join(f"{cause} {count}" for cause, count in error_causes(evaluation).most_common())
    yield "\n" + textwrap.fill(f"What was not right, cells of rows included: {mistakes or 'nothing'}.", LINE_WIDTH)
    yield from confidence_lines(evaluation.calibration)
    yield f"\nGrounding: {evaluation.grounded} of {evaluation.groundable} right values at the place of the label."


def confidence_lines(calibration: CalibrationReport) -> Iterator[str]:
    """What `accepted` was worth, and how many answers of each confidence were right."""
    if not calibration.answers:
        return
    yield (
        f"\nAccepted: {calibration.accepted} of {calibration.answers} answers, {calibration.accepted_wrong} of them"
        f" wrong{_bound(calibration.error_at_most)}."
    )
    yield (
        f"At 1 % error the confidence could accept {calibration.coverage_at_1_percent or 0:.1%}."
        f" Expected calibration error: {_number(calibration.expected_calibration_error)}.\n"
    )
    columns = [[f"{each.low:.1f}-{each.high:.1f}", str(each.answers), str(each.right)] for each in calibration.bins]
    headings, *rows = zip(["confidence", "answers", "right"], *columns, strict=True)
    yield f"| {' | '.join(headings)} |\n|{'---|' * len(headings)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _bound(error_at_most: float | None) -> str:
    return "" if error_at_most is None else f" (at most {error_at_most:.1%} with 95 % confidence)"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(interval: Any) -> str:
    return "" if interval is None else f"{interval[0]:.2f}-{interval[1]:.2f}"


if __name__ == "__main__":
    main()
