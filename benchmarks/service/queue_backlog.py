"""How long the tables take to answer when very many jobs wait, or have ended.

    python -m benchmarks.service.queue_backlog [--jobs 1000000]

In: how many jobs are put into PostgreSQL by SQL alone: half of them wait, half have ended. Out: Markdown on standard
output: milliseconds of what workers, the maintenance and the shells ask.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import select, text

from benchmarks.service.servers import PostgresServer
from docpipe.store.database import Database
from docpipe.store.jobs.job import Submission
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_sweeper import JobSweeper
from docpipe.store.jobs.job_view import JobFilter, JobView
from docpipe.store.jobs.outbox import Outbox
from docpipe.store.jobs.tables import jobs

TIMES = 7
FILL = """
INSERT INTO documents (id, name, size, first_seen)
SELECT encode(sha256(('document ' || n)::bytea), 'hex'), 'invoice.pdf', 100000, now() FROM generate_series(1, :jobs) n;
INSERT INTO jobs (id, document_id, name, schema, model, accept_error, priority, owner, state, attempts,
                  environment_retries, sent, created, changed, ended, status)
SELECT md5('job ' || n), encode(sha256(('document ' || n)::bytea), 'hex'), 'invoice.pdf', 'invoice', 'embedded', 0.01,
       0, 'local', CASE WHEN n % 2 = 0 THEN 'queued' ELSE 'done' END, 0, 0,
       now() - interval '1 hour' + n * interval '1 microsecond', now() - interval '1 hour', now() - interval '1 hour',
       CASE WHEN n % 2 = 1 THEN now() END, CASE WHEN n % 2 = 1 THEN 'complete' END
FROM generate_series(1, :jobs) n;
"""


def measure(database: Database) -> Iterator[tuple[str, float]]:
    store, sweeper, view = JobStore(database), JobSweeper(database), JobView(database)
    with database.reading() as connection:
        ids = list(connection.scalars(select(jobs.c.id).where(jobs.c.state == "queued").limit(100)))
    numbers = iter(range(10**9))

    def submitted() -> Any:
        number = next(numbers)
        return store.submit(f"{number:032x}", Submission(f"{number:064x}", "new.pdf", 1, "invoice", "embedded", 0.01))

    def claimed() -> Any:
        return store.claim(ids.pop(), "prepare", "host:1")

    yield "submit: its row", _seconds(submitted)
    yield "a worker: claim", _seconds(claimed)
    yield "maintenance: release expired leases (none)", _seconds(lambda: sweeper.release_expired("prepare"))
    take_lost = lambda: sweeper.take_unsent("prepare", queue_is_empty=False, limit=500)  # noqa: E731
    yield "maintenance: what has the broker forgotten? (nothing)", _seconds(take_lost)
    yield (
        "maintenance: the same for prepared ones",
        _seconds(lambda: sweeper.take_unsent("understand", queue_is_empty=True, limit=500)),
    )
    take_all = lambda: sweeper.take_unsent("prepare", queue_is_empty=True, limit=500)  # noqa: E731
    yield "maintenance: the same after a wipe: the next 500, marked as sent", _seconds(take_all)
    yield "maintenance: messages that are due (none)", _seconds(lambda: Outbox(database).acquire(8))
    yield "`docpipe status`: the newest 50", _seconds(lambda: view.page(JobFilter()))
    yield "`docpipe queue`, metrics: how many in each state", _seconds(view.counts)
    yield from _batch_mates(database, store)


def _batch_mates(database: Database, store: JobStore) -> Iterator[tuple[str, float]]:
    """All that wait are prepared now. What one worker takes along with a job."""
    with database.writing() as connection:
        connection.execute(text("UPDATE jobs SET state = 'prepared', sent = sent + interval '1 s' WHERE ended IS NULL"))
    with database.writing() as connection:
        connection.execute(text("ANALYZE"))
        waits = select(jobs.c.id).where(jobs.c.state == "prepared", jobs.c.attempts == 0, jobs.c.schema == "invoice")
        ids = list(connection.scalars(waits.limit(TIMES + 1)))
    claimed = [store.claim(number, "understand", "host:1") for number in ids]
    unmatched = replace(next(job for job in claimed if job is not None), schema="receipt")
    claim_mates = lambda: store.claim_batch_mates(claimed.pop(), "host:1", 7)  # type: ignore[arg-type]  # noqa: E731
    yield "a worker: seven more for the same model", _seconds(claim_mates)
    yield (
        "a worker: the same where all wait for another schema",
        _seconds(lambda: store.claim_batch_mates(unmatched, "host:1", 7)),
    )


def _seconds(work: Callable[[], Any]) -> float:
    work()
    times = []
    for _ in range(TIMES):
        started = perf_counter()
        work()
        times.append(perf_counter() - started)
    return median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask the record when very many jobs are in it.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    options = parser.parse_args()
    with TemporaryDirectory(prefix="docpipe-backlog-", ignore_cleanup_errors=True) as folder:
        server = PostgresServer(Path(folder)).start()
        database = Database(server.url)
        try:
            print(f"{options.jobs} jobs are made …", file=sys.stderr)
            with database.writing() as connection:
                for statement in FILL.strip().rstrip(";").split(";\n"):
                    connection.execute(text(statement), {"jobs": options.jobs})
            with database.writing() as connection:
                connection.execute(text("ANALYZE"))
            print(f"| asked, with {options.jobs:,} jobs, half of them waiting | milliseconds |\n|---|---|")
            for label, seconds in measure(database):
                print(f"| {label} | {seconds * 1000:,.1f} |")
        finally:
            database.close()
            server.stop()


if __name__ == "__main__":
    main()
