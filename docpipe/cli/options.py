"""Options that several commands have, each defined once: the same name, meaning and help everywhere.

In: what a user typed. Out: decorators of click, and the settings with the options put in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from docpipe.config import Settings, load_settings
from docpipe.private_files import allow_access

MAX_JOBS = 256
MAX_ACCEPT_ERROR = 0.5  # as the setting has it

F = TypeVar("F", bound=Callable[..., Any])

paths_argument = click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, allow_dash=True, path_type=Path), metavar="PATH..."
)
database_option = click.option(
    "--db",
    "database",
    metavar="URL",
    help="The database. Default: DOCPIPE_DATABASE_URL, or docpipe.db in the current folder.",
)
schema_option = click.option(
    "--schema",
    "schema_name",
    default="invoice",
    show_default=True,
    metavar="NAME",
    help="What to look for: a shipped schema, auto (what each document is), FILE.py:Class, module:Class or FILE.json.",
)
model_option = click.option(
    "--model",
    metavar="KIND:WEIGHTS",
    help="The extractor: embedded, embedded:FOLDER (weights of your own), hf:ORG/NAME@REVISION, openai:NAME,"
    " anthropic:NAME, gemini:NAME, or two with a comma between. Default: DOCPIPE_MODEL, or embedded.",
)
see_option = click.option(
    "--see",
    type=click.Choice(["picture", "words", "both"]),
    help="What a model that writes is shown. Default: DOCPIPE_SEE, or pictures where it has eyes, else words.",
)
jobs_option = click.option(
    "--jobs",
    type=click.IntRange(1, MAX_JOBS),
    help="Worker processes. Default: DOCPIPE_JOBS, or as many as this machine can run.",
)
accept_error_option = click.option(
    "--accept-error",
    type=click.FloatRange(0.0, MAX_ACCEPT_ERROR, min_open=True),
    help="The share of accepted values that may be wrong. Default: DOCPIPE_ACCEPT_ERROR, or 0.01.",
)
passwords_option = click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="TEXT",
    help="A password of encrypted PDFs; may be repeated. It is never stored.",
)


def json_option(help_text: str) -> Callable[[F], F]:
    """`--json`, as the argument `as_json`; the text says what is printed then."""
    return click.option("--json", "as_json", is_flag=True, help=help_text)


def states_option(states: Sequence[str], help_text: str, *, required: bool = False) -> Callable[[F], F]:
    """`--state`, as the argument `states`: some of the states of a job."""
    kind = click.Choice(states)
    return click.option("--state", "states", multiple=True, required=required, type=kind, help=help_text)


def settings_with(
    database: str | None = None,
    *,
    model: str | None = None,
    accept_error: float | None = None,
    see: str | None = None,
) -> Settings:
    """The settings in force; options that were given count before them. What this process makes is for those whom the
    settings name."""
    options = {"database_url": database, "model": model, "accept_error": accept_error, "see": see}
    settings = load_settings().model_copy(update={name: value for name, value in options.items() if value})
    allow_access(settings.file_access)
    return settings
