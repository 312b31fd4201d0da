"""Writing documents, attempts and results: one row after the other, in a transaction that somebody else has.

In: a connection in a transaction, nouns. Out: rows. SqlStore commits each result by itself; `Result.save` of the Python
API writes into its caller's transaction.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from docpipe.data import Document, Extraction
from docpipe.errors import StoreError
from docpipe.store.database import upsert
from docpipe.store.results.rows import field_rows, issue_rows
from docpipe.store.results.typed import TypedTable, write_typed
from docpipe.store.tables import attempts, document_files, documents, extractions, fields, issues


def save_extraction(connection: Connection, extraction: Extraction, tables: list[TypedTable]) -> bool:
    """Whole or not at all, in the transaction of the connection. False when this run key is already stored (nothing is
    written)."""
    name = lock_document(connection, extraction.document_id)
    same_work = select(extractions.c.id).where(extractions.c.run_key == extraction.run_key)
    if connection.scalar(same_work) is not None:
        return False
    retire(connection, extraction)
    row_id = insert_extraction(connection, extraction)
    show(connection, tables, extraction, row_id, name)
    done = {"outcome": "done", "schema": extraction.schema, "extractor": extraction.extractor}
    if not end_attempt(connection, extraction.document_id, extraction.run_key, done):
        begin_attempt(connection, extraction.document_id, extraction.run_key, {**done, "ended": now()})
    return True


def add_document(connection: Connection, document_id: str, path: Path, document: Document | None) -> None:
    """`document` is None for a file that was refused: only its id, its size and its place are known."""
    name = path.name if document is None else document.name
    row = {"id": document_id, "name": name, "first_seen": now()}
    if document is None:
        size = path.stat().st_size if path.is_file() else None
        statement = upsert(connection, documents, row | {"size": size}).on_conflict_do_nothing()
    else:
        columns = {"media_type": document.media_type, "size": document.size, "pages": document.page_count}
        statement = upsert(connection, documents, row | columns).on_conflict_do_update(
            index_elements=[documents.c.id], set_=columns, where=documents.c.media_type.is_(None)
        )
    connection.execute(statement)
    if path == Path():
        return
    path = path.absolute()
    file = {"document_id": document_id, "path": str(path), "name": name, "first_seen": now()}
    connection.execute(upsert(connection, document_files, file).on_conflict_do_nothing())
    # what could not be read before has an id now
    unread = attempts.c.document_id.is_(None) & (attempts.c.file == str(path))
    connection.execute(update(attempts).where(unread).values(document_id=document_id))


def lock_document(connection: Connection, document_id: str) -> str:
    """Until the transaction ends nobody else writes about this document. Returns its name."""
    query = select(documents.c.name).where(documents.c.id == document_id).with_for_update()
    name: str | None = connection.scalar(query)
    if name is None:
        raise StoreError(f"document {document_id} is not in the database", hint="Call add(document) first.")
    return name


def begin_attempt(connection: Connection, document_id: str | None, run_key: str | None, columns: dict[str, Any]) -> int:
    same_work = attempts.c.file == columns.get("file") if document_id is None else attempts.c.document_id == document_id
    same_work &= attempts.c.run_key.is_not_distinct_from(run_key)
    number = (connection.scalar(select(func.max(attempts.c.number)).where(same_work)) or 0) + 1
    row = {"document_id": document_id, "run_key": run_key, "number": number, "started": now()}
    connection.execute(insert(attempts).values(row | {"outcome": "running"} | columns))
    return int(number)


def end_attempt(connection: Connection, document_id: str | None, run_key: str, columns: dict[str, Any]) -> bool:
    running = (
        (attempts.c.document_id == document_id) & (attempts.c.run_key == run_key) & (attempts.c.outcome == "running")
    )
    return connection.execute(update(attempts).where(running).values(ended=now(), **columns)).rowcount > 0


def retire(connection: Connection, extraction: Extraction) -> None:
    same = (extractions.c.document_id == extraction.document_id) & (extractions.c.schema == extraction.schema)
    connection.execute(update(extractions).where(same, extractions.c.is_current).values(is_current=False))


def insert_extraction(connection: Connection, extraction: Extraction) -> int:
    row = {
        name: getattr(extraction, name)
        for name in ("document_id", "schema", "schema_version", "extractor", "run_key", "status", "pages")
    }
    row |= {"timings": dict(extraction.timings), "cost": dict(extraction.cost)}
    row |= {"created": now(), "is_current": True}
    row["issue_count"] = len(extraction.issues) + sum(len(item.issues) for item in extraction.fields)
    row_id: int = connection.execute(insert(extractions).values(row).returning(extractions.c.id)).scalar_one()
    for table, rows in ((fields, field_rows(row_id, extraction)), (issues, issue_rows(row_id, extraction))):
        if rows:
            connection.execute(insert(table), rows)
    return row_id


def show(
    connection: Connection, tables: list[TypedTable], extraction: Extraction, row_id: int | None, name: str
) -> None:
    owner = {"extraction_id": row_id, "document_id": extraction.document_id}
    write_typed(connection, tables, extraction, owner | {"file": name, "status": extraction.status})


def now() -> datetime:
    return datetime.now(UTC)
