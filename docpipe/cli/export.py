"""`docpipe export`: stored results as a file. In: the database. Out: JSONL, CSV or Excel."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import ExitStack, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from docpipe.cli.options import database_option, settings_with
from docpipe.cli.terminal import note
from docpipe.cli.wording import ID_DIGITS, counted
from docpipe.errors import UsageError
from docpipe.export import check_target, write
from docpipe.export.output_lock import output_lock
from docpipe.export.write import STANDARD_OUTPUT
from docpipe.store.results.result_store import SqlStore

if TYPE_CHECKING:
    from docpipe.data import Extraction, Status
    from docpipe.ports import StoredResult


@click.command()
@click.argument("target", metavar="FILE")
@database_option
@click.option("--schema", metavar="NAME", help="Write only the results of this schema. Default: all.")
@click.option(
    "--status",
    type=click.Choice(["complete", "needs_review", "failed"]),
    help="Write only the results with this status.",
)
@click.option(
    "--pictures",
    is_flag=True,
    help="For a workbook: draw the pages of documents to review into a folder beside it, and link to them.",
)
def export(target: str, database: str | None, schema: str | None, status: Status | None, pictures: bool) -> None:
    """Write stored results to a JSONL, CSV or Excel file.

    The ending of FILE names the format: .jsonl, .csv or .xlsx; - is JSON Lines on standard output. The newest result
    of each document is written.
    """
    suffix = check_target(target)
    if pictures and suffix != ".xlsx":
        raise UsageError("--pictures is for a workbook", hint="Let the file end in .xlsx.")
    lock = nullcontext() if target == STANDARD_OUTPUT else output_lock(Path(target))
    with SqlStore(settings_with(database).database_url, create=False) as store, lock, ExitStack() as stack:
        results, drawn = store.results(schema, status), dict[str, str]()
        if pictures:
            results = stack.enter_context(closing(with_pictures(results, Path(target), drawn)))
        for path in write(results, target, picture_of=drawn.get):
            note(f"wrote {path}")
    if drawn:
        note(f"drew {counted(len(drawn), 'picture')} into {picture_folder(Path(target))}")


def picture_folder(target: Path) -> Path:
    return target.with_name(f"{target.stem}-pages")


def with_pictures(
    results: Iterable[StoredResult], target: Path, drawn: dict[str, str]
) -> Generator[StoredResult, None, None]:
    """The results; of each that is to be reviewed the page with the first value to check is drawn before. `drawn`: a
    document's id -> its picture, from the folder of the workbook, so that both can be moved together."""
    from docpipe.cli.page_pictures import PagePictures  # heavy: Pillow and the renderer, for drawing only
    from docpipe.cli.show import draw_page, open_original

    folder = picture_folder(target)
    with PagePictures() as pages:
        for result in results:
            extraction = result.extraction
            if extraction is not None and extraction.status == "needs_review":
                document = open_original(result, pages, None)
                if document is not None:
                    number = _page_to_look_at(extraction)
                    path = folder / f"{document.id[:ID_DIGITS]}-page-{number}.png"
                    draw_page(extraction, document, number, pages, path)
                    drawn[document.id] = path.relative_to(target.parent).as_posix()
            yield result


def _page_to_look_at(extraction: Extraction) -> int:
    to_check = [field for field in extraction.fields if not field.accepted and field.evidence]
    printed = to_check or [field for field in extraction.fields if field.evidence]
    return printed[0].evidence[0].page if printed else 1
