"""Typed tables: what a person asks in SQL is answered at once, and stays right when the schema changes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, create_model
from sqlalchemy import text

from docpipe.schema import Schema, load_schema
from docpipe.store import SqlStore
from docpipe.store.results.typed import sql_name
from tests.support.repository import ROOT
from tests.support.stored import document, extraction, field, invoice_fields


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    with SqlStore(database_url) as opened:
        yield opened


def ask(store: SqlStore, query: str) -> list[tuple[Any, ...]]:
    """Rows as the database gives them, without our types."""
    with store._engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def put(store: SqlStore, schema: Schema, name: str, fields: tuple[Any, ...], **changes: Any) -> None:
    added = document(name)
    store.add(added)
    assert store.save(extraction(added, schema, fields, **changes), schema)


def made(name: str, **columns: Any) -> Schema:
    """A schema as a user would write it."""
    model: type[BaseModel] = create_model(name, **{key: (kind | None, None) for key, kind in columns.items()})
    return load_schema(model)


def test_sums_per_seller_need_no_join_and_no_cast(store: SqlStore) -> None:
    invoice = load_schema("invoice")
    for number, (seller, total) in enumerate([("A", "0.10"), ("A", "0.20"), ("B", "1000.00"), ("B", "999.99")]):
        put(store, invoice, f"{number}.pdf", invoice_fields(total, seller))
    rows = ask(store, "SELECT seller_name, SUM(gross_total) FROM invoice GROUP BY 1 ORDER BY 1")
    assert [(seller, round(Decimal(str(total)), 2)) for seller, total in rows] == [
        ("A", Decimal("0.30")),
        ("B", Decimal("1999.99")),
    ]
    assert ask(store, "SELECT file FROM invoice WHERE gross_total > 999.99") == [("2.pdf",)]
    largest = ask(store, "SELECT file FROM invoice ORDER BY gross_total DESC LIMIT 2")
    assert largest == [("2.pdf",), ("3.pdf",)]
    assert ask(store, "SELECT COUNT(*) FROM invoice WHERE issue_date BETWEEN '2024-02-01' AND '2024-02-29'") == [(4,)]
    (share,) = ask(store, "SELECT 100 * amount / 300 FROM invoice_line_items WHERE position = 1 LIMIT 1")
    assert round(float(share[0]), 2) == 33.33, "100.00 is no integer"


def test_the_list_of_a_document_is_a_table_of_its_own(store: SqlStore) -> None:
    put(store, load_schema("invoice"), "a.pdf", invoice_fields())
    joined = "invoice i JOIN invoice_line_items l USING (document_id)"
    rows = ask(store, f"SELECT i.file, l.position, l.description, l.amount FROM {joined} ORDER BY l.position")
    assert [(*row[:3], Decimal(str(row[3]))) for row in rows] == [
        ("a.pdf", 1, 'Screws,\n"M4"', Decimal("100")),
        ("a.pdf", 2, "Nuts", Decimal("-0.1")),
    ]


def test_only_the_current_result_is_shown(store: SqlStore) -> None:
    invoice = load_schema("invoice")
    put(store, invoice, "a.pdf", invoice_fields("1.00"))
    put(store, invoice, "a.pdf", invoice_fields("2.00")[:-2], run_key="better", status="complete")
    assert ask(store, "SELECT file, status, gross_total FROM invoice") == [("a.pdf", "complete", 2)]
    assert ask(store, "SELECT COUNT(*) FROM invoice_line_items") == [(1,)]
    assert store.make_current("key of a.pdf", invoice)
    assert ask(store, "SELECT status, gross_total FROM invoice") == [("needs_review", 1)]
    assert ask(store, "SELECT COUNT(*) FROM invoice_line_items") == [(2,)]
    joined = "invoice i JOIN extractions e ON e.id = i.extraction_id AND e.is_current"
    assert ask(store, f"SELECT COUNT(*) FROM {joined}") == [(1,)]


@pytest.mark.parametrize(
    "amount", ["0.1", "1234.50", "-99999999999.99", "123456789012345", "0.000000000000001", "1E+20"]
)
def test_amounts_of_fifteen_digits_come_back_equal(store: SqlStore, amount: str) -> None:
    put(store, load_schema("invoice"), "a.pdf", (field("gross_total", Decimal(amount)),))
    ((value,),) = ask(store, "SELECT gross_total FROM invoice")
    assert Decimal(str(value)) == Decimal(amount)


def test_columns_have_the_types_of_their_fields(store: SqlStore) -> None:
    schema = made("Every", a=str, b=Decimal, c=date, d=time, e=int, f=bool, g=float)
    values = ("text", Decimal("1.5"), date(2024, 2, 29), time(9, 5), 7, True, 0.25)
    put(store, schema, "a.pdf", tuple(field(name, value) for name, value in zip("abcdefg", values, strict=True)))
    tables = store._tables(schema)
    with store._engine.connect() as connection:
        row = connection.execute(tables[0].table.select()).one()
    assert tuple(row[-7:]) == values


def test_a_value_that_does_not_fit_its_column_is_null_there_and_exact_behind(store: SqlStore) -> None:
    schema = made("Odd", number=int, amount=Decimal, day=date)
    odd = (field("number", 10**30), field("amount", Decimal("1E+5000")), field("day", "yesterday"))
    put(store, schema, "a.pdf", odd)
    assert ask(store, "SELECT number, amount, day FROM odd") == [(None, None, None)]
    assert store.get(document("a.pdf").id).extraction.fields == odd  # type: ignore[union-attr]


def test_a_field_that_a_schema_gains_becomes_a_column_and_none_is_dropped(store: SqlStore) -> None:
    first, second = made("Order", number=str, total=Decimal), made("Order", number=str, delivered=date)
    put(store, first, "a.pdf", (field("number", "1"), field("total", Decimal(5))))
    put(store, second, "b.pdf", (field("number", "2"), field("delivered", date(2024, 1, 2))))
    put(store, first, "c.pdf", (field("number", "3"), field("total", Decimal(6))))
    rows = ask(store, "SELECT number, total, delivered FROM order_ ORDER BY number")
    assert [(number, total, None if day is None else str(day)) for number, total, day in rows] == [
        ("1", 5, None),
        ("2", None, "2024-01-02"),
        ("3", 6, None),
    ]


def test_a_field_whose_type_changed_gets_a_second_column(store: SqlStore) -> None:
    words, amounts = made("Offer", total=str), made("Offer", total=Decimal)
    put(store, words, "a.pdf", (field("total", "five"),))
    put(store, amounts, "b.pdf", (field("total", Decimal("5.50")),))
    put(store, words, "c.pdf", (field("total", "six"),))
    rows = ask(store, "SELECT file, total, total_decimal FROM offer ORDER BY file")
    assert [(file, words, amount and float(amount)) for file, words, amount in rows] == [
        ("a.pdf", "five", None),
        ("b.pdf", None, 5.5),
        ("c.pdf", "six", None),
    ]


def test_names_that_are_taken_or_mean_something_in_sql_are_changed(store: SqlStore) -> None:
    class Item(BaseModel):
        position: int | None = None
        netPrice: Decimal | None = None  # noqa: N815  as users write it

    class Documents(BaseModel):
        status: str | None = None
        select: str | None = None
        Währung: str | None = None  # noqa: PLC2401  as users write it
        group: list[Item] = []

    schema = load_schema(Documents)
    fields = (
        field("status", "paid"),
        field("select", "x"),
        field("Währung", "EUR"),
        field("group[0].position", 9),
        field("group[0].netPrice", Decimal("1.5")),
    )
    put(store, schema, "a.pdf", fields)
    row = ("needs_review", "paid", "x", "EUR")
    assert ask(store, "SELECT status, status_, select_, währung FROM documents_") == [row]
    ((position, own, price),) = ask(store, "SELECT position, position_, net_price FROM documents_group")
    assert (position, own, float(price)) == (1, 9, 1.5)


def test_a_table_that_somebody_else_made_is_left_alone(store: SqlStore) -> None:
    with store._engine.begin() as connection:
        connection.execute(text("CREATE TABLE receipt (mine TEXT)"))
    put(store, load_schema("receipt"), "a.pdf", (field("total", Decimal(3)),))
    assert ask(store, "SELECT total FROM receipt_") == [(3,)]
    assert ask(store, "SELECT * FROM receipt") == []


def test_schemas_whose_names_look_alike_in_sql_have_their_own_tables(store: SqlStore) -> None:
    plain = made("Bill", total=Decimal)
    shouted = replace(plain, name="BILL")
    put(store, plain, "a.pdf", (field("total", Decimal(1)),))
    other_document = document("b.pdf")
    store.add(other_document)
    store.save(extraction(other_document, shouted, (field("total", Decimal(2)),)), shouted)
    assert ask(store, "SELECT total FROM bill") == [(1,)]
    assert ask(store, "SELECT total FROM bill_") == [(2,)]


def test_a_schema_of_lists_alone_still_has_a_row_per_document(store: SqlStore) -> None:
    pairs = (field("pairs[0].label", "Name"), field("pairs[0].value", "Jo"), field("pairs[3].label", "City"))
    put(store, load_schema("form"), "a.pdf", pairs)
    assert ask(store, "SELECT file, status FROM form") == [("a.pdf", "needs_review")]
    rows = ask(store, "SELECT position, label, value FROM form_pairs ORDER BY position")
    assert rows == [(1, "Name", "Jo"), (4, "City", None)]


def test_the_file_can_be_asked_without_docpipe(tmp_path: Path) -> None:
    path = tmp_path / "docpipe.db"
    with SqlStore(str(path)) as store:
        put(store, load_schema("invoice"), "a.pdf", invoice_fields())
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT seller_name, SUM(gross_total) FROM invoice GROUP BY 1").fetchall() == [
            ("Müller & Söhne GmbH", 1234.5)
        ]


def test_every_query_in_the_documentation_runs(tmp_path: Path) -> None:
    path, guide = tmp_path / "docpipe.db", ROOT / "docs" / "database.md"
    with SqlStore(str(path)) as store:
        put(store, load_schema("invoice"), "a.pdf", invoice_fields())
    blocks = re.findall(r"```sql\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    queries = [query for block in blocks for query in block.split(";") if query.strip()]
    assert len(queries) > 5
    with sqlite3.connect(path) as connection:
        for query in queries:
            connection.execute(query)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GrossTotal", "gross_total"),
        ("sellerVATId", "seller_vat_id"),
        ("net-total (EUR)", "net_total_eur"),
        ("order", "order_"),
        ("2024", "n2024"),
        ("日付", "日付"),
        ("'; DROP TABLE x", "drop_table_x"),
        ("…", "field"),
    ],
)
def test_names_need_no_quotes(text: str, expected: str) -> None:
    assert sql_name(text) == expected


def test_long_names_stay_apart_and_within_what_postgresql_keeps() -> None:
    names = {sql_name("ä" * 60 + tail) for tail in ("a", "b")}
    assert len(names) == 2
    assert all(len(name.encode()) <= 60 for name in names)


def test_a_date_with_a_time_of_day_is_a_timestamp_and_comes_back(store: SqlStore) -> None:
    schema, at = made("landing", at=datetime), datetime(2026, 3, 5, 14, 30)
    put(store, schema, "a.pdf", (field("at", at),))
    assert ask(store, "SELECT COUNT(*) FROM landing WHERE at > '2026-03-05 12:00:00'") == [(1,)]
    (stored,) = store.results()
    assert stored.extraction is not None
    assert stored.extraction.fields[0].value == at
