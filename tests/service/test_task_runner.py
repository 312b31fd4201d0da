"""The task runner, in this process: whatever goes wrong with a document ends in SQL, with its reason, and what may go
better next time is tried again."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from docpipe import pipeline
from docpipe.errors import MissingError, StoreError, UsageError
from docpipe.service.job_actions import delete_job, job_result
from docpipe.service.service import Service
from docpipe.store.blobs import job_prefix, original_key
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import MAX_ATTEMPTS, MAX_ENVIRONMENT_RETRIES, JobStore
from docpipe.store.jobs.prepared_pages import picture_key
from docpipe.store.jobs.tables import jobs
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.results.result_store import SqlStore
from docpipe.store.tables import documents, extractions
from docpipe.workers import outcomes
from docpipe.workers import task_runner as module
from tests.support.serving import (
    ANSWER,
    await_renewal,
    count_rows,
    end_lease,
    end_wait,
    hasten_renewals,
    pdf,
    run_job,
    scripted_model,
    service_in,
    set_columns,
    submit_pdf,
    task_runner,
)
from tests.support.web import blob_names


def test_an_original_that_is_gone_fails_and_says_so(runner, service):
    job = submit_pdf(service)
    service.blobs.delete(original_key(job.id))
    runner.prepare(job.id)
    failed = service.jobs.get(job.id)
    assert (failed.state, failed.error["code"]) == ("failed", "missing")
    assert "DOCPIPE_BLOB_URL" in failed.error["hint"]


def test_an_original_that_is_not_the_one_that_was_taken_in_fails_and_says_so(runner, service):
    job = submit_pdf(service)
    service.blobs.put(original_key(job.id), pdf("another document"))
    runner.prepare(job.id)
    failed = service.jobs.get(job.id)
    assert (failed.state, failed.error["code"]) == ("failed", "missing")
    assert "damaged" in failed.error["message"] and "bill.pdf" in failed.error["message"]


def lose_pages(service: Service, job: Job) -> None:
    service.blobs.delete(f"{job_prefix(job.id)}/pages.json")


def damage_pages(service: Service, job: Job) -> None:
    service.blobs.put(f"{job_prefix(job.id)}/pages.json", b'{"format": 1')


def damage_picture(service: Service, job: Job) -> None:
    content = service.blobs.get(picture_key(job.id, 1))
    service.blobs.put(picture_key(job.id, 1), content[: len(content) // 2])


@pytest.mark.parametrize("damage", [lose_pages, damage_pages, damage_picture])
def test_pages_that_are_lost_between_the_stages_are_read_again(tmp_path, redis_url, damage):
    model = "embedded" if damage is damage_picture else scripted_model(tmp_path)
    with service_in(tmp_path, broker_url=redis_url, model=model) as service, task_runner(service) as runner:
        job = submit_pdf(service)
        runner.prepare(job.id)
        damage(service, job)
        runner.understand(job.id)
        queued = service.jobs.get(job.id)
        assert (queued.state, queued.attempts, queued.error["code"]) == ("queued", 0, "missing")
        end_wait(service.database, job)
        done = run_job(runner, job)
        assert (done.state, done.error) == ("done", None)


def test_pages_that_are_lost_again_and_again_end_in_quarantine(runner, service):
    job = submit_pdf(service)
    runner.prepare(job.id)
    lose_pages(service, job)
    set_columns(service.database, job, environment_retries=MAX_ENVIRONMENT_RETRIES)
    runner.understand(job.id)
    ended = service.jobs.get(job.id)
    assert (ended.state, ended.error["code"]) == ("quarantined", "missing")


def away_for(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, times: int) -> list[int]:
    """The database does not answer this so many times; who counts the calls."""
    original, calls = getattr(kind, name), [0]

    def answer(*args, **kwargs):
        calls[0] += 1
        if calls[0] <= times:
            raise StoreError("the server is starting up")
        return original(*args, **kwargs)

    monkeypatch.setattr(kind, name, answer)
    monkeypatch.setattr(outcomes, "STORE_WAITS", (0.01, 0.01, 0.01, 0.01))
    return calls


@pytest.mark.parametrize(
    ("kind", "name"), [(JobStore, "claim"), (JobStore, "mark_prepared"), (SqlStore, "save"), (JobStore, "finish")]
)
def test_a_database_that_starts_again_is_waited_for_and_no_work_is_thrown_away(
    runner, service, monkeypatch, kind, name
):
    job = submit_pdf(service)
    calls = away_for(monkeypatch, kind, name, 3)
    read = []
    original = pipeline.understand_many
    monkeypatch.setattr(
        pipeline, "understand_many", lambda *args, **kwargs: read.append(1) or original(*args, **kwargs)
    )
    done = run_job(runner, job)
    assert (done.state, done.attempts, done.environment_retries) == ("done", 1, 0)
    assert calls[0] > 3
    assert read == [1]
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


def test_a_database_that_stays_away_is_left_to_the_maintenance(runner, service, monkeypatch):
    job = submit_pdf(service)
    runner.prepare(job.id)
    away_for(monkeypatch, JobStore, "finish", 99)
    runner.understand(job.id)
    waiting = service.jobs.get(job.id)
    assert (waiting.state, waiting.attempts, waiting.environment_retries) == ("prepared", 0, 1)
    monkeypatch.undo()
    end_wait(service.database, job)
    runner.understand(job.id)
    assert service.jobs.get(job.id).state == "done"
    assert count_rows(service.database, extractions) == 1


def test_a_model_that_is_away_costs_the_document_no_attempt(tmp_path, redis_url):
    model = f"scripted:{tmp_path / 'later.json'}"
    with service_in(tmp_path, broker_url=redis_url, model=model) as service, task_runner(service) as runner:
        job = submit_pdf(service)
        waiting = run_job(runner, job)
        assert (waiting.state, waiting.attempts, waiting.environment_retries) == ("prepared", 0, 1)
        (tmp_path / "later.json").write_text("{}")
        end_wait(service.database, job)
        runner.understand(job.id)
        assert service.jobs.get(job.id).state == "done"


SCHEMA = """
from pydantic import BaseModel, Field, model_validator

class Bill(BaseModel):
    invoice_number: str | None = Field(None, description="number of the bill")

    @model_validator(mode="after")
    def has_a_bug(self):
        if self.invoice_number == "R-2041":
            {}["no such key"]
        return self
"""


def test_a_bug_in_a_rule_ends_after_three_attempts_and_other_documents_go_on(tmp_path, redis_url):
    (tmp_path / "bill.py").write_text(SCHEMA)
    answers = [{"when": "R-2041", **ANSWER}, {"invoice_number": "R-2042"}]
    with (
        service_in(tmp_path, broker_url=redis_url, model=scripted_model(tmp_path, answers)) as service,
        task_runner(service) as runner,
    ):
        bad = submit_pdf(service, schema=f"{tmp_path}/bill.py:Bill")
        good = submit_pdf(service, pdf("Rechnung R-2042"), schema=f"{tmp_path}/bill.py:Bill")
        runner.prepare(bad.id)
        for attempt in range(MAX_ATTEMPTS):
            assert service.jobs.get(bad.id).attempts == attempt
            runner.understand(bad.id)
            end_wait(service.database, bad)
        ended = service.jobs.get(bad.id)
        assert (ended.state, ended.attempts, ended.error["code"]) == ("quarantined", MAX_ATTEMPTS, "error")
        assert "KeyError: 'no such key'" in ended.error["message"] and "report" in ended.error["hint"]
        assert run_job(runner, good).state == "done"


def test_a_schema_that_is_gone_when_its_turn_comes_fails_the_document(tmp_path, service, runner):
    (tmp_path / "bill.py").write_text(SCHEMA)
    job = submit_pdf(service, schema=f"{tmp_path}/bill.py:Bill")
    (tmp_path / "bill.py").unlink()
    failed = run_job(runner, job)
    assert (failed.state, failed.error["code"]) == ("failed", "schema")


def test_a_stage_that_takes_too_long_is_given_back_with_that_reason(runner, service, monkeypatch):
    job = submit_pdf(service)

    def stop(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(pipeline, "prepare", stop)
    runner.prepare(job.id)
    waiting = service.jobs.get(job.id)
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    assert "longer than 1800 seconds" in waiting.error["message"]
    assert "DOCPIPE_TASK_SECONDS" in waiting.error["hint"]


def test_a_worker_that_takes_longer_than_its_lease_keeps_the_job(runner, service, monkeypatch):
    original = pipeline.prepare
    others: list[Job | None] = []

    def slowly(*args: Any, **kwargs: Any) -> Any:
        await_renewal(service.database, job)
        others.append(service.jobs.claim(job.id, "prepare", "other:1"))
        return original(*args, **kwargs)

    monkeypatch.setattr(pipeline, "prepare", slowly)
    hasten_renewals(monkeypatch)
    job = submit_pdf(service)
    runner.prepare(job.id)
    assert (others, service.jobs.get(job.id).state) == ([None], "prepared")


def test_a_worker_that_was_taken_for_dead_does_not_end_the_job_a_second_time(runner, service, monkeypatch):
    job = submit_pdf(service)
    runner.prepare(job.id)
    original = pipeline.understand_many

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(pipeline, "understand_many", original)
        end_lease(service.database, job)
        runner.understand(job.id)  # another worker has it and ends it
        return original(*args, **kwargs)

    monkeypatch.setattr(pipeline, "understand_many", meanwhile)
    runner.understand(job.id)
    assert service.jobs.get(job.id).state == "done"
    assert count_rows(service.database, extractions) == 1
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


def test_a_second_message_for_a_document_that_is_done_changes_nothing(runner, service):
    done = run_job(runner, submit_pdf(service))
    assert run_job(runner, done) == done
    assert UsageStore(service.database).sums()[0]["documents"] == 1.0


@pytest.mark.parametrize("stage", ["prepare", "understand"])
def test_nothing_stays_of_a_job_that_is_deleted_while_it_is_worked_on(runner, service, monkeypatch, stage):
    job = submit_pdf(service)
    if stage == "understand":
        runner.prepare(job.id)
    step = {"prepare": "prepare", "understand": "understand_many"}[stage]
    original = getattr(pipeline, step)

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        assert delete_job(service, job.id)
        return outcome

    monkeypatch.setattr(pipeline, step, meanwhile)
    monkeypatch.setattr(outcomes, "STORE_WAITS", (0.01,))
    worked_on = getattr(runner, stage)
    worked_on(job.id)
    assert [count_rows(service.database, table) for table in (jobs, documents, extractions)] == [0, 0, 0]
    assert blob_names(service) == []


def test_nothing_but_the_others_stays_of_a_job_that_is_deleted_while_it_is_worked_on(runner, service, monkeypatch):
    other = run_job(runner, submit_pdf(service, schema="receipt"))
    job = submit_pdf(service)
    runner.prepare(job.id)
    original = pipeline.understand_many

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        outcome = original(*args, **kwargs)
        assert delete_job(service, job.id)
        return outcome

    monkeypatch.setattr(pipeline, "understand_many", meanwhile)
    runner.understand(job.id)
    assert count_rows(service.database, extractions) == 1, "its result would belong to nobody"
    assert job_result(service, other) is not None


def test_the_answer_for_a_result_that_was_deleted_is_none(runner, service):
    first = run_job(runner, submit_pdf(service))
    assert job_result(service, first)["fields"]["gross_total"]["value"] == "119.00"
    assert delete_job(service, first.id)
    assert job_result(service, first) is None
    assert not delete_job(service, first.id)


def test_a_result_belongs_to_the_document_and_not_to_the_job_that_was_first(runner, service):
    first, second = (
        run_job(runner, submit_pdf(service, name="a.pdf")),
        run_job(runner, submit_pdf(service, name="b.pdf")),
    )
    assert first.run_key == second.run_key
    delete_job(service, first.id)
    assert job_result(service, second)["file"] == "b.pdf"
    with pytest.raises(MissingError):
        service.blobs.get(original_key(first.id))
    assert hashlib.sha256(service.blobs.get(original_key(second.id))).hexdigest() == second.document_id


def test_a_setting_that_is_wrong_is_no_documents_fault(runner, service, monkeypatch):
    job = submit_pdf(service)
    runner.prepare(job.id)

    def refuse(*_: Any, **__: Any) -> Any:
        raise UsageError("the day's money is limited, and there is no price", hint="Add one.")

    monkeypatch.setattr(module, "load_components", refuse)
    runner.understand(job.id)
    waiting = service.jobs.get(job.id)
    assert (waiting.state, waiting.attempts, waiting.environment_retries) == ("prepared", 0, 1)
    assert "no price" in waiting.error["message"]
