"""Whether `--schema auto` finds out what a document is.

    python -m benchmarks.accuracy.schema_auto --data ../shared/data

In: labelled documents that the network was not trained on, receipts, invoices and forms in one folder. Out: how many of
each sort were read by their own schema, and the files of those that were not.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from docpipe.vlm.training.holdout import holdout_names

FINISHED = (0, 3)  # 3: a document was refused
SORTS = (
    # folder, its label files, what was kept aside of (None: nothing of it was trained on), how many at most
    ("receipts", ("labels.jsonl", "labels_extra.jsonl"), "receipts", 200),
    ("photo_receipts", ("labels.jsonl",), None, 40),
    ("receipts_id", ("labels.jsonl",), None, 40),
    ("einvoices", ("labels.jsonl",), "einvoices", 40),
    ("invoices_fr", ("labels.jsonl",), None, 40),
    ("mixed_invoices", ("labels.jsonl",), None, 40),
    ("forms", ("labels.jsonl",), None, 40),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("out/types"))
    options = parser.parse_args()
    wanted = gather(options.data, options.out / "docs")
    command = [sys.executable, "-m", "docpipe", "run", str(options.out / "docs"), "--schema", "auto"]
    command += ["--db", f"sqlite:///{options.out / 'types.db'}", "--output", str(options.out / "results.jsonl")]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode not in FINISHED:
        sys.exit(f"docpipe run ended with {done.returncode}:\n{done.stderr[-2000:]}")
    report(wanted, options.out / "results.jsonl")


def gather(data: Path, folder: Path) -> dict[str, str]:
    """Copies the documents. File -> the schema that its label names."""
    wanted = {}
    for name, labels, origin, most in SORTS:
        aside = None if origin is None else set(holdout_names(data, origin, "both"))
        rows = [json.loads(line) for file in labels for line in (data / name / file).read_text("utf-8").splitlines()]
        kept = [row for row in rows if aside is None or row["file"] in aside]
        (folder / name).mkdir(parents=True, exist_ok=True)
        for row in kept[:most]:
            shutil.copy(data / name / row["file"], folder / name)
            wanted[f"{name}/{Path(row['file']).name}"] = row["schema"]
    return wanted


def report(wanted: dict[str, str], results: Path) -> None:
    right: Counter[str] = Counter()
    count: Counter[str] = Counter()
    for line in map(json.loads, results.read_text("utf-8").splitlines()):
        sort = line["file"].partition("/")[0]
        count[sort] += 1
        right[sort] += line["schema"] == wanted[line["file"]]
        if line["schema"] != wanted[line["file"]]:
            print(f"{line['file']}: read as {line['schema']}, is {wanted[line['file']]}")
    print("\n| documents | read by their own schema |\n|---|---|")
    for sort in count:
        print(f"| {sort} | {right[sort]} of {count[sort]} |")
    print(f"| all | {right.total()} of {count.total()} |")


if __name__ == "__main__":
    main()
