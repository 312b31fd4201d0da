"""Migrations: a database made by them is the one that the code describes, and one that was full keeps its rows, on both
databases."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from docpipe.errors import StoreError
from docpipe.schema import load_schema
from docpipe.service.job_actions import delete_job
from docpipe.store import SqlStore, connect
from docpipe.store.database import Database
from docpipe.store.jobs.usage import JobUsage, UsageStore, add_usage
from docpipe.store.results.costs import CostStore
from docpipe.store.tables import metadata
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import pdf, service_in, submit_pdf
from tests.support.stored import document, extraction

MIGRATIONS = Path(connect.__file__).parent / "migrations"
DOCUMENT = hashlib.sha256(pdf()).hexdigest()
TIME = "2026-01-31 12:00:00.000000"
ROWS: Mapping[str, Sequence[tuple[str, Mapping[str, Any]]]] = {
    "0001": (
        ("documents", {"id": DOCUMENT, "name": "Müller.pdf", "media_type": "application/pdf", "size": 1500, "pages": 1,
                       "first_seen": TIME}),
        ("documents", {"id": "f" * 64, "name": "bad.pdf", "first_seen": TIME}),
        ("document_files", {"document_id": DOCUMENT, "path": "/inbox/Müller.pdf", "name": "Müller.pdf",
                            "first_seen": TIME}),
        ("extractions", {"id": 7, "run_key": "old", "document_id": DOCUMENT, "schema": "invoice",
                         "schema_version": "0123456789ab", "extractor": "embedded:old@1", "status": "needs_review",
                         "pages": 1, "issue_count": 1, "timings": '{"read": 0.5}', "cost": "{}", "created": TIME,
                         "is_current": True}),
        ("fields", {"extraction_id": 7, "position": 0, "path": "invoice_number", "value": "R-2041", "type": "text",
                    "raw": "R-2041", "confidence": 0.9, "accepted": True, "signals": "{}",
                    "evidence": '[{"page": 1, "box": [0.1, 0.2, 0.3, 0.4], "text": "R-2041", "match": "exact"}]'}),
        ("fields", {"extraction_id": 7, "position": 1, "path": "gross_total", "value": "119.00", "type": "decimal",
                    "raw": "119,00", "confidence": 0.5, "accepted": False, "evidence": "[]", "signals": "{}"}),
        ("issues", {"extraction_id": 7, "position": 0, "code": "low_confidence", "message": "not sure",
                    "severity": "warning"}),
        ("attempts", {"document_id": DOCUMENT, "run_key": "old", "schema": "invoice", "number": 1, "started": TIME,
                      "ended": TIME, "outcome": "done"}),
        ("attempts", {"document_id": "f" * 64, "number": 1, "started": TIME, "ended": TIME, "outcome": "failed",
                      "error_code": "corrupt", "error_message": "it is damaged", "error_hint": "Ask again."}),
        ("typed_tables", {"table_name": "invoice", "schema": "invoice", "list_path": ""}),
        ("typed_columns", {"table_name": "invoice", "column_name": "invoice_number", "path": "invoice_number",
                           "type": "text"}),
        ("typed_columns", {"table_name": "invoice", "column_name": "gross_total", "path": "gross_total",
                           "type": "decimal"}),
        ("invoice", {"document_id": DOCUMENT, "extraction_id": 7, "file": "Müller.pdf", "status": "needs_review",
                     "invoice_number": "R-2041", "gross_total": 119}),
    ),
    "0002": (
        ("jobs", {"id": "a" * 32, "document_id": DOCUMENT, "name": "Müller.pdf", "schema": "invoice",
                  "model": "embedded:old@1", "accept_error": 0.01, "priority": 1, "owner": "0123456789ab",
                  "idempotency_key": "order 17", "callback": '{"url": "https://example.com/told"}', "state": "done",
                  "attempts": 1, "setbacks": 0, "worker": "host:1", "sent": TIME, "run_key": "old",
                  "status": "needs_review", "created": TIME, "changed": TIME, "ended": TIME}),
        ("api_keys", {"id": "0123456789ab", "name": "accounting", "secret_hash": "c" * 64,
                      "roles": '["submit", "read"]', "per_minute": 600, "created": TIME}),
        ("deliveries", {"id": "d" * 32, "job_id": "a" * 32, "target": '{"url": "https://example.com/told"}',
                        "body": '{"state": "done"}', "attempts": 1, "not_before": TIME, "delivered": TIME,
                        "given_up": False, "created": TIME}),
        ("usage", {"day": "2026-01-31", "host": "host", "schema": "invoice", "extractor": "embedded:old@1",
                   "outcome": "needs_review", "documents": 1, "attempts": 1, "pages": 1, "fields": 2, "accepted": 1,
                   "tokens_in": 7.0, "tokens_out": 2.0, "money": 0.25, "rasterise_seconds": 0.5, "read_seconds": 0.5,
                   "extract_seconds": 1.5, "decide_seconds": 0.125}),
        ("duties", {"name": "keeper", "holder": "host:2", "until": TIME}),
    ),
    "0003": (
        ("jobs", {"id": "b" * 32, "document_id": DOCUMENT, "name": "Müller.pdf", "schema": "invoice",
                  "model": "embedded:old@1", "accept_error": 0.01, "priority": 0, "owner": "local", "state": "prepared",
                  "attempts": 0, "setbacks": 3, "not_before": TIME, "error_code": "model",
                  "error_message": "the model is away", "error_hint": "", "created": TIME, "changed": TIME}),
        ("usage", {"day": "2026-02-01", "host": "host", "schema": "invoice", "extractor": "embedded:old@1",
                   "outcome": "given_back", "documents": 0, "attempts": 0, "pages": 0, "fields": 0, "accepted": 0,
                   "tokens_in": 0.0, "tokens_out": 0.0, "money": 0.5, "rasterise_seconds": 0.0, "read_seconds": 0.0,
                   "extract_seconds": 1.0, "decide_seconds": 0.0, "image_tokens": 0.0}),
        ("attempts", {"document_id": DOCUMENT, "run_key": "new", "schema": "invoice", "number": 1, "started": TIME,
                      "ended": TIME, "outcome": "failed", "error_code": "model", "error_message": "it is away",
                      "error_hint": "", "extractor": "embedded:old@1", "cost": '{"money": 0.5}'}),
    ),
    "0004": (
        ("leader_locks", {"name": "other", "holder": "host:3", "held_until": TIME}),
    ),
}  # fmt: skip
"""What a database of each version has in it, beside what the versions before it had. A new migration adds the version
that it starts from."""

TYPED_TABLE = (
    "CREATE TABLE invoice (document_id TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,"
    " extraction_id BIGINT NOT NULL REFERENCES extractions (id) ON DELETE CASCADE, file TEXT NOT NULL,"
    " status TEXT NOT NULL, invoice_number TEXT, gross_total {amount})"
)
RENAMED_TABLES = {"duties": "leader_locks"}
RENAMED_COLUMNS = {("jobs", "setbacks"): "environment_retries", ("duties", "until"): "held_until"}
RENAMED_VALUES = {("duties", "name", "keeper"): "maintenance", ("usage", "outcome", "given_back"): "retried"}
"""What 0004 calls otherwise: tables, columns of the old tables, and values in their columns."""


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
    extracted = extraction(document(), invoice)
    with SqlStore(database_url) as store:
        store.add(document())
        store.save(extracted, invoice)
    with SqlStore(database_url) as store:
        assert [stored.extraction for stored in store.results()] == [extracted]


def test_a_database_of_a_newer_docpipe_is_refused(database_url: str) -> None:
    with SqlStore(database_url) as store, store._engine.begin() as connection:
        connection.execute(text(f"UPDATE {connect.VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(StoreError, match="version 9999, which is newer than this docpipe") as caught:
        SqlStore(database_url)
    assert "Install a newer docpipe" in caught.value.hint


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


@contextmanager
def database_of(url: str, version: str) -> Iterator[Connection]:
    """One that this version made, and that it and the versions before filled, with typed tables as `docpipe run` makes
    them."""
    amount_of = {"sqlite": "REAL", "postgresql": "NUMERIC"}
    engine = connect._engine(connect.parse_url(url), create=True)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with connect.write_transaction(engine) as connection:
        config.attributes["connection"] = connection
        for older_version in (older for older in sorted(ROWS) if older <= version):
            command.upgrade(config, older_version)
            if older_version == min(ROWS):
                connection.execute(text(TYPED_TABLE.format(amount=amount_of[connection.dialect.name])))
            for table, row in ROWS[older_version]:
                names = ", ".join(f'"{name}"' for name in row)
                values = ", ".join(f":{name}" for name in row)
                connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def everything(connection: Connection, columns: Mapping[str, Sequence[str]]) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of these tables, as far as these columns go."""
    return {
        table: sorted(connection.execute(text(f"SELECT {', '.join(map(_quoted, names))} FROM {table}")).all(), key=str)
        for table, names in columns.items()
    }


def renamed(rows: Mapping[str, Sequence[Sequence[Any]]], columns: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The rows of an older version, as the newest one has them."""
    return {
        RENAMED_TABLES.get(table, table): sorted(
            (
                tuple(
                    RENAMED_VALUES.get((table, name, value), value) if isinstance(value, str) else value
                    for name, value in zip(columns[table], row, strict=True)
                )
                for row in table_rows
            ),
            key=str,
        )
        for table, table_rows in rows.items()
    }


def renamed_columns(columns: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    return {
        RENAMED_TABLES.get(table, table): [RENAMED_COLUMNS.get((table, name), name) for name in names]
        for table, names in columns.items()
    }


def _quoted(name: str) -> str:
    return f'"{name}"'


def test_each_migration_is_tried_on_a_database_with_rows() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    assert set(ROWS) == known - {connect.HEAD}


@pytest.mark.parametrize("version", ROWS)
def test_a_database_of_an_older_version_keeps_every_row(database_url: str, version: str) -> None:
    with database_of(database_url, version) as connection:
        tables = set(inspect(connection).get_table_names()) - {connect.VERSION_TABLE}
        columns = {name: [column["name"] for column in inspect(connection).get_columns(name)] for name in tables}
        before = everything(connection, columns)
    assert {table for table, table_rows in before.items() if table_rows} >= {table for table, _ in ROWS[version]}
    with SqlStore(database_url) as store, store._engine.connect() as connection:
        assert everything(connection, renamed_columns(columns)) == renamed(before, columns)
        old = store.get(DOCUMENT, "invoice")
        assert (old.extraction.run_key, old.document.name, old.files) == (
            "old", "Müller.pdf", (Path("/inbox/Müller.pdf"),)
        )  # fmt: skip
        number, total = old.extraction.fields
        assert (number.value, number.evidence[0].box.left, total.value) == ("R-2041", 0.1, Decimal("119.00"))
        assert store.get("f" * 64).error["code"] == "corrupt"


def test_sums_of_before_images_were_counted_go_on_with_them(database_url: str) -> None:
    with database_of(database_url, "0002"):
        pass
    database = Database(database_url)
    (old,) = UsageStore(database).sums("host")
    assert (old["tokens_in"], old["image_tokens"], old["money"]) == (7.0, 0.0, 0.25)
    job = {"worker": "host:3", "schema": "invoice", "attempts": 1, "state": "done", "status": "needs_review"}
    with database.writing() as connection:
        add_usage(connection, job, JobUsage(extractor="embedded:old@1", tokens_in=5.0, image_tokens=4.0))
    (new,) = UsageStore(database).sums("host")
    assert (new["documents"], new["tokens_in"], new["image_tokens"], new["money"]) == (2.0, 12.0, 4.0, 0.25)
    database.close()


def test_a_worker_of_the_version_before_can_end_its_jobs_beside_the_new_tables(database_url: str) -> None:
    _, row = next(entry for entry in ROWS["0002"] if entry[0] == "usage")
    names, values = ", ".join(f'"{name}"' for name in row), ", ".join(f":{name}" for name in row)
    database = Database(database_url)
    with database.writing() as connection:
        connection.execute(text(f"INSERT INTO usage ({names}) VALUES ({values})"), row)
    assert UsageStore(database).sums()[0]["image_tokens"] == 0.0
    database.close()


def test_attempts_of_before_their_cost_was_kept_cost_nothing(database_url: str) -> None:
    with database_of(database_url, "0002"):
        pass
    database = Database(database_url)
    (total,) = CostStore(database).sums()
    assert (total.documents, total.results, total.failed, total.pages, total.money) == (1, 1, 0, 1, 0.0)
    database.close()


@pytest.mark.parametrize("version", ROWS)
def test_the_service_works_on_a_database_of_an_older_version(tmp_path: Path, database_url: str, version: str) -> None:
    with database_of(database_url, version):
        pass
    with service_in(tmp_path, database_url=database_url) as service:
        job = submit_pdf(service)
        assert job.document_id == DOCUMENT
        runner = TaskRunner(service)
        runner.prepare(job.id)
        runner.understand(job.id)
        runner.close()
        done = service.jobs.get(job.id)
        assert (done.state, done.error) == ("done", None)
        assert service.store.get(DOCUMENT, "invoice").extraction.run_key == done.run_key
        assert service.store.find("old") is not None, "the older result is kept"
        with service.database.reading() as connection:
            shown = connection.execute(text("SELECT invoice_number, seller_name FROM invoice")).all()
        assert shown == [("R-2041", "Muster GmbH")]
        assert delete_job(service, job.id)
        assert service.store.get(DOCUMENT, "invoice") is not None, "the command line read it as well"
