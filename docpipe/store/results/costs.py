"""What results and failed attempts have cost: documents, pages, seconds, tokens and money, summed up as one asks.

In: a database of `docpipe run` or of the service. Out: sums. Each result is one row of `extractions`, also one that a
newer result has replaced; an attempt that failed and cost something is a row of `attempts`. No cost is in both, and
taking a stored result again adds none. `usage` is something else: it counts jobs, also those deleted since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Column, ColumnElement, FromClause, func, literal, select, union_all

from docpipe.store.database import Database
from docpipe.store.tables import attempts, extractions

COST_NAMES = ("tokens_in", "image_tokens", "tokens_out", "money")  # the names of `Extraction.cost`
GROUPS = ("day", "month", "schema", "extractor", "status")
DAY = {"sqlite": "%Y-%m-%d", "postgresql": "YYYY-MM-DD"}
MONTH = len("2026-01")


@dataclass(frozen=True, slots=True)
class CostSum:
    """Of one group, or of all. `by` has a value for each name that was asked for; None: not known of a failed attempt.

    `documents` counts each document once, `results` each time that one was read, `failed` the attempts that cost
    something and gave no result. `pages` and `seconds` (of the model, without drawing and reading) are those of the
    results; of a failed attempt the seconds are in it where they are known.
    """

    by: Mapping[str, str | None]
    documents: int
    results: int
    failed: int
    pages: int
    seconds: float
    tokens_in: float
    image_tokens: float
    tokens_out: float
    money: float

    def per_page(self) -> dict[str, float] | None:
        """All that was spent, failed attempts too, over the pages of the results. None: no page was read."""
        if not self.pages:
            return None
        return {name: getattr(self, name) / self.pages for name in ("seconds", *COST_NAMES)}


class CostStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def sums(self, *by: str, since: date | None = None) -> list[CostSum]:
        """One for each combination of `by` (see GROUPS), in their order; without any, the sum of all. From the day
        `since` on, in UTC."""
        with self._database.reading() as connection:
            spending = _spending(since)
            columns = [_group(spending, name, connection.dialect.name).label(name) for name in by]
            numbers = [func.coalesce(func.sum(spending.c[name]), 0).label(name) for name in _SUMMED]
            documents = func.count(spending.c.document_id.distinct()).label("documents")
            query = select(*columns, documents, *numbers).group_by(*columns)
            rows = connection.execute(query).mappings().all()
        sums = [_from_row(row, by) for row in rows]
        return sorted(sums, key=lambda cost: [cost.by[name] or "" for name in by])


_COUNTS = ("results", "failed", "pages")
_SUMMED = (*_COUNTS, "seconds", *COST_NAMES)


def _spending(since: date | None) -> FromClause:
    """A row for each result, and for each failed attempt that has a cost."""
    results = select(
        extractions.c.document_id,
        extractions.c.schema,
        extractions.c.extractor,
        extractions.c.status,
        extractions.c.created.label("ended"),
        literal(1).label("results"),
        literal(0).label("failed"),
        extractions.c.pages,
        _number(extractions.c.timings, "extract").label("seconds"),
        *(_number(extractions.c.cost, name).label(name) for name in COST_NAMES),
    )
    failed_attempts = select(
        attempts.c.document_id,
        attempts.c.schema,
        attempts.c.extractor,
        literal("failed"),
        attempts.c.ended,
        literal(0),
        literal(1),
        literal(0),
        _number(attempts.c.cost, "seconds"),
        *(_number(attempts.c.cost, name) for name in COST_NAMES),
    ).where(attempts.c.cost.is_not(None))
    if since is not None:
        begin = datetime.combine(since, time(), UTC)
        results, failed_attempts = (
            results.where(extractions.c.created >= begin),
            failed_attempts.where(attempts.c.ended >= begin),
        )
    return union_all(results, failed_attempts).subquery()


def _number(column: Column[Any], name: str) -> ColumnElement[float]:
    return func.coalesce(column[name].as_float(), 0.0)


def _group(spending: FromClause, name: str, dialect: str) -> ColumnElement[str]:
    if name not in ("day", "month"):
        return spending.c[name]
    if dialect == "sqlite":
        day = func.strftime(DAY[dialect], spending.c.ended)
    else:
        day = func.to_char(func.timezone("UTC", spending.c.ended), DAY[dialect])
    return day if name == "day" else func.substr(day, 1, MONTH)


def _from_row(row: Mapping[Any, Any], by: Sequence[str]) -> CostSum:
    counts = {name: int(row[name]) for name in ("documents", *_COUNTS)}
    measured: dict[str, Any] = {name: float(row[name]) for name in ("seconds", *COST_NAMES)}
    return CostSum({name: row[name] for name in by}, **counts, **measured)
