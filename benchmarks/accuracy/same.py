"""Whether two versions of docpipe read the same documents alike: fields, values, evidence, confidences and statuses.

    python -m benchmarks.accuracy.same OLD NEW

In: two folders with the same tree of result files, as `make run`, `benchmarks.accuracy.quality`, `.forms` and
`.schema_auto` write them (`results.jsonl`, `answers.jsonl`, …). Out: each difference on a line of its own, and a count
for each file. Ends with 1 when there is a difference. What tells when and how fast a result was made is not compared,
nor what names the version that made it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

RESULTS = "*.jsonl"
TRUTH = {"labels.jsonl", "truth.jsonl"}  # what the documents say, whoever reads them
NOT_COMPARED = {"timings", "cost", "run_key", "extractor", "schema_version"}
KEYS = ("file", "question")  # of a record in its file; questions of one form are records of their own
NOTHING = "nothing"

Record = Mapping[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    options = parser.parse_args()
    files = result_files(options.old)
    if not files:
        sys.exit(f"{options.old} has no result files ({RESULTS})")
    count = 0
    for file in files:
        old = read_records(options.old / file)
        differences = list(compare(old, read_records(options.new / file)))
        for difference in differences:
            print(f"{file}: {difference}")
        print(f"{file}: {len(old)} records, {len(differences) or 'no'} differences", flush=True)
        count += len(differences)
    sys.exit(min(count, 1))


def result_files(folder: Path) -> list[Path]:
    """Relative to the folder, in order."""
    return sorted(path.relative_to(folder) for path in folder.rglob(RESULTS) if path.name not in TRUTH)


def read_records(path: Path) -> dict[str, Record]:
    """Key -> record; records of the same key are numbered. No file: no records."""
    records: dict[str, Record] = {}
    for line in path.read_text("utf-8").splitlines() if path.is_file() else ():
        record = json.loads(line)
        key = name = " ".join(str(record[key]) for key in KEYS if key in record)
        while key in records:
            key = f"{name} ({len(records)})"
        records[key] = record
    return records


def compare(old: Mapping[str, Record], new: Mapping[str, Record]) -> Iterator[str]:
    """The differences between two files of results, a sentence each."""
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in old or key not in new:
            yield f"{key}: only in the {'old' if key in old else 'new'} results"
        else:
            yield from (f"{key}: {difference}" for difference in differing(old[key], new[key]))


def differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Where two JSON values differ: `fields.total.value: 12.00, now 13.00`."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in [*old, *(name for name in new if name not in old)]:
            if name not in NOT_COMPARED:
                deeper = f"{path}.{name}" if path else name
                yield from differing(old.get(name, NOTHING), new.get(name, NOTHING), deeper)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differing(one, other, f"{path}[{number}]")
    elif old != new:
        yield f"{path}: {_shown(old)}, now {_shown(new)}"


def _shown(value: Any) -> str:
    return value if value is NOTHING else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
