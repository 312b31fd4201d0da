"""The store: documents, attempts and results in SQLite or PostgreSQL, with typed tables on top.

In: documents, extractions, errors. Out: whole results, the same ones that were saved. Safe with many processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, delete, func, insert, select, update

from docpipe.data import Document, Extraction, Status
from docpipe.errors import DocpipeError, StoreError
from docpipe.ports import StoredResult
from docpipe.store.connect import (
    lock_setup,
    open_engine,
    overwrite_deleted,
    parse_url,
    store_errors,
    write_transaction,
)
from docpipe.store.database import upsert
from docpipe.store.results import load
from docpipe.store.results.rows import field_rows, issue_rows
from docpipe.store.results.typed import TypedTable, ensure_tables, write_typed
from docpipe.store.tables import attempts, document_files, documents, extractions, fields, issues, kept_work

if TYPE_CHECKING:
    from docpipe.schema import Schema

HEX = frozenset("0123456789abcdef")


class SqlStore:
    """Open one in each process (a connection does not survive a fork)."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """`sqlite:///file.db`, a path, or `postgresql://user:password@host/database`. Tables are made or upgraded;
        `create=False` refuses an SQLite file that is not there."""
        self.url = parse_url(url)
        self._engine = open_engine(self.url, create=create)
        self._typed: dict[tuple[str, str], list[TypedTable]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._engine.dispose()

    def add(self, document: Document) -> None:
        """Record a document and where it lies; the same bytes under a further path add that path. One that lies in no
        folder (the service stores its bytes) has the path `Path()`."""
        with self._writing() as connection:
            self._add(connection, document.id, document.path, document)

    def claim(self, document_id: str, run_key: str, *, schema: str | None = None, extractor: str | None = None) -> int:
        """Count an attempt at this work and return its number, from 1. An earlier attempt at it that never ended is
        marked lost: its process died. `extractor` is whose cost it is, should it fail."""
        with self._writing() as connection:
            self._lock(connection, document_id)
            self._end(connection, document_id, run_key, {"outcome": "lost"})
            return self._begin(connection, document_id, run_key, {"schema": schema, "extractor": extractor})

    def save(self, extraction: Extraction, schema: Schema) -> bool:
        """Save whole or not at all. False when this run key is already stored (nothing is written)."""
        tables = self._tables(schema)
        with self._writing() as connection:
            name = self._lock(connection, extraction.document_id)
            same_work = select(extractions.c.id).where(extractions.c.run_key == extraction.run_key)
            if connection.scalar(same_work) is not None:
                return False
            self._retire(connection, extraction)
            row_id = self._insert_extraction(connection, extraction)
            self._show(connection, tables, extraction, row_id, name)
            done = {"outcome": "done", "schema": extraction.schema, "extractor": extraction.extractor}
            if not self._end(connection, extraction.document_id, extraction.run_key, done):
                self._begin(connection, extraction.document_id, extraction.run_key, {**done, "ended": _now()})
            return True

    def make_current(self, run_key: str, schema: Schema) -> bool:
        """Show a stored extraction again in the typed tables, after one with other settings took its place.
        False when it is shown already, or unknown."""
        tables = self._tables(schema)
        with self._writing() as connection:
            stored = load.newest_result(connection, [extractions.c.run_key == run_key, ~extractions.c.is_current])
            if stored is None or stored.extraction is None:
                return False
            extraction = stored.extraction
            name = self._lock(connection, extraction.document_id)
            self._retire(connection, extraction)
            current = update(extractions).where(extractions.c.run_key == run_key).values(is_current=True)
            row_id = connection.scalar(current.returning(extractions.c.id))
            self._show(connection, tables, extraction, row_id, name)
            return True

    def fail(
        self,
        document_id: str | None,
        run_key: str | None,
        file: Path | str | None,
        error: DocpipeError,
        *,
        schema: str | None = None,
    ) -> None:
        """Record why a document could not be processed, and what the attempt cost. `document_id` is the sha256 of the
        file even when it never became a Document, and None when the file could not be read (then there is no run key
        either). `file` is None for a document that lies in no folder; it was added before."""
        path = None if file is None else Path(file)
        run_key = run_key if document_id is not None else None
        failure = {
            "outcome": "failed",
            "error_code": error.code,
            "error_message": error.message,
            "error_hint": error.hint,
            "cost": dict(error.cost) or None,
            "file": None if path is None else str(path.absolute()),
            **({"schema": schema} if schema else {}),
        }
        with self._writing() as connection:
            if document_id is not None:
                if path is not None:
                    self._add(connection, document_id, path, None)
                self._lock(connection, document_id)
            if run_key is None or not self._end(connection, document_id, run_key, failure):
                self._begin(connection, document_id, run_key, {**failure, "ended": _now()})

    def get(self, document_id: str, schema: str | None = None) -> StoredResult | None:
        """The latest result for a document, by its id or the beginning of it (as short as it is unique)."""
        with self._reading() as connection:
            full_id = self._match(connection, document_id)
            if full_id is None:
                return None
            where = [extractions.c.document_id == full_id, extractions.c.is_current, *load.of_schema(schema)]
            result = load.newest_result(connection, where)
            if result is None:
                of_document = [attempts.c.document_id == full_id, *load.attempt_of_schema(schema)]
                for result in load.failures(connection, of_document):  # the last one stays  # noqa: B007
                    pass
            return result

    def find(self, run_key: str) -> StoredResult | None:
        """The result of exactly this work, current or not."""
        with self._reading() as connection:
            return load.newest_result(connection, [extractions.c.run_key == run_key])

    def has(self, run_key: str) -> bool:
        with self._reading() as connection:
            return connection.scalar(select(extractions.c.id).where(extractions.c.run_key == run_key)) is not None

    def results(self, schema: str | None = None, status: Status | None = None) -> Iterator[StoredResult]:
        """All current results, oldest first, then the documents that failed; as they were when the reading began."""
        with self._reading() as connection:
            where = [extractions.c.is_current, *load.of_schema(schema), *load.of_status(status)]
            yield from load.current_results(connection, where)
            if status in (None, "failed"):
                yield from load.failures(connection, load.attempt_of_schema(schema))

    def kept_work(self, document_id: str, preparation_key: str) -> dict[str, bytes]:
        """What `keep_work` has kept of the document under this preparation, by key."""
        where = (kept_work.c.document_id == document_id) & (kept_work.c.preparation_key == preparation_key)
        with self._reading() as connection:
            rows = connection.execute(select(kept_work.c.key, kept_work.c.content).where(where))
            return {row.key: row.content for row in rows}

    def keep_work(self, document_id: str, preparation_key: str, entries: Mapping[str, bytes]) -> None:
        """Keep these entries of a document's work (docpipe/kept_work.py). Those under another preparation go: they
        are of an older version, and no run will ask for them."""
        old = (kept_work.c.document_id == document_id) & (kept_work.c.preparation_key != preparation_key)
        with self._writing() as connection:
            self._lock(connection, document_id)
            connection.execute(delete(kept_work).where(old))
            for key, content in entries.items():
                row = {"document_id": document_id, "key": key, "preparation_key": preparation_key, "content": content}
                statement = upsert(connection, kept_work, row)
                keys = [kept_work.c.document_id, kept_work.c.key]
                connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"content": content}))

    def document_id(self, prefix: str) -> str | None:
        """The id of which this is the beginning. Raises StoreError where there are several."""
        with self._reading() as connection:
            return self._match(connection, prefix)

    def files(self, document_id: str) -> list[Path]:
        """All paths under which the document was found."""
        with self._reading() as connection:
            query = select(document_files.c.path).where(document_files.c.document_id == document_id)
            return [Path(path) for path in connection.scalars(query)]

    def delete(self, document_id: str) -> bool:
        """The document with its results, attempts and words: nothing of it is left in the file of an SQLite database
        either. Jobs of the queue have to be deleted before. False when it is unknown."""
        with self._writing() as connection:
            deleted = connection.execute(delete(documents).where(documents.c.id == document_id)).rowcount > 0
        with store_errors(self.url):
            overwrite_deleted(self._engine)
        return deleted

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with store_errors(self.url), write_transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One snapshot: what others write meanwhile is not seen."""
        server = self._engine.dialect.name == "postgresql"
        options = {"isolation_level": "REPEATABLE READ"} if server else {}
        with store_errors(self.url), self._engine.connect().execution_options(**options) as connection:
            yield connection

    def _tables(self, schema: Schema) -> list[TypedTable]:
        """Made in a transaction of their own, so that no result waits for a lock on a table while holding another."""
        key = schema.name, schema.version
        if key not in self._typed:
            with self._writing() as connection:
                lock_setup(connection)
                tables = ensure_tables(connection, schema)
            self._typed[key] = tables
        return self._typed[key]

    def _add(self, connection: Connection, document_id: str, path: Path, document: Document | None) -> None:
        """`document` is None for a file that was refused: only its id, its size and its place are known."""
        name = path.name if document is None else document.name
        row = {"id": document_id, "name": name, "first_seen": _now()}
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
        file = {"document_id": document_id, "path": str(path), "name": name, "first_seen": _now()}
        connection.execute(upsert(connection, document_files, file).on_conflict_do_nothing())
        # what could not be read before has an id now
        unread = attempts.c.document_id.is_(None) & (attempts.c.file == str(path))
        connection.execute(update(attempts).where(unread).values(document_id=document_id))

    def _lock(self, connection: Connection, document_id: str) -> str:
        """Until the transaction ends nobody else writes about this document. Returns its name."""
        query = select(documents.c.name).where(documents.c.id == document_id).with_for_update()
        name: str | None = connection.scalar(query)
        if name is None:
            raise StoreError(f"document {document_id} is not in the database", hint="Call add(document) first.")
        return name

    def _begin(
        self, connection: Connection, document_id: str | None, run_key: str | None, columns: dict[str, Any]
    ) -> int:
        same_work = (
            attempts.c.file == columns.get("file") if document_id is None else attempts.c.document_id == document_id
        )
        same_work &= attempts.c.run_key.is_not_distinct_from(run_key)
        number = (connection.scalar(select(func.max(attempts.c.number)).where(same_work)) or 0) + 1
        row = {"document_id": document_id, "run_key": run_key, "number": number, "started": _now()}
        connection.execute(insert(attempts).values(row | {"outcome": "running"} | columns))
        return int(number)

    def _end(self, connection: Connection, document_id: str | None, run_key: str, columns: dict[str, Any]) -> bool:
        running = (
            (attempts.c.document_id == document_id)
            & (attempts.c.run_key == run_key)
            & (attempts.c.outcome == "running")
        )
        return connection.execute(update(attempts).where(running).values(ended=_now(), **columns)).rowcount > 0

    def _retire(self, connection: Connection, extraction: Extraction) -> None:
        same = (extractions.c.document_id == extraction.document_id) & (extractions.c.schema == extraction.schema)
        connection.execute(update(extractions).where(same, extractions.c.is_current).values(is_current=False))

    def _insert_extraction(self, connection: Connection, extraction: Extraction) -> int:
        row = {
            name: getattr(extraction, name)
            for name in ("document_id", "schema", "schema_version", "extractor", "run_key", "status", "pages")
        }
        row |= {"timings": dict(extraction.timings), "cost": dict(extraction.cost)}
        row |= {"created": _now(), "is_current": True}
        row["issue_count"] = len(extraction.issues) + sum(len(item.issues) for item in extraction.fields)
        row_id: int = connection.execute(insert(extractions).values(row).returning(extractions.c.id)).scalar_one()
        for table, rows in ((fields, field_rows(row_id, extraction)), (issues, issue_rows(row_id, extraction))):
            if rows:
                connection.execute(insert(table), rows)
        return row_id

    def _show(
        self, connection: Connection, tables: list[TypedTable], extraction: Extraction, row_id: int | None, name: str
    ) -> None:
        owner = {"extraction_id": row_id, "document_id": extraction.document_id}
        write_typed(connection, tables, extraction, owner | {"file": name, "status": extraction.status})

    def _match(self, connection: Connection, prefix: str) -> str | None:
        prefix = prefix.lower()
        if not prefix or not HEX.issuperset(prefix):
            return None
        # "g" follows all hex digits: a range uses the index where LIKE may not
        query = select(documents.c.id).where(documents.c.id >= prefix, documents.c.id < prefix + "g").limit(2)
        matches = connection.scalars(query).all()
        if len(matches) > 1:
            raise StoreError(f"several documents begin with {prefix}", hint="Give more of the id.")
        return matches[0] if matches else None


def _now() -> datetime:
    return datetime.now(UTC)
