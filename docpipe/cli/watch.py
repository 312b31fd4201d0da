"""`docpipe watch`: what is put into a folder is read as it comes.

In: a folder and options. Out: results in the database; the files in `done` and `failed`; a log on standard error.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from docpipe.batch.batch_worker import BatchPlan
from docpipe.cli.connections import opened_service
from docpipe.cli.options import (
    accept_error_option,
    database_option,
    jobs_option,
    model_option,
    passwords_option,
    schema_option,
    see_option,
    settings_with,
)
from docpipe.cli.watch_local import LocalWatcher
from docpipe.cli.watch_queue import QueueWatcher
from docpipe.components import ModelName, worker_limits
from docpipe.config import Settings
from docpipe.errors import UsageError
from docpipe.log import configure_logging
from docpipe.schema import Schema, load_schema
from docpipe.watch import POLL_SECONDS, UNFINISHED_SECONDS, WatchedFolder

log = logging.getLogger("docpipe.watch")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="IN")
@schema_option
@click.option("--queue", is_flag=True, help="Put the files into the queue for workers, instead of reading them here.")
@click.option(
    "--poll",
    type=click.FloatRange(min=0, min_open=True),
    default=POLL_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="Time between two polls of the folder. A file is taken at the third poll at which it has not changed.",
)
@click.option(
    "--wait",
    "unfinished_seconds",
    type=click.FloatRange(min=0),
    default=UNFINISHED_SECONDS,
    show_default=True,
    metavar="SECONDS",
    help="How long a file that is empty or without its end is waited for, after its last change.",
)
@model_option
@see_option
@jobs_option
@accept_error_option
@passwords_option
@database_option
def watch(folder: Path, schema_name: str, queue: bool, poll: float, database: str | None, **options: Any) -> None:
    """Read what is put into a folder, as it comes.

    A file is taken when its writer is done with it: when it has stopped growing, nobody has it open for writing or
    locked, and it has its end. When it has been read it is moved to IN/done; what could not be read is
    moved to IN/failed, with the reason in a text file beside it. What is put back is tried again. Ctrl-C and SIGTERM
    end it after the documents in progress; what is left in IN is read by the next `docpipe watch`.
    """
    schema = load_schema(schema_name)
    settings = settings_with(database, model=options["model"], accept_error=options["accept_error"], see=options["see"])
    watched = WatchedFolder(folder.absolute(), options["unfinished_seconds"])
    with _stop_on_signals() as stop:
        if not queue:
            watched.prepare()
            configure_logging(settings.log_format)
            _local_watcher(watched, schema, settings, options, poll).run(stop)
            return
        if options["jobs"] or options["passwords"]:
            hint = "Workers have neither: say how many where they are started; encrypted files need `docpipe run`."
            raise UsageError("--jobs and --password are for reading here, without --queue", hint=hint)
        with opened_service(settings) as service:
            watched.prepare()
            configure_logging(settings.log_format)
            QueueWatcher(watched, service, schema.reference, poll).run(stop)


def _local_watcher(
    watched: WatchedFolder, schema: Schema, settings: Settings, options: dict[str, Any], poll: float
) -> LocalWatcher:
    model = ModelName.parse(settings.model)
    limits = worker_limits(model, settings, options["jobs"])
    plan = BatchPlan(schema, model, settings, options["passwords"], threads=limits.threads)
    return LocalWatcher(watched, plan, settings.database_url, limits, poll)


@contextmanager
def _stop_on_signals() -> Iterator[threading.Event]:
    """Set by SIGTERM or Ctrl-C. A second one ends at once, whatever is in progress."""
    stop = threading.Event()
    former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def request_stop(number: int, _frame: object) -> None:
        stop.set()
        log.info("ending after the documents in progress; once more ends at once")
        signal.signal(number, former[signal.Signals(number)])

    for number in former:
        signal.signal(number, request_stop)
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
