"""A service in which things go wrong, with a client, and a report of what came of it.

In: a service harness. Out: reports. benchmarks.service.failures has the failures.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field

from benchmarks.service.documents import invoice
from benchmarks.service.network_namespace import NetworkNamespace
from benchmarks.service.servers import Program, wait_until
from benchmarks.service.service_harness import ServiceHarness
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs.job import Job

RECOVERY_SECONDS = 240.0  # seconds for the service to recover by itself


@dataclass
class FailureReport:
    failure: str
    observations: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def note(self, finding: str) -> None:
        self.observations.append(finding)

    def expect(self, finding: str, right: bool) -> None:
        (self.observations if right else self.violations).append(finding)


@dataclass
class FailureSite:
    """A service with a client. `outage_seconds`: how long a server is away."""

    harness: ServiceHarness
    service: Service
    outage_seconds: float
    network: NetworkNamespace | None = None
    submitted: int = 0

    def submit(self, count: int = 1, schema: str = "invoice") -> list[Job]:
        jobs = []
        for _ in range(count):
            self.submitted += 1
            jobs.append(self.send(self.submitted, schema))
        return jobs

    def send(self, number: int, schema: str = "invoice") -> Job:
        return submit_document(self.service, io.BytesIO(invoice(number)), f"{number}.pdf", SubmitOptions(schema))

    def current(self, job: Job) -> Job:
        stored = self.service.jobs.get(job.id)
        assert stored is not None
        return stored

    def all_done(self) -> bool:
        counts = self.service.view.counts()
        return sum(counts.values()) == counts.get("done", 0)

    def await_done(self) -> float:
        """Seconds until every job is done."""
        started = time.monotonic()
        wait_until(self.all_done, "all are done", RECOVERY_SECONDS)
        return time.monotonic() - started

    def start_workers(self, count: int) -> list[Program]:
        """With a maintenance process."""
        self.harness.maintenance().start()
        return [self.harness.worker(f"worker-{number}").start() for number in range(count)]
