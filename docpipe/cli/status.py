"""`docpipe status`: how far documents are that were put into the queue.

In: the jobs in the database. Out: a table, or JSON lines. The broker is not asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from docpipe.cli.job_table import age, console, counts_line, job_facts, job_table, why
from docpipe.cli.service_access import ID_SHOWN, database_option, opened_database, settings_with
from docpipe.export import json_line
from docpipe.store.jobs.job_store import ENDED, STATES, Job, State
from docpipe.store.jobs.job_view import MAX_PAGE_SIZE, JobFilter, JobView

NEWEST = 20  # a screen
LOOK = 1.0  # seconds between two looks with --watch


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--watch", is_flag=True, help="Look again every second until all have ended.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice(STATES), help="Only jobs in this state; may be repeated."
)
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=NEWEST,
    show_default=True,
    help="The newest ones, so many.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; with --watch one for each change.")
@database_option
def status(
    ids: tuple[str, ...], watch: bool, states: tuple[State, ...], limit: int, as_json: bool, database: str | None
) -> None:
    """Say how far documents in the queue are.

    ID is a job's id or the beginning of it. Without one the newest jobs are shown.
    """
    with opened_database(settings_with(database)) as opened:
        view = JobView(opened)
        look = Look(view, ids, states, limit)
        if not watch:
            _show(look, as_json=as_json)
        elif as_json or not console().is_terminal:
            _print_changes(look, as_json=as_json)
        else:
            _refresh(look)


class Look:
    """The jobs that are asked for, as they are now. Raises UsageError for an id that is not there."""

    def __init__(self, view: JobView, ids: Sequence[str], states: Sequence[State], limit: int) -> None:
        self._view, self._states, self._limit = view, states, limit
        self.ids = [view.by_prefix(given).id for given in ids]
        self.counts: dict[str, int] = {}
        self.jobs: list[Job] = []
        self.again()

    def again(self) -> None:
        if self.ids:
            known = self._view.by_ids(self.ids)
            self.jobs = [known[number] for number in self.ids if number in known]
            self.is_over = all(job.state in ENDED for job in self.jobs)
        else:
            self.counts = self._view.counts()
            self.jobs, _ = self._view.page(JobFilter(states=self._states), limit=self._limit)
            self.is_over = not any(count for state, count in self.counts.items() if state not in ENDED)


def _show(look: Look, *, as_json: bool) -> None:
    if as_json:
        for job in look.jobs:
            click.echo(json_line(job_facts(job)), nl=False)
        return
    console().print(*_screen(look), sep="\n")


def _screen(look: Look) -> list[object]:
    if look.ids:
        return [job_table(look.jobs), *(Text(more) for more in map(_more, look.jobs) if more)]
    return [job_table(look.jobs), counts_line(look.counts)]


def _more(job: Job) -> str:
    """How to go on with a job that was asked for by its id."""
    said = ""
    if job.state == "done":
        said = f"`docpipe show {job.document_id[:ID_SHOWN]}` shows what it says."
    elif job.error is not None:
        said = job.error["hint"]
    elif job.lease is not None:
        said = f"{job.worker} has it, try {job.attempts}."
    return said and f"{job.id[:ID_SHOWN]}: {said}"


def _refresh(look: Look) -> None:
    def screen() -> Group:
        return Group(*_screen(look))  # type: ignore[arg-type]

    with Live(screen(), console=console(), auto_refresh=False) as live:
        _repeat(look, lambda: live.update(screen(), refresh=True))


def _print_changes(look: Look, *, as_json: bool) -> None:
    told: dict[str, State] = {}

    def tell() -> None:
        for job in reversed(look.jobs):
            if told.get(job.id) != job.state:
                told[job.id] = job.state
                line = f"{job.id[:ID_SHOWN]} {job.name}: {job.status or job.state} after {age(job)}"
                text = json_line(job_facts(job)) if as_json else ": ".join(filter(None, (line, why(job))))
                click.echo(text, nl=not as_json)

    _repeat(look, tell)


def _repeat(look: Look, show: Callable[[], None]) -> None:
    while True:
        show()
        if look.is_over:
            return
        time.sleep(LOOK)
        look.again()
