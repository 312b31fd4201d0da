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

from docpipe.cli.connections import opened_database
from docpipe.cli.job_table import counts_line, elapsed, job_record, job_table, reason
from docpipe.cli.options import database_option, json_option, settings_with, states_option
from docpipe.cli.terminal import open_console, print_record
from docpipe.cli.wording import ID_DIGITS
from docpipe.store.jobs.job import ENDED, STATES, Job, JobState
from docpipe.store.jobs.job_view import MAX_PAGE_SIZE, JobFilter, JobView

DEFAULT_LIMIT = 20  # a screen
POLL_SECONDS = 1.0  # with --watch


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--watch", is_flag=True, help="Refresh every second until all jobs have ended.")
@states_option(STATES, "Show only jobs in this state; may be repeated.")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_PAGE_SIZE),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="Show at most so many jobs, the newest ones.",
)
@json_option("Print one JSON object a line; with --watch one for each change.")
@database_option
def status(
    ids: tuple[str, ...], watch: bool, states: tuple[JobState, ...], limit: int, as_json: bool, database: str | None
) -> None:
    """Show how far documents in the queue are.

    ID is a job's id or the beginning of it. Without one the newest jobs are shown.
    """
    with opened_database(settings_with(database)) as opened:
        listing = JobListing(JobView(opened), ids, states, limit)
        if not watch:
            _print(listing, as_json=as_json)
        elif as_json or not open_console().is_terminal:
            _print_changes(listing, as_json=as_json)
        else:
            _update_screen(listing)


class JobListing:
    """The jobs that are asked for, as they were at the last refresh. Raises UsageError for an id that is not there."""

    def __init__(self, view: JobView, ids: Sequence[str], states: Sequence[JobState], limit: int) -> None:
        self._view, self._states, self._limit = view, states, limit
        self.ids = [view.by_prefix(id_prefix).id for id_prefix in ids]
        self.counts: dict[str, int] = {}
        self.jobs: list[Job] = []
        self.refresh()

    def refresh(self) -> None:
        if self.ids:
            jobs = self._view.by_ids(self.ids)
            self.jobs = [jobs[job_id] for job_id in self.ids if job_id in jobs]
            self.have_all_ended = all(job.state in ENDED for job in self.jobs)
        else:
            self.counts = self._view.counts()
            self.jobs, _ = self._view.page(JobFilter(states=self._states), limit=self._limit)
            self.have_all_ended = not any(count for state, count in self.counts.items() if state not in ENDED)


def _print(listing: JobListing, *, as_json: bool) -> None:
    if as_json:
        for job in listing.jobs:
            print_record(job_record(job))
        return
    open_console().print(*_screen(listing), sep="\n")


def _screen(listing: JobListing) -> list[object]:
    if listing.ids:
        return [job_table(listing.jobs), *(Text(advice) for advice in map(_advice, listing.jobs) if advice)]
    return [job_table(listing.jobs), counts_line(listing.counts)]


def _advice(job: Job) -> str:
    """How to go on with a job that was asked for by its id."""
    advice = ""
    if job.state == "done":
        advice = f"`docpipe show {job.document_id[:ID_DIGITS]}` shows what it says."
    elif job.error is not None:
        advice = job.error["hint"]
    elif job.lease is not None:
        advice = f"{job.worker} has it, try {job.attempts}."
    return advice and f"{job.id[:ID_DIGITS]}: {advice}"


def _update_screen(listing: JobListing) -> None:
    def screen() -> Group:
        return Group(*_screen(listing))  # type: ignore[arg-type]

    with Live(screen(), console=open_console(), auto_refresh=False) as live:
        _until_all_have_ended(listing, lambda: live.update(screen(), refresh=True))


def _print_changes(listing: JobListing, *, as_json: bool) -> None:
    printed: dict[str, JobState] = {}

    def print_new_states() -> None:
        for job in reversed(listing.jobs):
            if printed.get(job.id) == job.state:
                continue
            printed[job.id] = job.state
            if as_json:
                print_record(job_record(job))
            else:
                line = f"{job.id[:ID_DIGITS]} {job.name}: {job.status or job.state} after {elapsed(job)}"
                click.echo(": ".join(filter(None, (line, reason(job)))))

    _until_all_have_ended(listing, print_new_states)


def _until_all_have_ended(listing: JobListing, show: Callable[[], None]) -> None:
    while True:
        show()
        if listing.have_all_ended:
            return
        time.sleep(POLL_SECONDS)
        listing.refresh()
