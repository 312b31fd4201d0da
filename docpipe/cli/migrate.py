"""`docpipe migrate`: the database gets the tables of this version. In: its URL. Out: from which version to which."""

from __future__ import annotations

import time

import click

from docpipe.cli.service_access import database_option, settings_with, shown_url
from docpipe.errors import StoreError
from docpipe.store import connect

PAUSE = 1.0  # seconds between two tries


@click.command()
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a database that cannot be reached yet is waited for.",
)
@database_option
def migrate(wait: float, database: str | None) -> None:
    """Bring the database to this version of docpipe.

    Every command does so when it opens a database; this one does nothing else, once, before the others start. Nothing
    is deleted. A database of a newer docpipe is refused.
    """
    url = settings_with(database).database_url
    shown = shown_url(url)
    before = _patiently(url, wait)
    if before == connect.HEAD:
        click.echo(f"{shown} is at version {connect.HEAD}: nothing to do.")
    else:
        click.echo(f"{shown}: from {'nothing' if before is None else f'version {before}'} to version {connect.HEAD}.")


def _patiently(url: str, wait: float) -> str | None:
    last = time.monotonic() + wait
    said = ""
    while True:
        try:
            return connect.migrate(url)
        except StoreError as error:
            if time.monotonic() >= last:
                raise
            if error.message != said:
                said = error.message
                click.echo(f"Waiting: {said}", err=True)
            time.sleep(PAUSE)
