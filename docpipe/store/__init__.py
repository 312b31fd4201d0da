"""The store: results, and the history behind them, in SQLite or PostgreSQL. docs/database.md draws the tables."""

from docpipe.store.results.result_store import SqlStore

__all__ = ["SqlStore"]
