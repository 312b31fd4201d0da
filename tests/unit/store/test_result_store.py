"""The store on SQLite and on PostgreSQL: what goes in comes out, once, whole, and with a reason when it failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import event, func, select

from docpipe.data import Evidence, Field
from docpipe.errors import ModelError, StoreError, UnsupportedError
from docpipe.schema import Schema, load_schema
from docpipe.store import SqlStore, tables
from docpipe.store.results import load
from tests.support.stored import VALUES_OF_EVERY_TYPE, document, extraction, field, invoice_fields


@pytest.fixture(scope="module")
def invoice() -> Schema:
    return load_schema("invoice")


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    with SqlStore(database_url) as opened:
        yield opened


def count(store: SqlStore, table: object) -> int:
    with store._engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)  # type: ignore[arg-type]


def test_a_result_comes_back_exactly_as_it_was_saved(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    assert store.claim(a.id, "key of a.pdf") == 1
    saved = extraction(a, invoice)
    assert store.save(saved, invoice) is True

    stored = store.get(a.id)
    assert stored is not None
    assert (stored.document, stored.extraction, stored.schema) == (a, saved, "invoice")
    assert (stored.error, stored.attempts, stored.files) == (None, 1, (a.path,))
    assert stored.created is not None
    assert stored.created.tzinfo is UTC
    assert abs(stored.created - datetime.now(UTC)) < timedelta(minutes=5)
    # equal numbers are not enough: 1234.50 was printed with its cents
    amount = next(item.value for item in stored.extraction.fields if item.path == "gross_total")  # type: ignore[union-attr]
    assert str(amount) == "1234.50"


def test_values_of_every_type_keep_their_type_and_every_digit(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    saved = extraction(
        a, invoice, tuple(field(f"line_items[{i}].unit", value) for i, value in enumerate(VALUES_OF_EVERY_TYPE))
    )
    store.save(saved, invoice)
    stored = store.find(saved.run_key)
    assert stored is not None
    assert stored.extraction == saved
    assert [type(item.value) for item in stored.extraction.fields] == [type(value) for value in VALUES_OF_EVERY_TYPE]


def test_text_that_no_database_takes_is_cleaned_and_the_result_is_kept(store: SqlStore, invoice: Schema) -> None:
    a = replace(document(), name="caf\udce9.pdf", path=Path("/inbox/caf\udce9.pdf"))
    store.add(a)
    quote = Evidence(1, invoice_fields()[5].evidence[0].box, "nul \x00 here")
    broken = Field("seller_name", "A\x00B\ud800", "A\x00", 0.5, (quote,))
    store.save(extraction(a, invoice, (broken,)), invoice)
    stored = store.get(a.id)
    assert stored is not None
    assert stored.document.name == "caf\ufffd.pdf"
    saved = stored.extraction.fields[0]  # type: ignore[union-attr]
    assert (saved.value, saved.evidence[0].text) == ("A\ufffdB\ufffd", "nul \ufffd here")


def test_the_same_work_is_stored_once(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    saved = extraction(a, invoice)
    assert not store.has(saved.run_key)
    assert store.save(saved, invoice)
    assert store.has(saved.run_key)
    assert not store.save(replace(saved, status="complete", fields=()), invoice)
    assert [stored.extraction for stored in store.results()] == [saved]


def test_another_model_gives_a_new_result_and_the_old_one_is_kept(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    old, new = extraction(a, invoice), extraction(a, invoice, run_key="other", extractor="vlm:x", status="complete")
    store.save(old, invoice)
    store.save(new, invoice)
    assert [stored.extraction for stored in store.results()] == [new]
    assert store.get(a.id, "invoice").extraction == new  # type: ignore[union-attr]
    assert store.find(old.run_key).extraction == old  # type: ignore[union-attr]
    assert count(store, tables.extractions) == 2

    assert store.make_current(old.run_key, invoice)
    assert not store.make_current(old.run_key, invoice)
    assert [stored.extraction for stored in store.results()] == [old]


def test_schemas_stand_side_by_side_for_one_document(store: SqlStore, invoice: Schema) -> None:
    a, receipt = document(), load_schema("receipt")
    store.add(a)
    store.save(extraction(a, invoice), invoice)
    store.save(extraction(a, receipt, (field("total", Decimal("8.20")),), run_key="r", status="complete"), receipt)
    assert {stored.schema for stored in store.results()} == {"invoice", "receipt"}
    assert [stored.schema for stored in store.results(schema="receipt")] == ["receipt"]
    assert [stored.schema for stored in store.results(status="needs_review")] == ["invoice"]
    assert store.get(a.id, "invoice").schema == "invoice"  # type: ignore[union-attr]
    assert store.get(a.id).schema == "receipt"  # type: ignore[union-attr]
    assert store.get(a.id, "form") is None


def test_a_result_that_cannot_be_written_leaves_no_trace(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    good = extraction(a, invoice)
    store.save(good, invoice)
    bad = extraction(a, invoice, (*invoice_fields(), field("iban", {"not": "a value"})), run_key="bad")
    with pytest.raises(StoreError, match="dict"):
        store.save(bad, invoice)
    assert not store.has("bad")
    assert [stored.extraction for stored in store.results()] == [good]
    assert count(store, tables.fields) == len(good.fields)


def test_the_same_bytes_under_two_names_are_one_document_with_two_files(store: SqlStore, invoice: Schema) -> None:
    a = document()
    copy = replace(a, name="copy.pdf", path=Path("/other/copy.pdf"))
    for added in (a, copy, a):
        store.add(added)
    store.save(extraction(a, invoice), invoice)
    stored = store.get(a.id)
    assert stored is not None
    assert stored.document == a
    assert stored.files == (a.path, copy.path)
    assert len(list(store.results())) == 1


def test_attempts_are_counted_per_work_and_a_dead_one_is_called_lost(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    assert [store.claim(a.id, "k"), store.claim(a.id, "k"), store.claim(a.id, "other")] == [1, 2, 1]
    store.save(extraction(a, invoice, run_key="k"), invoice)
    with store._engine.connect() as connection:
        rows = connection.execute(select(tables.attempts).order_by(tables.attempts.c.id)).all()
    assert [(row.run_key, row.number, row.outcome) for row in rows] == [
        ("k", 1, "lost"),
        ("k", 2, "done"),
        ("other", 1, "running"),
    ]
    assert store.find("k").attempts == 2  # type: ignore[union-attr]


def test_work_on_an_unknown_document_is_refused(store: SqlStore, invoice: Schema) -> None:
    with pytest.raises(StoreError, match="not in the database"):
        store.claim("ab" * 32, "k")
    with pytest.raises(StoreError, match="not in the database"):
        store.save(extraction(document(), invoice), invoice)


def test_a_file_that_was_refused_has_a_result_with_the_reason(store: SqlStore, tmp_path: Path) -> None:
    letter = tmp_path / "letter.doc"
    letter.write_bytes(b"not ours")
    error = UnsupportedError("the file is Word", hint="Print it.")
    for _ in range(2):
        store.fail("ab" * 32, None, letter, error, schema="invoice")
    (stored,) = store.results()
    assert stored.extraction is None
    assert stored.error == {"code": "unsupported", "message": "the file is Word", "hint": "Print it."}
    assert (stored.document.id, stored.document.name, stored.document.size) == ("ab" * 32, "letter.doc", 8)
    assert (stored.attempts, stored.schema) == (2, "invoice")
    assert store.get("ab" * 32) == stored
    assert list(store.results(status="complete")) == []
    assert list(store.results(status="failed")) == [stored]


def test_a_file_that_could_not_be_read_is_listed_until_it_can_be(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.fail(None, None, a.path, UnsupportedError("permission denied"))
    store.fail(None, None, a.path, UnsupportedError("permission denied again"))
    (stored,) = store.results()
    assert (stored.document.id, stored.document.name) == ("", "a.pdf")
    assert stored.error is not None
    assert stored.error["message"] == "permission denied again"
    store.add(a)
    store.save(extraction(a, invoice), invoice)
    (stored,) = store.results()
    assert stored.extraction is not None


def test_a_failure_after_a_success_does_not_hide_the_success(store: SqlStore, invoice: Schema) -> None:
    a = document()
    store.add(a)
    saved = extraction(a, invoice)
    store.save(saved, invoice)
    store.claim(a.id, "gpu", schema="invoice")
    store.fail(a.id, "gpu", a.path, ModelError("out of memory"))
    (stored,) = store.results()
    assert stored.extraction == saved
    assert stored.error is not None
    assert stored.error["code"] == "model"
    store.save(extraction(a, invoice, run_key="gpu"), invoice)
    (stored,) = store.results()
    assert stored.error is None


def test_the_beginning_of_an_id_is_enough_while_it_is_unique(store: SqlStore) -> None:
    error = UnsupportedError("no")
    store.fail("abc" + "0" * 61, None, "one.doc", error)
    store.fail("abd" + "0" * 61, None, "two.doc", error)
    assert store.get("ABC").document.name == "one.doc"  # type: ignore[union-attr]
    with pytest.raises(StoreError, match="several documents begin with ab"):
        store.get("ab")
    assert store.get("abe") is None
    assert store.get("") is None
    assert store.get("not an id %") is None


def test_reading_goes_page_by_page_and_sees_one_moment(
    store: SqlStore, invoice: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "PAGE_SIZE", 3)
    documents = [document(f"{number}.pdf") for number in range(8)]
    for added in documents[:7]:
        store.add(added)
        store.save(extraction(added, invoice), invoice)
    reading = store.results()
    first = next(reading)
    store.add(documents[7])
    store.save(extraction(documents[7], invoice), invoice)
    store.save(extraction(documents[5], invoice, run_key="newer"), invoice)
    results_read = [first, *reading]
    assert [added.document for added in results_read] == documents[:7]
    assert results_read[5].extraction.run_key == "key of 5.pdf"  # type: ignore[union-attr]
    assert len(list(store.results())) == 8


def test_a_full_disk_is_told_and_what_was_saved_stays_whole(tmp_path: Path, invoice: Schema) -> None:
    with SqlStore(str(tmp_path / "small.db")) as store:
        a, b = document("a.pdf"), document("b.pdf")
        for added in (a, b):
            store.add(added)
        store.save(extraction(a, invoice), invoice)

        @event.listens_for(store._engine, "begin")
        def no_more_pages(connection: object) -> None:
            connection.exec_driver_sql("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]

        long = (field("payment_terms", "x" * 1_000_000),)
        with pytest.raises(StoreError, match="full") as caught:
            store.save(extraction(b, invoice, long), invoice)
        assert "Free some disk space" in caught.value.hint
        assert [stored.document for stored in store.results()] == [a]


def test_a_database_that_another_program_holds_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docpipe.store.connect.LOCK_SECONDS", 0.1)
    path = str(tmp_path / "held.db")
    with SqlStore(path) as holder, SqlStore(path) as store, holder._writing(), pytest.raises(StoreError) as caught:
        store.add(document())
    assert "locked" in caught.value.message
    assert "Another program holds the database" in caught.value.hint
    assert caught.value.retryable
