"""Jobs for a person and for a machine. In: jobs. Out: a table, a plain line, or a dict for JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from docpipe.cli.service_access import ID_SHOWN
from docpipe.store.jobs.job_store import ENDED, INTERACTIVE, STATES, Job

FILE_WIDTH = 160  # columns of a table that is piped into a file
COLOURS = {"complete": "green", "needs_review": "yellow", "failed": "red", "quarantined": "red"}
WORDS = {"complete": "done", "needs_review": "done, to review"}
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def console() -> Console:
    found = Console(emoji=False)
    return found if found.is_terminal else Console(width=FILE_WIDTH, emoji=False)


def job_table(jobs: Iterable[Job]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("id", no_wrap=True)
    table.add_column("file", overflow="fold", ratio=3)
    table.add_column("schema", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("taken in", no_wrap=True)
    table.add_column("took", no_wrap=True, justify="right")
    table.add_column("why", overflow="fold", ratio=4)
    for job in jobs:
        mark = job.status if job.state == "done" else job.state
        state = Text(WORDS.get(mark or "", job.state), COLOURS.get(mark or "", "blue"))
        taken = f"{job.created.astimezone():%m-%d %H:%M:%S}"
        cells = (job.id[:ID_SHOWN], job.name, job.schema.rpartition("/")[2])
        table.add_row(*(Text(cell) for cell in cells), state, taken, age(job), Text(why(job)))
    return table


def why(job: Job) -> str:
    """What stopped it, or put it back."""
    if job.error is None:
        return ""
    again = "" if job.state in ENDED else "is tried again: "
    return f"{again}{job.error['message']}"


def age(job: Job) -> str:
    return spell((job.ended or datetime.now(UTC)) - job.created)


def spell(span: Any) -> str:
    """A timedelta: `14 s`, `3 min`, `2 h`."""
    seconds = max(0.0, span.total_seconds())
    for length, unit in UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def sentence(text: str) -> str:
    """A message with one full stop."""
    return text if text.endswith(("!", "?")) else text.rstrip(".") + "."


def counts_line(counts: Mapping[str, int]) -> str:
    """`3 queued, 1 preparing, 20 done`."""
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts.get(state)) or "no jobs"


def job_facts(job: Job) -> dict[str, Any]:
    """What `--json` prints of a job."""
    names = ("id", "document_id", "name", "schema", "model", "state", "status", "owner", "attempts", "setbacks")
    facts: dict[str, Any] = {name: getattr(job, name) for name in names}
    facts |= {"interactive": job.priority >= INTERACTIVE, "worker": job.worker, "run_key": job.run_key}
    times = {name: getattr(job, name) for name in ("created", "changed", "ended", "purged")}
    facts |= {name: None if time is None else time.isoformat() for name, time in times.items()}
    return facts | {"error": None if job.error is None else dict(job.error)}
