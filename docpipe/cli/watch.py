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
from docpipe.cli.service_access import database_option, opened_service, settings_with
from docpipe.cli.watch_local import HereWatch
from docpipe.cli.watch_queue import QueueWatch
from docpipe.components import ModelName, worker_limits
from docpipe.config import Settings
from docpipe.errors import UsageError
from docpipe.log import write_log
from docpipe.schema import Schema, load_schema
from docpipe.watch import POLL, WatchedFolder

log = logging.getLogger("docpipe.watch")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="IN")
@click.option(
    "--schema",
    "schema_name",
    default="invoice",
    show_default=True,
    metavar="NAME",
    help="What to look for: a shipped schema, auto (what each document is), FILE.py:Class, module:Class or FILE.json.",
)
@click.option("--queue", is_flag=True, help="Put the files into the queue for workers, instead of reading them here.")
@click.option(
    "--poll",
    type=click.FloatRange(min=0, min_open=True),
    default=POLL,
    show_default=True,
    metavar="SECONDS",
    help="Between two looks. A file is taken at the third look at which it has not changed.",
)
@click.option("--model", metavar="KIND:WEIGHTS", help="The extractor. Default: DOCPIPE_MODEL, or embedded.")
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Worker processes. Default: DOCPIPE_JOBS, or as many as fit here."
)
@click.option(
    "--accept-error",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    help="Share of wrong values among the accepted. Default: DOCPIPE_ACCEPT_ERROR, or 0.01.",
)
@click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="TEXT",
    help="For encrypted PDFs; may be given several times. Never stored.",
)
@database_option
def watch(folder: Path, schema_name: str, queue: bool, poll: float, database: str | None, **given: Any) -> None:
    """Read what is put into a folder, as it comes.

    A file is taken when it has stopped growing. When it has ended it is moved to IN/done; what could not be read is
    moved to IN/failed, with the reason in a text file beside it. What is put back is tried again. Ctrl-C and SIGTERM
    end it after the documents in hand; what lies in IN is done by the next one.
    """
    schema, settings = load_schema(schema_name), _chosen(settings_with(database), given)
    watched = WatchedFolder(folder.absolute())
    with _stopping() as stop:
        if not queue:
            watched.prepare()
            write_log(settings.log_format)
            _here(watched, schema, settings, given, poll).run(stop)
            return
        if given["jobs"] or given["passwords"]:
            hint = "Workers have neither: say how many where they are started; encrypted files need `docpipe run`."
            raise UsageError("--jobs and --password are for reading here, without --queue", hint=hint)
        with opened_service(settings) as service:
            watched.prepare()
            write_log(settings.log_format)
            QueueWatch(watched, service, schema.reference, poll).run(stop)


def _chosen(settings: Settings, given: dict[str, Any]) -> Settings:
    wanted = {name: given[name] for name in ("model", "accept_error") if given[name]}
    return settings.model_copy(update=wanted)


def _here(watched: WatchedFolder, schema: Schema, settings: Settings, given: dict[str, Any], poll: float) -> HereWatch:
    model = ModelName.parse(settings.model)
    limits = worker_limits(model, settings, given["jobs"])
    plan = BatchPlan(schema, model, settings, given["passwords"], threads=limits.threads)
    return HereWatch(watched, plan, settings.database_url, limits.jobs, limits.deadlines, poll)


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Set by SIGTERM or Ctrl-C. A second one ends at once, whatever is in hand."""
    stop = threading.Event()
    former = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}

    def ask(number: int, _frame: object) -> None:
        stop.set()
        log.info("ending after the documents in hand; once more ends at once")
        signal.signal(number, former[signal.Signals(number)])

    for sign in former:
        signal.signal(sign, ask)
    try:
        yield stop
    finally:
        for sign, handler in former.items():
            signal.signal(sign, handler)
