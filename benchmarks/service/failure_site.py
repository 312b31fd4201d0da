"""A service to let things go wrong in, with a client, and what came of it.

In: a stand. Out: outcomes. benchmarks.service.failures has the causes.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field

from benchmarks.service.documents import invoice
from benchmarks.service.network_namespace import OwnNetwork
from benchmarks.service.servers import Program, wait_until
from benchmarks.service.service_harness import Stand
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs.job import Job

PATIENCE = 240.0  # seconds for the service to recover by itself


@dataclass
class Outcome:
    failure: str
    seen: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def see(self, said: str) -> None:
        self.seen.append(said)

    def expect(self, said: str, right: bool) -> None:
        (self.seen if right else self.wrong).append(said)


@dataclass
class Site:
    """A stand with a client. `away`: seconds that a server is."""

    stand: Stand
    service: Service
    away: float
    network: OwnNetwork | None = None
    taken_in: int = 0

    def submit(self, count: int = 1, schema: str = "invoice") -> list[Job]:
        made = []
        for _ in range(count):
            self.taken_in += 1
            made.append(self.send(self.taken_in, schema))
        return made

    def send(self, number: int, schema: str = "invoice") -> Job:
        return submit_document(self.service, io.BytesIO(invoice(number)), f"{number}.pdf", SubmitOptions(schema))

    def now(self, job: Job) -> Job:
        found = self.service.jobs.get(job.id)
        assert found is not None
        return found

    def all_done(self) -> bool:
        counts = self.service.view.counts()
        return sum(counts.values()) == counts.get("done", 0)

    def await_done(self) -> float:
        """Seconds until every job is done."""
        started = time.monotonic()
        wait_until(self.all_done, "all are done", PATIENCE)
        return time.monotonic() - started

    def workers(self, count: int) -> list[Program]:
        """With a keeper."""
        self.stand.keeper().start()
        return [self.stand.worker(f"worker-{number}").start() for number in range(count)]
