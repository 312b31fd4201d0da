"""Words of pages and answers of extractors, for a later run with other settings (docpipe/kept_work.py).

In: the tables of 0004, with or without rows. Out: a further table, which is empty: what was read before is read once
more when its settings change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "kept_work",
        sa.Column("document_id", sa.Text, sa.ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.Text, primary_key=True, comment="page N, words N, answer …: docpipe/kept_work.py"),
        sa.Column(
            "preparation_key",
            sa.Text,
            nullable=False,
            comment="how the pages were prepared: what can be used again",
        ),
        sa.Column("content", sa.LargeBinary, nullable=False, comment="JSON, compressed by zlib"),
    )
