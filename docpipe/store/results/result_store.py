"""The store: documents, attempts and results in SQLite or PostgreSQL, with typed tables on top.

In: documents, extractions, errors. Out: whole results, the same ones that were saved. Safe with many processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.orm import Session

from docpipe.data import Document, Extraction, Status
from docpipe.errors import DocpipeError, StoreError, UsageError
from docpipe.ports import StoredResult
from docpipe.store.connect import (
    ensure_current,
    lock_setup,
    open_engine,
    overwrite_deleted,
    parse_url,
    store_errors,
    write_transaction,
)
from docpipe.store.database import upsert
from docpipe.store.results import load
from docpipe.store.results.typed import TypedTable, ensure_tables
from docpipe.store.results.write import (
    add_document,
    begin_attempt,
    end_attempt,
    lock_document,
    now,
    retire,
    save_extraction,
    show,
)
from docpipe.store.tables import attempts, document_files, documents, extractions, kept_work

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
            add_document(connection, document.id, document.path, document)

    def claim(self, document_id: str, run_key: str, *, schema: str | None = None, extractor: str | None = None) -> int:
        """Count an attempt at this work and return its number, from 1. An earlier attempt at it that never ended is
        marked lost: its process died. `extractor` is whose cost it is, should it fail."""
        with self._writing() as connection:
            lock_document(connection, document_id)
            end_attempt(connection, document_id, run_key, {"outcome": "lost"})
            return begin_attempt(connection, document_id, run_key, {"schema": schema, "extractor": extractor})

    def save(self, extraction: Extraction, schema: Schema) -> bool:
        """Save whole or not at all. False when this run key is already stored (nothing is written)."""
        tables = self._tables(schema)
        with self._writing() as connection:
            return save_extraction(connection, extraction, tables)

    def make_current(self, run_key: str, schema: Schema) -> bool:
        """Show a stored extraction again in the typed tables, after one with other settings took its place.
        False when it is shown already, or unknown."""
        tables = self._tables(schema)
        with self._writing() as connection:
            stored = load.newest_result(connection, [extractions.c.run_key == run_key, ~extractions.c.is_current])
            if stored is None or stored.extraction is None:
                return False
            extraction = stored.extraction
            name = lock_document(connection, extraction.document_id)
            retire(connection, extraction)
            current = update(extractions).where(extractions.c.run_key == run_key).values(is_current=True)
            row_id = connection.scalar(current.returning(extractions.c.id))
            show(connection, tables, extraction, row_id, name)
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
                    add_document(connection, document_id, path, None)
                lock_document(connection, document_id)
            if run_key is None or not end_attempt(connection, document_id, run_key, failure):
                begin_attempt(connection, document_id, run_key, {**failure, "ended": now()})

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

    def newest(self, status: Status, schema: str | None = None, *, limit: int) -> list[StoredResult]:
        """The newest current results with this status, or documents whose last attempt failed."""
        with self._reading() as connection:
            if status == "failed":
                return list(load.newest_failures(connection, load.attempt_of_schema(schema), limit))
            where = [extractions.c.is_current, *load.of_schema(schema), *load.of_status(status)]
            return list(load.newest_results(connection, where, limit))

    def status_counts(self, schema: str | None = None) -> dict[Status, int]:
        """How many documents have each status, under each schema that they were read by."""
        with self._reading() as connection:
            where = [extractions.c.is_current, *load.of_schema(schema)]
            by_status = select(extractions.c.status, func.count()).where(*where).group_by(extractions.c.status)
            counts: dict[Status, int] = {row[0]: row[1] for row in connection.execute(by_status)}
            failed = load.count_failures(connection, load.attempt_of_schema(schema))
            return counts | ({"failed": failed} if failed else {})

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
            lock_document(connection, document_id)
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


def save_in(session: Any, document: Document, extraction: Extraction, schema: Schema) -> bool:
    """A document and its result in the transaction of the caller's session or connection: nothing of it is there until
    they commit. Tables that are missing are made in it. False when this very result is stored already. Raises
    UsageError for what is neither."""
    connection = session.connection() if isinstance(session, Session) else session
    if not isinstance(connection, Connection):
        hint = "Inside `with Session(engine) as session:`, or `with engine.begin() as connection:`; async: run_sync."
        raise UsageError(f"{type(session).__name__} is no session or connection of SQLAlchemy", hint=hint)
    if connection.dialect.name not in ("sqlite", "postgresql"):
        raise UsageError(f"docpipe does not write to {connection.dialect.name}", hint="Use SQLite or PostgreSQL.")
    ensure_current(connection)
    lock_setup(connection)
    tables = ensure_tables(connection, schema)
    add_document(connection, document.id, document.path, document)
    return save_extraction(connection, extraction, tables)
