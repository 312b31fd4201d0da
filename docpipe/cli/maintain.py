"""`docpipe maintain`: the maintenance process of the service. In: settings. Out: a log on standard error."""

from __future__ import annotations

import signal
import threading

import click

from docpipe.cli.connections import opened_database, opened_service
from docpipe.cli.options import settings_with
from docpipe.config import Settings
from docpipe.errors import QueueError
from docpipe.log import configure_logging
from docpipe.service.maintenance import LOCK_NAME, Maintenance
from docpipe.store.jobs.leader_lock import LeaderLock


@click.command()
@click.option(
    "--check", is_flag=True, help="Only check whether a maintenance process runs; the exit code is 8 if none does."
)
def maintain(check: bool) -> None:
    """Maintain the service: free jobs of dead workers, send lost messages again, deliver webhooks.

    It also delivers the answers to other programs, and deletes originals after DOCPIPE_KEEP_DAYS. Run one beside the
    workers; a second one waits until the first is gone.
    """
    settings = settings_with()
    if check:
        click.echo(f"{_working_process(settings)} is at work")
        return
    configure_logging(settings.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with opened_service(settings) as service:
        Maintenance(service, stop).run()


def _working_process(settings: Settings) -> str:
    """Host and process id of the one that has the lock. Raises QueueError when there is none."""
    with opened_database(settings) as database:
        holder = LeaderLock(database, LOCK_NAME).holder()
    if holder is None:
        raise QueueError("no maintenance process is at work", hint="Start one beside the workers: docpipe maintain.")
    return holder
