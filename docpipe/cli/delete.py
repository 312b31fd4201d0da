"""`docpipe delete`: a document goes with all that is kept of it. In: ids, files or names. Out: the deleted ids."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from docpipe.cli.connections import opened_database, opened_service
from docpipe.cli.options import database_option, settings_with
from docpipe.cli.show import find_result
from docpipe.cli.terminal import note
from docpipe.cli.wording import ID_DIGITS, counted
from docpipe.config import Settings
from docpipe.service.job_actions import delete_job
from docpipe.store.jobs.job_view import JobFilter, JobView
from docpipe.store.results.result_store import SqlStore


@click.command()
@click.argument("documents", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@database_option
def delete(documents: tuple[str, ...], yes: bool, database: str | None) -> None:
    """Delete documents with all that is kept of them.

    ID is a document's id or the beginning of it, a file, or the name that a file had. Results of all schemas, earlier
    ones too, the words that were read, attempts, and jobs of the queue with their originals and pictures are deleted.
    Files that docpipe only read stay where they lie, and so do result files and pictures that you had it write. The
    sums of `docpipe cost` go without the document from then on. Standard output has the ids of the deleted documents.
    """
    settings = settings_with(database)
    with SqlStore(settings.database_url, create=False) as store:
        found = {store.document_id(text) or find_result(store, text, None).document.id: text for text in documents}
        if not yes:
            names = ", ".join(f"{text} ({document_id[:ID_DIGITS]})" for document_id, text in found.items())
            click.confirm(f"Delete {names} with all that is kept of it?", abort=True, err=True)
        files = {file for document_id in found for file in store.files(document_id) if file.is_file()}
        for document_id in found:
            _delete_jobs(settings, document_id)
            if store.delete(document_id):
                click.echo(document_id)
    note(f"{counted(len(found), 'document')} deleted.{_files_that_stay(sorted(files))}")


def _delete_jobs(settings: Settings, document_id: str) -> None:
    """Those of this document, with what the service stores of them."""
    with opened_database(settings) as database:
        job_ids = [job.id for job in JobView(database).all(JobFilter(document_id=document_id))]
    if job_ids:
        with opened_service(settings, create=False) as service:
            for job_id in job_ids:
                delete_job(service, job_id)


def _files_that_stay(files: Sequence[Path]) -> str:
    return f" Still there: {', '.join(map(str, files))}" if files else ""
