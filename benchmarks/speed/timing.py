"""What is measured: plain OCR, the whole job with its stages, the memory of a process and its children.

In: files. Out: seconds, bytes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.speed.stopwatch import Stopwatch, TimedFunction
from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.run import run_batch
from docpipe.components import worker_limits
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAMPLE_SECONDS = 0.1  # between two readings of the memory; a page takes several times as long
STORE_METHODS = ("add", "claim", "save")  # what a run asks of the store
PROC = Path("/proc")


class PlainRapidOcr:
    """RapidOCR as it comes, loaded before the clock starts; it takes all cores by itself."""

    def __init__(self) -> None:
        from rapidocr import RapidOCR  # heavy: the thing to be measured

        self._ocr = RapidOCR(params={"Global.log_level": "critical"})  # all else as it comes

    def read(self, picture: str | NDArray[np.uint8]) -> str:
        """The text of a picture: a file, or (height, width, BGR) pixels."""
        return " ".join(self._ocr(picture).txts or ())

    def seconds(self, pictures: Sequence[Path]) -> float:
        started = time.perf_counter()
        for picture in pictures:
            self.read(str(picture))
        return time.perf_counter() - started


@dataclass
class JobTime:
    """One run over some files. `start` is the time until the first file is open: processes begin, models load.
    `stages` are seconds of work, summed over the processes."""

    wall: float = 0.0
    start: float = 0.0
    pages: int = 0
    failed: int = 0
    stages: dict[str, float] = field(default_factory=dict)

    @property
    def working(self) -> float:
        return self.wall - self.start


class _FirstOpened:
    """Notes when the first file was open."""

    def __init__(self) -> None:
        self.at: float | None = None

    def opened(self, file: Path, pages: int) -> None:  # noqa: ARG002 - the protocol's arguments
        self.at = self.at or time.perf_counter()

    def page_read(self, file: Path) -> None: ...


def whole_job(files: Sequence[Path], plan: BatchPlan, jobs: int, database: Path) -> JobTime:
    """`docpipe run` on the files, into a new database."""
    job, first, stopwatch = JobTime(), _FirstOpened(), Stopwatch()
    started = time.perf_counter()
    with (
        SqlStore(str(database)) as store,
        stopwatch.timing([TimedFunction("store", store, name) for name in STORE_METHODS]),
    ):
        limits = worker_limits(plan.model, plan.settings, jobs)
        for outcome in run_batch(files, plan, store, jobs=jobs, listener=first, deadlines=limits.deadlines):
            job.pages += outcome.pages
            if outcome.extraction is None:
                job.failed += 1
                print(f"failed: {outcome.path}: {outcome.error}")
                continue
            for stage, seconds in outcome.extraction.timings.items():
                job.stages[stage] = job.stages.get(stage, 0.0) + seconds
    job.stages["store"] = stopwatch.seconds["store"]
    job.wall = time.perf_counter() - started
    job.start = (first.at or time.perf_counter()) - started
    return job


@dataclass(frozen=True)
class PeakMemory:
    """`bytes` is None where the system does not tell the memory of processes."""

    bytes: int | None
    seconds: float
    exit_code: int


def peak_memory(arguments: Sequence[str], folder: Path) -> PeakMemory:
    """Run docpipe with these arguments and watch it and all its children."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "docpipe", *arguments]
    with (
        (folder / "output.txt").open("w") as output,
        subprocess.Popen(command, stdout=output, stderr=output) as process,
    ):
        peak = 0
        while process.poll() is None:
            peak = max(peak, _process_tree_bytes(process.pid))
            time.sleep(SAMPLE_SECONDS)
    return PeakMemory(peak or None, time.perf_counter() - started, process.returncode)


def _process_tree_bytes(parent: int) -> int:
    """Memory of a process and its descendants; what they share counts once (PSS)."""
    children: dict[int, list[int]] = {}
    for folder in PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(int(after_name[1]), []).append(int(folder.name))
    total, waiting = 0, [parent]
    while waiting:
        process = waiting.pop()
        waiting += children.get(process, [])
        total += _pss(process)
    return total


def _pss(process: int) -> int:
    try:
        lines = (PROC / str(process) / "smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended meanwhile, or this is not Linux
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
