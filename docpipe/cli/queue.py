"""`docpipe queue`: what waits, who works, what went wrong; another try, and deletion.

In: the jobs in the database, and the broker where it can be reached. Out: findings, or the ids of what was changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import click

from docpipe.cli.connections import opened_service
from docpipe.cli.job_table import counts_line, job_table
from docpipe.cli.options import database_option, settings_with, states_option
from docpipe.cli.submission import warnings_once
from docpipe.cli.terminal import open_console
from docpipe.cli.wording import ID_DIGITS, START_WORKER, duration, explained, without_password
from docpipe.errors import EXIT_USAGE, QueueError, UsageError
from docpipe.service.job_actions import delete_job, retry_job
from docpipe.service.maintenance import LOCK_NAME
from docpipe.service.queue import QUEUES
from docpipe.service.service import Service
from docpipe.store.jobs.job import ENDED, STATES, WAITING_STATE, Job, JobState
from docpipe.store.jobs.job_view import JobFilter
from docpipe.store.jobs.leader_lock import LeaderLock

LAST_FAILURES = 5
MAX_NAMES = 5  # of workers
NO_WORKER = f"none answers: `{START_WORKER}` starts one"
NO_MAINTENANCE = "none: jobs of dead workers wait, and messages are not sent; `docpipe maintain` starts one"
FAILURES: tuple[JobState, ...] = ("failed", "quarantined")


@click.group("queue", invoke_without_command=True)
@database_option
@click.pass_context
def queue_group(context: click.Context, database: str | None) -> None:
    """Show what waits, who works and what went wrong; retry or delete jobs.

    Without a command it shows the state of the queue, also while the broker is away.
    """
    context.obj = database
    if context.invoked_subcommand is None:
        with opened_service(settings_with(database), create=False) as service:
            for subject, text in _findings(service):
                click.echo(f"{subject:<11} {text}")
            failed, _ = service.view.page(JobFilter(states=FAILURES), limit=LAST_FAILURES)
            if failed:
                click.echo("\nThe last failures; `docpipe queue retry ID` tries one again:")
                open_console().print(job_table(failed))


@queue_group.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@states_option(FAILURES, "Retry all jobs in this state; may be repeated.")
@database_option
@click.pass_obj
def retry(group_database: str | None, ids: tuple[str, ...], states: tuple[JobState, ...], database: str | None) -> int:
    """Try ended jobs again from the beginning.

    ID is a job's id or the beginning of it. Standard output has the ids of the jobs that begin again.
    """
    if not ids and not states:
        raise UsageError("nothing is named", hint="Give ids, or --state failed or --state quarantined.")
    retried = refused = 0
    with opened_service(settings_with(database or group_database), create=False) as service, warnings_once():
        for job in _chosen_jobs(service, ids, states):
            if retry_job(service, job.id) is None:
                refused += 1
                click.echo(f"{job.id[:ID_DIGITS]} {job.name}: {_why_not_retried(job)}", err=True)
            else:
                retried += 1
                click.echo(job.id)
    click.echo(f"{retried} begin again" + (f", {refused} do not." if refused else "."), err=True)
    return EXIT_USAGE if refused else 0


@queue_group.command()
@states_option(STATES, "Delete the jobs in this state; may be repeated.", required=True)
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Only jobs taken in at least so long ago.",
)
@click.option("--yes", is_flag=True, help="Delete without asking.")
@database_option
@click.pass_obj
def purge(
    group_database: str | None, states: tuple[JobState, ...], days: float | None, yes: bool, database: str | None
) -> None:
    """Delete jobs with their originals, pages and results.

    A result stays where another job or `docpipe run` has it too. Standard output has the ids of the deleted jobs.
    """
    before = None if days is None else datetime.now(UTC) - timedelta(days=days)
    with opened_service(settings_with(database or group_database), create=False) as service:
        job_ids = [job.id for job in service.view.all(JobFilter(states=states, created_before=before))]
        if job_ids and not yes:
            question = f"Delete {len(job_ids)} jobs ({', '.join(states)}) with their documents and results?"
            click.confirm(question, abort=True, err=True)
        deleted = 0
        for job_id in job_ids:
            if delete_job(service, job_id):
                deleted += 1
                click.echo(job_id)
    click.echo(f"{deleted} jobs were deleted.", err=True)


def _findings(service: Service) -> Iterator[tuple[str, str]]:
    """Subject and text of each line."""
    broker = without_password(service.settings.broker_url)
    try:
        depths = ", ".join(f"{service.queue.depth(stage)} in {QUEUES[stage]}" for stage in QUEUES)
        workers = service.queue.workers()
    except QueueError as error:
        consequence = "What is taken in meanwhile is kept, and sent when it is back."
        yield "broker", f"{broker}: {explained(error.message, error.hint)} {consequence}"
    else:
        yield "broker", f"{broker}: {depths}"
        yield "workers", _names(workers) if workers else NO_WORKER
    yield "maintenance", LeaderLock(service.database, LOCK_NAME).holder() or NO_MAINTENANCE
    yield "jobs", counts_line(service.view.counts())
    oldest = service.view.oldest(tuple(WAITING_STATE.values()))
    if oldest is not None:
        waited = duration(datetime.now(UTC) - oldest.created)
        yield "oldest", f"{oldest.id[:ID_DIGITS]} {oldest.name} was taken in {waited} ago"
    count, last = service.view.retrying()
    if last is not None and last.error is not None:
        cause = explained(last.error["message"], last.error["hint"])
        yield "retried", f"{count} are tried again; the last one for: {cause}"
    messages = service.view.undelivered()
    if any(messages.values()):
        yield "messages", f"{messages['waiting']} to deliver, {messages['given_up']} given up"


def _names(workers: Sequence[str]) -> str:
    more = f" and {len(workers) - MAX_NAMES} more" if len(workers) > MAX_NAMES else ""
    return f"{len(workers)} answer: {', '.join(workers[:MAX_NAMES])}{more}"


def _chosen_jobs(service: Service, ids: Sequence[str], states: Sequence[JobState]) -> Iterator[Job]:
    """Raises UsageError for an id that is not there, before anything is changed."""
    yield from [service.view.by_prefix(id_prefix) for id_prefix in ids]
    if states:
        yield from list(service.view.all(JobFilter(states=states)))


def _why_not_retried(job: Job) -> str:
    if job.state not in ENDED:
        return f"it is {job.state}"
    return "its original was deleted; submit it again" if job.purged else "it was deleted"
