"""`docpipe show`: one stored result, for a person. In: an id, a file or its name. Out: its fields, PNGs with boxes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docpipe.config import load_settings
from docpipe.data import Document, Extraction, Field
from docpipe.errors import DocpipeError, InputError, StoreError
from docpipe.ports import StoredResult
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    from rich.table import Table

    from docpipe.cli.page_pictures import Pictures

FILE_WIDTH = 160  # columns of a table that is piped into a file
ID_SHOWN = 12  # hex digits; enough to be unique among millions


@click.command()
@click.argument("document", metavar="ID")
@click.option(
    "--db", "database", metavar="URL", help="The database. Default: DOCPIPE_DATABASE_URL, or docpipe.db here."
)
@click.option("--schema", "schema_name", metavar="NAME", help="The result under this schema, where there are several.")
@click.option(
    "--page", "only_page", type=click.IntRange(min=1), help="Draw this page. Default: each page with a field."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture. Default: NAME-page-N.png here; with several pages -page-N is added.",
)
@click.option("--password", help="For an encrypted PDF: passwords are never stored.")
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
    with SqlStore(database or load_settings().database_url, create=False) as store:
        found = find(store, document, schema_name)
    if found.extraction is None:
        error = found.error or {}
        raise InputError(
            f"{found.document.name} could not be processed: {error.get('message', 'no attempt has ended')}",
            hint=error.get("hint", "Run docpipe on it again."),
        )
    _print_fields(found, found.extraction)
    draw(found, found.extraction, pages=[only_page] if only_page else None, output=output, password=password)


def find(store: SqlStore, wanted: str, schema: str | None) -> StoredResult:
    """By id, by the bytes of a file that is there, or by name. Raises StoreError unless it is exactly one document."""
    if found := store.get(wanted, schema):
        return found
    path = Path(wanted)
    if path.is_file():
        from hashlib import file_digest  # heavy: OpenSSL, only for this way to ask

        with path.open("rb") as file:
            found = store.get(file_digest(file, "sha256").hexdigest(), schema)
        if found:
            return found
    named = list(_named(store.results(schema), path))
    if len({result.document.id for result in named}) > 1:
        ids = ", ".join(result.document.id[:ID_SHOWN] for result in named)
        raise StoreError(f"several documents are named {wanted}: {ids}", hint="Give one of these ids.")
    if not named:
        raise StoreError(
            f"no document {wanted} in the database", hint="`docpipe export` lists what is there; see --db and --schema."
        )
    return named[-1]


def _named(results: Iterable[StoredResult], wanted: Path) -> Iterator[StoredResult]:
    """Documents that some path with this ending led to."""
    ending = wanted.parts
    for result in results:
        paths = [*result.files, result.document.path, Path(result.document.name)]
        if any(path.parts[-len(ending) :] == ending for path in paths):
            yield result


def _print_fields(found: StoredResult, extraction: Extraction) -> None:
    from rich.console import Console  # heavy: 60 ms, after the document is found

    console = Console(emoji=False)
    if not console.is_terminal:
        console = Console(width=FILE_WIDTH, emoji=False)
    console.print(f"{found.document.name}  {found.document.id[:ID_SHOWN]}", style="bold", highlight=False, markup=False)
    pages = "1 page" if extraction.pages == 1 else f"{extraction.pages} pages"
    summary = f"{extraction.schema}, {pages}, {extraction.status.replace('_', ' ')}, by {extraction.extractor}"
    console.print(summary, highlight=False, markup=False)
    console.print(_table(extraction.fields))
    for issue in extraction.issues:
        place = f" ({issue.field})" if issue.field else ""
        console.print(f"{issue.severity}: {issue.message}{place}", highlight=False, markup=False)


def _table(fields: Sequence[Field]) -> Table:
    from rich import box  # heavy: see _print_fields
    from rich.table import Table  # heavy: see _print_fields
    from rich.text import Text  # heavy: see _print_fields

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
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
    found: StoredResult, extraction: Extraction, *, pages: list[int] | None, output: Path | None, password: str | None
) -> list[Path]:
    """Write the pictures and say where they are. A file that is gone or has changed is said, and is no error."""
    from docpipe.cli.page_pictures import Pictures  # heavy: Pillow and the renderer, for drawing only

    for number in pages or ():
        if number > extraction.pages:
            raise InputError(
                f"{found.document.name} has {extraction.pages} pages", hint="Give one of them with --page."
            )
    with_fields = sorted({evidence.page for field in extraction.fields for evidence in field.evidence})
    wanted = pages or with_fields or [1]
    with Pictures() as pictures:
        document = _original(found, pictures, password)
        if document is None:
            return []
        written = []
        for number in wanted:
            path = _picture_path(output, document.name, number, several=len(wanted) > 1)
            _draw_page(extraction, document, number, pictures, path)
            written.append(path)
            click.echo(f"drew {path}", err=True)
    return written


def _original(found: StoredResult, pictures: Pictures, password: str | None) -> Document | None:
    """The file as it was read, wherever a copy of it still lies."""
    reasons = []
    for path in dict.fromkeys([found.document.path, *found.files]):
        try:
            document = pictures.open(path, password)
        except DocpipeError as error:
            reasons.append(f"{path}: {error.message}" if path.exists() else f"{path} is gone")
            continue
        if document.id == found.document.id:
            return document
        reasons.append(f"{path} has changed since it was read")
    click.echo(f"No picture: {'; '.join(reasons)}.", err=True)
    return None


def _picture_path(output: Path | None, name: str, number: int, *, several: bool) -> Path:
    if output is None:
        return Path(f"{Path(name).stem}-page-{number}.png")
    return output.with_stem(f"{output.stem}-page-{number}") if several else output


def _draw_page(extraction: Extraction, document: Document, number: int, pictures: Pictures, path: Path) -> None:
    from docpipe.annotate import annotate  # heavy: Pillow's fonts

    messages = [issue.message for issue in extraction.issues]
    title = f"{document.name}  ·  page {number} of {document.page_count}  ·  {extraction.status.replace('_', ' ')}"
    picture = annotate(pictures.page(document, number, messages), extraction.fields, number, title)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, optimize=True)
