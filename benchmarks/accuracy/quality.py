"""How right the embedded network is on real documents that it was not trained on: what `make bench-quality` prints.

    python -m benchmarks.accuracy.quality --data ../shared/data --out out/quality

In: labelled documents as shared/data/README.md describes them. Out: Markdown tables on standard output; in --out, for
each set, `labels.jsonl` and `results.jsonl` of the documents that were kept aside (what `docpipe evaluate` and
`benchmarks.accuracy.fit_confidence` take). A second run reads nothing again. The last table is that of the README.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.accuracy.error_causes import causes
from docpipe.evaluate import Evaluation, evaluate, read_labels, read_map, read_results
from docpipe.evaluate.scores import Score
from docpipe.render import Renderer
from docpipe.schema import load_schema
from docpipe.vlm.training.data.pictures import write_picture
from docpipe.vlm.training.holdout import holdout_names

MICRO, GOODS = "**micro**, single fields", "line_items"
FINISHED = (0, 3)  # 3: a document was refused; it counts as missed
AD_ORDER = Path(__file__).parent / "ad_order.json"


@dataclass(frozen=True)
class Aside:
    """A set of documents: `part` is what was kept aside of `origin`, or None where nothing was trained on; `pixels`:
    PDFs are made pictures first, so that no text layer helps; `shown`: the fields that the summary names."""

    title: str
    folder: str
    labels: tuple[str, ...]
    schema: str
    names: tuple[str, ...]
    origin: str = ""
    part: str | None = None
    only_visible: bool = False
    pixels: bool = False
    shown: tuple[str, ...] = ()


SROIE_FIELDS = ("merchant_name", "merchant_address", "date", "total")
RECEIPT_LABELS = ("labels.jsonl", "labels_extra.jsonl")
SETS = (
    Aside("receipts, sellers not seen", "receipts", RECEIPT_LABELS, "receipt", ("sroie",), "receipts", "holdout_seller",
          shown=SROIE_FIELDS),
    Aside("receipts, sellers as they come", "receipts", RECEIPT_LABELS, "receipt", ("sroie",), "receipts",
          "holdout_document", shown=SROIE_FIELDS),
    Aside("e-invoices kept aside", "einvoices", ("labels.jsonl",), "invoice", ("einvoices",), "einvoices", "both",
          only_visible=True),
    Aside("e-invoices kept aside, as pictures", "einvoices", ("labels.jsonl",), "invoice", ("einvoices",), "einvoices",
          "both", only_visible=True, pixels=True),
    Aside("mixed invoices", "mixed_invoices", ("labels.jsonl",), "invoice", ()),
    Aside("ad orders kept aside", "adbuy", ("labels.jsonl",), str(AD_ORDER), (), "ad_orders", "both"),
    Aside("photo receipts", "photo_receipts", ("labels.jsonl",), "receipt", ("wildreceipt",), shown=("date", "total")),
    Aside("French invoices drawn by others", "invoices_fr", ("labels.jsonl",), "invoice", ("invoices_fr",)),
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
    for known in (known for known in SETS if (options.only or "") in known.title):
        chosen = replace(known, title=f"{known.title} and all others", part=None) if options.all else known
        folder = options.out / chosen.title.replace(",", "").replace(" ", "-")
        gather(chosen, options.data, folder)
        read(chosen, folder, options.out / "quality.db", options.model)
        evaluation = judge(chosen, folder)
        for line in table(chosen, evaluation):
            print(line, flush=True)
        summary += summed_up(chosen, evaluation)
    print("\n".join(summary))


def gather(chosen: Aside, data: Path, folder: Path) -> None:
    """The documents kept aside and their labels, in a folder of their own."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    source = data / chosen.folder
    wanted = None if chosen.part is None else set(holdout_names(data, chosen.origin, chosen.part))
    lines = [line for name in chosen.labels for line in (source / name).read_text(encoding="utf-8").splitlines()]
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as labels, Renderer() as renderer:
        for line in lines:
            file = Path(json.loads(line)["file"])
            if wanted is not None and file.as_posix() not in wanted:
                continue
            labels.write((_pictured(line) if chosen.pixels else line) + "\n")
            if chosen.pixels:
                write_picture(source / file, folder / "docs" / file.with_suffix(".tiff").name, renderer)
            else:
                shutil.copy(source / file, folder / "docs")


def _pictured(label: str) -> str:
    row = json.loads(label)
    return json.dumps({**row, "file": str(Path(row["file"]).with_suffix(".tiff"))})


def read(chosen: Aside, folder: Path, database: Path, model: str) -> None:
    command = [sys.executable, "-m", "docpipe", "run", str(folder / "docs"), "--schema", chosen.schema]
    command += ["--db", f"sqlite:///{database}", "--output", str(folder / "results.jsonl"), "--model", model]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode not in FINISHED:
        sys.exit(f"docpipe run ended with {done.returncode}:\n{done.stderr[-2000:]}")


def judge(chosen: Aside, folder: Path) -> Evaluation:
    schema = load_schema(chosen.schema)
    documents = read_labels(folder / "labels.jsonl", read_map(chosen.names, schema))
    results = read_results(folder / "results.jsonl")
    return evaluate(documents, results, schema, only_visible=chosen.only_visible)


def summed_up(chosen: Aside, evaluation: Evaluation) -> Iterator[str]:
    """The lines of this set in the summary: its named fields, the micro average and the rows of goods."""
    scores = {path: evaluation.scores.fields[path] for path in chosen.shown}
    scores |= {MICRO: evaluation.scores.micro} | {f"{p} (rows)": s for p, s in evaluation.rows.items() if p == GOODS}
    for path, score in scores.items():
        if score.counts.right + score.counts.wrong + score.counts.missed:
            count = len(evaluation.documents)
            yield f"| {chosen.title} ({count}) | {path} | {_shown(score.counts.f1)} | {_interval(score.interval)} |"


def table(chosen: Aside, evaluation: Evaluation) -> Iterator[str]:
    yield f"\n### {chosen.title}: {len(evaluation.documents)} documents\n"
    yield "| field | F1 | 95 % interval | right | wrong | missed | spurious |\n|---|---|---|---|---|---|---|"
    rows: dict[str, Score] = {**evaluation.scores.fields, **{f"{p} (rows)": s for p, s in evaluation.rows.items()}}
    for path, score in [*rows.items(), (MICRO, evaluation.scores.micro)]:
        counts = score.counts
        if counts.right + counts.wrong + counts.missed + counts.spurious:
            yield (
                f"| {path} | {_shown(counts.f1)} | {_interval(score.interval)} | {counts.right} | {counts.wrong}"
                f" | {counts.missed} | {counts.spurious} |"
            )
    said: dict[str, Any] = evaluation.to_json()
    why = ", ".join(f"{cause} {count}" for cause, count in causes(evaluation).most_common())
    yield f"\nWhat was not right, cells of rows included: {why or 'nothing'}."
    yield f"\nConfidence: {json.dumps(said['calibration'])}"
    yield f"Grounding: {evaluation.grounded} of {evaluation.groundable} right values at the place of the label."


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _interval(interval: Any) -> str:
    return "" if interval is None else f"{interval[0]:.2f}-{interval[1]:.2f}"


if __name__ == "__main__":
    main()
