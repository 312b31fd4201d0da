"""`docpipe evaluate`: labels against results. In: two files of JSON lines. Out: a table or JSON; a page of errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docpipe.errors import DocpipeError, InputError, UsageError
from docpipe.evaluate import (
    Evaluation,
    Judged,
    Result,
    choose,
    errors_page,
    read_labels,
    read_map,
    read_results,
)
from docpipe.evaluate import evaluate as score_all
from docpipe.evaluate.scores import Counts, Interval
from docpipe.schema import Schema, load_schema

if TYPE_CHECKING:
    from PIL.Image import Image
    from rich.table import Table

    from docpipe.cli.page_pictures import Pictures

FILE_WIDTH = 120  # columns of a table that is piped into a file
NAMES_SHOWN = 5  # of the files that are missing or failed
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("labels", type=FILE)
@click.argument("results", type=FILE)
@click.option("--map", "maps", multiple=True, metavar="THEIRS=OURS|PRESET", help="A label's name and ours; repeatable.")
@click.option("--schema", "schema_name", metavar="NAME", help="The schema, where the results do not name one to load.")
@click.option("--fields", default="", metavar="A,B", help="Score only these fields (a list by its name).")
@click.option("--only-visible", is_flag=True, help="Leave out values that their label says are not printed.")
@click.option("--files", "files_path", type=FILE, help="Score only the files that this one names, one a line.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of a table.")
@click.option(
    "--errors",
    "errors_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the worst errors with pictures as HTML.",
)
def evaluate(labels: Path, results: Path, **options: Any) -> None:
    """Compare results with labels: precision, recall and F1 per field.

    LABELS holds one JSON object a line with `file` and `fields` (and `fields_norm`); RESULTS is what `docpipe run
    --output FILE.jsonl` wrote. docs/evaluation.md says what is counted. Presets for --map: sroie, wildreceipt,
    receipts_id, einvoices, invoices_fr, adbuy, funsd.
    """
    _evaluate(labels, results, Options(**options))


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says; each is explained in the command's help."""

    maps: tuple[str, ...]
    schema_name: str | None
    fields: str
    only_visible: bool
    files_path: Path | None
    as_json: bool
    errors_path: Path | None


def _evaluate(labels: Path, results: Path, options: Options) -> None:
    answers = read_results(results)
    schema = _schema(options.schema_name, answers)
    documents = read_labels(labels, read_map(options.maps, schema))
    if options.files_path is not None:
        documents = choose(documents, options.files_path.read_text(encoding="utf-8").splitlines())
    chosen = _chosen(options.fields, schema)
    evaluation = score_all(documents, answers, schema, fields=chosen, only_visible=options.only_visible)
    if options.errors_path is not None:
        _write_errors(evaluation, options.errors_path, labels, results)
    if options.as_json:
        click.echo(json.dumps(evaluation.to_json(), indent=2, ensure_ascii=False))
    else:
        _print(evaluation)
    if evaluation.missing:
        raise InputError(
            f"{len(evaluation.missing)} of {len(evaluation.documents)} documents have no line in {results}: "
            f"{_some(evaluation.missing)}; their fields count as missed",
            hint="Run docpipe on them, or name the documents to score with --files.",
        )


def _schema(name: str | None, answers: Sequence[Result]) -> Schema:
    if name is not None:
        return load_schema(name)
    names = sorted({answer.schema for answer in answers if answer.schema})
    if len(names) == 1:
        return load_schema(names[0])
    found = f"of several schemas ({', '.join(names)})" if names else "of no schema"
    raise UsageError(f"the results are {found}", hint="Say which with --schema.")


def _chosen(fields: str, schema: Schema) -> list[str]:
    chosen = [path.strip() for path in fields.split(",") if path.strip()]
    for path in chosen:
        if path not in schema.lists():
            schema.spec(path)  # raises SchemaError, which lists the fields
    return chosen


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _print(evaluation: Evaluation) -> None:
    from rich.console import Console  # heavy: 60 ms, not needed for --json

    console = Console(emoji=False)
    if not console.is_terminal:
        console = Console(width=FILE_WIDTH, emoji=False)
    console.print(_table(evaluation))
    for line in _remarks(evaluation):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _table(evaluation: Evaluation) -> Table:
    from rich import box  # heavy: see _print
    from rich.table import Table  # heavy: see _print

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("field", no_wrap=True)
    for name in ("right", "wrong", "missed", "spurious", "prec.", "recall", "F1", "95 %"):
        table.add_column(name, justify="right", no_wrap=True)
    scores = evaluation.scores
    for path, found in scores.fields.items():
        table.add_row(path, *_figures(found.counts, found.interval))
    if scores.fields:
        table.add_section()
        table.add_row("micro (all fields)", *_figures(scores.micro.counts, scores.micro.interval), style="bold")
        macro = scores.macro
        table.add_row("macro (mean of F1)", *[""] * 6, _part(macro.f1), _range(macro.interval), style="bold")
    for path, found in evaluation.rows.items():
        table.add_section()
        table.add_row(f"{path} (rows)", *_figures(found.counts, found.interval), style="bold")
        for cell_path, cell in evaluation.cells.fields.items():
            if cell_path.startswith(f"{path}[]."):
                table.add_row(f"  {cell_path.rpartition('.')[2]}", *_figures(cell.counts, cell.interval))
    return table


def _figures(counts: Counts, interval: Interval | None) -> list[str]:
    whole = [str(number) for number in (counts.right, counts.wrong, counts.missed, counts.spurious)]
    return [*whole, _part(counts.precision), _part(counts.recall), _part(counts.f1), _range(interval)]


def _part(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _range(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval[0]:.2f}–{interval[1]:.2f}"


def _remarks(evaluation: Evaluation) -> Iterator[str]:
    documents = len(evaluation.documents)
    yield f"{documents} {'document' if documents == 1 else 'documents'} scored" + (
        f"; {len(evaluation.failed)} failed, their fields count as missed: {_some(evaluation.failed)}"
        if evaluation.failed
        else ""
    )
    found = evaluation.calibration
    if found.answers:
        bound = "" if found.error_at_most is None else f" (at most {found.error_at_most:.1%} with 95 % confidence)"
        yield (
            f"accepted: {found.accepted} of {found.answers} answers, {found.accepted_wrong} of them wrong{bound}; "
            f"at 1 % error the confidence could accept {found.coverage_at_1_percent or 0:.1%}"
        )
    if evaluation.groundable:
        share = evaluation.grounded / evaluation.groundable
        yield f"evidence: on the value for {evaluation.grounded} of {evaluation.groundable} right values ({share:.1%})"
    if evaluation.unlabelled:
        counts = ", ".join(f"{path} {count}" for path, count in evaluation.unlabelled.items())
        yield f"answers on which the labels say nothing, not scored: {counts}"
    if evaluation.not_scored:
        yield f"label names without a field in the schema, not scored: {', '.join(evaluation.not_scored)}"


def _write_errors(evaluation: Evaluation, path: Path, labels: Path, results: Path) -> None:
    from docpipe.cli.page_pictures import Pictures  # heavy: the renderer, for --errors only

    with Pictures() as pictures:

        def open_page(judged: Judged, number: int) -> Image | None:
            return _page_picture(judged, number, pictures, (labels.parent, results.parent))

        html = errors_page(evaluation, f"Errors: {results.name} against {labels.name}", open_page)
    path.write_text(html, encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


def _page_picture(judged: Judged, number: int, pictures: Pictures, folders: Sequence[Path]) -> Image | None:
    """The page, from the file beside the labels or where the run found it; None where neither can be drawn."""
    named = [judged.document.file] + ([judged.result.file] if judged.result else [])
    places = [folder / name for name in named for folder in (*folders, Path())]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        return None
    try:
        return pictures.page(pictures.open(found), number, judged.result.messages if judged.result else ())
    except DocpipeError as error:
        click.echo(f"{found}: no picture: {error.message}", err=True)
        return None
