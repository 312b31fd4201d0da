"""Is one checkout of docpipe as fast as another? The whole job of both on the same pages, one after the other.

    python -m benchmarks.speed.versus OLD_CHECKOUT NEW_CHECKOUT [--rounds 6] [--pages 16]

In: two checkouts. Out: seconds of `docpipe run`, from command to exit, of each in each round, and the ratio new / old
with its 95 % interval, for the time by the clock and for the processors' time.

Both use this Python and its packages, each its own code. Which of them begins changes from round to round, so that
what else the machine does hits both. The ratio is the geometric mean over the rounds; its interval is Student's t of
the logarithms of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.documents import drawn_pdfs, scans

CONFIDENCE = 0.95  # of the intervals


@dataclass(frozen=True)
class RunSeconds:
    """Of one `docpipe run`: by the clock, and of the processors in it and in its child processes."""

    clock: float
    processor: float


@dataclass(frozen=True)
class RatioInterval:
    """The geometric mean of paired ratios, and the ends of its interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


def main() -> None:
    options = _options()
    checkouts = [path.resolve() for path in (options.old, options.new)]
    for checkout in checkouts:
        _check(checkout)
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
        folder = Path(name)
        pictures = scans(drawn_pdfs(folder / "drawn", options.pages), folder / "scans", options.pages)
        command = ["run", *map(str, pictures), "--schema", options.schema]
        for checkout in checkouts:  # warm: the files of both are in the cache
            _timed_run(checkout, ["run", str(pictures[0]), "--schema", options.schema], folder)
        old: list[RunSeconds] = []
        new: list[RunSeconds] = []
        sides = list(zip(checkouts, (old, new), strict=True))
        for number in range(options.rounds):
            for checkout, runs in sides if number % 2 == 0 else reversed(sides):
                runs.append(_timed_run(checkout, command, folder))
    for line in _report(old, new, len(pictures)):
        print(line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare the speed of two checkouts.")
    parser.add_argument("old", type=Path, metavar="OLD_CHECKOUT")
    parser.add_argument("new", type=Path, metavar="NEW_CHECKOUT")
    parser.add_argument("--rounds", type=int, default=6, help="how often each of them runs; at least 2 for an interval")
    parser.add_argument("--pages", type=int, default=16, help="scanned pages, drawn by the docpipe of this checkout")
    parser.add_argument("--schema", default="invoice")
    return parser.parse_args()


def _environment(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout)}


def _check(checkout: Path) -> None:
    """That Python takes docpipe from this checkout and from nowhere else."""
    command = [sys.executable, "-c", "import docpipe; print(docpipe.__file__)"]
    loaded = subprocess.run(
        command, cwd=checkout, env=_environment(checkout), capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(loaded).resolve().is_relative_to(checkout):
        raise SystemExit(f"{checkout} has no docpipe: Python would take {loaded}")


def _timed_run(checkout: Path, arguments: Sequence[str], folder: Path) -> RunSeconds:
    """One command of docpipe, into a new database."""
    with tempfile.TemporaryDirectory(dir=folder) as database_folder:
        command = [sys.executable, "-m", "docpipe", *arguments, "--db", f"{database_folder}/run.db"]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        process = subprocess.run(
            command, cwd=checkout, env=_environment(checkout), capture_output=True, text=True, check=False
        )
        clock, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SystemExit(f"docpipe of {checkout} ended with {process.returncode}:\n{process.stdout}{process.stderr}")
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return RunSeconds(clock, used)


def ratio_interval(old: Sequence[float], new: Sequence[float]) -> RatioInterval:
    """new / old of pairs; with a single pair the interval is everything."""
    from scipy.stats import t  # heavy: half a second

    logarithms = [math.log(after / before) for before, after in zip(old, new, strict=True)]
    count = len(logarithms)
    mean = sum(logarithms) / count
    if count < 2:
        return RatioInterval(math.exp(mean), 0.0, math.inf)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in logarithms) / (count - 1))
    half_width = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * deviation / math.sqrt(count)
    return RatioInterval(math.exp(mean), math.exp(mean - half_width), math.exp(mean + half_width))


def _report(old: Sequence[RunSeconds], new: Sequence[RunSeconds], pages: int) -> Iterator[str]:
    yield f"{pages} scanned pages, {len(old)} rounds; seconds from command to exit\n"
    yield "| round | old | new | new / old | old, processors | new, processors | new / old |"
    yield "|---|---|---|---|---|---|---|"
    for number, (before, after) in enumerate(zip(old, new, strict=True), start=1):
        clock = f"{before.clock:.1f} | {after.clock:.1f} | {after.clock / before.clock:.3f}"
        processor = f"{before.processor:.1f} | {after.processor:.1f} | {after.processor / before.processor:.3f}"
        yield f"| {number} | {clock} | {processor} |"
    by_clock = ratio_interval([run.clock for run in old], [run.clock for run in new])
    by_processor = ratio_interval([run.processor for run in old], [run.processor for run in new])
    yield f"\nnew / old with its 95 % interval: {by_clock} by the clock, {by_processor} by the processors' time"


if __name__ == "__main__":
    main()
