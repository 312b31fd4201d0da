"""`docpipe submit`: files and folders go into the queue; workers read them.

In: paths and options. Out: a JSON line for each document: its job, or with --wait its result.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from docpipe.batch.outcome import Outcome
from docpipe.cli.connections import opened_service
from docpipe.cli.options import database_option, paths_argument, schema_option, settings_with
from docpipe.cli.run import RunTotals, documents_in, next_commands
from docpipe.cli.run_view import RunView
from docpipe.cli.submission import outcome_of, submit_file, warnings_once
from docpipe.cli.terminal import print_record
from docpipe.cli.wording import START_WORKER, explained
from docpipe.errors import DocpipeError, QueueError, StoreError, UsageError
from docpipe.result import failed_record
from docpipe.schema import Schema, load_schema
from docpipe.service.job_actions import job_result
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, check_options
from docpipe.store.jobs.job import BULK, ENDED, INTERACTIVE, Job

POLL_SECONDS = 0.5  # of the jobs that are waited for
FOLLOW = "`docpipe status --watch` follows them."


@click.command()
@paths_argument
@schema_option
@click.option("--interactive", is_flag=True, help="Process these documents first: somebody waits for them.")
@click.option("--wait", is_flag=True, help="Wait until all documents have ended, and print their results.")
@click.option("--strict", is_flag=True, help="With --wait: exit with 9 when a document needs review.")
@click.option(
    "--callback-url", metavar="URL", help="Send a signed request here when a document has ended (docs/api.md)."
)
@database_option
def submit(
    paths: tuple[Path, ...], schema_name: str, wait: bool, strict: bool, database: str | None, **options: Any
) -> int:
    """Put documents into the queue.

    PATH is a file or a folder, which is read with all that is in it. Standard output has a JSON line for each document
    that was taken in; with --wait it has the results, as `docpipe run --output -` prints them. A schema of your own is
    named by its full path: the workers must find it there.
    """
    if strict and not wait:
        raise UsageError("--strict needs --wait", hint="Without --wait nobody knows yet what needs review.")
    schema = load_schema(schema_name)
    files = documents_in(paths).documents
    callback = {"url": options["callback_url"]} if options["callback_url"] else None
    submit_options = SubmitOptions(schema.reference, INTERACTIVE if options["interactive"] else BULK, callback=callback)
    totals = RunTotals()
    with opened_service(settings_with(database)) as service:
        check_options(service.settings, submit_options)
        with warnings_once():
            submitted, refused = _submit_files(service, files, submit_options, quiet=wait)
        for outcome in refused:
            totals.add(outcome)
        if wait:
            view = RunView(schema, len(files))
            _wait_for_results(service, submitted, refused, view, totals)
            view.suggest(next_commands(totals, schema.name, database))
    return totals.exit_code(strict=strict)


def _submit_files(
    service: Service, files: list[Path], options: SubmitOptions, *, quiet: bool
) -> tuple[dict[str, Path], list[Outcome]]:
    """Job ids with their files, and the files that were refused. A file that is refused keeps no other one waiting."""
    submitted, refused = dict[str, Path](), list[Outcome]()
    try:
        for path in files:
            try:
                job = submit_file(service, path, options)
            except StoreError:
                raise  # it is the same for all others
            except DocpipeError as error:
                refused.append(Outcome(path, None, error=error))
                click.echo(f"{path}: {explained(error.message, error.hint)}", err=True)
                continue
            submitted[job.id] = path
            if not quiet:
                print_record({**_record(job), "file": str(path)})
    finally:
        summary = f"{len(submitted)} of {len(files)} files are in the queue"
        summary += f", {len(refused)} refused." if refused else "."
        click.echo(f"{summary} {FOLLOW}" if submitted and not quiet else summary, err=True)
    return submitted, refused


def _wait_for_results(
    service: Service, submitted: dict[str, Path], refused: list[Outcome], view: RunView, totals: RunTotals
) -> None:
    """Until all have ended. Who interrupts leaves them in the queue."""
    if submitted:
        _warn_without_workers(service)
    try:
        with view:
            for outcome in refused:
                assert outcome.error is not None  # noqa: S101 - that is why it was refused
                print_record(failed_record(str(outcome.path), view.schema.name, outcome.error))
                view.done(outcome)
            for path, job in _ended_jobs(service, submitted):
                outcome = outcome_of(service, path, job)
                _print_result(service, outcome, job, view.schema)
                totals.add(outcome)
                view.opened(path, outcome.pages)
                for _ in range(outcome.pages):
                    view.page_read(path)
                view.done(outcome)
    except KeyboardInterrupt:
        click.echo(f"The documents stay in the queue: {FOLLOW}", err=True)
        raise
    finally:
        view.summary()


def _ended_jobs(service: Service, submitted: dict[str, Path]) -> Iterator[tuple[Path, Job | None]]:
    """Each file with its job when that has ended; without one when it was deleted."""
    open_jobs = dict(submitted)
    while open_jobs:
        jobs = service.view.by_ids(list(open_jobs))
        for job_id in list(open_jobs):
            job = jobs.get(job_id)
            if job is None or job.state in ENDED:
                yield open_jobs.pop(job_id), job
        if open_jobs:
            time.sleep(POLL_SECONDS)


def _warn_without_workers(service: Service) -> None:
    try:
        if not service.queue.workers():
            click.echo(f"No worker answers. Start one: {START_WORKER}", err=True)
    except QueueError as error:
        click.echo(explained(error.message, error.hint), err=True)


def _print_result(service: Service, outcome: Outcome, job: Job | None, schema: Schema) -> None:
    result = job_result(service, job) if job is not None else None
    if result is None:
        assert outcome.error is not None  # noqa: S101 - there is no result
        result = failed_record("", schema.name, outcome.error, outcome.document_id)
    print_record({**result, "file": str(outcome.path)})


def _record(job: Job) -> dict[str, str]:
    return {"id": job.id, "document_id": job.document_id, "name": job.name, "state": job.state}
