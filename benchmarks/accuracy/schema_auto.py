"""Whether `--schema auto` finds out what a document is.

    python -m benchmarks.accuracy.schema_auto --data ../shared/data

In: labelled documents that the network was not trained on, receipts, invoices and forms in one folder. Out: how many of
each folder were read by their own schema, and the files of those that were not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from docpipe.vlm.training.holdout import holdout_names

FINISHED = (0, 3)  # 3: a document was refused


@dataclass(frozen=True)
class LabelledFolder:
    """`origin`: the set of which only what was held out is read (None: nothing of it was trained on)."""

    name: str
    origin: str | None = None
    labels: tuple[str, ...] = ("labels.jsonl",)
    most: int = 40


FOLDERS = (
    LabelledFolder("receipts", origin="receipts", labels=("labels.jsonl", "labels_extra.jsonl"), most=200),
    LabelledFolder("photo_receipts"),
    LabelledFolder("receipts_id"),
    LabelledFolder("einvoices", origin="einvoices"),
    LabelledFolder("invoices_fr"),
    LabelledFolder("mixed_invoices"),
    LabelledFolder("forms"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/types"))
    options = parser.parse_args()
    schemas = gather(options.data, options.out / "docs")
    command = [sys.executable, "-m", "docpipe", "run", str(options.out / "docs"), "--schema", "auto"]
    command += ["--db", f"sqlite:///{options.out / 'types.db'}", "--output", str(options.out / "results.jsonl")]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode not in FINISHED:
        sys.exit(f"docpipe run ended with {done.returncode}:\n{done.stderr[-2000:]}")
    report(schemas, options.out / "results.jsonl")


def gather(data: Path, folder: Path) -> dict[str, str]:
    """Copies the documents. File -> the schema that its label names."""
    schemas = {}
    for source in FOLDERS:
        held_out = None if source.origin is None else set(holdout_names(data, source.origin, "both"))
        texts = [(data / source.name / file).read_text("utf-8") for file in source.labels]
        labels = [json.loads(line) for text in texts for line in text.splitlines()]
        kept = [label for label in labels if held_out is None or label["file"] in held_out]
        (folder / source.name).mkdir(parents=True, exist_ok=True)
        for label in kept[: source.most]:
            shutil.copy(data / source.name / label["file"], folder / source.name)
            schemas[f"{source.name}/{Path(label['file']).name}"] = label["schema"]
    return schemas


def report(schemas: dict[str, str], results: Path) -> None:
    right: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for line in map(json.loads, results.read_text("utf-8").splitlines()):
        folder, schema = line["file"].partition("/")[0], schemas[line["file"]]
        count[folder] += 1
        right[folder] += line["schema"] == schema
        if line["schema"] != schema:
            print(f"{line['file']}: read as {line['schema']}, is {schema}")
    print("\n| documents | read by their own schema |\n|---|---|")
    for folder in count:
        print(f"| {folder} | {right[folder]} of {count[folder]} |")
    print(f"| all | {right.total()} of {count.total()} |")


if __name__ == "__main__":
    main()
