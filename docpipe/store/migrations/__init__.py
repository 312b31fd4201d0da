"""Alembic's scripts: how a database of an older docpipe becomes one of this docpipe. `connect.upgrade` runs them."""
