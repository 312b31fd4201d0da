"""What was used: documents, pages, values, seconds, tokens and money, summed up by day, host, schema and extractor.

In: ended jobs, in the transaction that ends them. Out: sums, for metrics and for the bill. A sum is right whatever
dies: it is in the same database as the results.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

from sqlalchemy import Connection, func, select

from docpipe.data import Extraction
from docpipe.store.database import Database, upsert
from docpipe.store.jobs.tables import usage

LABELS = ("schema", "extractor", "outcome")
RETRIED = "retried"  # the outcome of attempts after which a job was tried again


@dataclass(frozen=True, slots=True)
class JobUsage:
    """What one job used, or many. Seconds are those of the work itself, without waiting."""

    extractor: str = ""
    documents: int = 1
    attempts: int = 0
    pages: int = 0
    fields: int = 0
    accepted: int = 0
    tokens_in: float = 0.0
    image_tokens: float = 0.0
    tokens_out: float = 0.0
    money: float = 0.0
    rasterise_seconds: float = 0.0
    read_seconds: float = 0.0
    extract_seconds: float = 0.0
    decide_seconds: float = 0.0

    @classmethod
    def of(cls, extraction: Extraction) -> Self:
        with_value = [field for field in extraction.fields if field.value is not None]
        return cls(
            extractor=extraction.extractor,
            pages=extraction.pages,
            fields=len(with_value),
            accepted=sum(field.accepted for field in with_value),
            tokens_in=extraction.cost.get("tokens_in", 0.0),
            image_tokens=extraction.cost.get("image_tokens", 0.0),
            tokens_out=extraction.cost.get("tokens_out", 0.0),
            money=extraction.cost.get("money", 0.0),
            rasterise_seconds=extraction.timings.get("rasterise", 0.0),
            read_seconds=extraction.timings.get("read", 0.0),
            extract_seconds=extraction.timings.get("extract", 0.0),
            decide_seconds=extraction.timings.get("decide", 0.0),
        )

    @classmethod
    def of_failed_attempt(cls, cost: Mapping[str, float], documents: int) -> Self:
        """An attempt without a result; `documents` that ended with it."""
        return cls(
            documents=documents,
            tokens_in=cost.get("tokens_in", 0.0),
            image_tokens=cost.get("image_tokens", 0.0),
            tokens_out=cost.get("tokens_out", 0.0),
            money=cost.get("money", 0.0),
            extract_seconds=cost.get("seconds", 0.0),
        )

    def without_cost(self) -> Self:
        """The usage of a result that was stored already: this document cost nothing."""
        return replace(
            self, tokens_in=0.0, image_tokens=0.0, tokens_out=0.0, money=0.0, extract_seconds=0.0, decide_seconds=0.0
        )


AMOUNTS = tuple(field.name for field in fields(JobUsage) if field.name != "extractor")


def add_usage(connection: Connection, job: Mapping[Any, Any], added: JobUsage) -> None:
    """Add an ended job, or what an attempt cost after which the job is tried again. `job` is its row."""
    amounts = {name: value for name, value in asdict(added).items() if name in AMOUNTS}
    if added.documents:
        amounts["attempts"] += job["attempts"]
    row = {
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "host": (job["worker"] or "").rpartition(":")[0],
        "schema": job["schema"],
        "extractor": added.extractor or job["model"],
        "outcome": (job["status"] if job["state"] == "done" else job["state"]) if added.documents else RETRIED,
    }
    inserting = upsert(connection, usage, row | amounts)
    sums = {name: usage.c[name] + inserting.excluded[name] for name in AMOUNTS}
    connection.execute(inserting.on_conflict_do_update(index_elements=list(usage.primary_key), set_=sums))


class UsageStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def sums(self, *by: str, since: str = "") -> list[dict[str, Any]]:
        """One dict for each combination of `by` (day, host, schema, extractor, outcome), from the day `since` on."""
        columns = [usage.c[name] for name in by]
        totals = [func.sum(usage.c[name]).label(name) for name in AMOUNTS]
        query = select(*columns, *totals).where(usage.c.day >= since).group_by(*columns).order_by(*columns)
        with self._database.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
        return [{name: (value if name in by else float(value or 0)) for name, value in row.items()} for row in rows]
