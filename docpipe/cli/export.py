"""`docpipe export`: stored results as a file. In: the database. Out: JSONL, CSV or Excel."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docpipe.cli.options import database_option, settings_with
from docpipe.export import check_target, write
from docpipe.export.output_lock import output_lock
from docpipe.export.write import STANDARD_OUTPUT
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    from docpipe.data import Status


@click.command()
@click.argument("target", metavar="FILE")
@database_option
@click.option("--schema", metavar="NAME", help="Write only the results of this schema. Default: all.")
@click.option(
    "--status",
    type=click.Choice(["complete", "needs_review", "failed"]),
    help="Write only the results with this status.",
)
def export(target: str, database: str | None, schema: str | None, status: Status | None) -> None:
    """Write stored results to a JSONL, CSV or Excel file.

    The ending of FILE names the format: .jsonl, .csv or .xlsx; - is JSON Lines on standard output. The newest result
    of each document is written.
    """
    check_target(target)
    lock = nullcontext() if target == STANDARD_OUTPUT else output_lock(Path(target))
    with SqlStore(settings_with(database).database_url, create=False) as store, lock:
        for path in write(store.results(schema, status), target):
            click.echo(f"wrote {path}", err=True)
