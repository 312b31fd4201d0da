"""What the service costs beside the reading: queue, SQL and blobs, a document; and whether memory stays flat.

    python -m benchmarks.service.queue_load [--documents 10000] [--json docs/figures-service.json]

In: how many documents are queued. Out: Markdown on standard output, and the figures as JSON for
benchmarks.service.capacity. The documents are one page with a text layer and the extractor is scripted, so that nearly
all that is left is the service. Four parts, of which `--only` takes some:

    steps     one process does everything: seconds by step
    load      all documents are queued, then two workers begin: throughput, processor seconds by process, memory, growth
    one       fewer documents, one worker: what the second worker was worth
    network   scanned pages, the embedded network, two workers: is the prediction of benchmarks.service.capacity right?
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.service import queue_meters as meters
from benchmarks.service.documents import invoice, write_script
from benchmarks.service.queue_steps import steps
from benchmarks.service.service_harness import ServiceHarness, service_harness
from benchmarks.speed.documents import drawn_pdfs, scans
from benchmarks.speed.main_job import machine_table
from docpipe.capacity import usable_cores
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document

PARTS = ("steps", "load", "one", "network")
DIGITS = 4  # of a figure: the next run has others after the second
MAX_TASKS = "1000000"  # tasks until a child is replaced: a leak would show
SAMPLE_SECONDS = 2.0  # seconds between two looks
MIN_BYTES, MIN_UPDATES = 20, 0.1  # bytes and updates a document below which a table does not grow with the documents
MIN_SPEED = 0.5  # documents a second below which something is wrong
ReportProgress = Callable[[str], None]


@dataclass(frozen=True)
class LoadRun:
    """Documents that workers went through. `samples`: how many had ended, and MiB by kind of process."""

    documents: int
    wall: float
    seconds: Mapping[str, float]
    flow: float
    fields: float
    samples: list[tuple[int, dict[str, float]]]
    speeds: tuple[float, float]

    @property
    def per_second(self) -> float:
        return self.documents / self.wall


def load(documents: int, workers: int, report_progress: ReportProgress) -> tuple[LoadRun, dict[str, Any]]:
    """Queue all, then let workers go through them. The run, and what a document leaves behind."""
    with TemporaryDirectory(prefix="docpipe-load-") as folder:
        model = write_script(Path(folder) / "script.json")
        with service_harness(model) as harness:
            service = harness.service()
            try:
                empty, tables = meters.redis_bytes(harness), meters.table_bytes(service)
                before = meters.DatabaseCounters.read(service)
                started = time.perf_counter()
                for number in range(documents):
                    submit_document(service, io.BytesIO(invoice(number)), f"{number}.pdf", SubmitOptions())
                queueing = time.perf_counter() - started
                report_progress(f"{documents} queued in {queueing:.0f} s")
                message = (meters.redis_bytes(harness) - empty) / documents
                run = _run(harness, service, documents, workers, report_progress)
                meters.checkpoint(service)
                grown = {
                    name: (size - tables.get(name, 0)) / documents for name, size in meters.table_bytes(service).items()
                }
                after = meters.DatabaseCounters.read(service).since(before, documents)
                blobs = meters.blob_bytes(Path(service.settings.blob_url))
                left = {
                    "redis_message_bytes": message,
                    "tables": {name: size for name, size in sorted(grown.items()) if size >= MIN_BYTES},
                    "indexes": {name: size / documents for name, size in meters.index_bytes(service).items()},
                    "updates": {
                        name: (updates / documents, hot / documents)
                        for name, (updates, hot) in meters.rows_updated(service).items()
                    },
                    "blobs": {name: size / documents for name, size in sorted(blobs.items())},
                    "database": after,
                    "submissions_per_second": documents / queueing,
                }
                return run, left
            finally:
                service.close()


def _run(
    harness: ServiceHarness,
    service: Service,
    documents: int,
    workers: int,
    report_progress: ReportProgress,
    warm: int = 1,
) -> LoadRun:
    """From the first ended document to the last: the start of the processes is left out."""
    programs = [
        harness.worker(f"worker-{number}", "--max-tasks-per-child", MAX_TASKS).start() for number in range(workers)
    ]
    harness.maintenance().start()
    while _ended(service) < warm:
        time.sleep(0.1)
    began, ended_before = time.perf_counter(), _ended(service)
    spent = meters.processor_seconds(harness)
    samples, times, last_report = [], [(ended_before, 0.0)], 0.0
    while (ended := _ended(service)) < documents:
        now = time.perf_counter() - began
        samples.append((ended, meters.resident(harness)))
        times.append((ended, now))
        if now - last_report > 30:
            last_report = now
            report_progress(f"{ended} of {documents} after {now:.0f} s")
        if now > documents / MIN_SPEED + 120 or not all(program.is_alive for program in programs):
            raise TimeoutError(f"{ended} of {documents} have ended: {harness.programs[0].output()[-2000:]}")
        time.sleep(min(SAMPLE_SECONDS, documents / 500))
    wall = time.perf_counter() - began
    used = meters.processor_seconds(harness)
    used.subtract(spent)
    count = documents - ended_before
    states = service.view.counts()
    if states != {"done": documents}:
        raise RuntimeError(f"not all are done: {states}")
    seconds = {kind: used[kind] / count for kind in meters.PROCESS_KINDS}
    tenth = [
        next(at for ended, at in [*times, (documents, wall)] if ended >= share * documents) for share in (0.1, 0.9)
    ]
    speeds = 0.1 * documents / max(tenth[0], 1e-9), 0.1 * documents / max(wall - tenth[1], 1e-9)
    return LoadRun(count, wall, seconds, *_of_results(service), samples, speeds)


def _ended(service: Service) -> int:
    counts = service.view.counts()
    return sum(counts.get(state, 0) for state in ("done", "failed", "quarantined"))


def _of_results(service: Service) -> tuple[float, float]:
    """Seconds of reading and understanding themselves, and fields, a document."""
    extractions = [stored.extraction for stored in service.store.results() if stored.extraction is not None]
    seconds = sum(sum(extraction.timings.values()) for extraction in extractions)
    return seconds / len(extractions), sum(len(extraction.fields) for extraction in extractions) / len(extractions)


def network(pages: int, workers: int, report_progress: ReportProgress) -> dict[str, Any]:
    """Scanned pages and the embedded network: pages a second, and what a page leaves behind."""
    with TemporaryDirectory(prefix="docpipe-network-") as name, service_harness("embedded", page_seconds=60) as harness:
        folder = Path(name)
        pictures = scans(drawn_pdfs(folder / "drawn", pages), folder / "scans", pages)
        service = harness.service()
        try:
            for number, path in enumerate(pictures):
                with path.open("rb") as source:
                    schema = "receipt" if "receipt" in path.name else "invoice"
                    submit_document(service, source, f"{number}.jpg", SubmitOptions(schema))
            report_progress(f"{len(pictures)} scanned pages queued")
            run = _run(harness, service, len(pictures), workers, report_progress, warm=2 * workers)
            blobs = meters.blob_bytes(Path(service.settings.blob_url))
            return {
                "pages": run.documents,
                "pages_per_second": run.per_second,
                "workers": workers,
                "flow_seconds": run.flow,
                "processor_seconds": dict(run.seconds),
                "fields": run.fields,
                "blobs": {kind: size / len(pictures) for kind, size in sorted(blobs.items())},
            }
        finally:
            service.close()


def report(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from machine_table(figures["workers"])
    if "steps" in figures:
        yield "\n| step, one process, a document | milliseconds |\n|---|---|"
        for step, seconds in figures["steps"].items():
            yield f"| {step} | {seconds * 1000:.1f} |"
    if "load" in figures:
        yield from _load_lines(figures["load"])
    if "one" in figures:
        one_worker = figures["one"]
        count, speed = one_worker["documents"], one_worker["per_second"]
        yield f"| one worker, documents a second ({count} documents) | {speed:.1f} |"
        if "load" in figures:
            yield f"| **two workers / one** | **{figures['load']['per_second'] / speed:.2f}** |"
    if "network" in figures:
        measured = figures["network"]
        yield f"\n| embedded network, {measured['pages']} scanned pages, {measured['workers']} workers | |\n|---|---|"
        yield f"| pages a second | {measured['pages_per_second']:.2f} |"
        yield f"| seconds of reading and understanding a page | {measured['flow_seconds']:.2f} |"
        yield f"| processor seconds a page, all processes | {sum(measured['processor_seconds'].values()):.2f} |"
        yield f"| fields a document | {measured['fields']:.0f} |"
        for kind, size in measured["blobs"].items():
            yield f"| {kind}, bytes a page | {size:,.0f} |"


def _load_lines(loaded: Mapping[str, Any]) -> Iterator[str]:
    yield f"\n| {loaded['documents']} documents, {loaded['workers']} workers | |\n|---|---|"
    yield f"| documents a second | {loaded['per_second']:.1f} |"
    first, last = loaded["speeds"]
    yield f"| the same in the first tenth, and in the last | {first:.1f}, {last:.1f} |"
    yield f"| seconds of reading and understanding themselves, a document | {loaded['flow_seconds']:.4f} |"
    yield f"| fields a document | {loaded['fields']:.0f} |"
    for kind, seconds in loaded["processor_seconds"].items():
        yield f"| processor seconds a document: {kind} | {seconds:.4f} |"
    for kind, (before, after) in loaded["memory"].items():
        yield f"| memory of a {kind}, first tenth and last | {before:.0f} MiB, {after:.0f} MiB |"
    left = loaded["left"]
    yield f"| submissions a second, one process | {left['submissions_per_second']:.0f} |"
    yield f"| Redis, bytes a waiting message | {left['redis_message_bytes']:,.0f} |"
    for name, value in left["database"].items():
        yield f"| PostgreSQL, {name.replace('_', ' ')} a document | {value:,.1f} |"
    for name, size in left["tables"].items():
        of_indexes = left["indexes"].get(name, 0.0)
        yield f"| table {name}, bytes a document; of these in indexes | {size:,.0f}; {of_indexes:,.0f} |"
    for name, (updates, hot) in left["updates"].items():
        if updates >= MIN_UPDATES:
            yield f"| rows of {name} updated a document; of these beside the indexes (HOT) | {updates:.1f}; {hot:.1f} |"
    for kind, size in left["blobs"].items():
        yield f"| {kind}, bytes a document | {size:,.0f} |"


def main() -> None:
    options = _options()
    began = time.monotonic()

    def report_progress(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr)

    figures: dict[str, Any] = {"workers": options.workers, "cores": usable_cores()}
    if options.json and options.json.exists():
        figures = json.loads(options.json.read_text()) | figures
    if "steps" in options.only:
        report_progress("steps")
        figures["steps"] = steps(options.step_documents)
    if "load" in options.only:
        run, left = load(options.documents, options.workers, report_progress)
        memory = meters.first_and_last(run.samples, options.documents)
        figures["load"] = _as_json(run) | {"workers": options.workers, "left": left, "memory": memory}
    if "one" in options.only:
        figures["one"] = _as_json(load(options.documents_of_one, 1, report_progress)[0])
    if "network" in options.only:
        figures["network"] = network(options.pages, options.workers, report_progress)
    for line in report(figures):
        print(line)
    if options.json:
        options.json.write_text(json.dumps(_rounded(figures), indent=1) + "\n")


def _rounded(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {name: _rounded(value) for name, value in figures.items()}
    if isinstance(figures, list | tuple):
        return [_rounded(value) for value in figures]
    return float(f"{figures:.{DIGITS}g}") if isinstance(figures, float) else figures


def _as_json(run: LoadRun) -> dict[str, Any]:
    return {
        "documents": run.documents, "wall": run.wall, "per_second": run.per_second, "flow_seconds": run.flow,
        "processor_seconds": dict(run.seconds), "speeds": run.speeds, "fields": run.fields,
    }  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what the service costs beside the reading.")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--documents-of-one", type=int, default=1_500, help="of the part `one`")
    parser.add_argument("--step-documents", type=int, default=200, help="of the part `steps`")
    parser.add_argument("--pages", type=int, default=40, help="of the part `network`")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--json", type=Path, help="figures are put in here; those of parts not run are left in it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
