"""The tables behind every result, and the column types that SQLite and PostgreSQL share.

In: nothing. Out: SQLAlchemy tables (docs/database.md draws them). A typed table per schema is made in typed.py.
All times are UTC. A migration in migrations/versions must follow every change here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    REAL,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

REPLACEMENT = "\ufffd"
LARGEST_EXPONENT = 100  # no amount has a hundred digits; a misread bar code may


def clean(text: str) -> str:
    """Text that both databases take: NUL and lone surrogates (from broken text layers and from file names
    that are not UTF-8) become U+FFFD."""
    text = text.replace("\x00", REPLACEMENT)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class CleanText(TypeDecorator[str]):
    """Text of any length; see `clean`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the signature is SQLAlchemy's
        return None if value is None else clean(value)


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC. SQLite keeps it as text without a zone, PostgreSQL as timestamptz."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """A decimal to calculate with: NUMERIC on PostgreSQL, REAL on SQLite, which has no decimal type.

    REAL and not NUMERIC or TEXT, because people sum, compare and divide these columns: NUMERIC turns 100.00 into
    an integer, so that 19 / 100 is 0, and TEXT compares "1000" < "999". A decimal of up to 15 significant digits
    comes back equal; the exact text, with its scale, is in `fields.value`.
    """

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        column: TypeEngine[Any] = REAL() if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(column)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Decimal | float | None:
        # NaN, infinities and absurd exponents (a misread bar code) would poison every SUM
        if value is None or not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT:
            return None
        return float(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Decimal | float | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return Decimal(repr(value)) if isinstance(value, float) else value


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Key = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER key

metadata = MetaData()

documents = Table(
    "documents",
    metadata,
    Column("id", CleanText, primary_key=True, comment="sha256 of the bytes, hex"),
    Column("name", CleanText, nullable=False, comment="the name it first came under"),
    Column("media_type", CleanText, comment="null when the file was refused before its type was known"),
    Column("size", BigInteger, comment="bytes"),
    Column("pages", Integer),
    Column("first_seen", UtcTime, nullable=False),
)

document_files = Table(
    "document_files",
    metadata,
    Column("id", Key, primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("path", CleanText, nullable=False, comment="absolute; the same bytes may lie under several"),
    Column("name", CleanText, nullable=False),
    Column("first_seen", UtcTime, nullable=False),
    UniqueConstraint("document_id", "path", name="uq_document_files_path"),
    Index("ix_document_files_path", "path"),
)

extractions = Table(
    "extractions",
    metadata,
    Column("id", Key, primary_key=True),
    Column("run_key", CleanText, nullable=False, comment="the same key is the same work"),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("schema", CleanText, nullable=False),
    Column("schema_version", CleanText, nullable=False),
    Column("extractor", CleanText, nullable=False),
    Column("status", CleanText, nullable=False, comment="complete, needs_review or failed"),
    Column("pages", Integer, nullable=False),
    Column("issue_count", Integer, nullable=False),
    Column("timings", Json, nullable=False, comment="seconds by stage"),
    Column("cost", Json, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("is_current", Boolean, nullable=False, comment="the newest of its document and schema"),
    UniqueConstraint("run_key", name="uq_extractions_run_key"),
    Index("ix_extractions_status", "status"),
)
Index(
    "uq_extractions_current",
    extractions.c.document_id,
    extractions.c.schema,
    unique=True,
    sqlite_where=extractions.c.is_current,
    postgresql_where=extractions.c.is_current,
)

fields = Table(
    "fields",
    metadata,
    Column("extraction_id", ForeignKey("extractions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False, comment="order in the result, from 0"),
    Column("path", CleanText, nullable=False, comment="line_items[2].amount"),
    Column("value", CleanText, comment="exact: ISO dates, decimal strings, true or false"),
    Column("type", CleanText, comment="text, decimal, date, time, integer, boolean or float"),
    Column("raw", CleanText, comment="as printed"),
    Column("confidence", Double, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("evidence", Json, nullable=False, comment="[{page, box, text, match}]"),
    Column("signals", Json, nullable=False, comment="the numbers behind the confidence"),
    Index("ix_fields_path", "path"),
)

issues = Table(
    "issues",
    metadata,
    Column("extraction_id", ForeignKey("extractions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("code", CleanText, nullable=False),
    Column("field", CleanText, comment="path of the field in doubt"),
    Column("page", Integer),
    Column("message", CleanText, nullable=False),
    Column("severity", CleanText, nullable=False),
    Column("field_position", Integer, comment="fields.position when the issue hangs on a field"),
    Index("ix_issues_code", "code"),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Key, primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), comment="null: the file could not be read"),
    Column("run_key", CleanText),
    Column("schema", CleanText),
    Column("file", CleanText, comment="absolute path of the file that was tried"),
    Column("number", Integer, nullable=False, comment="from 1, per document and run_key"),
    Column("started", UtcTime, nullable=False),
    Column("ended", UtcTime),
    Column("outcome", CleanText, nullable=False, comment="running, done, failed or lost"),
    Column("error_code", CleanText),
    Column("error_message", CleanText),
    Column("error_hint", CleanText),
    Column("extractor", CleanText, comment="null: not known, or tried before version 0003"),
    Column("cost", Json, comment="of a failed attempt, as in extractions; null: nothing, or not known"),
    UniqueConstraint("document_id", "run_key", "number", name="uq_attempts_number"),
    Index("ix_attempts_outcome", "outcome"),
    Index("ix_attempts_file", "file"),
)

kept_work = Table(
    "kept_work",
    metadata,
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
    Column("key", CleanText, primary_key=True, comment="page N, words N, answer …: docpipe/kept_work.py"),
    Column("preparation_key", CleanText, nullable=False, comment="how the pages were prepared: what can be used again"),
    Column("content", LargeBinary, nullable=False, comment="JSON, compressed by zlib"),
)

typed_tables = Table(
    "typed_tables",
    metadata,
    Column("table_name", CleanText, primary_key=True),
    Column("schema", CleanText, nullable=False),
    Column("list_path", CleanText, nullable=False, comment="empty for the schema's own table"),
    UniqueConstraint("schema", "list_path", name="uq_typed_tables_schema"),
)

typed_columns = Table(
    "typed_columns",
    metadata,
    Column("table_name", ForeignKey("typed_tables.table_name", ondelete="CASCADE"), primary_key=True),
    Column("column_name", CleanText, primary_key=True),
    Column("path", CleanText, nullable=False, comment="the schema's path: line_items[].amount"),
    Column("type", CleanText, nullable=False),
)
