"""`docpipe list`: what is left to do. In: the database. Out: documents, those that need a person first, and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from docpipe.batch.outcome import Outcome
from docpipe.cli.connections import opened_database
from docpipe.cli.document_table import DocumentRow, document_table
from docpipe.cli.job_table import counts_line
from docpipe.cli.options import database_option, json_option, settings_with
from docpipe.cli.run_view import WORDS, first_issue_text
from docpipe.cli.terminal import open_console, print_record
from docpipe.data import Status
from docpipe.errors import DocpipeError
from docpipe.ports import StoredResult
from docpipe.store.jobs.job import ENDED
from docpipe.store.jobs.job_view import JobView
from docpipe.store.results.result_store import SqlStore

ORDER: tuple[Status, ...] = ("failed", "needs_review", "complete")
WAITING: tuple[Status, ...] = ("failed", "needs_review")
DEFAULT_LIMIT = 50


@click.command("list")
@database_option
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice(ORDER),
    help="List documents with this status; may be repeated. Default: failed and needs_review.",
)
@click.option("--schema", metavar="NAME", help="List only documents that were read by this schema.")
@click.option(
    "--limit",
    type=click.IntRange(1, 10_000),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="List at most so many documents, the newest of each status.",
)
@json_option("Print one JSON object a line.")
def list_documents(
    database: str | None, statuses: tuple[Status, ...], schema: str | None, limit: int, as_json: bool
) -> None:
    """List documents: what waits for a person, and what is done.

    Documents that could not be read come first, then those to review, each with what to look at. `docpipe show ID`
    draws one. Jobs of the queue that have not ended are counted; `docpipe status` lists them, `docpipe queue` says who
    works.
    """
    settings = settings_with(database)
    with SqlStore(settings.database_url, create=False) as store:
        counts = store.status_counts(schema)
        results: list[StoredResult] = []
        for status in (status for status in ORDER if status in (statuses or WAITING)):
            results += store.newest(status, schema, limit=limit - len(results)) if len(results) < limit else []
    with opened_database(settings) as opened:
        jobs = {state: count for state, count in JobView(opened).counts().items() if state not in ENDED}
    if as_json:
        for result in results:
            print_record(_record(result))
        return
    _print(results, counts, shown=sum(counts.get(status, 0) for status in (statuses or WAITING)))
    if jobs:
        click.echo(f"In the queue: {counts_line(jobs)}.")


def _print(results: Sequence[StoredResult], counts: dict[Status, int], *, shown: int) -> None:
    console = open_console()
    if results:
        console.print(document_table(list(map(_row, results)), console.width))
    if shown > len(results):
        console.print(f"… and {shown - len(results)} more; see --limit.")
    parts = [f"{counts[status]} {WORDS[status]}" for status in reversed(ORDER) if counts.get(status)]
    console.print(f"{', '.join(parts) or 'no documents'}.", highlight=False)


def _row(result: StoredResult) -> DocumentRow:
    outcome = _outcome(result)
    name = _shown(outcome.path) if outcome.path != Path() else result.document.name
    values = (result.schema,) if result.schema else ()
    status_text, issue_text = WORDS[outcome.status], first_issue_text(outcome)
    return DocumentRow(name, result.document.id, outcome.status, status_text, values, issue_text)


def _shown(path: Path) -> str:
    """From the folder where the command runs, if it is below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _record(result: StoredResult) -> dict[str, Any]:
    outcome = _outcome(result)
    reasons = [issue.message for issue in outcome.issues_to_review()]
    return {
        "document_id": result.document.id or None,
        "name": result.document.name,
        "schema": result.schema or None,
        "status": outcome.status,
        "reasons": [outcome.error.message] if outcome.error is not None else reasons,
        "files": [str(file) for file in result.files],
        "created": None if result.created is None else result.created.isoformat(),
    }


def _outcome(result: StoredResult) -> Outcome:
    """As a run has it."""
    path = next((file for file in result.files if file != Path()), Path())
    error = None
    if result.extraction is None:
        reason = result.error or {}
        error = DocpipeError(reason.get("message") or "no attempt has ended", hint=reason.get("hint") or "")
    return Outcome(path, result.document.id, result.extraction, error)
