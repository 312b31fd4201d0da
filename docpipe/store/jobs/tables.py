"""The tables of the service: jobs, the keys of those who may send them, messages to deliver, and what was used.

In: nothing. Out: SQLAlchemy tables, in the same metadata as store/tables.py. `docpipe run` does not use
them.
SQL is the record: what the broker forgets is queued again from here (docs/decisions/0010-sql-is-the-record.md).
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Double, ForeignKey, Index, Integer, Table, UniqueConstraint

from docpipe.store.tables import CleanText, Json, UtcTime, metadata

jobs = Table(
    "jobs",
    metadata,
    Column("id", CleanText, primary_key=True, comment="32 hex digits, given out at submission"),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("name", CleanText, nullable=False, comment="the file name it was submitted under"),
    Column("schema", CleanText, nullable=False, comment="as load_schema takes it"),
    Column("model", CleanText, nullable=False, comment="kind:weights"),
    Column("accept_error", Double, nullable=False),
    Column("priority", Integer, nullable=False, comment="0 bulk, 1 interactive"),
    Column("owner", CleanText, nullable=False, comment="the id of an API key; local: the command line, or the queue"),
    Column("idempotency_key", CleanText, comment="the same key of the same owner is the same job"),
    Column("callback", Json, comment="who gets the result: {url}, {task, queue} or {answer}"),
    Column("trace", CleanText, comment="W3C traceparent of the submission"),
    Column("state", CleanText, nullable=False, comment="docpipe/store/jobs/job_store.py lists them"),
    Column("attempts", Integer, nullable=False, comment="of the present stage"),
    Column(
        "environment_retries",
        Integer,
        nullable=False,
        comment="tries that failed because a disk, a database or a model was away",
    ),
    Column("lease", CleanText, comment="of the worker that has it: whoever has another one is too late"),
    Column("leased_until", UtcTime, comment="after that the worker counts as dead; null: nobody has it"),
    Column("worker", CleanText, comment="host:process that has it, or had it last"),
    Column("not_before", UtcTime, comment="a retry waits until then"),
    Column("sent", UtcTime, comment="when its message was last sent to the broker; null: it is still to be sent"),
    Column("run_key", CleanText, comment="of the extraction that answers it"),
    Column("status", CleanText, comment="of that extraction"),
    Column("error_code", CleanText),
    Column("error_message", CleanText),
    Column("error_hint", CleanText),
    Column("created", UtcTime, nullable=False),
    Column("changed", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("purged", UtcTime, comment="when the original and the pictures were deleted"),
    UniqueConstraint("owner", "idempotency_key", name="uq_jobs_idempotency"),
    Index("ix_jobs_document", "document_id"),
    Index("ix_jobs_state", "state", "created"),
    Index("ix_jobs_owner", "owner", "created"),
    Index("ix_jobs_created", "created", "id"),
)
# The maintenance reads this every second: only open jobs, however many have ended.
Index(
    "ix_jobs_open",
    jobs.c.state,
    jobs.c.priority,
    jobs.c.sent,
    sqlite_where=jobs.c.ended.is_(None),
    postgresql_where=jobs.c.ended.is_(None),
)
Index(
    "ix_jobs_kept",
    jobs.c.ended,
    sqlite_where=jobs.c.purged.is_(None),
    postgresql_where=jobs.c.purged.is_(None),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", CleanText, primary_key=True, comment="the public half, 12 hex digits"),
    Column("name", CleanText, nullable=False),
    Column("secret_hash", CleanText, nullable=False, comment="sha256 of the secret half, hex"),
    Column("roles", Json, nullable=False, comment="of submit, read, review, admin"),
    Column("per_minute", Integer, nullable=False, comment="requests"),
    Column("max_bytes", BigInteger, comment="of one upload; null: the service's own limit"),
    Column("created", UtcTime, nullable=False),
    Column("revoked", UtcTime),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", CleanText, primary_key=True, comment="of the event: the same at every try"),
    Column("job_id", ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("target", Json, nullable=False, comment="the job's callback"),
    Column("body", Json, nullable=False, comment="what happened, without values of the document"),
    Column("attempts", Integer, nullable=False),
    Column("not_before", UtcTime, nullable=False),
    Column("delivered", UtcTime),
    Column("given_up", Boolean, nullable=False),
    Column("last_error", CleanText),
    Column("created", UtcTime, nullable=False),
    Index("ix_deliveries_job", "job_id"),
)
_due = deliveries.c.delivered.is_(None) & ~deliveries.c.given_up
Index("ix_deliveries_due", deliveries.c.not_before, sqlite_where=_due, postgresql_where=_due)

usage = Table(
    "usage",
    metadata,
    Column("day", CleanText, primary_key=True, comment="UTC, 2026-01-31"),
    Column(
        "host", CleanText, primary_key=True, comment="of the worker: workers of other hosts do not wait for the row"
    ),
    Column("schema", CleanText, primary_key=True),
    Column("extractor", CleanText, primary_key=True),
    Column("outcome", CleanText, primary_key=True, comment="complete, needs_review, failed, quarantined or retried"),
    Column("documents", BigInteger, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("pages", BigInteger, nullable=False),
    Column("fields", BigInteger, nullable=False, comment="with a value"),
    Column("accepted", BigInteger, nullable=False, comment="of these"),
    Column("tokens_in", Double, nullable=False),
    Column("tokens_out", Double, nullable=False),
    Column("money", Double, nullable=False),
    Column("rasterise_seconds", Double, nullable=False),
    Column("read_seconds", Double, nullable=False),
    Column("extract_seconds", Double, nullable=False),
    Column("decide_seconds", Double, nullable=False),
    Column("image_tokens", Double, nullable=False, server_default="0", comment="of pictures, a part of tokens_in"),
)

leader_locks = Table(
    "leader_locks",
    metadata,
    Column("name", CleanText, primary_key=True, comment="what one process at a time does"),
    Column("holder", CleanText, nullable=False),
    Column("held_until", UtcTime, nullable=False),
)
