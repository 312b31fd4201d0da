"""Alembic's entry. In: a connection inside a transaction (from connect.upgrade). Out: the migrations, run in it.

To write a migration after a change of store/tables.py or store/jobs/tables.py: copy the newest file in versions/,
number it on, and set `connect.HEAD`; tests/unit/store/test_migrations.py compares the outcome with them on both
databases.
"""

from alembic import context

import docpipe.store.jobs.tables  # noqa: F401 - its tables are in the same metadata
from docpipe.store.connect import VERSION_TABLE
from docpipe.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # on SQLite too: connect.py begins the transaction itself
)
with context.begin_transaction():
    context.run_migrations()
