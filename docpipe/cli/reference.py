"""The reference of all commands, made from their help: `python -m docpipe.cli.reference > docs/cli.md`.

In: the commands. Out: Markdown on standard output. tests/unit/cli/test_cli.py fails when docs/cli.md is not what comes
out here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from docpipe.cli import docpipe
from docpipe.config import PREFIX, Settings, readable

WIDTH = 100
INTRODUCTION = """# The `docpipe` command

Made from the commands' own help by `python -m docpipe.cli.reference > docs/cli.md`. Do not edit it here.

Results go to standard output (or into the file that was asked for), everything else to standard error.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | a bug in docpipe |
| 2 | the command or a setting is wrong |
| 3 | a document cannot be processed |
| 4 | the schema cannot be loaded or used |
| 5 | the model cannot be loaded or run |
| 6 | the model's answer cannot be used |
| 7 | the database cannot be reached or written |
| 8 | the queue cannot be reached |
| 9 | something needs review, with `--strict` |
| 130 | interrupted |

Over many files docpipe goes on after a failure, reports each, and exits with the code of the first.
"""

SETTINGS_INTRODUCTION = """## Settings

Options on the command line count before these. Sizes may be written with a unit: `512MiB`.

| variable | default | what |
|---|---|---|"""


def reference() -> str:
    return "\n".join([INTRODUCTION, *map(_section, _contexts()), _settings_table()])


def _contexts() -> Iterator[click.Context]:
    """Of every command and its subcommands, in the order of `docpipe --help`."""
    context = _context(docpipe, "docpipe", None)
    yield context
    yield from _subcontexts(docpipe, context)


def _subcontexts(group: click.Group, parent: click.Context) -> Iterator[click.Context]:
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None  # noqa: S101 - the group has just named it
        context = _context(command, name, parent)
        yield context
        if isinstance(command, click.Group):
            yield from _subcontexts(command, context)


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(
        command,
        info_name=name,
        parent=parent,
        max_content_width=WIDTH,
        terminal_width=WIDTH,
        **command.context_settings,
    )


def _section(context: click.Context) -> str:
    return f"## `{context.command_path}`\n\n```text\n{context.command.get_help(context)}\n```\n"


def _settings_table() -> str:
    """The environment that all commands read."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {readable(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join([SETTINGS_INTRODUCTION, *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(reference())
