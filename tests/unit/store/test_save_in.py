"""`Result.save`: a result in the caller's own transaction, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.orm import Session

from docpipe import UsageError
from docpipe.api import Result
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from docpipe.store.connect import parse_url
from tests.support.command_line import draw_invoice
from tests.support.repository import ROOT
from tests.support.stored import document, extraction


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """As a user makes it, without anything of docpipe's."""
    engine = create_engine(parse_url(database_url))
    yield engine
    engine.dispose()


@pytest.fixture
def result() -> Result:
    invoice = load_schema("invoice")
    return Result(document(), extraction(document(), invoice), invoice)


def test_what_is_committed_is_there_with_all_that_belongs_to_it(engine, database_url, result):
    with Session(engine) as session:
        assert result.save(session)
        session.commit()
    with SqlStore(database_url) as store:
        (stored,) = store.results()
        assert stored.extraction == result.extraction
        assert stored.document.id == result.document.id
    with engine.connect() as connection:
        assert connection.execute(text("SELECT invoice_number FROM invoice")).all() == [("R-000123",)]
        assert connection.execute(text("SELECT count(*) FROM invoice_line_items")).scalar() == 2
        assert connection.execute(text("SELECT outcome FROM attempts")).all() == [("done",)]


def test_what_is_rolled_back_leaves_nothing(engine, result):
    with Session(engine) as session:
        session.execute(text("CREATE TABLE orders (number TEXT)"))
        session.commit()
        session.execute(text("INSERT INTO orders VALUES ('A-17')"))
        result.save(session)
        session.rollback()
    with engine.connect() as connection:
        names = ("orders", "documents", "extractions", "invoice")
        tables = set(inspect(connection).get_table_names()).intersection(names)
        rows = {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar() for name in tables}
    assert rows == dict.fromkeys(tables, 0)


def test_the_same_result_is_stored_once_and_a_newer_one_takes_its_place(engine, database_url, result):
    newer = replace(result, extraction=replace(result.extraction, run_key="another", status="complete"))
    with engine.begin() as connection:
        assert result.save(connection)
        assert not result.save(connection)
        assert newer.save(connection)
    with SqlStore(database_url) as store:
        assert [stored.extraction.run_key for stored in store.results()] == ["another"]
        assert store.find(result.extraction.run_key) is not None


def test_it_writes_beside_results_of_the_command_line(engine, database_url, result):
    with SqlStore(database_url) as store:
        store.add(document("b.pdf"))
        store.save(extraction(document("b.pdf"), result.schema), result.schema)
    with engine.begin() as connection:
        assert result.save(connection)
    with SqlStore(database_url) as store:
        assert {stored.document.name for stored in store.results()} == {"a.pdf", "b.pdf"}


def test_what_is_no_session_is_refused(result):
    with pytest.raises(UsageError, match="Engine is no session or connection") as caught:
        result.save(create_engine("sqlite://"))
    assert "with Session(engine)" in caught.value.hint


def test_the_example_of_the_docs_works_as_it_stands(tmp_path, monkeypatch):
    page = (ROOT / "docs/python.md").read_text("utf-8")
    (example,) = [code for code in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "save(session)" in code]
    monkeypatch.chdir(tmp_path)
    draw_invoice(tmp_path / "a.pdf")
    exec(compile(example, "docs/python.md", "exec"), {})
    engine = create_engine("sqlite:///shop.db")
    with engine.connect() as connection:
        query = "SELECT o.number, i.status FROM orders o JOIN invoice i USING (document_id)"
        assert connection.execute(text(query)).all() == [("A-17", "needs_review")]
    engine.dispose()
