"""Other processes of a test: whether they live, a document at which they stand still, and what dead ones held."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from benchmarks.service.servers import wait_until
from docpipe.service.service import Service
from docpipe.store.jobs.job_view import JobFilter
from tests.support.serving import end_lease

GATED_SCHEMA = """
import os, signal, time
from pathlib import Path
from pydantic import BaseModel, Field, model_validator

class Bill(BaseModel):
    invoice_number: str | None = Field(None, description="number of the bill")

    @model_validator(mode="after")
    def does_harm(self):
        if self.invoice_number == {kills!r}:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.invoice_number == {waits!r}:
            Path({reached!r}).touch()
            while not Path({opened!r}).exists():
                time.sleep(0.01)
        return self
"""
KILLS, WAITS = "R-KILL", "R-WAIT"  # invoice numbers


@dataclass(frozen=True)
class Gate:
    """A schema whose rules stand still at a document numbered WAITS, in whatever process it is understood, until
    the gate is opened. One numbered KILLS kills the process."""

    folder: Path

    @property
    def schema(self) -> str:
        """What to give as the name of the schema."""
        path = self.folder / "gated.py"
        if not path.exists():
            paths = {"reached": str(self._reached), "opened": str(self._opened)}
            path.write_text(GATED_SCHEMA.format(kills=KILLS, waits=WAITS, **paths))
        return f"{path}:Bill"

    def await_document(self) -> None:
        wait_until(self._reached.exists, "a document is at the gate", poll_seconds=0.02)

    def open(self) -> None:
        self._opened.touch()

    def close(self) -> None:
        for mark in (self._reached, self._opened):
            mark.unlink(missing_ok=True)

    @property
    def _reached(self) -> Path:
        return self.folder / "gate-reached"

    @property
    def _opened(self) -> Path:
        return self.folder / "gate-opened"


def is_alive(pid: int) -> bool:
    """Running, and not a zombie that waits for whoever inherited it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def end_leases_of_the_dead(service: Service) -> None:
    """As if the time of their leases had passed. Leases of the living are long in tests: a busy computer may stand
    still for seconds."""
    for job in service.view.all(JobFilter(states=("preparing", "understanding"))):
        if job.worker is not None and not is_alive(int(job.worker.rpartition(":")[2])):
            end_lease(service.database, job)
