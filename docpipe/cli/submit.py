"""`docpipe submit`: files and folders go into the queue; workers read them.

In: paths and a wish. Out: a JSON line for each document: its job, or with --wait its result.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from docpipe.batch.outcome import Outcome
from docpipe.cli.job_table import sentence
from docpipe.cli.run import Tally
from docpipe.cli.run_view import RunView
from docpipe.cli.service_access import ID_SHOWN, database_option, opened_service, settings_with, shown_url
from docpipe.cli.submission import outcome_of, submit_file, warnings_once
from docpipe.errors import DocpipeError, QueueError, StoreError, UsageError
from docpipe.export import json_line
from docpipe.ingest import find_files
from docpipe.result import failed_record
from docpipe.schema import Schema, load_schema
from docpipe.service.submit import Service, SubmitOptions
from docpipe.store.jobs.job_store import BULK, ENDED, INTERACTIVE, Job

LOOK = 0.5  # seconds between two looks at the jobs that are waited for


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option(
    "--schema",
    "schema_name",
    default="invoice",
    show_default=True,
    metavar="NAME",
    help="What to look for: a shipped schema, auto (what each document is), FILE.py:Class, module:Class or FILE.json.",
)
@click.option("--interactive", is_flag=True, help="Somebody waits: before all that is not.")
@click.option("--wait", is_flag=True, help="Wait until all have ended, and print their results.")
@click.option("--strict", is_flag=True, help="With --wait: exit with 9 when a document needs review.")
@click.option("--callback-url", metavar="URL", help="Is told of the end of each document, signed (docs/api.md).")
@database_option
def submit(
    paths: tuple[Path, ...], schema_name: str, wait: bool, strict: bool, database: str | None, **given: Any
) -> int:
    """Put documents into the queue.

    PATH is a file or a folder, which is read with all that is in it. Standard output has a JSON line for each document
    that was taken in; with --wait it has the results, as `docpipe run --output -` prints them. A schema of your own is
    named by its full path: the workers must find it there.
    """
    if strict and not wait:
        raise UsageError("--strict needs --wait", hint="Without --wait nobody knows yet what needs review.")
    schema = load_schema(schema_name)
    files = list(find_files(paths))
    if not files:
        raise UsageError(f"there is no file in {', '.join(map(str, paths))}", hint="Give a folder with documents.")
    callback = {"url": given["callback_url"]} if given["callback_url"] else None
    wish = SubmitOptions(schema.reference, INTERACTIVE if given["interactive"] else BULK, callback=callback)
    tally = Tally()
    with opened_service(settings_with(database)) as service:
        service.check(wish)
        with warnings_once():
            taken, refused = _take_in(service, files, wish, quiet=wait)
        for outcome in refused:
            tally.add(outcome)
        if wait:
            view = RunView(schema, len(files))
            _follow(service, taken, refused, view, schema, tally)
            view.go_on(_commands(tally, schema, database))
    return tally.exit_code(strict=strict)


def _take_in(
    service: Service, files: list[Path], wish: SubmitOptions, *, quiet: bool
) -> tuple[dict[str, Path], list[Outcome]]:
    """Job ids with their files, and the files that were refused. A file that is refused keeps no other one waiting."""
    taken, refused = dict[str, Path](), list[Outcome]()
    try:
        for path in files:
            try:
                job = submit_file(service, path, wish)
            except StoreError:
                raise  # it is the same for all others
            except DocpipeError as error:
                refused.append(Outcome(path, None, error=error))
                click.echo(f"{path}: {sentence(error.message)} {error.hint}", err=True)
                continue
            taken[job.id] = path
            if not quiet:
                _print({**_shown(job), "file": str(path)})
    finally:
        said = f"{len(taken)} of {len(files)} files are in the queue" + (f", {len(refused)} refused" * bool(refused))
        click.echo(said + (". `docpipe status --watch` follows them." if not quiet and taken else "."), err=True)
    return taken, refused


def _follow(
    service: Service, taken: dict[str, Path], refused: list[Outcome], view: RunView, schema: Schema, tally: Tally
) -> None:
    """Until all have ended. Who interrupts leaves them in the queue."""
    if taken:
        _say_if_nobody_works(service)
    try:
        with view:
            for outcome in refused:
                assert outcome.error is not None  # noqa: S101 - that is why it was refused
                _print(failed_record(str(outcome.path), schema.name, outcome.error))
                view.done(outcome)
            for path, job in _ended(service, taken):
                outcome = outcome_of(service, path, job)
                _print_result(service, outcome, job, schema)
                tally.add(outcome)
                view.opened(path, outcome.pages)
                for _ in range(outcome.pages):
                    view.page_read(path)
                view.done(outcome)
    except KeyboardInterrupt:
        click.echo("The documents stay in the queue: `docpipe status --watch` follows them.", err=True)
        raise
    finally:
        view.summary()


def _commands(tally: Tally, schema: Schema, database: str | None) -> list[str]:
    """How to go on: look at one, take all along."""
    where = f" --db {shlex.quote(shown_url(database))}" if database else ""
    document = (tally.to_review or tally.any_document or "ID")[:ID_SHOWN]
    return [
        f"docpipe show {document}{where}",
        f"docpipe export{where} --schema {tally.schema or schema.name} results.xlsx",
    ]


def _ended(service: Service, taken: dict[str, Path]) -> Iterator[tuple[Path, Job | None]]:
    """Each file with its job when that has ended; without one when it was deleted."""
    open_jobs = dict(taken)
    while open_jobs:
        known = service.view.by_ids(list(open_jobs))
        for job_id in list(open_jobs):
            job = known.get(job_id)
            if job is None or job.state in ENDED:
                yield open_jobs.pop(job_id), job
        if open_jobs:
            time.sleep(LOOK)


def _say_if_nobody_works(service: Service) -> None:
    try:
        if not service.queue.workers():
            click.echo("No worker answers. Start one: celery -A docpipe.workers.app worker", err=True)
    except QueueError as error:
        click.echo(f"{sentence(error.message)} {error.hint}", err=True)


def _print_result(service: Service, outcome: Outcome, job: Job | None, schema: Schema) -> None:
    answer = service.answer(job) if job is not None else None
    if answer is None:
        assert outcome.error is not None  # noqa: S101 - there is no result
        answer = failed_record("", schema.name, outcome.error, outcome.document_id)
    _print({**answer, "file": str(outcome.path)})


def _shown(job: Job) -> dict[str, str]:
    return {"id": job.id, "document_id": job.document_id, "name": job.name, "state": job.state}


def _print(record: dict[str, object]) -> None:
    sys.stdout.buffer.write(json_line(record))
    sys.stdout.buffer.flush()
