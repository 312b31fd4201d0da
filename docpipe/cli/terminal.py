"""What all output of the command line shares: tables for a terminal and JSON lines for a program.

In: records. Out: consoles and empty tables of rich; lines on standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from docpipe.export import json_line

FILE_WIDTH = 160  # columns of a table that goes into a file or a pipe
COLOURS: Mapping[str, str] = {"complete": "green", "needs_review": "yellow", "failed": "red", "quarantined": "red"}
"""Of results and of jobs, by their status."""


Verbosity = Literal["quiet", "normal", "verbose"]
_verbosity: Verbosity = "normal"


def set_verbosity(verbosity: Verbosity) -> None:
    """Of the command that runs: -q and -v."""
    global _verbosity  # noqa: PLW0603 - one for the process, as its standard error is
    _verbosity = verbosity


def is_quiet() -> bool:
    return _verbosity == "quiet"


def is_verbose() -> bool:
    return _verbosity == "verbose"


def note(text: str) -> None:
    """A word to the person on standard error, which -q leaves out. Errors are not said by it."""
    if not is_quiet():
        click.echo(text, err=True)


def open_console(*, stderr: bool = False, file_width: int = FILE_WIDTH) -> Console:
    """As wide as the terminal, if there is one. Names are shown as they are: `:x:` is no picture."""
    quiet = stderr and is_quiet()
    console = Console(stderr=stderr, emoji=False, quiet=quiet)
    return console if console.is_terminal else Console(stderr=stderr, width=file_width, emoji=False, quiet=quiet)


def plain_table() -> Table:
    """No lines but the one below the titles."""
    return Table(box=SIMPLE_HEAD, pad_edge=False)


def print_record(record: dict[str, Any]) -> None:
    """A JSON line on standard output, at once."""
    sys.stdout.buffer.write(json_line(record))
    sys.stdout.buffer.flush()
