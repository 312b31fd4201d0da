"""The shop's own table: one row for each invoice that it has asked for.

In: ids, file names, and docpipe's answers as JSON. Out: rows in SQLite. A row is written before the invoice is sent, so
that nothing that was sent is forgotten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Any

TABLE = """
CREATE TABLE IF NOT EXISTS bills (
    task_id TEXT PRIMARY KEY,
    reference TEXT NOT NULL,
    status TEXT NOT NULL,            -- sent, complete, needs_review, failed
    seller TEXT,
    number TEXT,
    currency TEXT,
    cents INTEGER,                   -- of the gross total; NULL where docpipe is not sure of it
    look_at TEXT,                    -- what is doubtful, and on which page
    answers INTEGER NOT NULL DEFAULT 0
)
"""
FIELDS = ("seller_name", "invoice_number", "currency", "gross_total")


class Bills:
    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, timeout=30)
        self._connection.row_factory = sqlite3.Row
        with self._connection:
            self._connection.execute(TABLE)

    def __enter__(self) -> Bills:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def add(self, task_id: str, reference: str) -> None:
        """An invoice that is about to be sent."""
        with self._connection:
            self._connection.execute(
                "INSERT INTO bills (task_id, reference, status) VALUES (?, ?, 'sent')", (task_id, reference)
            )

    def store(self, answer: Mapping[str, Any]) -> None:
        """A total of which docpipe is sure is booked; for the rest a person is shown where to look."""
        seller, number, currency, total = (answer["fields"].get(name) for name in FIELDS)
        is_sure = all(field is not None and field["accepted"] for field in (currency, total))
        row = (
            answer["status"],
            *(None if field is None else field["value"] for field in (seller, number, currency)),
            int(Decimal(total["value"]) * 100) if is_sure else None,
            "; ".join(doubts(answer)),
            answer["task_id"],
        )
        with self._connection:
            self._connection.execute(
                "UPDATE bills SET status = ?, seller = ?, number = ?, currency = ?, cents = ?, look_at = ?,"
                " answers = answers + 1 WHERE task_id = ?",
                row,
            )

    def all(self) -> list[sqlite3.Row]:
        return self._connection.execute("SELECT * FROM bills ORDER BY rowid").fetchall()

    def unanswered(self) -> list[sqlite3.Row]:
        return self._connection.execute("SELECT * FROM bills WHERE status = 'sent' ORDER BY rowid").fetchall()


def doubts(answer: Mapping[str, Any]) -> list[str]:
    """Why it failed; or which values want a second look, and where they stand."""
    if answer["error"] is not None:
        return [f"{answer['error']['code']}: {answer['error']['message']}. {answer['error']['hint']}"]
    fields = {name: answer["fields"].get(name) for name in FIELDS}
    return [
        f"{name}: not found" if field is None else f"{name}: {field['raw']!r}{_place(field['evidence'])}"
        for name, field in fields.items()
        if field is None or not field["accepted"]
    ]


def _place(evidence: list[dict[str, Any]]) -> str:
    """A box has fractions of the page: left, top, right, bottom."""
    return f" on page {evidence[0]['page']}, {evidence[0]['box'][1]:.0%} from the top" if evidence else ""
