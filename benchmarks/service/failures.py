"""One thing goes wrong at a time: what is seen, and does it recover by itself?

    python -m benchmarks.service.failures [--only poison disk] [--away 60]

In: which failures, and for how long a server is away. Out: Markdown on standard output; exit code 1 when something did
not end as it should. All processes are real. So are the full disk and the cut cable, where this process may mount a
disk of 3 MiB and make a network (root on Linux); otherwise these parts are left out and say so.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from benchmarks.service.documents import invoice, printed, write_script
from benchmarks.service.failing_servers import broker, database, hung, network
from benchmarks.service.failure_site import RECOVERY_SECONDS, FailureReport, FailureSite
from benchmarks.service.network_namespace import network_namespace
from benchmarks.service.servers import wait_until
from benchmarks.service.service_harness import service_harness
from docpipe.errors import DocpipeError
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.blobs import job_prefix, original_key
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_view import JobFilter

LEASE_SECONDS = 5
POISON = 666_666
DISK = 3  # MiB
FOR_A_WHILE = ("broker", "database", "hung", "network")
MOST = 2_500  # documents of one failure
OTHERS, ROUNDS = 400, 2
SCHEMA = f'''
import os, signal
from typing import Annotated
from pydantic import BaseModel, field_validator
from docpipe.schemas.kinds import Identifier

class Bill(BaseModel):
    """A bill whose reader dies of one number: as C code does that a document makes crash."""
    invoice_number: Annotated[str | None, Identifier()] = None

    @field_validator("invoice_number")
    @classmethod
    def _dies(cls, number: str | None) -> str | None:
        if number in {[printed(POISON + round_) for round_ in range(ROUNDS)]}:
            os.kill(os.getpid(), signal.SIGKILL)
        return number
'''


def poison(site: FailureSite, report: FailureReport) -> None:
    """The same number of documents without and with one that kills whoever reads it, in turns."""
    schema = site.harness.folder / "bill.py"
    schema.write_text(SCHEMA)
    reference = f"{schema}:Bill"
    site.start_workers(2)
    site.submit(10, reference)
    site.await_done()
    seconds: dict[bool, float] = {False: 0.0, True: 0.0}
    bad: list[Job] = []
    for poisoned in (False, True) * ROUNDS:
        started = time.monotonic()
        if poisoned:
            bad.append(site.send(POISON + len(bad), reference))
        others = _ids(site.submit(OTHERS, reference))
        wait_until(lambda others=others: _are_done(site, others), "the others are done", RECOVERY_SECONDS)
        seconds[poisoned] += (time.monotonic() - started) / ROUNDS
        wait_until(lambda: all(site.current(job).ended for job in bad), "the bad one has ended", RECOVERY_SECONDS)
    ended = [site.current(job) for job in bad]
    report.expect(f"{len(bad)} of them are quarantined", all(job.state == "quarantined" for job in ended))
    report.expect("each after three attempts", all(job.attempts == 3 for job in ended))
    report.note(f"`{ended[0].error['code']}`: {ended[0].error['message']}" if ended[0].error else "no reason")
    report.note(f"{OTHERS} others took {seconds[False]:.1f} s without one, {seconds[True]:.1f} s with one")
    report.note(f"**ratio {seconds[True] / seconds[False]:.2f}**")


def _are_done(site: FailureSite, ids: list[str]) -> bool:
    return all(job.state == "done" for job in site.service.view.by_ids(ids).values())


def disk(site: FailureSite, report: FailureReport) -> None:
    """No room for what is sent; then none for the pages that are read. Afterwards there is."""
    folder = Path(site.service.settings.blob_url)
    jobs = site.submit(3)
    filler = folder / "filler"
    _fill(filler)
    try:
        submit_document(site.service, io.BytesIO(invoice(0, lines=400, pages=40)), "large.pdf", SubmitOptions())
        report.expect("it was taken in", False)
    except DocpipeError as error:
        message = str(error).replace(str(folder), "BLOBS")
        report.note(f"whoever sends: `{error.code}`: {message}. {error.hint}")
    counts = site.service.view.counts()
    report.expect("nothing was taken in", sum(counts.values()) == 3)
    site.start_workers(1)
    wait_until(
        lambda: any(site.current(job).environment_retries for job in jobs),
        "a worker meets the full disk",
        RECOVERY_SECONDS,
    )
    delayed = next(job for job in map(site.current, jobs) if job.environment_retries)
    report.note(f"a worker: {delayed.error['message'].partition(': ')[2] if delayed.error else ''}")
    report.expect(f"the document waits ({delayed.state}), with {delayed.attempts} attempts lost", delayed.attempts == 0)
    time.sleep(10)
    filler.unlink()
    report.note(f"with room again all were done after {site.await_done():.0f} s")
    partial = [path.name for path in folder.rglob("*.part")]
    report.expect(f"{len(partial)} half-written files are left", not partial)


def blob(site: FailureSite, report: FailureReport) -> None:
    """Bytes that are damaged while nobody looks."""
    readers = site.harness.worker("reader", queues="docpipe.prepare").start()
    jobs = site.submit(2)
    wait_until(lambda: site.service.view.counts().get("prepared") == 2, "pages are read", RECOVERY_SECONDS)
    folder = Path(site.service.settings.blob_url)
    words = folder / job_prefix(jobs[0].id) / "pages.json"
    words.write_bytes(words.read_bytes()[:100])
    (folder / job_prefix(jobs[1].id) / "pages.json").unlink()
    readers.stop()
    damaged, gone = site.submit(2)
    original = folder / original_key(damaged.id)
    original.write_bytes(original.read_bytes()[:-20])
    (folder / original_key(gone.id)).unlink()
    site.start_workers(1)
    ended = ("done", "failed", "quarantined")
    all_four = [*jobs, damaged, gone]
    wait_until(
        lambda: all(site.current(job).state in ended for job in all_four), "all four have ended", RECOVERY_SECONDS
    )
    states = [site.current(job).state for job in jobs]
    report.expect(
        f"stored words cut off, or gone: read again from the original ({' and '.join(states)})", set(states) == {"done"}
    )
    for job, label in ((damaged, "original cut off"), (gone, "original gone")):
        ended_job = site.current(job)
        reason = (
            f"`{ended_job.error['code']}`: {ended_job.error['message'].replace(str(folder), 'BLOBS')}"
            if ended_job.error
            else ""
        )
        report.expect(f"{label}: {ended_job.state}, {reason}", ended_job.state == "failed")


def standstill(site: FailureSite, report: FailureReport) -> None:
    """A worker stops for longer than its lease, as a machine that sleeps does, and goes on."""
    first, second = site.start_workers(2)
    site.submit(4)
    site.await_done()
    site.submit(40)
    assert first.process is not None
    family = [psutil.Process(first.process.pid), *psutil.Process(first.process.pid).children(recursive=True)]
    held_jobs: list[Job] = []
    while not held_jobs:
        for process in family:
            process.suspend()
        pids = {str(process.pid) for process in family}
        working = site.service.view.page(JobFilter(states=("preparing", "understanding")), limit=50)[0]
        held_jobs = [job for job in working if (job.worker or "").rpartition(":")[2] in pids]
        if not held_jobs:
            for process in family:
                process.resume()
            time.sleep(0.05)
    seconds = site.await_done()
    for process in family:
        process.resume()
    report.note(f"the {len(held_jobs)} documents in its hands were done by another worker after {seconds:.0f} s")
    time.sleep(3)
    worker = "not ours" if not held_jobs else site.current(held_jobs[0]).worker or ""
    report.expect("when it went on, its result did not count", worker.rpartition(":")[2] not in pids)
    report.expect("the worker works on", first.is_alive and second.is_alive)
    site.submit(10)
    site.await_done()


FAILURES: dict[str, tuple[str, Callable[[FailureSite, FailureReport], None]]] = {
    "poison": ("a document that kills its worker every time", poison),
    "disk": ("the disk of the blobs is full", disk),
    "blob": ("stored bytes are damaged or gone", blob),
    "broker": ("the broker is away", broker),
    "database": ("the database is away", database),
    "hung": ("first the broker and then the database hang", hung),
    "network": ("broker and database are cut off", network),
    "standstill": ("a worker freezes for longer than its lease", standstill),
}


def _fill(path: Path) -> None:
    """Until there is no room."""
    size = 64 * 1024
    with path.open("wb", buffering=0) as filler:
        while size >= 1:
            try:
                filler.write(bytes(size))
            except OSError:
                size //= 2


@contextmanager
def _small_disk(folder: Path) -> Iterator[bool]:
    """A disk of a few MiB in this folder; False where none may be mounted."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _ids(jobs: list[Job]) -> list[str]:
    return [job.id for job in jobs]


def run(name: str, away: float) -> FailureReport:
    title, failure = FAILURES[name]
    report = FailureReport(f"{title}{f' for {away:g} s' if name in FOR_A_WHILE else ''}")
    with ExitStack() as resources:
        folder = Path(resources.enter_context(TemporaryDirectory(prefix="docpipe-failures-")))
        settings: dict[str, Any] = {"lease_seconds": LEASE_SECONDS}
        if name == "disk":
            settings["blob_url"] = folder / "disk"
            if not resources.enter_context(_small_disk(folder / "disk")):
                report.note("not tried: no disk may be mounted here")
                return report
        if name == "network":
            settings["network"] = resources.enter_context(network_namespace())
            if settings["network"] is None:
                report.note("not tried: no network may be made here")
                return report
        script = write_script(folder / "script.json", [*range(MOST), *range(POISON, POISON + ROUNDS)])
        harness = resources.enter_context(service_harness(script, **settings))
        service = resources.enter_context(closing(harness.service()))
        try:
            failure(FailureSite(harness, service, away, settings.get("network")), report)
        except (TimeoutError, AssertionError) as error:
            report.violations.append(f"{error}; {service.view.counts()}")
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description="Let one thing go wrong at a time.")
    parser.add_argument("--only", nargs="+", choices=FAILURES, default=list(FAILURES))
    parser.add_argument("--away", type=float, default=60.0, help="seconds that a server is away")
    options = parser.parse_args()
    reports = []
    for name in options.only:
        print(f"{name} …", file=sys.stderr, flush=True)
        reports.append(run(name, options.away))
    print("| failure | what is seen, and how it ends |\n|---|---|")
    for report in reports:
        violations = [f"WRONG: {violation}" for violation in report.violations]
        print(f"| {report.failure} | {'; '.join([*violations, *report.observations])} |")
    sys.exit(1 if any(report.violations for report in reports) else 0)


if __name__ == "__main__":
    main()
