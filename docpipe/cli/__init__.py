"""The command line: which commands there are, and the one place where an error becomes an exit code.

In: arguments. Out: results on standard output, everything else on standard error, an exit code (docpipe/errors.py).
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence

import click

from docpipe.errors import EXIT_INTERRUPTED, EXIT_USAGE, DocpipeError

EXIT_BUG = 1
QUIET_HELP = "Print errors only, and results."
VERBOSE_HELP = "Print what each step does and takes, and where an error came from."
REPORT_HINT = "Please report it, with the command and this text, and with the document if you may share it."

# name -> (module:command, one line of help). A module is imported when its command is used, so that
# `docpipe --help` stays fast; the line must equal the first line of the command's help (tests/unit/cli/test_cli.py).
COMMANDS = {
    "run": ("docpipe.cli.run:run", "Read documents and store what they say."),
    "show": ("docpipe.cli.show:show", "Draw a document's pages with the boxes of its fields."),
    "list": ("docpipe.cli.listing:list_documents", "List documents: what waits for a person, and what is done."),
    "export": ("docpipe.cli.export:export", "Write stored results to a JSONL, CSV or Excel file."),
    "delete": ("docpipe.cli.delete:delete", "Delete documents with all that is kept of them."),
    "schema": ("docpipe.cli.schema:schema_group", "List and show schemas: what docpipe looks for."),
    "evaluate": ("docpipe.cli.evaluate:evaluate", "Compare results with labels: precision, recall and F1 per field."),
    "cost": ("docpipe.cli.cost:cost", "Sum up what reading has cost: pages, seconds, tokens and money."),
    "watch": ("docpipe.cli.watch:watch", "Read what is put into a folder, as it comes."),
    "submit": ("docpipe.cli.submit:submit", "Put documents into the queue."),
    "status": ("docpipe.cli.status:status", "Show how far documents in the queue are."),
    "queue": ("docpipe.cli.queue:queue_group", "Show what waits, who works and what went wrong; retry or delete jobs."),
    "maintain": (
        "docpipe.cli.maintain:maintain",
        "Maintain the service: free jobs of dead workers, send lost messages again, deliver webhooks.",
    ),
    "serve": ("docpipe.cli.serve:serve", "Serve the HTTP API."),
    "key": ("docpipe.cli.key:key_group", "Make, list and revoke the keys of the HTTP API."),
    "migrate": ("docpipe.cli.migrate:migrate", "Bring the database to this version of docpipe."),
    "doctor": (
        "docpipe.cli.doctor:doctor",
        "Show what is installed, what is missing, and what does not work without it.",
    ),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a wrong entry in COMMANDS is our own mistake
        return _with_verbosity(command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _with_verbosity(command: click.Command) -> click.Command:
    """The command, and those of a group, with -q and -v."""
    if isinstance(command, click.Group):
        for subcommand in command.commands.values():
            _with_verbosity(subcommand)
    elif not any(parameter.name == "quiet" for parameter in command.params):
        for names, text in ((("-q", "--quiet"), QUIET_HELP), (("-v", "--verbose"), VERBOSE_HELP)):
            command.params.append(
                click.Option(names, is_flag=True, expose_value=False, callback=_choose_verbosity, help=text)
            )
    return command


def _choose_verbosity(ctx: click.Context, option: click.Parameter, is_given: bool) -> None:
    if not is_given or ctx.resilient_parsing:
        return
    from docpipe.cli.terminal import set_verbosity  # heavy: rich, for these options only

    if option.name == "quiet":
        set_verbosity("quiet")
        return
    from docpipe.log import configure_logging  # heavy: as above

    set_verbosity("verbose")
    configure_logging("text", logging.DEBUG)


def _print_version(ctx: click.Context, _option: click.Parameter, is_given: bool) -> None:
    if is_given and not ctx.resilient_parsing:
        from importlib.metadata import version  # heavy: 40 ms, for this option only

        click.echo(f"docpipe {version('docpipe-extract')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a bug, 2 usage, 3 document, 4 schema, 5 model, 6 answer, 7 database, 8 queue, "
    "9 something needs review (with --strict), 130 interrupted.",
)
@click.option(
    "--version", is_flag=True, expose_value=False, is_eager=True, callback=_print_version, help="Show the version."
)
def docpipe() -> None:
    """Scanned invoices, receipts and forms become rows in a database that people can trust.

    Begin with `docpipe run FOLDER --schema invoice`.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script."""
    from docpipe.temporary import keep_temporary_files_together  # heavy: tempfile, 5 ms that an import need not pay

    keep_temporary_files_together()
    sys.exit(invoke(arguments))


def invoke(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. A command returns its code (None: 0) or raises."""
    try:
        code = docpipe.main(args=arguments, prog_name="docpipe", standalone_mode=False)
        sys.stdout.flush()  # so that a closed pipe shows here and not after the exit code is decided
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except DocpipeError as error:
        if "docpipe.cli.terminal" in sys.modules and sys.modules["docpipe.cli.terminal"].is_verbose():
            import traceback  # heavy: only with -v

            traceback.print_exc()
        _print_error(error.message, error.hint)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `docpipe … | head`: the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the one place that catches everything
        import traceback  # heavy: only for a bug

        traceback.print_exc()
        _print_error(f"This is a bug in docpipe: {type(error).__name__}: {error}", REPORT_HINT)
        return EXIT_BUG
    finally:
        if "docpipe.cli.terminal" in sys.modules:  # -q and -v are this command's alone
            sys.modules["docpipe.cli.terminal"].set_verbosity("normal")
    return code if isinstance(code, int) else 0


def _print_error(message: str, hint: str) -> None:
    click.echo(f"Error: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)


__all__ = ["COMMANDS", "EXIT_USAGE", "docpipe", "invoke", "main"]
