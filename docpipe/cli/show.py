"""`docpipe show`: one stored result, for a person. In: an id, a file or its name. Out: its fields, PNGs with boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docpipe.cli.options import database_option, settings_with
from docpipe.cli.terminal import note
from docpipe.cli.wording import ID_DIGITS, counted, sentence
from docpipe.data import Document, Extraction, Field
from docpipe.errors import DocpipeError, InputError, StoreError
from docpipe.own_files import MAKER
from docpipe.ports import StoredResult
from docpipe.private_files import create_file, create_folder
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    from rich.table import Table

    from docpipe.cli.page_pictures import PagePictures


@click.command()
@click.argument("document", metavar="ID")
@database_option
@click.option(
    "--schema", "schema_name", metavar="NAME", help="Show the result of this schema, where there are several."
)
@click.option(
    "--page", "only_page", type=click.IntRange(min=1), help="Draw this page only. Default: each page with a field."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture to write. Default: NAME-page-N.png in the current folder; for several pages -page-N is added.",
)
@click.option("--password", help="The password of an encrypted PDF. It is never stored.")
def show(
    document: str,
    database: str | None,
    schema_name: str | None,
    only_page: int | None,
    output: Path | None,
    password: str | None,
) -> None:
    """Draw a document's pages with the boxes of its fields.

    ID is a document's id or the beginning of it, a file, or the name that a file had. Green boxes are accepted values,
    amber ones should be looked at.
    """
    with SqlStore(settings_with(database).database_url, create=False) as store:
        result = find_result(store, document, schema_name)
    if result.extraction is None:
        error = result.error or {}
        raise InputError(
            f"{result.document.name} could not be processed: {error.get('message', 'no attempt has ended')}",
            hint=error.get("hint", "Run docpipe on it again."),
        )
    _print_fields(result, result.extraction)
    draw(result, result.extraction, pages=[only_page] if only_page else None, output=output, password=password)


def find_result(store: SqlStore, document: str, schema: str | None) -> StoredResult:
    """By id, by the bytes of a file that is there, or by name. Raises StoreError unless it is exactly one document."""
    if result := store.get(document, schema):
        return result
    path = Path(document)
    if path.is_file():
        from hashlib import file_digest  # heavy: OpenSSL, only for this way to ask

        with path.open("rb") as file:
            result = store.get(file_digest(file, "sha256").hexdigest(), schema)
        if result:
            return result
    named = list(_results_of_path(store.results(schema), path))
    if len({result.document.id for result in named}) > 1:
        ids = ", ".join(result.document.id[:ID_DIGITS] for result in named)
        raise StoreError(f"several documents are named {document}: {ids}", hint="Give one of these ids.")
    if not named:
        message = f"no document {document} in the database"
        raise StoreError(message, hint="`docpipe list` shows what is there; see --db and --schema.")
    return named[-1]


def _results_of_path(results: Iterable[StoredResult], path: Path) -> Iterator[StoredResult]:
    """Those of documents that were found under some path with this ending."""
    ending = path.parts
    for result in results:
        paths = [*result.files, result.document.path, Path(result.document.name)]
        if any(path.parts[-len(ending) :] == ending for path in paths):
            yield result


def _print_fields(result: StoredResult, extraction: Extraction) -> None:
    from docpipe.cli.terminal import open_console  # heavy: rich, 60 ms, after the document is found

    console = open_console()
    title = f"{result.document.name}  {result.document.id[:ID_DIGITS]}"
    console.print(title, style="bold", highlight=False, markup=False)
    pages, status = counted(extraction.pages, "page"), extraction.status.replace("_", " ")
    summary = f"{extraction.schema}, {pages}, {status}, by {extraction.extractor}"
    console.print(summary, highlight=False, markup=False)
    console.print(_field_table(extraction.fields))
    for issue in extraction.issues:
        field_note = f" ({issue.field})" if issue.field else ""
        console.print(f"{issue.severity}: {issue.message}{field_note}", highlight=False, markup=False)


def _field_table(fields: Sequence[Field]) -> Table:
    from rich.text import Text  # heavy: see _print_fields

    from docpipe.cli.terminal import plain_table  # heavy: see _print_fields

    table = plain_table()
    for name in ("field", "value", "as printed"):
        table.add_column(name, overflow="fold")
    table.add_column("confidence", justify="right")
    table.add_column("page", justify="right")
    table.add_column("", no_wrap=True)
    table.add_column("issues", overflow="fold")
    for field in fields:
        if field.value is None and field.raw is None and not field.issues:
            continue  # absent, and nothing to say about it
        value = "" if field.value is None else str(field.value)
        pages = ", ".join(str(page) for page in dict.fromkeys(evidence.page for evidence in field.evidence))
        verdict = Text("accepted", "green") if field.accepted else Text("to check", "yellow")
        issues = "; ".join(issue.message for issue in field.issues)
        printed = "" if field.raw in (None, value) else str(field.raw)
        cells = (field.path, value, printed, f"{field.confidence:.0%}", pages or "–")
        table.add_row(*(Text(cell) for cell in cells), verdict, Text(issues))
    return table


def draw(
    result: StoredResult, extraction: Extraction, *, pages: list[int] | None, output: Path | None, password: str | None
) -> list[Path]:
    """Write the pictures and say where they are. A file that is gone or has changed is named, and is no error. `pages`
    None: each page with a field."""
    from docpipe.cli.page_pictures import PagePictures  # heavy: Pillow and the renderer, for drawing only

    for number in pages or ():
        if number > extraction.pages:
            message = f"{result.document.name} has {counted(extraction.pages, 'page')}"
            raise InputError(message, hint="Give one of them with --page.")
    pages_with_fields = sorted({evidence.page for field in extraction.fields for evidence in field.evidence})
    numbers = pages or pages_with_fields or [1]
    with PagePictures() as pictures:
        document = open_original(result, pictures, password)
        if document is None:
            return []
        paths = []
        for number in numbers:
            path = _picture_path(output, document.name, number, several=len(numbers) > 1)
            draw_page(extraction, document, number, pictures, path)
            paths.append(path)
            note(f"drew {path}")
    return paths


def open_original(result: StoredResult, pictures: PagePictures, password: str | None) -> Document | None:
    """The file as it was read, wherever a copy of it still lies."""
    reasons = []
    for path in dict.fromkeys([result.document.path, *result.files]):
        try:
            document = pictures.open(path, password)
        except DocpipeError as error:
            reasons.append(f"{path}: {error.message}" if path.exists() else f"{path} is gone")
            continue
        if document.id == result.document.id:
            return document
        reasons.append(f"{path} has changed since it was read")
    click.echo(sentence(f"No picture: {'; '.join(reasons)}"), err=True)
    return None


def _picture_path(output: Path | None, name: str, number: int, *, several: bool) -> Path:
    if output is None:
        return Path(f"{Path(name).stem}-page-{number}.png")
    return output.with_stem(f"{output.stem}-page-{number}") if several else output


def draw_page(extraction: Extraction, document: Document, number: int, pictures: PagePictures, path: Path) -> None:
    from PIL.PngImagePlugin import PngInfo  # heavy: Pillow

    from docpipe.annotate import annotate  # heavy: Pillow's fonts

    messages = [issue.message for issue in extraction.issues]
    title = f"{document.name}  ·  page {number} of {document.page_count}  ·  {extraction.status.replace('_', ' ')}"
    picture = annotate(pictures.page(document, number, messages), extraction.fields, number, title)
    create_folder(path.parent)
    create_file(path)
    marks = PngInfo()
    marks.add_text("Software", MAKER)  # so that a run over this folder knows it for no document
    options: dict[str, Any] = {"pnginfo": marks} if path.suffix.lower() == ".png" else {}
    picture.save(path, optimize=True, **options)
