"""Names that say what they hold: `jobs.setbacks` is `environment_retries`, the table `duties` is `leader_locks` and its
`until` is `held_until`; in `usage` an attempt after which a job was tried again has the outcome `retried`.

In: the tables of 0003, with or without rows. Out: the same rows under the new names. A worker or a maintenance process
of the older version does not work beside them: stop those before (docs/operations.md, Upgrade).
"""

from alembic import op

revision = "0004"
down_revision = "0003"

COMMENTS = {
    "jobs.callback": "who gets the result: {url}, {task, queue} or {answer}",
    "jobs.environment_retries": "tries that failed because a disk, a database or a model was away",
    "usage.outcome": "complete, needs_review, failed, quarantined or retried",
    "jobs.sent": "when its message was last sent to the broker; null: it is still to be sent",
}


def upgrade() -> None:
    op.execute("ALTER TABLE jobs RENAME COLUMN setbacks TO environment_retries")
    op.execute("ALTER TABLE duties RENAME TO leader_locks")
    op.execute("ALTER TABLE leader_locks RENAME COLUMN until TO held_until")
    op.execute("UPDATE leader_locks SET name = 'maintenance' WHERE name = 'keeper'")
    op.execute("UPDATE usage SET outcome = 'retried' WHERE outcome = 'given_back'")
    if op.get_bind().dialect.name == "postgresql":  # in SQLite a key has no name, and a column no comment
        op.execute("ALTER INDEX duties_pkey RENAME TO leader_locks_pkey")
        for column, comment in COMMENTS.items():
            op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
