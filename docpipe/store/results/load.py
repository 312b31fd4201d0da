"""Reading results back.

In: a connection inside a transaction. Out: StoredResult, in pages, so that memory does not grow with the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, and_, func, literal, not_, or_, select

from docpipe.data import Document, Status
from docpipe.ports import StoredResult
from docpipe.store.results.rows import to_extraction
from docpipe.store.tables import attempts, document_files, documents, extractions, fields, issues

PAGE_SIZE = 100  # extractions per round trip: an invoice with 100 lines has 600 fields, so a page has megabytes


@dataclass(frozen=True, slots=True)
class _DocumentFiles:
    """A document, and all files that have its bytes; the first file is the one it is known by."""

    document: Document
    files: tuple[Path, ...]


def current_results(
    connection: Connection, where: Sequence[ColumnElement[bool]], after: int = 0
) -> Iterator[StoredResult]:
    """Extractions that satisfy `where`, oldest first."""
    while True:
        query = select(extractions).where(extractions.c.id > after, *where).order_by(extractions.c.id).limit(PAGE_SIZE)
        page = connection.execute(query).mappings().all()
        yield from _with_details(connection, page)
        if len(page) < PAGE_SIZE:
            return
        after = page[-1]["id"]


def newest_result(connection: Connection, where: Sequence[ColumnElement[bool]]) -> StoredResult | None:
    """The newest extraction that satisfies `where`."""
    return next(newest_results(connection, where, 1), None)


def newest_results(connection: Connection, where: Sequence[ColumnElement[bool]], limit: int) -> Iterator[StoredResult]:
    """Extractions that satisfy `where`, newest first; so few that they fit into memory."""
    query = select(extractions).where(*where).order_by(extractions.c.id.desc()).limit(limit)
    return _with_details(connection, connection.execute(query).mappings().all())


def newest_failures(connection: Connection, where: Sequence[ColumnElement[bool]], limit: int) -> Iterator[StoredResult]:
    """As `failures`, newest first."""
    query = _failed_attempts().where(*where).order_by(attempts.c.id.desc()).limit(limit)
    page = connection.execute(query).mappings().all()
    known = _documents(connection, {row["document_id"] for row in page} - {None})
    return (_failure(row, known) for row in page)


def failures(connection: Connection, where: Sequence[ColumnElement[bool]]) -> Iterator[StoredResult]:
    """Documents and files whose last attempt failed and that have no extraction, by their last attempt."""
    after = 0
    while True:
        query = _failed_attempts().where(attempts.c.id > after, *where).order_by(attempts.c.id).limit(PAGE_SIZE)
        page = connection.execute(query).mappings().all()
        known = _documents(connection, {row["document_id"] for row in page} - {None})
        for row in page:
            yield _failure(row, known)
        if len(page) < PAGE_SIZE:
            return
        after = page[-1]["id"]


def count_failures(connection: Connection, where: Sequence[ColumnElement[bool]]) -> int:
    failed = _failed_attempts().where(*where).subquery()
    return connection.scalar(select(func.count()).select_from(failed)) or 0


def _failed_attempts() -> Select[Any]:
    later, done = attempts.alias(), extractions.alias()
    any_schema = or_(later.c.schema.is_(None), attempts.c.schema.is_(None), later.c.schema == attempts.c.schema)
    same_work = or_(
        and_(later.c.document_id == attempts.c.document_id, any_schema),
        and_(attempts.c.document_id.is_(None), later.c.document_id.is_(None), later.c.file == attempts.c.file),
    )
    repeated = select(literal(1)).where(later.c.id > attempts.c.id, later.c.outcome != "running", same_work).exists()
    succeeded = (
        select(literal(1))
        .where(
            done.c.document_id == attempts.c.document_id,
            done.c.is_current,
            or_(attempts.c.schema.is_(None), done.c.schema == attempts.c.schema),
        )
        .exists()
    )
    return select(attempts).where(attempts.c.outcome == "failed", not_(repeated), not_(succeeded))


def _with_details(connection: Connection, page: Sequence[RowMapping]) -> Iterator[StoredResult]:
    if not page:
        return
    ids = [row["id"] for row in page]
    known = _documents(connection, {row["document_id"] for row in page})
    owned_fields, owned_issues = _details(connection, fields, ids), _details(connection, issues, ids)
    attempts_of = _attempts(connection, known)
    for row in page:
        of_row = known[row["document_id"]]
        of_document = attempts_of.get(row["document_id"], [])
        of_result = [a for a in of_document if a["schema"] in (None, row["schema"]) or a["run_key"] == row["run_key"]]
        last = of_result[-1] if of_result else None
        failed_later = last is not None and last["outcome"] == "failed" and last["ended"] > row["created"]
        yield StoredResult(
            document=of_row.document,
            schema=row["schema"],
            extraction=to_extraction(row, owned_fields.get(row["id"], ()), owned_issues.get(row["id"], ())),
            error=_error(last) if last is not None and failed_later else None,
            attempts=sum(a["run_key"] == row["run_key"] for a in of_document),
            files=of_row.files,
            created=row["created"],
        )


def _details(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    by_extraction: dict[int, list[RowMapping]] = {}
    query = select(table).where(table.c.extraction_id.in_(ids)).order_by(*table.primary_key)
    for row in connection.execute(query).mappings():
        by_extraction.setdefault(row["extraction_id"], []).append(row)
    return by_extraction


def _attempts(connection: Connection, ids: Iterable[str]) -> dict[str, list[RowMapping]]:
    by_document: dict[str, list[RowMapping]] = {}
    query = select(attempts).where(attempts.c.document_id.in_(list(ids)), attempts.c.outcome != "running")
    for row in connection.execute(query.order_by(attempts.c.id)).mappings():
        by_document.setdefault(row["document_id"], []).append(row)
    return by_document


def _documents(connection: Connection, ids: set[str]) -> dict[str, _DocumentFiles]:
    paths: dict[str, list[Path]] = {}
    query = select(document_files).where(document_files.c.document_id.in_(ids)).order_by(document_files.c.id)
    for row in connection.execute(query):
        paths.setdefault(row.document_id, []).append(Path(row.path))
    by_id: dict[str, _DocumentFiles] = {}
    for row in connection.execute(select(documents).where(documents.c.id.in_(ids))):
        files = tuple(paths.get(row.id, ()))
        path = files[0] if files else Path(row.name)
        document = Document(row.id, row.name, path, row.media_type or "", row.size or 0, row.pages or 0)
        by_id[row.id] = _DocumentFiles(document, files)
    return by_id


def _failure(row: RowMapping, known: dict[str, _DocumentFiles]) -> StoredResult:
    file = Path(row["file"] or "")
    unread = _DocumentFiles(Document("", file.name, file, "", 0, 0), (file,))
    of_attempt = known.get(row["document_id"], unread)
    return StoredResult(
        document=of_attempt.document,
        schema=row["schema"] or "",
        extraction=None,
        error=_error(row),
        attempts=row["number"],
        files=of_attempt.files,
        created=row["ended"],
    )


def _error(row: RowMapping) -> dict[str, str]:
    return {"code": row["error_code"], "message": row["error_message"], "hint": row["error_hint"]}


def of_schema(schema: str | None) -> list[ColumnElement[bool]]:
    return [] if schema is None else [extractions.c.schema == schema]


def attempt_of_schema(schema: str | None) -> list[ColumnElement[bool]]:
    """An attempt that failed before its schema mattered counts for every schema."""
    return [] if schema is None else [or_(attempts.c.schema.is_(None), attempts.c.schema == schema)]


def of_status(status: Status | None) -> list[ColumnElement[bool]]:
    return [] if status is None else [extractions.c.status == status]
