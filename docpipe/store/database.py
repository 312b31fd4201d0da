"""One database, as the stores of the service share it: one engine a process, transactions with errors in plain words.

In: a URL. Out: connections, for reading or for writing. SqlStore, which `docpipe run` uses, has an engine of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from docpipe.store.connect import open_engine, parse_url, store_errors, write_transaction


class Database:
    """Open one in each process (a connection does not survive a fork). Raises StoreError."""

    def __init__(self, url: str) -> None:
        self.url = parse_url(url)
        self._engine = open_engine(self.url)

    def close(self) -> None:
        self._engine.dispose()

    def check(self) -> None:
        """Raises StoreError when it does not answer."""
        with self.reading():
            return

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: committed whole at the end, or nothing of it."""
        with store_errors(self.url), write_transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with store_errors(self.url), self._engine.connect() as connection, connection.begin():
            yield connection


def upsert(connection: Connection, table: Table, values: Mapping[str, Any]) -> Any:
    """An INSERT that takes ON CONFLICT, in the dialect of the connection."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table).values(values)
