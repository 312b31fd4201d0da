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
from benchmarks.service.failing_servers import broker, database, network, numb
from benchmarks.service.failure_site import PATIENCE, Outcome, Site
from benchmarks.service.network_namespace import own_network
from benchmarks.service.servers import wait_until
from benchmarks.service.service_harness import stand
from docpipe.errors import DocpipeError
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.blobs import job_prefix, original_key
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_view import JobFilter

LEASE_SECONDS = 5
POISON = 666_666
DISK = 3  # MiB
FOR_A_WHILE = ("broker", "database", "numb", "network")
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


def poison(site: Site, outcome: Outcome) -> None:
    """The same number of documents without and with one that kills whoever reads it, in turns."""
    schema = site.stand.folder / "bill.py"
    schema.write_text(SCHEMA)
    reference = f"{schema}:Bill"
    site.workers(2)
    site.submit(10, reference)
    site.await_done()
    seconds: dict[bool, float] = {False: 0.0, True: 0.0}
    bad: list[Job] = []
    for poisoned in (False, True) * ROUNDS:
        started = time.monotonic()
        if poisoned:
            bad.append(site.send(POISON + len(bad), reference))
        others = _ids(site.submit(OTHERS, reference))
        wait_until(lambda others=others: _are_done(site, others), "the others are done", PATIENCE)
        seconds[poisoned] += (time.monotonic() - started) / ROUNDS
        wait_until(lambda: all(site.now(job).ended for job in bad), "the bad one has ended", PATIENCE)
    ended = [site.now(job) for job in bad]
    outcome.expect(f"{len(bad)} of them are quarantined", all(job.state == "quarantined" for job in ended))
    outcome.expect("each after three attempts", all(job.attempts == 3 for job in ended))
    outcome.see(f"`{ended[0].error['code']}`: {ended[0].error['message']}" if ended[0].error else "no reason")
    outcome.see(f"{OTHERS} others took {seconds[False]:.1f} s without one, {seconds[True]:.1f} s with one")
    outcome.see(f"**ratio {seconds[True] / seconds[False]:.2f}**")


def _are_done(site: Site, ids: list[str]) -> bool:
    return all(job.state == "done" for job in site.service.view.by_ids(ids).values())


def disk(site: Site, outcome: Outcome) -> None:
    """No room for what is sent; then none for the pages that are read. Afterwards there is."""
    place = Path(site.service.settings.blob_url)
    first = site.submit(3)
    filler = place / "filler"
    _fill(filler)
    try:
        submit_document(site.service, io.BytesIO(invoice(0, lines=400, pages=40)), "large.pdf", SubmitOptions())
        outcome.expect("it was taken in", False)
    except DocpipeError as error:
        said = str(error).replace(str(place), "BLOBS")
        outcome.see(f"whoever sends: `{error.code}`: {said}. {error.hint}")
    counts = site.service.view.counts()
    outcome.expect("nothing was taken in", sum(counts.values()) == 3)
    site.workers(1)
    wait_until(
        lambda: any(site.now(job).environment_retries for job in first), "a worker meets the full disk", PATIENCE
    )
    back = next(job for job in map(site.now, first) if job.environment_retries)
    outcome.see(f"a worker: {back.error['message'].partition(': ')[2] if back.error else ''}")
    outcome.expect(f"the document waits ({back.state}), with {back.attempts} attempts lost", back.attempts == 0)
    time.sleep(10)
    filler.unlink()
    outcome.see(f"with room again all were done after {site.await_done():.0f} s")
    left = [path.name for path in place.rglob("*.part")]
    outcome.expect(f"{len(left)} half-written files are left", not left)


def blob(site: Site, outcome: Outcome) -> None:
    """Bytes that are damaged while nobody looks."""
    readers = site.stand.worker("reader", queues="docpipe.prepare").start()
    jobs = site.submit(2)
    wait_until(lambda: site.service.view.counts().get("prepared") == 2, "pages are read", PATIENCE)
    folder = Path(site.service.settings.blob_url)
    words = folder / job_prefix(jobs[0].id) / "pages.json"
    words.write_bytes(words.read_bytes()[:100])
    (folder / job_prefix(jobs[1].id) / "pages.json").unlink()
    readers.stop()
    damaged, gone = site.submit(2)
    original = folder / original_key(damaged.id)
    original.write_bytes(original.read_bytes()[:-20])
    (folder / original_key(gone.id)).unlink()
    site.workers(1)
    ended = ("done", "failed", "quarantined")
    all_four = [*jobs, damaged, gone]
    wait_until(lambda: all(site.now(job).state in ended for job in all_four), "all four have ended", PATIENCE)
    states = [site.now(job).state for job in jobs]
    outcome.expect(
        f"kept words cut off, or gone: read again from the original ({' and '.join(states)})", set(states) == {"done"}
    )
    for job, what in ((damaged, "original cut off"), (gone, "original gone")):
        found = site.now(job)
        reason = (
            f"`{found.error['code']}`: {found.error['message'].replace(str(folder), 'BLOBS')}" if found.error else ""
        )
        outcome.expect(f"{what}: {found.state}, {reason}", found.state == "failed")


def standstill(site: Site, outcome: Outcome) -> None:
    """A worker stops for longer than its lease, as a machine that sleeps does, and goes on."""
    first, second = site.workers(2)
    site.submit(4)
    site.await_done()
    site.submit(40)
    assert first.process is not None
    family = [psutil.Process(first.process.pid), *psutil.Process(first.process.pid).children(recursive=True)]
    held: list[Job] = []
    while not held:
        for process in family:
            process.suspend()
        pids = {str(process.pid) for process in family}
        working = site.service.view.page(JobFilter(states=("preparing", "understanding")), limit=50)[0]
        held = [job for job in working if (job.worker or "").rpartition(":")[2] in pids]
        if not held:
            for process in family:
                process.resume()
            time.sleep(0.05)
    seconds = site.await_done()
    for process in family:
        process.resume()
    outcome.see(f"the {len(held)} documents in its hands were done by another worker after {seconds:.0f} s")
    time.sleep(3)
    late = "not ours" if not held else site.now(held[0]).worker or ""
    outcome.expect("when it went on, its result did not count", late.rpartition(":")[2] not in pids)
    outcome.expect("the worker works on", first.alive and second.alive)
    site.submit(10)
    site.await_done()


FAILURES: dict[str, tuple[str, Callable[[Site, Outcome], None]]] = {
    "poison": ("a document that kills its worker every time", poison),
    "disk": ("the disk of the blobs is full", disk),
    "blob": ("kept bytes are damaged or gone", blob),
    "broker": ("the broker is away", broker),
    "database": ("the database is away", database),
    "numb": ("broker, then database, hang", numb),
    "network": ("broker and database are cut off", network),
    "standstill": ("a worker stands still for longer than its lease", standstill),
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


def run(name: str, away: float) -> Outcome:
    title, cause = FAILURES[name]
    outcome = Outcome(f"{title}{f' for {away:g} s' if name in FOR_A_WHILE else ''}")
    with ExitStack() as made:
        folder = Path(made.enter_context(TemporaryDirectory(prefix="docpipe-failures-")))
        settings: dict[str, Any] = {"lease_seconds": LEASE_SECONDS}
        if name == "disk":
            settings["blob_url"] = folder / "disk"
            if not made.enter_context(_small_disk(folder / "disk")):
                outcome.see("not tried: no disk may be mounted here")
                return outcome
        if name == "network":
            settings["network"] = made.enter_context(own_network())
            if settings["network"] is None:
                outcome.see("not tried: no network may be made here")
                return outcome
        script = write_script(folder / "script.json", [*range(MOST), *range(POISON, POISON + ROUNDS)])
        whole = made.enter_context(stand(script, **settings))
        service = made.enter_context(closing(whole.service()))
        try:
            cause(Site(whole, service, away, settings.get("network")), outcome)
        except (TimeoutError, AssertionError) as error:
            outcome.wrong.append(f"{error}; {service.view.counts()}")
    return outcome


def main() -> None:
    parser = argparse.ArgumentParser(description="Let one thing go wrong at a time.")
    parser.add_argument("--only", nargs="+", choices=FAILURES, default=list(FAILURES))
    parser.add_argument("--away", type=float, default=60.0, help="seconds that a server is away")
    options = parser.parse_args()
    outcomes = []
    for name in options.only:
        print(f"{name} …", file=sys.stderr, flush=True)
        outcomes.append(run(name, options.away))
    print("| failure | what is seen, and how it ends |\n|---|---|")
    for outcome in outcomes:
        wrong = [f"WRONG: {each}" for each in outcome.wrong]
        print(f"| {outcome.failure} | {'; '.join([*wrong, *outcome.seen])} |")
    sys.exit(1 if any(outcome.wrong for outcome in outcomes) else 0)


if __name__ == "__main__":
    main()
