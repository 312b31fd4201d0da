"""Everything is killed while documents come in: is each document there exactly once in the end?

    python -m benchmarks.service.chaos [--documents 1000] [--kills 100]

In: how many documents and how many kills. Out: Markdown on standard output; exit code 1 when a promise was broken.
Workers die by `kill -9` (a worker with its children, a child alone, a parent alone) and are started again at once, as
systemd or Kubernetes would. Redis is restarted, killed and emptied, PostgreSQL is restarted and killed, the maintenance
is killed. Documents are sent all the while by a client that repeats what failed under the same idempotency key.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from benchmarks.service.chaos_audit import Audit, audit
from benchmarks.service.documents import invoice, write_script
from benchmarks.service.servers import Program
from benchmarks.service.service_harness import ServiceHarness, service_harness
from docpipe.errors import DocpipeError, StoreError
from docpipe.service.job_actions import retry_job
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs.job import BULK, INTERACTIVE
from docpipe.store.jobs.job_view import JobFilter

LEASE_SECONDS = 5
SUBMITTED_BY = 0.7  # of the kills: later ones meet a backlog, so that most of the dead have a document in hand
EVERY_TENTH = 10  # document is interactive
KILL_KINDS = ("group", "child", "child", "parent")
"""A child alone dies most often: of bad documents, or for want of memory."""

SENT = re.compile(r"(\d+) jobs were sent to")


@dataclass(frozen=True)
class ChaosPlan:
    """`interval`: seconds between kills. `maintenance_process`: otherwise the maintenance is a thread here, whose waits
    a test can make shorter. `outage_seconds`: of the database, longer than a lease; a third of it for Redis.
    `events`: what else happens, at which share of the kills."""

    documents: int = 1000
    kills: int = 100
    workers: int = 3
    interval: float = 2.0
    seconds: float = 1800.0
    seed: int = 4
    maintenance_process: bool = True
    outage_seconds: float = 8.0
    events: tuple[tuple[float, str], ...] = (
        (0.08, "maintenance killed"), (0.15, "Redis restarted"), (0.25, "PostgreSQL restarted"),
        (0.35, "Redis emptied (FLUSHALL)"), (0.45, "maintenance killed"), (0.55, "Redis killed"),
        (0.65, "PostgreSQL killed"), (0.75, "maintenance killed"), (0.85, "Redis killed"),
    )  # fmt: skip


@dataclass
class ChaosLog:
    """What was done, and what the client saw."""

    kills: Counter[str] = field(default_factory=Counter)
    hits: int = 0
    events: list[str] = field(default_factory=list)
    repeated: int = 0
    retried: list[str] = field(default_factory=list)
    first_tries: dict[int, datetime] = field(default_factory=dict)
    jobs: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    resent: int = 0


@dataclass
class ChaosRun:
    harness: ServiceHarness
    plan: ChaosPlan
    log: ChaosLog = field(default_factory=ChaosLog)
    report: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.plan.seed)
        self.workers = [self.harness.worker(f"worker-{number}") for number in range(self.plan.workers)]
        self.maintenance = self.harness.maintenance() if self.plan.maintenance_process else None
        self.service = self.harness.service()
        self.broken: BaseException | None = None

    def run(self) -> None:
        """Raises TimeoutError when jobs are still open long after the last kill."""
        with self._maintained():
            self._run()

    def _run(self) -> None:
        started = time.monotonic()
        for program in self._programs():
            program.start()
        submitter = threading.Thread(target=self._submit_all, daemon=True)
        submitter.start()
        self._kill_all_along(submitter)
        submitter.join()
        if self.broken is not None:
            raise self.broken
        self._await_end(started + self.plan.seconds)
        self.log.seconds = time.monotonic() - started
        if self.maintenance is not None:
            self.log.resent = sum(int(number) for number in SENT.findall(self.maintenance.output()))

    @contextmanager
    def _maintained(self) -> Iterator[None]:
        if self.maintenance is not None:
            yield
            return
        maintenance = Maintenance(self.harness.service())
        thread = threading.Thread(target=maintenance.run)
        thread.start()
        try:
            yield
        finally:
            maintenance.stop.set()
            thread.join()
            maintenance.service.close()

    def _submit_all(self) -> None:
        """As a client of the API would: what failed is sent again under its key, for as long as it takes."""
        plan, service = self.plan, self.harness.service()
        pace = SUBMITTED_BY * plan.kills * plan.interval / plan.documents
        try:
            for number in range(plan.documents):
                self.log.first_tries[number] = datetime.now(UTC)
                self.log.jobs[number] = self._submit(service, number)
                time.sleep(pace)
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is seen
            self.broken = error
        finally:
            service.close()

    def _submit(self, service: Service, number: int) -> str:
        key = f"chaos-{number}"
        priority = INTERACTIVE if number % EVERY_TENTH == 0 else BULK
        options = SubmitOptions(priority=priority, idempotency_key=key, callback={"answer": key})
        content = invoice(number)
        while True:
            try:
                return submit_document(service, BytesIO(content), f"{number}.pdf", options).id
            except StoreError:
                self.log.repeated += 1
                time.sleep(0.5)

    def _kill_all_along(self, submitter: threading.Thread) -> None:
        """Until there were enough kills, and all documents are taken in."""
        plan, events = self.plan, list(self.plan.events)
        while self.log.kills.total() < plan.kills or submitter.is_alive():
            time.sleep(self.dice.uniform(0.5, 1.5) * plan.interval)
            self._kill_one()
            while events and self.log.kills.total() >= events[0][0] * plan.kills:
                self._happen(events.pop(0)[1])
            self._revive()
            if self.log.kills.total() % 10 == 0:
                self.report(f"{self.log.kills.total()} kills, {len(self.log.jobs)} documents taken in")

    def _kill_one(self) -> None:
        kind = self.dice.choice(KILL_KINDS)
        worker = self.dice.choice(self.workers)
        children = _children(worker)
        if not children or worker.process is None:
            return  # it is still starting
        victims = {"group": [worker.process.pid, *children], "child": children, "parent": [worker.process.pid]}[kind]
        if kind == "group":
            worker.kill()
        else:
            for victim in victims:
                _kill(victim)
        self.log.kills[kind] += 1
        self.log.hits += self._in_hand(victims)

    def _in_hand(self, victims: list[int]) -> int:
        """How many jobs the dead had: their names stay on them until the lease is over."""
        try:
            at_work = self.service.view.page(JobFilter(states=("preparing", "understanding")), limit=50)[0]
        except StoreError:
            return 0
        return sum(int((job.worker or ":0").rpartition(":")[2]) in victims for job in at_work)

    def _revive(self) -> None:
        for program in self._programs():
            if not program.is_alive:
                program.start()

    def _programs(self) -> list[Program]:
        return [*self.workers, *([self.maintenance] if self.maintenance is not None else [])]

    def _happen(self, event: str) -> None:
        self.report(event)
        self.log.events.append(event)
        redis, postgres = self.harness.redis, self.harness.postgres
        sign = signal.SIGKILL if "killed" in event else None
        if event.startswith("maintenance"):
            if self.maintenance is not None:
                self.maintenance.kill()
        elif "emptied" in event:
            redis.wipe()
        else:
            is_redis = event.startswith("Redis")
            server = redis if is_redis else postgres
            server.stop(*([sign] if sign else []))
            time.sleep(self.plan.outage_seconds / 3 if is_redis else self.plan.outage_seconds)
            server.start()

    def _await_end(self, until: float) -> None:
        """Jobs that chance has killed three times are tried again, as an operator would."""
        last_report = 0.0
        while self._open():
            if time.monotonic() > until:
                raise TimeoutError(f"still open: {self.service.view.counts()}, {self.service.view.undelivered()}")
            if time.monotonic() - last_report > 10:
                last_report = time.monotonic()
                self.report(f"waiting: {self.service.view.counts()}, messages: {self.service.view.undelivered()}")
            for job in self.service.view.page(JobFilter(states=("quarantined",)))[0]:
                self.log.retried.append(f"{job.name}: {job.error and job.error['message']}")
                retry_job(self.service, job.id)
            self._revive()
            time.sleep(0.5)

    def _open(self) -> bool:
        counts = self.service.view.counts()
        return counts.get("done", 0) < self.plan.documents or self.service.view.undelivered()["waiting"] > 0


def _children(worker: Program) -> list[int]:
    """The children that work; the one that draws pages is in a session of its own and ends with them."""
    assert worker.process is not None
    try:
        return [child.pid for child in psutil.Process(worker.process.pid).children()]
    except psutil.NoSuchProcess:
        return []


def _kill(process: int) -> None:
    try:
        psutil.Process(process).kill()
    except psutil.NoSuchProcess:
        return


def report(log: ChaosLog, outcome: Audit) -> Iterator[str]:
    kills = ", ".join(f"{count} {name}" for name, count in sorted(log.kills.items()))
    events = Counter(log.events)
    yield "| what happened | |\n|---|---|"
    yield f"| documents | {len(log.jobs)} |"
    yield f"| `kill -9` of workers | {log.kills.total()} ({kills}) |"
    yield f"| of these, killed with a document in hand | {log.hits} |"
    yield f"| other | {', '.join(f'{name}: {count}' for name, count in events.items())} |"
    yield f"| submissions that failed and were repeated | {log.repeated} |"
    yield f"| messages that were sent again | {log.resent} |"
    yield f"| killed three times by chance, tried again by the operator | {len(log.retried)} |"
    yield f"| from the first submission to the last end | {log.seconds:.0f} s |"
    yield f"| longest from the first try of a submission to its end | {outcome.longest:.1f} s |"
    yield f"| median of the same | {outcome.median:.1f} s |"
    yield "\n| promise | found |\n|---|---|"
    for promise, finding in outcome.promises.items():
        yield f"| {promise} | {finding} |"
    yield f"\n{'Every promise was kept.' if not outcome.broken else 'BROKEN: ' + '; '.join(outcome.broken)}"


def run_chaos(
    plan: ChaosPlan, report_line: Callable[[str], None] = lambda _: None, logs: Path | None = None
) -> tuple[ChaosLog, Audit]:
    with TemporaryDirectory(prefix="docpipe-chaos-") as folder:
        model = write_script(Path(folder) / "script.json", range(plan.documents))
        with service_harness(model, folder=logs, lease_seconds=LEASE_SECONDS) as harness:
            chaos = ChaosRun(harness, plan, report=report_line)
            try:
                chaos.run()
                return chaos.log, audit(chaos.service, chaos.log.jobs, chaos.log.first_tries)
            finally:
                chaos.service.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill everything while documents come in, and count them.")
    parser.add_argument("--documents", type=int, default=ChaosPlan.documents)
    parser.add_argument("--kills", type=int, default=ChaosPlan.kills, help="of workers")
    parser.add_argument("--workers", type=int, default=ChaosPlan.workers)
    parser.add_argument("--interval", type=float, default=ChaosPlan.interval, help="seconds between two kills")
    parser.add_argument("--seconds", type=float, default=ChaosPlan.seconds, help="when to give up")
    parser.add_argument("--seed", type=int, default=ChaosPlan.seed)
    parser.add_argument("--logs", type=Path, help="an empty folder in which everything is left")
    options = vars(parser.parse_args())
    logs = options.pop("logs")
    started = time.monotonic()
    try:
        log, outcome = run_chaos(
            ChaosPlan(**options),
            lambda line: print(f"{time.monotonic() - started:6.0f} s  {line}", file=sys.stderr),
            logs,
        )
    except DocpipeError as error:
        sys.exit(f"{error}")
    for line in report(log, outcome):
        print(line)
    sys.exit(1 if outcome.broken else 0)


if __name__ == "__main__":
    main()
