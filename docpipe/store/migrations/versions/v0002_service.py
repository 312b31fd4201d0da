"""The tables of the service: jobs, API keys, deliveries, usage, duties.

In: the tables of 0001, with or without rows. Out: five further tables; nothing that is there changes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _jobs()
    _api_keys()
    _deliveries()
    _usage()
    _duties()


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text, primary_key=True, comment="32 hex digits, given out at submission"),
        sa.Column("document_id", sa.Text, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="the file name it was submitted under"),
        sa.Column("schema", sa.Text, nullable=False, comment="as load_schema takes it"),
        sa.Column("model", sa.Text, nullable=False, comment="kind:weights"),
        sa.Column("accept_error", sa.Double, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False, comment="0 bulk, 1 interactive"),
        sa.Column(
            "owner", sa.Text, nullable=False, comment="the id of an API key; local: the command line, or the queue"
        ),
        sa.Column("idempotency_key", sa.Text, comment="the same key of the same owner is the same job"),
        sa.Column("callback", JSON, comment="who is told of the end: {url}, {task, queue} or {answer}"),
        sa.Column("trace", sa.Text, comment="W3C traceparent of the submission"),
        sa.Column("state", sa.Text, nullable=False, comment="docpipe/store/jobs/job_store.py lists them"),
        sa.Column("attempts", sa.Integer, nullable=False, comment="of the present stage"),
        sa.Column(
            "setbacks", sa.Integer, nullable=False, comment="tries that ended because something around it was away"
        ),
        sa.Column("lease", sa.Text, comment="of the worker that has it: whoever has another one is too late"),
        sa.Column("leased_until", TIME, comment="after that the worker counts as dead; null: nobody has it"),
        sa.Column("worker", sa.Text, comment="host:process that has it, or had it last"),
        sa.Column("not_before", TIME, comment="a retry waits until then"),
        sa.Column("sent", TIME, comment="when the broker was last told; null: it is still to be told"),
        sa.Column("run_key", sa.Text, comment="of the extraction that answers it"),
        sa.Column("status", sa.Text, comment="of that extraction"),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_hint", sa.Text),
        sa.Column("created", TIME, nullable=False),
        sa.Column("changed", TIME, nullable=False),
        sa.Column("ended", TIME),
        sa.Column("purged", TIME, comment="when the original and the pictures were deleted"),
        sa.UniqueConstraint("owner", "idempotency_key", name="uq_jobs_idempotency"),
    )
    op.create_index("ix_jobs_document", "jobs", ["document_id"])
    op.create_index("ix_jobs_state", "jobs", ["state", "created"])
    op.create_index("ix_jobs_owner", "jobs", ["owner", "created"])
    op.create_index("ix_jobs_created", "jobs", ["created", "id"])
    _partial_index("ix_jobs_open", "jobs", ["state", "priority", "sent"], "ended IS NULL")
    _partial_index("ix_jobs_kept", "jobs", ["ended"], "purged IS NULL")


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text, primary_key=True, comment="the public half, 12 hex digits"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False, comment="sha256 of the secret half, hex"),
        sa.Column("roles", JSON, nullable=False, comment="of submit, read, review, admin"),
        sa.Column("per_minute", sa.Integer, nullable=False, comment="requests"),
        sa.Column("max_bytes", sa.BigInteger, comment="of one upload; null: the service's own limit"),
        sa.Column("created", TIME, nullable=False),
        sa.Column("revoked", TIME),
    )


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True, comment="of the event: the same at every try"),
        sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("target", JSON, nullable=False, comment="the job's callback"),
        sa.Column("body", JSON, nullable=False, comment="what happened, without values of the document"),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("delivered", TIME),
        sa.Column("given_up", sa.Boolean, nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("created", TIME, nullable=False),
    )
    op.create_index("ix_deliveries_job", "deliveries", ["job_id"])
    _partial_index("ix_deliveries_due", "deliveries", ["not_before"], "delivered IS NULL AND NOT given_up")


def _usage() -> None:
    counted = ("documents", "attempts", "pages", "fields", "accepted")
    measured = ("tokens_in", "tokens_out", "money")
    stages = ("rasterise_seconds", "read_seconds", "extract_seconds", "decide_seconds")
    comments = {"fields": "with a value", "accepted": "of these"}
    op.create_table(
        "usage",
        sa.Column("day", sa.Text, primary_key=True, comment="UTC, 2026-01-31"),
        sa.Column(
            "host", sa.Text, primary_key=True, comment="of the worker: workers of other hosts do not wait for the row"
        ),
        sa.Column("schema", sa.Text, primary_key=True),
        sa.Column("extractor", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Text, primary_key=True, comment="complete, needs_review, failed or quarantined"),
        *(sa.Column(name, sa.BigInteger, nullable=False, comment=comments.get(name)) for name in counted),
        *(sa.Column(name, sa.Double, nullable=False) for name in (*measured, *stages)),
    )


def _duties() -> None:
    op.create_table(
        "duties",
        sa.Column("name", sa.Text, primary_key=True, comment="what one process at a time does"),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("until", TIME, nullable=False),
    )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
