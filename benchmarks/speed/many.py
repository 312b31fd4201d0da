"""`extract_many` beside `docpipe run`, and threads of `extract` beside one, all in one run.

    python -m benchmarks.speed.many [--documents FOLDER] [--schema receipt] [--count 200] [--rounds 3]

In: a folder of documents, or worn receipts that docpipe draws. Out: a Markdown table. The two take turns on the same
files, each as a process of its own, from its start to its end. Memory is that of the calling process alone, which is
to stay flat: after a quarter of the files and at the end.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from docpipe.ingest import find_files
from docpipe.samples.folder import write_many

MEBIBYTE = 1024**2
MANY = """
import json, sys, time
from pathlib import Path
from docpipe import extract_many

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

if __name__ == "__main__":
    paths = json.loads(sys.stdin.read())
    started, memory = time.perf_counter(), []
    for number, item in enumerate(extract_many(paths, sys.argv[1]), 1):
        if number in (max(1, len(paths) // 4), len(paths)):
            memory.append(resident())
    print(json.dumps({"memory": memory}))
"""
THREADS = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from docpipe import extract

paths = json.loads(sys.stdin.read())
with ThreadPoolExecutor(int(sys.argv[2])) as threads:
    list(threads.map(lambda path: extract(path, sys.argv[1]), paths[:2]))  # models are loaded
    started = time.perf_counter()
    list(threads.map(lambda path: extract(path, sys.argv[1]), paths))
print(json.dumps({"seconds": time.perf_counter() - started}))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path)
    parser.add_argument("--schema", default="receipt")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--thread-count", type=int, default=20, help="documents for the comparison of threads")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
        folder = Path(name)
        if options.documents is None:
            write_many(folder / "drawn", options.schema, options.count, 9_430_000, degraded=True)
        documents = [str(path.absolute()) for path in find_files([options.documents or folder / "drawn" / "docs"])]
        documents = documents[: options.count]
        runs, manys, ones, twos, memory = [], [], [], [], []
        for number in range(options.rounds):
            runs.append(_run(documents, options.schema, folder / f"{number}.db"))
            many = _python(MANY, documents, options.schema)
            manys.append(many["wall"])
            memory.append(many["memory"])
            few = documents[: options.thread_count]
            ones.append(_python(THREADS, few, options.schema, "1")["seconds"])
            twos.append(_python(THREADS, few, options.schema, "2")["seconds"])
    ratios = [many / run for run, many in zip(runs, manys, strict=True)]
    threads = [two / one for one, two in zip(ones, twos, strict=True)]
    print(f"{len(documents)} documents, {options.rounds} rounds\n\n| what | median | rounds |\n|---|---|---|")
    print(f"| extract_many / docpipe run, wall | {median(ratios):.3f} | {_list(ratios)} |")
    what = f"two threads of extract / one, wall, {options.thread_count} documents"
    print(f"| {what} | {median(threads):.3f} | {_list(threads)} |")
    quarter, end = (median(each) / MEBIBYTE for each in zip(*memory, strict=True))
    print(f"| memory of the caller after a quarter of the files, at the end | {quarter:.0f}, {end:.0f} MiB | |")


class _Timed(NamedTuple):
    """What a command printed, and how long it took."""

    output: str
    seconds: float


def _list(ratios: Sequence[float]) -> str:
    return ", ".join(f"{ratio:.3f}" for ratio in ratios)


def _run(documents: Sequence[str], schema: str, database: Path) -> float:
    command = [sys.executable, "-m", "docpipe", "run", *documents, "--schema", schema, "--db", str(database)]
    return _timed(command, "").seconds


def _python(program: str, documents: Sequence[str], *arguments: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as folder:
        script = Path(folder) / "program.py"  # workers import it, so it is a file
        script.write_text(program)
        timed = _timed([sys.executable, str(script), *arguments], json.dumps(documents))
    return {"wall": timed.seconds, **json.loads(timed.output.splitlines()[-1])}


def _timed(command: Sequence[str], given: str) -> _Timed:
    started = time.perf_counter()
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)
    return _Timed(done.stdout, time.perf_counter() - started)


if __name__ == "__main__":
    main()
