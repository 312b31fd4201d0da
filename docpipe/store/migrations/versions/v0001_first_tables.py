"""The first tables: documents, their files, extractions with fields and issues, attempts, and the list of typed tables.

In: an empty database. Out: the tables of docpipe 0.1. Spelled out and not taken from tables.py, which moves on.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _documents()
    _extractions()
    _attempts()
    _typed()


def _documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Text, primary_key=True, comment="sha256 of the bytes, hex"),
        sa.Column("name", sa.Text, nullable=False, comment="the name it first came under"),
        sa.Column("media_type", sa.Text, comment="null when the file was refused before its type was known"),
        sa.Column("size", sa.BigInteger, comment="bytes"),
        sa.Column("pages", sa.Integer),
        sa.Column("first_seen", TIME, nullable=False),
    )
    op.create_table(
        "document_files",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("document_id", sa.Text, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("path", sa.Text, nullable=False, comment="absolute; the same bytes may lie under several"),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.UniqueConstraint("document_id", "path", name="uq_document_files_path"),
    )
    op.create_index("ix_document_files_path", "document_files", ["path"])


def _extractions() -> None:
    op.create_table(
        "extractions",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("run_key", sa.Text, nullable=False, comment="the same key is the same work"),
        sa.Column("document_id", sa.Text, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("schema_version", sa.Text, nullable=False),
        sa.Column("extractor", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, comment="complete, needs_review or failed"),
        sa.Column("pages", sa.Integer, nullable=False),
        sa.Column("issue_count", sa.Integer, nullable=False),
        sa.Column("timings", JSON, nullable=False, comment="seconds by stage"),
        sa.Column("cost", JSON, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.Column("is_current", sa.Boolean, nullable=False, comment="the newest of its document and schema"),
        sa.UniqueConstraint("run_key", name="uq_extractions_run_key"),
    )
    op.create_index("ix_extractions_status", "extractions", ["status"])
    op.create_index(
        "uq_extractions_current",
        "extractions",
        ["document_id", "schema"],
        unique=True,
        sqlite_where=sa.text("is_current"),
        postgresql_where=sa.text("is_current"),
    )
    owner = "extractions.id"
    op.create_table(
        "fields",
        sa.Column("extraction_id", KEY, sa.ForeignKey(owner, ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, comment="order in the result, from 0"),
        sa.Column("path", sa.Text, nullable=False, comment="line_items[2].amount"),
        sa.Column("value", sa.Text, comment="exact: ISO dates, decimal strings, true or false"),
        sa.Column("type", sa.Text, comment="text, decimal, date, time, integer, boolean or float"),
        sa.Column("raw", sa.Text, comment="as printed"),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        sa.Column("evidence", JSON, nullable=False, comment="[{page, box, text, match}]"),
        sa.Column("signals", JSON, nullable=False, comment="the numbers behind the confidence"),
    )
    op.create_index("ix_fields_path", "fields", ["path"])
    op.create_table(
        "issues",
        sa.Column("extraction_id", KEY, sa.ForeignKey(owner, ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("field", sa.Text, comment="path of the field in doubt"),
        sa.Column("page", sa.Integer),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False),
        sa.Column("field_position", sa.Integer, comment="fields.position when the issue hangs on a field"),
    )
    op.create_index("ix_issues_code", "issues", ["code"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", KEY, primary_key=True),
        sa.Column(
            "document_id",
            sa.Text,
            sa.ForeignKey("documents.id", ondelete="CASCADE"),
            comment="null: the file could not be read",
        ),
        sa.Column("run_key", sa.Text),
        sa.Column("schema", sa.Text),
        sa.Column("file", sa.Text, comment="absolute path of the file that was tried"),
        sa.Column("number", sa.Integer, nullable=False, comment="from 1, per document and run_key"),
        sa.Column("started", TIME, nullable=False),
        sa.Column("ended", TIME),
        sa.Column("outcome", sa.Text, nullable=False, comment="running, done, failed or lost"),
        sa.Column("error_code", sa.Text),
        sa.Column("error_message", sa.Text),
        sa.Column("error_hint", sa.Text),
        sa.UniqueConstraint("document_id", "run_key", "number", name="uq_attempts_number"),
    )
    op.create_index("ix_attempts_outcome", "attempts", ["outcome"])
    op.create_index("ix_attempts_file", "attempts", ["file"])


def _typed() -> None:
    op.create_table(
        "typed_tables",
        sa.Column("table_name", sa.Text, primary_key=True),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("list_path", sa.Text, nullable=False, comment="empty for the schema's own table"),
        sa.UniqueConstraint("schema", "list_path", name="uq_typed_tables_schema"),
    )
    owner = sa.ForeignKey("typed_tables.table_name", ondelete="CASCADE")
    op.create_table(
        "typed_columns",
        sa.Column("table_name", sa.Text, owner, primary_key=True),
        sa.Column("column_name", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, nullable=False, comment="the schema's path: line_items[].amount"),
        sa.Column("type", sa.Text, nullable=False),
    )
