"""A file of results: the format by its suffix, in place only when it is complete.

In: results, a target (`out.jsonl`, `out.csv`, `out.xlsx`, or `-` for JSON Lines on standard output). Out: the file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.errors import UsageError
from docpipe.export.flat import Spool
from docpipe.export.lines import LineWriter, json_line, to_record, write_error
from docpipe.export.table_csv import csv_paths, write_csv
from docpipe.ports import StoredResult
from docpipe.private_files import replacing

if TYPE_CHECKING:
    from docpipe.schema import Schema

SUFFIXES = (".jsonl", ".csv", ".xlsx")
STANDARD_OUTPUT = "-"


def check_target(target: str) -> str:
    """The suffix that names the format; `-` is JSON Lines. Raises UsageError before any work is done."""
    if target == STANDARD_OUTPUT:
        return ".jsonl"
    path = Path(target)
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot tell the format of {target}", hint=f"Let it end in {', '.join(SUFFIXES)}.")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"cannot write {target}", hint="Its folder does not exist, or it is a folder itself.")
    return path.suffix.lower()


def write(
    results: Iterable[StoredResult],
    target: str | Path,
    schema: Schema | None = None,
    *,
    picture_of: Callable[[str], str | None] = lambda _: None,
) -> list[Path]:
    """Write all results and return the files that were made (none for `-`). `schema` adds the fields that a
    result does not mention to its line, as null. `picture_of` gives the picture to which a workbook links a document,
    by its id."""
    suffix = check_target(str(target))
    if str(target) == STANDARD_OUTPUT:
        for result in results:
            sys.stdout.buffer.write(json_line(to_record(result, schema)))
        sys.stdout.buffer.flush()
        return []
    path = Path(target)
    if suffix == ".jsonl":
        with _replacing({"": path}) as temporary, LineWriter(temporary[""]) as lines:
            for result in results:
                lines.write(to_record(result, schema))
        return [path]
    with Spool(results, picture_of) as spool:
        return _write_tables(spool, path, suffix)


def _write_tables(spool: Spool, path: Path, suffix: str) -> list[Path]:
    if suffix == ".xlsx":
        from docpipe.export.table_xlsx import write_xlsx  # heavy: openpyxl

        with _replacing({"": path}) as temporary:
            write_xlsx(spool, temporary[""])
        return [path]
    paths = csv_paths(spool, path)
    with _replacing(paths) as temporary:
        write_csv(spool, temporary)
    return [path, *(list_path for name, list_path in paths.items() if name)]


@contextmanager
def _replacing(paths: dict[str, Path]) -> Iterator[dict[str, Path]]:
    """Temporary files beside `paths`, which replace them at the end; when anything fails, nothing changes."""
    try:
        with ExitStack() as stack:
            yield {name: stack.enter_context(replacing(path)) for name, path in paths.items()}
    except OSError as error:
        raise write_error(paths[""], error) from error
