"""What `make bench` prints: how fast the main job is, and how much memory it takes, all from one run.

    python -m benchmarks.speed.main_job [--documents FOLDER] [--schema receipt]

In: documents drawn by docpipe, or a folder. Out: Markdown tables on standard output.
Plain OCR and docpipe take turns on the same pictures, so that what else the machine does hits both.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.speed.documents import drawn_pdfs, long_pdf, scans, with_text_layer
from benchmarks.speed.timing import JobTime, PlainRapidOcr, peak_memory, whole_job
from docpipe.batch.batch_worker import BatchPlan
from docpipe.capacity import default_jobs, usable_cores, usable_memory
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.schema import load_schema

STAGES = ("rasterise", "read", "extract", "decide", "store")
DRAWN_PDFS = 40  # with a text layer; half a minute at most
MEBIBYTE = 1024**2


@dataclass
class Measurements:
    """What was measured; None: there was nothing to measure it on."""

    plain: list[float] = field(default_factory=list)
    ours: list[JobTime] = field(default_factory=list)
    layered: JobTime | None = None


def main() -> None:
    options = _options()
    settings = load_settings()
    model = options.model or settings.model
    plan = BatchPlan(load_schema(options.schema), ModelName.parse(model), settings)
    jobs = options.jobs or default_jobs()
    with tempfile.TemporaryDirectory(prefix="docpipe-bench-") as name:
        folder = Path(name)
        own_documents = [options.documents] if options.documents else None
        pictures = scans(own_documents or drawn_pdfs(folder / "drawn", options.pages), folder / "scans", options.pages)
        layered = with_text_layer(own_documents or drawn_pdfs(folder / "layered", DRAWN_PDFS))
        measured = _measure(pictures, layered, plan, jobs, options.rounds, folder)
        long = long_pdf(folder / "long.pdf", options.long_pages)
        peak = peak_memory(
            ["run", str(long), "--schema", options.schema, "--model", model, "--db", str(folder / "long.db")], folder
        )
        for line in machine_table(jobs):
            print(line)
        for line in _figures_table(measured, len(pictures)):
            print(line)
        memory = "unknown" if peak.bytes is None else f"{peak.bytes / MEBIBYTE:,.0f} MiB"
        print(f"| peak memory of all processes, a PDF of {options.long_pages} pages | {memory} |")
        print(f"| the same PDF, from command to exit | {peak.seconds:.1f} s |")
        if peak.exit_code:
            print(f"\nThe long PDF ended with exit code {peak.exit_code}:\n{(folder / 'output.txt').read_text()}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the main job.")
    parser.add_argument("--documents", type=Path, help="a folder of documents instead of drawn ones")
    parser.add_argument("--schema", default="invoice")
    parser.add_argument("--model", help="default: DOCPIPE_MODEL, or embedded")
    parser.add_argument("--jobs", type=int, help="worker processes; default: as `docpipe run`")
    parser.add_argument("--pages", type=int, default=16, help="scanned pages to compare on")
    parser.add_argument("--rounds", type=int, default=3, help="how often plain OCR and docpipe take turns")
    parser.add_argument("--long-pages", type=int, default=500)
    return parser.parse_args()


def _measure(
    pictures: Sequence[Path], layered: Sequence[Path], plan: BatchPlan, jobs: int, rounds: int, folder: Path
) -> Measurements:
    measured = Measurements()
    plain = PlainRapidOcr()
    plain.seconds(pictures[:1])  # warm, as are the files in the cache
    for number in range(rounds):
        for system in ("plain", "ours") if number % 2 == 0 else ("ours", "plain"):
            if system == "plain":
                measured.plain.append(plain.seconds(pictures))
            else:
                measured.ours.append(whole_job(pictures, plan, jobs, folder / f"round-{number}.db"))
    if layered:
        measured.layered = whole_job(layered, plan, jobs, folder / "layered.db")
    return measured


def _figures_table(measured: Measurements, pages: int) -> Iterator[str]:
    yield "\n| stage, on scans | seconds of work a page |\n|---|---|"
    for stage in STAGES:
        yield f"| {stage} | {median(job.stages.get(stage, 0.0) for job in measured.ours) / pages:.3f} |"
    plain, working = median(measured.plain) / pages, median(job.working for job in measured.ours) / pages
    ratios = [job.working / seconds for job, seconds in zip(measured.ours, measured.plain, strict=True)]
    whole = [job.wall / seconds for job, seconds in zip(measured.ours, measured.plain, strict=True)]
    failed = sum(job.failed for job in measured.ours)
    yield "\n| figure | value |\n|---|---|"
    yield f"| scanned pages, rounds | {pages}, {len(ratios)}{f' ({failed} failures)' if failed else ''} |"
    yield f"| plain `RapidOCR()(image)`, seconds a page | {plain:.3f} |"
    yield f"| the whole job, seconds a page | {working:.3f} |"
    yield f"| **the whole job / plain OCR** | **{median(ratios):.2f}** ({_two_decimals(ratios)}) |"
    yield f"| the same with the start of the processes ({measured.ours[-1].start:.1f} s) | {median(whole):.2f} |"
    if measured.layered is not None and measured.layered.pages:
        job = measured.layered
        yield f"| PDFs with a text layer, pages a second | {job.pages / job.working:.1f} ({job.pages} pages) |"


def _two_decimals(ratios: Sequence[float]) -> str:
    return ", ".join(f"{ratio:.2f}" for ratio in ratios)


def machine_table(jobs: int) -> Iterator[str]:
    memory = usable_memory()
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "rapidocr", "pypdfium2"))
    yield "| machine | |\n|---|---|"
    yield f"| processor | {_processor()}, {usable_cores()} cores usable, {jobs} worker processes |"
    yield f"| free memory | {'unknown' if memory is None else f'{memory / MEBIBYTE / 1024:.1f} GiB'} |"
    yield f"| system | {platform.system()} {platform.release()}, Python {platform.python_version()} |"
    yield f"| docpipe | {version('docpipe-extract')}, commit {_commit()}; {packages} |"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _commit() -> str:
    try:
        command = ["git", "describe", "--always", "--dirty"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    main()
