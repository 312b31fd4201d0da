"""`docpipe evaluate`: labels against results. In: two files of JSON lines. Out: a table or JSON; a page of errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from docpipe.cli.options import database_option, json_option, settings_with
from docpipe.cli.terminal import note
from docpipe.cli.wording import counted
from docpipe.errors import DocpipeError, InputError, StoreError, UsageError
from docpipe.evaluate import (
    Evaluation,
    ResultLine,
    ScoredDocument,
    errors_page,
    read_labels,
    read_map,
    read_results,
    select_documents,
)
from docpipe.evaluate import evaluate as score_all
from docpipe.evaluate.scores import Counts, Interval
from docpipe.paths import FieldPath
from docpipe.private_files import write_text
from docpipe.schema import Schema, load_schema
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.table import Table

    from docpipe.cli.page_pictures import PagePictures

FILE_WIDTH = 120  # columns of a table that is piped into a file
NAMES_SHOWN = 5  # of the files that are missing or failed
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("labels", type=FILE)
@click.argument("results", type=FILE)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="THEIRS=OURS|PRESET",
    help="A label's field and ours, or a preset; may be repeated.",
)
@click.option(
    "--schema", "schema_name", metavar="NAME", help="The schema, where the results do not name one that can be loaded."
)
@click.option("--fields", default="", metavar="A,B", help="Score only these fields; a list is named as a whole.")
@click.option("--only-visible", is_flag=True, help="Leave out values that their label says are not printed.")
@click.option("--files", "files_path", type=FILE, help="Score only the files that this file names, one a line.")
@json_option("Print JSON instead of a table.")
@click.option(
    "--errors",
    "errors_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the worst errors with pictures as HTML.",
)
@click.option(
    "--documents",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="For --errors: a folder in which the documents lie; may be repeated. Default: where the database says.",
)
@database_option
def evaluate(labels: Path, results: Path, **options: Any) -> None:
    """Compare results with labels: precision, recall and F1 per field.

    LABELS holds one JSON object a line with `file` and `fields` (and `fields_norm`); RESULTS is what `docpipe run
    --output FILE.jsonl` wrote. docs/evaluation.md says what is counted. Presets for --map: sroie, wildreceipt,
    receipts_id, einvoices, invoices_fr, adbuy, funsd.
    """
    _evaluate(labels, results, EvaluateOptions(**options))


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What the command line says; each is explained in the command's help."""

    maps: tuple[str, ...]
    schema_name: str | None
    fields: str
    only_visible: bool
    files_path: Path | None
    as_json: bool
    errors_path: Path | None
    folders: tuple[Path, ...]
    database: str | None


def _evaluate(labels: Path, results: Path, options: EvaluateOptions) -> None:
    result_lines = read_results(results)
    schema = _schema(options.schema_name, result_lines)
    documents = read_labels(labels, read_map(options.maps, schema))
    if options.files_path is not None:
        documents = select_documents(documents, options.files_path.read_text(encoding="utf-8").splitlines())
    paths = _field_paths(options.fields, schema)
    evaluation = score_all(documents, result_lines, schema, fields=paths, only_visible=options.only_visible)
    if options.errors_path is not None:
        folders = (*options.folders, labels.parent, results.parent, Path())
        with DocumentFinder(folders, options.database) as finder:
            _write_errors(evaluation, options.errors_path, f"Errors: {results.name} against {labels.name}", finder)
    if options.as_json:
        click.echo(json.dumps(evaluation.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(evaluation)
    if evaluation.missing:
        raise InputError(
            f"{len(evaluation.missing)} of {len(evaluation.documents)} documents have no line in {results}: "
            f"{_first_names(evaluation.missing)}; their fields count as missed",
            hint="Run docpipe on them, or name the documents to score with --files.",
        )


def _schema(name: str | None, result_lines: Sequence[ResultLine]) -> Schema:
    if name is not None:
        return load_schema(name)
    names = sorted({answer.schema for answer in result_lines if answer.schema})
    if len(names) == 1:
        return load_schema(names[0])
    origin = f"of several schemas ({', '.join(names)})" if names else "of no schema"
    raise UsageError(f"the results are {origin}", hint="Say which with --schema.")


def _field_paths(text: str, schema: Schema) -> list[str]:
    """Those that are named with commas between. Raises SchemaError for one that the schema does not have."""
    paths = [path.strip() for path in text.split(",") if path.strip()]
    for path in paths:
        if path not in schema.lists():
            schema.spec(path)
    return paths


def _first_names(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _print(evaluation: Evaluation) -> None:
    from docpipe.cli.terminal import open_console  # heavy: rich, 60 ms, not needed for --json

    console = open_console(file_width=FILE_WIDTH)
    console.print(_score_table(evaluation))
    for line in _remarks(evaluation):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _score_table(evaluation: Evaluation) -> Table:
    from docpipe.cli.terminal import plain_table  # heavy: see _print

    table = plain_table()
    table.add_column("field", no_wrap=True)
    for name in ("right", "wrong", "missed", "spurious", "prec.", "recall", "F1", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    scores = evaluation.scores
    for path, score in scores.fields.items():
        table.add_row(path, *_score_cells(score.counts, score.interval))
    if scores.fields:
        table.add_section()
        table.add_row("micro (all fields)", *_score_cells(scores.micro.counts, scores.micro.interval), style="bold")
        macro = scores.macro
        table.add_row("macro (mean of F1)", *[""] * 6, _ratio(macro.f1), _interval_text(macro.interval), style="bold")
    for path, score in evaluation.rows.items():
        table.add_section()
        table.add_row(f"{path} (rows)", *_score_cells(score.counts, score.interval), style="bold")
        for cell_path, cell in evaluation.cells.fields.items():
            cell_template = FieldPath.parse(cell_path)
            if cell_template.list_path == path:
                table.add_row(f"  {cell_template.column}", *_score_cells(cell.counts, cell.interval))
    return table


def _score_cells(counts: Counts, interval: Interval | None) -> list[str]:
    numbers = [str(number) for number in (counts.right, counts.wrong, counts.missed, counts.spurious)]
    return [*numbers, _ratio(counts.precision), _ratio(counts.recall), _ratio(counts.f1), _interval_text(interval)]


def _ratio(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _interval_text(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"


def _remarks(evaluation: Evaluation) -> Iterator[str]:
    yield f"{counted(len(evaluation.documents), 'document')} scored" + (
        f"; {len(evaluation.failed)} failed, their fields count as missed: {_first_names(evaluation.failed)}"
        if evaluation.failed
        else ""
    )
    accepted = evaluation.calibration
    if accepted.answers:
        limit = accepted.error_at_most
        bound = "" if limit is None else f" (at most {limit:.1%} with 95 % confidence)"
        yield (
            f"accepted: {accepted.accepted} of {accepted.answers} answers, {accepted.accepted_wrong} of them "
            f"wrong{bound}; at 1 % error the confidence could accept {accepted.coverage_at_1_percent or 0:.1%}"
        )
    if evaluation.groundable:
        share = evaluation.grounded / evaluation.groundable
        yield f"evidence: on the value for {evaluation.grounded} of {evaluation.groundable} right values ({share:.1%})"
    if evaluation.unlabelled:
        counts = ", ".join(f"{path} {count}" for path, count in evaluation.unlabelled.items())
        yield f"answers on which the labels say nothing, not scored: {counts}"
    if evaluation.not_scored:
        yield f"label names without a field in the schema, not scored: {', '.join(evaluation.not_scored)}"


class DocumentFinder:
    """Where the documents of a result file lie, wherever the command is run: below folders, or where the database says
    that a document with these bytes was read."""

    def __init__(self, folders: Sequence[Path], database: str | None) -> None:
        self._folders, self._stack = folders, ExitStack()
        self._store: SqlStore | None = None
        try:
            settings = settings_with(database)
            self._store = self._stack.enter_context(SqlStore(settings.database_url, create=False))
        except StoreError:
            if database is not None:  # one that was asked for
                raise
        self.lost: dict[str, None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def find(self, judged: ScoredDocument) -> Path | None:
        """None, and remembered, where there is none."""
        names = dict.fromkeys([judged.document.file] + ([judged.result.file] if judged.result else []))
        candidates = [folder / name for name in names for folder in self._folders]
        document_id = judged.result.document_id if judged.result else None
        if self._store is not None and document_id is not None:
            candidates += self._store.files(document_id)
        path = next((candidate for candidate in candidates if candidate.is_file()), None)
        if path is None:
            self.lost[judged.document.file] = None
        return path


def _write_errors(evaluation: Evaluation, path: Path, title: str, finder: DocumentFinder) -> None:
    from docpipe.cli.page_pictures import PagePictures  # heavy: the renderer, for --errors only

    with PagePictures() as pictures:

        def open_page(judged: ScoredDocument, number: int) -> Image | None:
            file = finder.find(judged)
            return None if file is None else _page_picture(judged, number, pictures, file)

        html = errors_page(evaluation, title, open_page)
    write_text(path, html)
    note(f"wrote {path}")
    if finder.lost:
        names = _first_names(list(finder.lost))
        click.echo(f"no pictures of {names}, which were not found: --documents says where they lie", err=True)


def _page_picture(judged: ScoredDocument, number: int, pictures: PagePictures, path: Path) -> Image | None:
    """The page; None where it cannot be drawn, which is said."""
    try:
        return pictures.page(pictures.open(path), number, judged.result.messages if judged.result else ())
    except DocpipeError as error:
        click.echo(f"{path}: no picture: {error.message}", err=True)
        return None
