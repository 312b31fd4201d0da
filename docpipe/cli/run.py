"""`docpipe run`: files and folders become rows in the database.

In: paths and options. Out: the database, a result file if one is asked for, and a word about every file.
"""

from __future__ import annotations

import shlex
import shutil
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack, closing, nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

import click

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.outcome import Outcome
from docpipe.batch.run import run_batch
from docpipe.cli.options import (
    accept_error_option,
    database_option,
    jobs_option,
    model_option,
    passwords_option,
    paths_argument,
    schema_option,
    see_option,
    settings_with,
)
from docpipe.cli.run_output import STANDARD_OUTPUT, ResultFile
from docpipe.cli.run_view import MAX_NAMED, RunView
from docpipe.cli.terminal import note
from docpipe.cli.wording import ID_DIGITS, printable_url
from docpipe.components import ModelName, worker_limits
from docpipe.config import Settings
from docpipe.errors import EXIT_NEEDS_REVIEW, InputError, UsageError
from docpipe.export import check_target
from docpipe.ingest import find_files
from docpipe.own_files import own_file
from docpipe.private_files import open_file
from docpipe.schema import load_schema
from docpipe.store.connect import parse_url
from docpipe.store.results.result_store import SqlStore
from docpipe.store.results.typed import sql_name
from docpipe.temporary import temporary_folder

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What the command line says; None: the setting counts."""

    schema_name: str
    model: str | None
    database: str | None
    output: str | None
    jobs: int | None
    accept_error: float | None
    see: str | None
    passwords: tuple[str, ...]
    strict: bool
    force: bool
    dry_run: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]


@click.command()
@paths_argument
@schema_option
@model_option
@see_option
@database_option
@click.option(
    "--output", metavar="FILE", help="Also write FILE.jsonl, .csv or .xlsx; - is JSON Lines on standard output."
)
@jobs_option
@accept_error_option
@passwords_option
@click.option("--strict", is_flag=True, help="Exit with 9 when a document needs review.")
@click.option("--force", is_flag=True, help="Process again what is stored already; the earlier result is kept.")
@click.option("--dry-run", is_flag=True, help="Only say what would be read, and what not and why.")
@click.option(
    "--include",
    multiple=True,
    metavar="PATTERN",
    help="In folders read only such: '*.pdf', '2026/*'; repeatable.",
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="In folders leave such out: '*draft*'; repeatable.")
def run(paths: tuple[Path, ...], **values: Any) -> int:
    """Read documents and store what they say.

    PATH is a file or a folder, which is read with all that is in it, or - for one document on standard input. Every
    file has its line in the result, also when it cannot be read. What is stored already is not processed again, and
    docpipe's own files (results, databases, pictures) are passed over.
    """
    options = RunOptions(**values)
    with ExitStack() as stack:
        if STANDARD_INPUT in paths:
            folder = stack.enter_context(temporary_folder())
            paths = tuple(_saved_input(folder) if path == STANDARD_INPUT else path for path in paths)
        return _run(paths, options)


def _saved_input(folder: Path) -> Path:
    """Standard input as a file, which other processes can open."""
    path = folder / "standard-input"
    with open_file(path, "wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


def _run(paths: tuple[Path, ...], options: RunOptions) -> int:
    settings = settings_with(options.database, model=options.model, accept_error=options.accept_error, see=options.see)
    if options.output is not None:
        check_target(options.output)
    plan = _plan(options, settings)
    found = documents_in(paths, _outputs(options, settings), FilePatterns(options.include, options.exclude))
    if options.dry_run:
        return _print_plan(found, plan, settings)
    files = found.documents
    limits = worker_limits(plan.model, settings, options.jobs)
    plan = replace(plan, threads=limits.threads)
    totals = RunTotals()
    view = RunView(plan.schema, len(files))
    with (
        SqlStore(settings.database_url) as store,
        ResultFile(options.output, plan.schema, store, _relative_names(paths)) as output,
    ):
        try:
            running = run_batch(files, plan, store, jobs=limits.jobs, listener=view, deadlines=limits.deadlines)
            with view, closing(running) as outcomes:
                for outcome in outcomes:
                    output.add(outcome)
                    totals.add(outcome)
                    view.done(outcome)
            output.finish()
        finally:  # also after Ctrl-C: what was done is stored, and counted here
            view.summary()
            view.pass_over(found.own, found.excluded)
    is_default = settings.database_url == settings_with().database_url
    commands = next_commands(totals, plan.schema.name, None if is_default else settings.database_url)
    view.suggest([*commands, _sql_command(settings.database_url, totals.schema or plan.schema.name)])
    return totals.exit_code(strict=options.strict)


@dataclass(frozen=True, slots=True)
class FilePatterns:
    """Which files of a folder are wanted: those that fit one of `include`, where there are some, and none of `exclude`.
    A pattern is for the name or for the path from the folder (`*.pdf`, `2026/*`)."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def accept(self, path: str) -> bool:
        name = path.rpartition("/")[2]

        def fits(patterns: Sequence[str]) -> bool:
            return any(fnmatch(text, pattern) for pattern in patterns for text in (name, path))

        return (not self.include or fits(self.include)) and not fits(self.exclude)


def documents_in(
    paths: Sequence[Path], outputs: Collection[Path] = (), patterns: FilePatterns = FilePatterns()
) -> FoundFiles:
    """The files that are named, and those in the folders that are. Raises UsageError where there is none."""
    named = {path.absolute() for path in paths}
    found = FoundFiles([], [], [])
    relative_name = _relative_names(paths)
    for file in find_files(paths):
        is_named = file.absolute() in named
        if file.absolute() in outputs or (not is_named and own_file(file) is not None):
            found.own.append(file)
        elif is_named or patterns.accept(relative_name(file)):
            found.documents.append(file)
        else:
            found.excluded.append(file)
    if not found.documents:
        passed_over = [*found.own, *found.excluded]
        but = f" but {', '.join(file.name for file in passed_over[:MAX_NAMED])}" if passed_over else ""
        message = f"there is no file in {', '.join(map(str, paths))}{but}"
        raise UsageError(message, hint="Give a folder with documents.")
    return found


class FoundFiles(NamedTuple):
    """`own` are those that docpipe made itself: results, databases, pictures; `excluded` are those that a pattern
    leaves out."""

    documents: list[Path]
    own: list[Path]
    excluded: list[Path]


def _print_plan(found: FoundFiles, plan: BatchPlan, settings: Settings) -> int:
    """What would be done, a line a file on standard output. The exit code is that of the first refusal."""
    from docpipe.cli.dry_run import planned_files  # heavy: only with --dry-run

    url = parse_url(settings.database_url)
    has_store = url.get_backend_name() != "sqlite" or Path(url.database or "").exists()
    counts: Counter[str] = Counter()
    with SqlStore(settings.database_url) if has_store else nullcontext() as store:
        for planned in planned_files(found.documents, plan, store):
            counts[planned.verdict] += 1
            click.echo(f"{planned.verdict:<8} {planned.file} ({planned.detail})")
    for file in found.own:
        click.echo(f"{'own':<8} {file} ({own_file(file) or 'written by this run'})")
    for file in found.excluded:
        click.echo(f"{'left out':<8} {file} (a pattern)")
    note(f"{counts['read']} to read, {counts['stored']} stored already, {counts['refused']} refused. Nothing was read.")
    return InputError.exit_code if counts["refused"] else 0


def _outputs(options: RunOptions, settings: Settings) -> set[Path]:
    """What this run itself writes."""
    url = parse_url(settings.database_url)
    files = [url.database if url.get_backend_name() == "sqlite" else None, options.output]
    return {Path(file).absolute() for file in files if file not in (None, STANDARD_OUTPUT)}


@dataclass
class RunTotals:
    """What the exit code and the advice at the end need to know of all outcomes."""

    first_failure: int = 0
    to_review: str | None = None
    any_document: str | None = None
    schema: str | None = None

    def add(self, outcome: Outcome) -> None:
        if outcome.error is not None:
            self.first_failure = self.first_failure or outcome.error.exit_code
            return
        self.any_document = self.any_document or outcome.document_id
        if outcome.extraction is not None:
            self.schema = self.schema or outcome.extraction.schema
        if outcome.status == "needs_review":
            self.to_review = self.to_review or outcome.document_id

    def exit_code(self, *, strict: bool) -> int:
        return self.first_failure or (EXIT_NEEDS_REVIEW if strict and self.to_review else 0)

    @property
    def document_to_show(self) -> str:
        """The beginning of its id; one that needs review goes before others."""
        return (self.to_review or self.any_document or "ID")[:ID_DIGITS]


def next_commands(totals: RunTotals, schema: str, database: str | None) -> list[str]:
    """How to go on: look at one document, take all along. `database` None: it need not be named."""
    where = "" if database is None else f" --db {shlex.quote(printable_url(database))}"
    return [
        f"docpipe show {totals.document_to_show}{where}",
        f"docpipe export{where} --schema {totals.schema or schema} results.xlsx",
    ]


def _plan(options: RunOptions, settings: Settings) -> BatchPlan:
    return BatchPlan(
        schema=load_schema(options.schema_name),
        model=ModelName.parse(settings.model),
        settings=settings,
        passwords=options.passwords,
        salt=uuid.uuid4().hex if options.force else "",
    )


def _relative_names(paths: Sequence[Path]) -> Callable[[Path], str]:
    """How a file is named in the result: its place in the folder that was given."""

    def relative_name(file: Path) -> str:
        folders = [path for path in paths if path.is_dir() and file.is_relative_to(path)]
        return file.relative_to(folders[0]).as_posix() if folders else file.name

    return relative_name


def _sql_command(database: str, schema: str) -> str:
    """How to ask the database for the table of a schema."""
    url = parse_url(database)
    query = f"SELECT * FROM {sql_name(schema)}"  # noqa: S608 - shown to the user, not run
    if url.get_backend_name() == "sqlite":
        return f"sqlite3 -box {shlex.quote(url.database or '')} {shlex.quote(query)}"
    return f"psql {shlex.quote(printable_url(database))} -c {shlex.quote(query)}"
