"""`docpipe key`: who may use the HTTP API. In: names and roles. Out: keys, each printed once and kept as a hash."""

from __future__ import annotations

from typing import Any

import click
from pydantic import ByteSize, TypeAdapter, ValidationError
from rich.text import Text

from docpipe.cli.connections import opened_database
from docpipe.cli.options import database_option, settings_with
from docpipe.cli.terminal import open_console, plain_table
from docpipe.config import readable
from docpipe.errors import UsageError
from docpipe.store.jobs.api_keys import DEFAULT_PER_MINUTE, ROLES, ApiKeyStore


class SizeInBytes(click.ParamType[int]):
    """Bytes, as the settings take them: `20MiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = int(TypeAdapter(ByteSize).validate_python(value))
        except ValidationError:
            size = 0
        if size < 1:
            self.fail(f"{value!r} is no size: write 500kB or 20MiB", param, ctx)
        return size


@click.group("key")
def key_group() -> None:
    """Make, list and revoke the keys of the HTTP API."""


@key_group.command()
@click.argument("name")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice(list(ROLES)),
    help="What the key may do; may be repeated. "
    + "; ".join(f"{role}: {rights}" for role, rights in ROLES.items())
    + ".",
)
@click.option(
    "--per-minute",
    type=click.IntRange(min=1),
    default=DEFAULT_PER_MINUTE,
    show_default=True,
    help="Requests that the key may send a minute.",
)
@click.option("--max-bytes", type=SizeInBytes(), metavar="SIZE", help="The largest upload. Default: DOCPIPE_MAX_BYTES.")
@database_option
def create(name: str, roles: tuple[str, ...], per_minute: int, max_bytes: int | None, database: str | None) -> None:
    """Make a key and print it, once.

    NAME says whose it is. The database keeps a hash: a key that is lost is replaced by a new one.
    """
    if not name.strip():
        raise UsageError("the key has no name", hint="Say whose it is: a person, or a program.")
    with opened_database(settings_with(database), create=True) as opened:
        entry, secret = ApiKeyStore(opened).create(name.strip(), roles, per_minute=per_minute, max_bytes=max_bytes)
    click.echo(secret)
    click.echo(f"Keep it now: it is not shown again. `docpipe key revoke {entry.id}` ends it.", err=True)


@key_group.command("list")
@database_option
def list_command(database: str | None) -> None:
    """List the keys, oldest first, without their secrets."""
    with opened_database(settings_with(database)) as opened:
        keys = ApiKeyStore(opened).all()
    table = plain_table()
    for title in ("id", "name", "roles", "a minute", "largest upload", "made", "revoked"):
        table.add_column(title, overflow="fold")
    for entry in keys:
        size = "" if entry.max_bytes is None else readable(ByteSize(entry.max_bytes))
        revoked = "" if entry.revoked is None else f"{entry.revoked.astimezone():%Y-%m-%d}"
        created = f"{entry.created.astimezone():%Y-%m-%d}"
        cells = (entry.id, entry.name, ", ".join(entry.roles), str(entry.per_minute), size, created, revoked)
        table.add_row(*(Text(cell) for cell in cells))
    open_console().print(table)


@key_group.command()
@click.argument("id_", metavar="ID")
@database_option
def revoke(id_: str, database: str | None) -> None:
    """Revoke a key: from now on its requests are refused."""
    with opened_database(settings_with(database)) as opened:
        if not ApiKeyStore(opened).revoke(id_):
            raise UsageError(f"there is no key {id_} that is valid", hint="`docpipe key list` shows the ids.")
    click.echo(f"{id_} is revoked.", err=True)
