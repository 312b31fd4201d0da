"""`docpipe migrate`: the database gets the tables of this version. In: its URL. Out: from which version to which."""

from __future__ import annotations

import time

import click

from docpipe.cli.options import database_option, settings_with
from docpipe.cli.wording import printable_url
from docpipe.errors import StoreError
from docpipe.store import connect

RETRY_SECONDS = 1.0


@click.command()
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for a database that cannot be reached yet.",
)
@database_option
def migrate(wait: float, database: str | None) -> None:
    """Bring the database to this version of docpipe.

    Every command does so when it opens a database; this one does nothing else, once, before the others start. Nothing
    is deleted. A database of a newer docpipe is refused.
    """
    url = settings_with(database).database_url
    former = _migrate(url, wait)
    if former == connect.HEAD:
        click.echo(f"{printable_url(url)} is at version {connect.HEAD}: nothing to do.")
    else:
        origin = "nothing" if former is None else f"version {former}"
        click.echo(f"{printable_url(url)}: from {origin} to version {connect.HEAD}.")


def _migrate(url: str, wait: float) -> str | None:
    """The version that it had. A database that is away is tried again for `wait` seconds; a reason is printed once."""
    deadline = time.monotonic() + wait
    last_message = ""
    while True:
        try:
            return connect.migrate(url)
        except StoreError as error:
            if time.monotonic() >= deadline:
                raise
            if error.message != last_message:
                last_message = error.message
                click.echo(f"Waiting: {last_message}", err=True)
            time.sleep(RETRY_SECONDS)
