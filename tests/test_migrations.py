"""Migrations: a database made by them is the one that the code describes, on SQLite and on PostgreSQL."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from docpipe.errors import StoreError
from docpipe.schema import load_schema
from docpipe.store import SqlStore, connect
from docpipe.store.tables import metadata
from tests.stored import document, extraction

MIGRATIONS = Path(connect.__file__).parent / "migrations"


def test_the_migrations_build_what_the_code_describes(database_url: str) -> None:
    with SqlStore(database_url) as store, store._engine.connect() as connection:
        options = {"version_table": connect.VERSION_TABLE}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_head_names_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == connect.HEAD


def test_opening_again_changes_nothing_and_keeps_the_results(database_url: str) -> None:
    invoice = load_schema("invoice")
    made = extraction(document(), invoice)
    with SqlStore(database_url) as store:
        store.add(document())
        store.save(made, invoice)
    with SqlStore(database_url) as store:
        assert [stored.extraction for stored in store.results()] == [made]


def test_a_database_of_a_newer_docpipe_is_refused(database_url: str) -> None:
    with SqlStore(database_url) as store, store._engine.begin() as connection:
        connection.execute(text(f"UPDATE {connect.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match="version 9999, which is newer than this docpipe") as caught:
        SqlStore(database_url)
    assert "Upgrade docpipe" in caught.value.hint


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("alembic.operations.Operations.create_index", stop)
    with pytest.raises(KeyboardInterrupt):
        SqlStore(database_url)
    monkeypatch.undo()
    with SqlStore(database_url) as store:
        assert list(store.results()) == []
