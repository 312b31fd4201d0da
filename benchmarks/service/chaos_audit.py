"""What must be true when all is over, whatever was killed.

In: the service, and which job each document became. Out: promises with what was found, and those that were broken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import func, select

from benchmarks.service.documents import printed
from docpipe.service.service import Service
from docpipe.store.jobs.tables import deliveries, jobs, usage
from docpipe.store.tables import extractions, fields


@dataclass
class Audit:
    """`longest` and `median`: seconds from the first try of a submission to the end of its document."""

    promises: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    longest: float = 0.0
    median: float = 0.0

    def expect(self, promise: str, found: Any, expected: Any) -> None:
        self.promises[promise] = str(found)
        if found != expected:
            self.broken.append(f"{promise}: {found}, not {expected}")


def audit(service: Service, taken_in: Mapping[int, str], first_tries: Mapping[int, datetime]) -> Audit:
    report, count = Audit(), len(taken_in)
    with service.database.reading() as connection:
        rows = {row["id"]: row for row in connection.execute(select(jobs)).mappings()}
        bodies = connection.execute(select(deliveries.c.job_id, deliveries.c.body, deliveries.c.delivered)).all()
        results = connection.execute(
            select(extractions.c.document_id, fields.c.value)
            .join(fields, fields.c.extraction_id == extractions.c.id)
            .where(fields.c.path == "invoice_number")
        ).all()
        counted = dict(
            connection.execute(select(usage.c.outcome, func.sum(usage.c.documents)).group_by("outcome")).all()
        )
        stored = connection.scalar(select(func.count()).select_from(extractions))
    report.expect("jobs, one for each document", len(rows), count)
    states = Counter(row["state"] for row in rows.values())
    report.expect("jobs that are done", states["done"], count)
    report.expect("jobs that are open, failed or quarantined", len(rows) - states["done"], 0)
    report.expect("results, one for each document", stored, count)
    numbers = {rows[job]["document_id"]: printed(number) for number, job in taken_in.items() if job in rows}
    report.expect(
        "results with their own document's number", sum(numbers.get(key) == value for key, value in results), count
    )
    ends = Counter((job, body["type"]) for job, body, _ in bodies)
    ends_by_job = {job: times for (job, kind), times in ends.items() if kind == "document.done"}
    once = sum(times == 1 for times in ends_by_job.values())
    report.expect("documents whose end was reported exactly once", once, count)
    quarantined = sum(times for (_, kind), times in ends.items() if kind != "document.done")
    undelivered = sum(when is None for _, body, when in bodies if body["type"] == "document.done")
    report.expect("messages of these ends that were not delivered", undelivered, 0)
    billed = sum(int(documents) for outcome, documents in counted.items() if outcome != "quarantined")
    report.expect("documents on the bill", billed, count)
    report.promises["quarantined meanwhile, and reported so"] = str(quarantined)
    report.promises["bytes left behind without a job (of submissions that failed)"] = _orphans(service, set(rows))
    waits = [
        (rows[job]["ended"] - first_tries[number]).total_seconds()
        for number, job in taken_in.items()
        if job in rows and rows[job]["ended"]
    ]
    report.longest, report.median = max(waits, default=0.0), median(waits) if waits else 0.0
    return report


def _orphans(service: Service, known: set[str]) -> str:
    folders = [folder for folder in Path(service.settings.blob_url).glob("*/*") if folder.name not in known]
    size = sum(file.stat().st_size for folder in folders for file in folder.iterdir())
    return f"{len(folders)} folders, {size:,} bytes"
