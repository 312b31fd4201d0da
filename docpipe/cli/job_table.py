"""Jobs for a person and for a machine. In: jobs. Out: a table, a plain line, or a dict for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from docpipe.cli.terminal import COLOURS, plain_table
from docpipe.cli.wording import ID_DIGITS, duration
from docpipe.store.jobs.job import ENDED, INTERACTIVE, STATES, Job

STATUS_TEXTS = {"complete": "done", "needs_review": "done, to review"}
RUNNING_COLOUR = "blue"


def job_table(jobs: Iterable[Job]) -> Table:
    table = plain_table()
    table.add_column("id", no_wrap=True)
    table.add_column("file", overflow="fold", ratio=3)
    table.add_column("schema", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("taken in", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("why", overflow="fold", ratio=4)
    for job in jobs:
        status = (job.status if job.state == "done" else job.state) or ""
        state = Text(STATUS_TEXTS.get(status, job.state), COLOURS.get(status, RUNNING_COLOUR))
        created = f"{job.created.astimezone():%m-%d %H:%M:%S}"
        cells = (job.id[:ID_DIGITS], job.name, job.schema.rpartition("/")[2])
        table.add_row(*(Text(cell) for cell in cells), state, created, elapsed(job), Text(reason(job)))
    return table


def reason(job: Job) -> str:
    """What stopped it, or put it back."""
    if job.error is None:
        return ""
    retried = "" if job.state in ENDED else "is tried again: "
    return f"{retried}{job.error['message']}"


def elapsed(job: Job) -> str:
    """From when it was taken in until it ended, or until now."""
    return duration((job.ended or datetime.now(UTC)) - job.created)


def counts_line(counts: Mapping[str, int]) -> str:
    """`3 queued, 1 preparing, 20 done`."""
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts.get(state)) or "no jobs"


def job_record(job: Job) -> dict[str, Any]:
    """What `--json` prints of a job."""
    names = (
        "id",
        "document_id",
        "name",
        "schema",
        "model",
        "state",
        "status",
        "owner",
        "attempts",
        "environment_retries",
    )
    record: dict[str, Any] = {name: getattr(job, name) for name in names}
    record |= {"interactive": job.priority >= INTERACTIVE, "worker": job.worker, "run_key": job.run_key}
    times = {name: getattr(job, name) for name in ("created", "changed", "ended", "purged")}
    record |= {name: None if time is None else time.isoformat() for name, time in times.items()}
    return record | {"error": None if job.error is None else dict(job.error)}
