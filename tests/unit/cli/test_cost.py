"""What reading has cost: every result and every failed attempt that was paid counts, and each of them once."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from sqlalchemy import update

from docpipe.cli import invoke
from docpipe.errors import AnswerError, DocpipeError, ModelError
from docpipe.extractors.scripted import ScriptedExtractor
from docpipe.result import record
from docpipe.schema import load_schema
from docpipe.service.job_actions import delete_job
from docpipe.store import SqlStore
from docpipe.store.database import Database
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.results.costs import CostStore
from docpipe.store.tables import attempts, extractions
from tests.support.command_line import docpipe_run
from tests.support.serving import ANSWER, LINES, pdf, run_job, scripted_model, service_in, submit_pdf, task_runner
from tests.support.stored import document, extraction
from tests.support.web import api_in

PAID = {"tokens_in": 1000.0, "image_tokens": 800.0, "tokens_out": 100.0, "money": 0.25}
EMBEDDED, HOSTED = "embedded:test@1", "openai:small@2026"
NO_TOKENS = dict.fromkeys(PAID, 0.0)


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    with SqlStore(database_url) as opened:
        yield opened


@pytest.fixture
def costs(database_url: str) -> Iterator[CostStore]:
    database = Database(database_url)
    yield CostStore(database)
    database.close()


def read(store: SqlStore, name: str = "a.pdf", key: str | None = None, schema: str = "invoice", **more) -> None:
    """A result of two pages, whose model took half a second."""
    of, kind = document(name), load_schema(schema)
    more = {"extractor": HOSTED, "cost": PAID, "timings": {"read": 9.0, "extract": 0.5}, "fields": (), **more}
    store.add(of)
    store.claim(of.id, key or f"key of {name}", schema=schema, extractor=more["extractor"])
    store.save(extraction(of, kind, run_key=key or f"key of {name}", **more), kind)


def failed(store: SqlStore, name: str = "a.pdf", cost: dict[str, float] | None = None, **more) -> None:
    """An attempt that came to nothing."""
    error = AnswerError("it is no JSON")
    error.cost = PAID if cost is None else cost
    store.add(document(name))
    store.claim(document(name).id, f"key of {name}", **{"schema": "invoice", "extractor": HOSTED, **more})
    store.fail(document(name).id, f"key of {name}", None, error, schema=more.get("schema", "invoice"))


def test_costs_are_summed_up_by_extractor(store, costs):
    read(store, "a.pdf")
    read(store, "b.pdf")
    read(store, "c.pdf", extractor=EMBEDDED, cost={})
    embedded, hosted = costs.sums("extractor")
    assert embedded.by == {"extractor": EMBEDDED}
    assert (embedded.documents, embedded.results, embedded.pages, embedded.seconds) == (1, 1, 2, 0.5)
    assert {name: getattr(embedded, name) for name in PAID} == NO_TOKENS
    assert (hosted.documents, hosted.pages, hosted.seconds) == (2, 4, 1.0)
    assert {name: getattr(hosted, name) for name in PAID} == {name: 2 * value for name, value in PAID.items()}
    (total,) = costs.sums()
    assert (total.by, total.documents, total.pages, total.money) == ({}, 3, 6, 0.5)


def test_an_attempt_that_failed_counts_with_what_it_cost_and_the_one_after_it_as_well(store, costs):
    failed(store, "a.pdf", PAID | {"seconds": 2.0})
    failed(store, "b.pdf", {})
    read(store, "a.pdf")
    (total,) = costs.sums("extractor")
    assert (total.by["extractor"], total.documents, total.results, total.failed) == (HOSTED, 1, 1, 1)
    assert (total.pages, total.seconds) == (2, 2.5), "the pages are those of the result"
    assert {name: getattr(total, name) for name in PAID} == {name: 2 * value for name, value in PAID.items()}


def test_a_pages_share_has_the_failed_attempts_in_it(store, costs):
    failed(store)
    (lost,) = costs.sums()
    assert (lost.pages, lost.money, lost.per_page()) == (0, 0.25, None), "nothing was read for it"
    read(store)
    (total,) = costs.sums()
    assert total.per_page() == {
        "seconds": 0.25, "tokens_in": 1000.0, "image_tokens": 800.0, "tokens_out": 100.0, "money": 0.25,
    }  # fmt: skip


def test_a_result_that_another_model_made_again_was_paid_for_and_taking_it_again_was_not(store, costs):
    invoice = load_schema("invoice")
    read(store, key="first")
    read(store, key="second", extractor="gemini:other", cost=PAID | {"money": 1.0})
    assert store.make_current("first", invoice)
    assert not store.save(extraction(document(), invoice, run_key="second", cost=PAID), invoice)
    assert {cost.by["extractor"]: cost.money for cost in costs.sums("extractor")} == {HOSTED: 0.25, "gemini:other": 1.0}
    (total,) = costs.sums()
    assert (total.documents, total.results, total.pages, total.money) == (1, 2, 4, 1.25)


def test_costs_are_summed_up_by_several_names_at_once(store, costs):
    read(store, "a.pdf", status="complete")
    read(store, "b.pdf")
    read(store, "b.pdf", "r", "receipt", cost={})
    failed(store, "c.pdf")
    failed(store, "d.pdf", {"money": 0.5}, schema=None, extractor=None)
    money = {tuple(cost.by.values()): cost.money for cost in costs.sums("schema", "status", "extractor")}
    assert money == {
        ("invoice", "complete", HOSTED): 0.25,
        ("invoice", "needs_review", HOSTED): 0.25,
        ("invoice", "failed", HOSTED): 0.25,
        ("receipt", "needs_review", HOSTED): 0.0,
        (None, "failed", None): 0.5,
    }


def moved(costs: CostStore, table, column: str, where, moment: str) -> None:
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    with costs._database.writing() as connection:
        connection.execute(update(table).where(where).values({column: when}))


def test_a_day_is_a_day_in_utc_wherever_the_server_thinks_it_is(store, database_url):
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        read(store, name)
    failed(store, "d.pdf")
    if database_url.startswith("postgresql"):
        database_url += "?options=-c%20timezone%3DPacific/Auckland"
    costs = CostStore(Database(database_url))
    for name, moment in {
        "a": "2026-01-31T00:00:00",
        "b": "2026-01-31T23:59:59.999",
        "c": "2026-02-01T00:00:00",
    }.items():
        moved(costs, extractions, "created", extractions.c.run_key == f"key of {name}.pdf", moment)
    moved(costs, attempts, "ended", attempts.c.outcome == "failed", "2026-02-01T12:00:00")
    assert {cost.by["day"]: cost.money for cost in costs.sums("day")} == {"2026-01-31": 0.5, "2026-02-01": 0.5}
    assert {cost.by["month"]: cost.results for cost in costs.sums("month")} == {"2026-01": 2, "2026-02": 1}
    since = {day: costs.sums(since=date(2026, *day))[0].money for day in ((1, 31), (2, 1), (2, 2))}
    assert since == {(1, 31): 1.0, (2, 1): 0.5, (2, 2): 0.0}
    costs._database.close()


def test_nothing_costs_nothing(costs):
    assert costs.sums("extractor") == []
    (total,) = costs.sums()
    assert (total.documents, total.pages, total.money, total.per_page()) == (0, 0, 0.0, None)


def test_an_error_keeps_its_cost_on_the_way_from_a_worker():
    error = ModelError("the server hung up", hint="Try later.")
    assert error.cost == {}
    error.cost = PAID
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), back.message, back.hint, back.cost) == (ModelError, "the server hung up", "Try later.", PAID)


def test_a_result_comes_back_with_every_number_of_its_cost(store):
    read(store)
    stored = store.find("key of a.pdf")
    assert stored.extraction.cost == PAID
    assert record(stored.extraction, "a.pdf")["cost"] == PAID


@pytest.fixture
def paid(monkeypatch) -> None:
    """The scripted extractor counts tokens; on pages with the word Kaputt it fails after it was paid."""
    extract = ScriptedExtractor.extract

    def counted(self, pages, schema):
        if any(word.text == "Kaputt" for page in pages for word in page.words):
            error = AnswerError("it is no JSON")
            error.cost = PAID
            raise error
        answer = extract(self, pages, schema)
        return replace(answer, tokens_in=1000, image_tokens=800, tokens_out=100, money=0.25)

    monkeypatch.setattr(ScriptedExtractor, "extract", counted)


@pytest.mark.usefixtures("paid")
def test_the_service_keeps_what_a_failed_attempt_cost_and_whose_it_was(tmp_path, database_url, redis_url):
    with (
        service_in(tmp_path, broker_url=redis_url, database_url=database_url) as service,
        task_runner(service) as runner,
    ):
        job = run_job(runner, submit_pdf(service, pdf("Kaputt")))
        assert (job.state, job.error["code"]) == ("failed", "answer")
        good = run_job(runner, submit_pdf(service, pdf()))
        again = run_job(runner, submit_pdf(service, pdf()))
        assert good.run_key == again.run_key
        (total,) = CostStore(service.database).sums("extractor")
        assert total.by["extractor"].startswith("scripted:")
        assert (total.documents, total.results, total.failed, total.pages) == (2, 1, 1, 1)
        assert {name: getattr(total, name) for name in PAID} == {name: 2 * value for name, value in PAID.items()}

        for ended in (job, good, again):
            delete_job(service, ended.id)
        assert CostStore(service.database).sums("extractor") == [], "what is deleted has left no trace here"
        assert UsageStore(service.database).sums()[0]["image_tokens"] > 0


@pytest.mark.usefixtures("paid")
def test_the_api_says_what_a_result_cost_and_the_metrics_what_all_did(tmp_path, redis_url):
    with api_in(tmp_path, broker_url=redis_url) as api:
        done = api.process(api.submit())
        assert api.get(f"/v1/documents/{done['id']}/result").json()["cost"] == PAID
        families = list(text_string_to_metric_families(api.get("/metrics", api.headers_of("review")).text))
        values = {
            (sample.name, sample.labels.get("direction")): sample.value
            for family in families
            for sample in family.samples
        }
        assert values["docpipe_image_tokens_total", None] == 800.0
        assert values["docpipe_tokens_total", "in"] == 1000.0
        assert values["docpipe_money_total", None] == 0.25


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with a database of its own."""
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", f"sqlite:///{tmp_path / 'test.db'}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def json_records(capsys, *arguments: str) -> list[dict]:
    assert invoke(["cost", "--json", *arguments]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_after_docpipe_run_each_document_has_cost_its_seconds_and_no_tokens(folder, capsys):
    scripts = [{"when": "R-2041", **ANSWER}]
    scripted_model(folder, scripts)
    (folder / "docs").mkdir()
    (folder / "docs" / "a.pdf").write_bytes(pdf(pages=2))
    (folder / "docs" / "twin.pdf").write_bytes(pdf(pages=2))
    (folder / "docs" / "b.pdf").write_bytes(pdf(*LINES, "and more"))
    (folder / "docs" / "odd.pdf").write_bytes(pdf("nothing that the script knows"))
    (folder / "docs" / "none.pdf").write_text("this is no PDF")
    docpipe_run(folder, "docs", "--jobs", "1")
    name = ScriptedExtractor(scripts).name
    (line,) = json_records(capsys)
    assert line["seconds"] > 0
    assert line == {
        "extractor": name, "documents": 3, "results": 2, "failed": 1, "pages": 3, "seconds": line["seconds"],
        **NO_TOKENS, "per_page": {"seconds": pytest.approx(line["seconds"] / 3, abs=1e-9), **NO_TOKENS},
    }  # fmt: skip
    with sqlite3.connect(folder / "test.db") as connection:
        tried = connection.execute("SELECT DISTINCT extractor FROM attempts WHERE outcome = 'failed'").fetchall()
    connection.close()
    assert sorted(tried, key=str) == [(name,), (None,)], "who failed is known of odd.pdf; none.pdf reached nobody"
    docpipe_run(folder, "docs/a.pdf", "--jobs", "1", "--force")
    lines = {line["status"]: line for line in json_records(capsys, "--by", "extractor,status")}
    read = lines.pop("needs_review")
    assert (read["documents"], read["results"], read["pages"]) == (2, 3, 5)
    (failed,) = lines.values()
    assert (failed["documents"], failed["results"], failed["failed"]) == (1, 0, 1)


def test_the_table_shows_sums_and_a_pages_share_and_only_columns_that_say_something(folder, capsys):
    with SqlStore(str(folder / "test.db")) as store:
        read(store, "a.pdf", extractor=EMBEDDED, cost={})
        assert invoke(["cost"]) == 0
        plain = capsys.readouterr().out
        assert "tokens" not in plain and "failed" not in plain and "results" not in plain
        assert [line.split() for line in plain.splitlines()[3:] if line.strip()] == [
            [EMBEDDED, "1", "2", "0.50", "0"], ["a", "page", "0.25", "0"],
        ]  # fmt: skip
        for name in ("b.pdf", "c.pdf"):
            read(
                store,
                name,
                cost={"tokens_in": 61_000.0, "image_tokens": 60_000.0, "tokens_out": 400.0, "money": 0.0125},
            )
        failed(store, "d.pdf", {"tokens_in": 2000.0, "money": 0.001})
    assert invoke(["cost"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines if line.strip()]
    assert [HOSTED, "3", "2", "1", "4", "1.00", "124,000", "120,000", "800", "0.0260"] in rows
    assert ["a", "page", "0.25", "31,000", "30,000", "200", "0.006500"] in rows
    assert ["all", "4", "3", "1", "6", "1.50", "124,000", "120,000", "800", "0.0260"] in rows
    sums = [line.rstrip() for line in lines if line.strip().startswith((EMBEDDED, HOSTED, "all"))]
    assert len(sums) == 3 and len({len(line) for line in sums}) == 1, "numbers stand at the right"


def test_a_narrow_terminal_shows_every_name_and_number_whole(folder, capsys, monkeypatch):
    name = "hf:Somebody/A-Model-With-A-Long-Name@66285546d2b821cf421d4f5eb2576359d3770cd3"
    with SqlStore(str(folder / "test.db")) as store:
        read(store, "a.pdf", extractor=name, cost=PAID | {"tokens_in": 1_234_567.0, "image_tokens": 1_000_000.0})
        read(store, "b.pdf", extractor=EMBEDDED, cost={})
        failed(store, "b.pdf")
    monkeypatch.setattr("docpipe.cli.cost.open_console", lambda: Console(width=80))
    assert invoke(["cost"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [name] in rows
    assert ["tokens", "in", "1,234,567", "617,284"] in rows
    assert rows.count(["all", "a", "page"]) == 4, "one for each extractor, one for all"


def test_where_nothing_was_read_the_command_says_so_and_prints_no_table(folder, capsys):
    SqlStore(str(folder / "test.db")).close()
    assert invoke(["cost"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"Nothing was read: there is no result in sqlite:///{folder / 'test.db'}.\n"
    assert json_records(capsys) == []
    with SqlStore(str(folder / "test.db")) as store:
        read(store)
    assert invoke(["cost", "--since", "9999-01-01"]) == 0
    assert "Nothing was read since 9999-01-01" in capsys.readouterr().err
    assert len(json_records(capsys, "--since", "2000-01-01", "--by", "day,schema")) == 1


def test_a_question_makes_no_database_and_a_wrong_one_says_what_there_is(folder, capsys):
    assert invoke(["cost", "--db", str(folder / "none.db")]) == 7
    assert not (folder / "none.db").exists()
    assert invoke(["cost", "--by", "extractor,weather"]) == 2
    assert "'weather' is none of day, month, schema, extractor, status" in capsys.readouterr().err
    assert invoke(["cost", "--since", "yesterday"]) == 2


def test_every_error_can_have_a_cost_of_its_own():
    first, other = DocpipeError("one"), DocpipeError("other")
    first.cost = PAID
    assert other.cost == {}
