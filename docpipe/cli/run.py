"""`docpipe run`: files and folders become rows in the database.

In: paths and options. Out: the database, a result file if one is asked for, and a word about every file.
"""

from __future__ import annotations

import shlex
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.outcome import Outcome
from docpipe.batch.run import run as run_batch
from docpipe.cli.run_output import ResultFile
from docpipe.cli.run_view import RunView
from docpipe.components import ModelName, worker_limits
from docpipe.config import Settings, load_settings
from docpipe.errors import EXIT_NEEDS_REVIEW, UsageError
from docpipe.export import check_target
from docpipe.ingest import find_files
from docpipe.schema import load_schema
from docpipe.store.connect import parse_url
from docpipe.store.results.result_store import SqlStore
from docpipe.store.results.typed import sql_name

ID_SHOWN = 12  # hex digits; enough to be unique among millions


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; None: the setting counts."""

    schema: str
    model: str | None
    database: str | None
    output: str | None
    jobs: int | None
    accept_error: float | None
    passwords: tuple[str, ...]
    strict: bool
    force: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), metavar="PATH...")
@click.option(
    "--schema",
    default="invoice",
    show_default=True,
    metavar="NAME",
    help="What to look for: a shipped schema, auto (what each document is), FILE.py:Class, module:Class or FILE.json.",
)
@click.option(
    "--model",
    metavar="KIND:WEIGHTS",
    help="The extractor: embedded, embedded:FOLDER (weights of your own), hf:ORG/NAME@REVISION, openai:NAME,"
    " anthropic:NAME, gemini:NAME, or two with a comma between. Default: DOCPIPE_MODEL, or embedded.",
)
@click.option(
    "--db", "database", metavar="URL", help="The database. Default: DOCPIPE_DATABASE_URL, or docpipe.db here."
)
@click.option(
    "--output", metavar="FILE", help="Also write FILE.jsonl, .csv or .xlsx; - is JSON Lines on standard output."
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), help="Worker processes. Default: DOCPIPE_JOBS, or as many as fit here."
)
@click.option(
    "--accept-error",
    type=click.FloatRange(0.0, 0.5, min_open=True),
    help="Share of wrong values among the accepted. Default: DOCPIPE_ACCEPT_ERROR, or 0.01.",
)
@click.option(
    "--password",
    "passwords",
    multiple=True,
    metavar="TEXT",
    help="For encrypted PDFs; may be given several times. Never stored.",
)
@click.option("--strict", is_flag=True, help="Exit with 9 when a document needs review.")
@click.option("--force", is_flag=True, help="Do again what is stored already; the earlier result is kept, too.")
def run(paths: tuple[Path, ...], **given: Any) -> int:
    """Read documents and store what they say.

    PATH is a file or a folder, which is read with all that is in it. Every file has its line in the result, also when
    it cannot be read. What is stored already is not done again.
    """
    options = Options(**given)
    settings = load_settings()
    if options.output is not None:
        check_target(options.output)
    plan = _plan(options, settings)
    files = list(find_files(paths))
    if not files:
        raise UsageError(f"there is no file in {', '.join(map(str, paths))}", hint="Give a folder with documents.")
    database = options.database or settings.database_url
    with SqlStore(database) as store, ResultFile(options.output, plan.schema, store, _shown(paths)) as output:
        view = RunView(plan.schema, len(files))
        tally = Tally()
        try:
            with view:
                limits = worker_limits(plan.model, settings, options.jobs)
                plan = replace(plan, threads=limits.threads)
                running = run_batch(files, plan, store, jobs=limits.jobs, watch=view, deadlines=limits.deadlines)
                with closing(running) as outcomes:
                    for outcome in outcomes:
                        output.add(outcome)
                        tally.add(outcome)
                        view.done(outcome)
            output.finish()
        finally:  # also after Ctrl-C: what was done is stored, and said
            view.summary()
    view.go_on(
        _commands(tally.schema or plan.schema.name, tally, database, is_default=database == settings.database_url)
    )
    return tally.exit_code(strict=options.strict)


@dataclass
class Tally:
    """What the exit code and the advice at the end need to know."""

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


def _plan(options: Options, settings: Settings) -> BatchPlan:
    return BatchPlan(
        schema=load_schema(options.schema),
        model=ModelName.parse(options.model or settings.model),
        settings=settings.model_copy(update={"accept_error": options.accept_error or settings.accept_error}),
        passwords=options.passwords,
        salt=uuid.uuid4().hex if options.force else "",
    )


def _shown(paths: Sequence[Path]) -> Callable[[Path], str]:
    """How a file is named in the result: its place in the folder that was given."""

    def shown(file: Path) -> str:
        folders = [path for path in paths if path.is_dir() and file.is_relative_to(path)]
        return file.relative_to(folders[0]).as_posix() if folders else file.name

    return shown


def _commands(schema: str, tally: Tally, database: str, *, is_default: bool) -> list[str]:
    """How to go on: look at one, take all along, ask the database."""
    url = parse_url(database)
    plain = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    where = "" if is_default else f" --db {shlex.quote(plain)}"
    document = (tally.to_review or tally.any_document or "ID")[:ID_SHOWN]
    query = f"SELECT * FROM {sql_name(schema)}"  # noqa: S608 - shown to the user, not run
    if url.get_backend_name() == "sqlite":
        ask = f"sqlite3 -box {shlex.quote(url.database or '')} {shlex.quote(query)}"
    else:
        ask = f"psql {shlex.quote(plain)} -c {shlex.quote(query)}"
    return [f"docpipe show {document}{where}", f"docpipe export{where} --schema {schema} results.xlsx", ask]
