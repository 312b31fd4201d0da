"""`docpipe keeper`: the process that keeps the service in order. In: settings. Out: nothing; its log tells."""

from __future__ import annotations

import signal
import threading

import click

from docpipe.cli.service_access import opened_database, opened_service
from docpipe.config import Settings, load_settings
from docpipe.errors import QueueError
from docpipe.log import write_log
from docpipe.service.maintenance import DUTY, Keeper
from docpipe.store.jobs.waiting import Duties


@click.command()
@click.option("--check", is_flag=True, help="Only say whether a keeper is at work; exit code 8: none is.")
def keeper(check: bool) -> None:
    """Keep the service in order: free the jobs of dead workers, tell the broker what it forgot.

    It also delivers webhooks and answers, and deletes originals whose time is over (DOCPIPE_KEEP_DAYS). Run one beside
    the workers; a second one waits until the first is gone.
    """
    settings = load_settings()
    if check:
        click.echo(f"{_holder(settings)} is at work")
        return
    write_log(settings.log_format)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    with opened_service(settings) as service:
        Keeper(service, stop).run()


def _holder(settings: Settings) -> str:
    """The keeper that is at work. Raises QueueError when there is none."""
    with opened_database(settings) as database:
        holder = Duties(database).holder(DUTY)
    if holder is None:
        raise QueueError("no keeper is at work", hint="Start one beside the workers: docpipe keeper.")
    return holder
