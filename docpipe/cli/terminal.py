"""What all output of the command line shares: tables for a terminal and JSON lines for a program.

In: records. Out: consoles and empty tables of rich; lines on standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from docpipe.export import json_line

FILE_WIDTH = 160  # columns of a table that goes into a file or a pipe
COLOURS: Mapping[str, str] = {"complete": "green", "needs_review": "yellow", "failed": "red", "quarantined": "red"}
"""Of results and of jobs, by their status."""


def open_console(*, stderr: bool = False, file_width: int = FILE_WIDTH) -> Console:
    """As wide as the terminal, if there is one. Names are shown as they are: `:x:` is no picture."""
    console = Console(stderr=stderr, emoji=False)
    return console if console.is_terminal else Console(stderr=stderr, width=file_width, emoji=False)


def plain_table() -> Table:
    """No lines but the one below the titles."""
    return Table(box=SIMPLE_HEAD, pad_edge=False)


def print_record(record: dict[str, Any]) -> None:
    """A JSON line on standard output, at once."""
    sys.stdout.buffer.write(json_line(record))
    sys.stdout.buffer.flush()
