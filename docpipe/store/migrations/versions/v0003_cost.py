"""What work cost: the tokens of pictures in the sums, and whose cost a failed attempt was.

In: the tables of 0002, with or without rows. Out: three further columns. Sums so far have no tokens of pictures, and
attempts so far no cost. The default lets a process of the older version, which does not know the column, go on adding.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "usage",
        sa.Column(
            "image_tokens", sa.Double, nullable=False, server_default="0", comment="of pictures, a part of tokens_in"
        ),
    )
    op.add_column("attempts", sa.Column("extractor", sa.Text, comment="null: not known, or tried before version 0003"))
    op.add_column(
        "attempts",
        sa.Column("cost", JSON, comment="of a failed attempt, as in extractions; null: nothing, or not known"),
    )
