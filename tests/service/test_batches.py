"""Several documents at a time: what a worker makes of them is what it makes of each alone, and what one of them does,
it does to itself. With a real worker, one of them kills it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from benchmarks.service.servers import ROOT, RedisServer, environment, running, wait_until, worker
from docpipe.components import EXTRACTOR_KINDS
from docpipe.data import Extraction
from docpipe.errors import AnswerError, DocpipeError, ModelError
from docpipe.service.job_actions import delete_job
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.blobs import job_prefix
from docpipe.store.jobs.job import ENDED, Job
from docpipe.store.jobs.job_store import MAX_ATTEMPTS
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.tables import attempts, documents, extractions
from docpipe.workers.task_runner import TaskRunner
from tests.support.batched import BATCHED, KIND, BatchedExtractor
from tests.support.processes import end_leases_of_the_dead
from tests.support.serving import (
    await_renewal,
    count_rows,
    end_wait,
    extraction_of,
    hasten_renewals,
    pdf,
    scripted_model,
    service_in,
    settings_in,
    submit_pdf,
    task_runner,
)

NUMBERS = [f"R-20{number}" for number in range(10, 20)]
SAID = [{"when": number, "invoice_number": number, "gross_total": "119,00"} for number in NUMBERS]


def batched(folder: Path, answers: Any = SAID) -> str:
    return scripted_model(folder, answers).replace("scripted:", f"{KIND}:")


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRACTOR_KINDS, KIND, BATCHED)
    monkeypatch.setattr(BatchedExtractor, "batch_sizes", [])


@pytest.fixture
def service(tmp_path: Path, database_url: str, redis_url: str) -> Iterator[Service]:
    with service_in(tmp_path, database_url=database_url, broker_url=redis_url, model=batched(tmp_path)) as service:
        yield service


def waiting(runner: TaskRunner, numbers: list[str], **options: Any) -> list[Job]:
    """Documents whose pages have been read."""
    jobs = [submit_pdf(runner.service, pdf(f"Rechnung {number}"), f"{number}.pdf", **options) for number in numbers]
    for job in jobs:
        runner.prepare(job.id)
    return jobs


def worked(runner: TaskRunner, jobs: list[Job]) -> list[Job]:
    """The jobs after each of their messages has come."""
    for job in jobs:
        runner.understand(job.id)
    return now(runner, jobs)


def now(runner: TaskRunner, jobs: list[Job]) -> list[Job]:
    return [runner.service.jobs.get(job.id) for job in jobs]


def states(jobs: list[Job]) -> list[str]:
    return [job.state for job in jobs]


def as_if_alone(extracted: Extraction) -> Extraction:
    return replace(extracted, timings={})


def test_ten_documents_are_understood_in_three_batches_as_one_by_one(tmp_path, redis_url, runner):
    together = worked(runner, waiting(runner, NUMBERS))
    assert BatchedExtractor.batch_sizes == [4, 4, 2]
    assert {(job.state, job.attempts) for job in together} == {("done", 1)}
    (tmp_path / "alone").mkdir()
    with (
        service_in(tmp_path / "alone", broker_url=redis_url, model=runner.service.settings.model, batch=1) as service,
        task_runner(service) as other,
    ):
        alone = worked(other, waiting(other, NUMBERS))
        assert BatchedExtractor.batch_sizes[3:] == [1] * 10
        for single, job in zip(alone, together, strict=True):
            assert as_if_alone(extraction_of(runner.service, job)) == as_if_alone(extraction_of(service, single))
            assert extraction_of(runner.service, job).timings.keys() == extraction_of(service, single).timings.keys()
    assert [field.value for job in together for field in extraction_of(runner.service, job).fields[:1]] == NUMBERS
    assert UsageStore(runner.service.database).sums()[0]["documents"] == 10.0


def test_a_document_that_waits_alone_does_not_wait_for_others(runner):
    jobs = waiting(runner, NUMBERS[:1])
    assert states(worked(runner, jobs)) == ["done"]
    assert BatchedExtractor.batch_sizes == [1]


def test_the_operator_says_how_many_at_most(tmp_path, redis_url):
    with (
        service_in(tmp_path, broker_url=redis_url, model=batched(tmp_path), batch=2) as service,
        task_runner(service) as runner,
    ):
        assert states(worked(runner, waiting(runner, NUMBERS[:3]))) == ["done"] * 3
    assert BatchedExtractor.batch_sizes == [2, 1]


def test_an_error_of_one_documents_answer_fails_that_one(runner):
    jobs = waiting(runner, [*NUMBERS[:2], "R-UNKNOWN", NUMBERS[2]])
    ended = worked(runner, jobs)
    assert states(ended) == ["done", "done", "failed", "done"]
    assert BatchedExtractor.batch_sizes == [4]
    assert (ended[2].error["code"], ended[2].attempts) == ("answer", 1)
    assert runner.service.store.get(ended[2].document_id).error["code"] == "answer"
    assert count_rows(runner.service.database, extractions) == 3


@pytest.mark.parametrize("together", [4, 1])
def test_a_document_over_which_the_extractor_breaks_off_is_not_tried_again(runner, monkeypatch, together):
    """A model that is away is waited for, up to sixty times; a document that does not fit it has ended."""
    answer = BatchedExtractor.extract

    def broken_off(self: BatchedExtractor, pages: Any, schema: Any) -> Any:
        if any(NUMBERS[1] in line for line in pages[0].lines):
            raise ValueError("operands could not be broadcast together")
        return answer(self, pages, schema)

    monkeypatch.setattr(BatchedExtractor, "extract", broken_off)
    monkeypatch.setattr(BatchedExtractor, "batch_size", together)
    ended = worked(runner, waiting(runner, NUMBERS[:3]))
    assert states(ended) == ["done", "failed", "done"]
    assert (ended[1].error["code"], ended[1].attempts, ended[1].environment_retries) == ("extraction", 1, 0)
    assert "broadcast" in ended[1].error["message"]


@pytest.mark.parametrize("refusal", [ModelError("out of memory"), KeyError("no such key")], ids=["model", "a bug"])
def test_a_model_that_cannot_take_them_together_takes_them_one_by_one(runner, monkeypatch, refusal):
    def too_many(number: int) -> None:
        if number > 1:
            raise refusal

    monkeypatch.setattr(BatchedExtractor, "on_batch", staticmethod(too_many))
    ended = worked(runner, waiting(runner, NUMBERS[:4]))
    assert {(job.state, job.attempts, job.environment_retries) for job in ended} == {("done", 1, 0)}


STOPS = {"time": SoftTimeLimitExceeded(), "a bug": OSError("no such device")}


@pytest.mark.parametrize("why", STOPS)
def test_what_stops_them_all_gives_all_back_and_each_is_tried_alone(tmp_path, redis_url, monkeypatch, why):
    def stop(number: int) -> None:
        if number > 1:
            raise STOPS[why]

    monkeypatch.setattr(BatchedExtractor, "on_batch", staticmethod(stop))
    with (
        service_in(tmp_path, broker_url=redis_url, model=batched(tmp_path)) as service,
        task_runner(service) as runner,
    ):
        jobs = waiting(runner, NUMBERS[:3])
        runner.understand(jobs[0].id)
        delayed = now(runner, jobs)
        assert {(job.state, job.attempts, job.lease) for job in delayed} == {("prepared", 1, None)}
        reason = "longer than 1800 seconds together with others" if why == "time" else "OSError"
        assert all(reason in job.error["message"] for job in delayed)
        for job in jobs:
            end_wait(service.database, job)
        assert states(worked(runner, jobs)) == ["done"] * 3
        assert BatchedExtractor.batch_sizes == [3, 1, 1, 1]


def test_a_document_whose_pages_are_lost_is_read_again_and_the_others_are_done(runner):
    jobs = waiting(runner, NUMBERS[:3])
    runner.service.blobs.delete(f"{job_prefix(jobs[1].id)}/pages.json")
    runner.understand(jobs[0].id)
    current = now(runner, jobs)
    assert states(current) == ["done", "queued", "done"]
    assert (current[1].error["code"], current[1].attempts) == ("missing", 0)
    end_wait(runner.service.database, jobs[1])
    runner.prepare(jobs[1].id)
    assert states(worked(runner, jobs)) == ["done"] * 3


def test_the_same_bytes_twice_in_a_batch_and_a_result_that_is_there_already_are_asked_once(runner):
    known = worked(runner, waiting(runner, NUMBERS[:1]))
    BatchedExtractor.batch_sizes.clear()
    ended = worked(runner, waiting(runner, [NUMBERS[0], NUMBERS[1], NUMBERS[1], NUMBERS[2]]))
    assert states(ended) == ["done"] * 4
    assert BatchedExtractor.batch_sizes == [2]
    assert ended[0].run_key == known[0].run_key and ended[1].run_key == ended[2].run_key
    assert (count_rows(runner.service.database, extractions), count_rows(runner.service.database, attempts)) == (3, 3)


def test_what_a_failed_answer_cost_is_counted_once_where_the_same_bytes_were_sent_twice(runner, monkeypatch):
    def refused(*_: object) -> DocpipeError:
        error = AnswerError("no")
        error.cost = {"tokens_in": 500.0}
        return error

    monkeypatch.setattr(BatchedExtractor, "_one", refused)
    assert states(worked(runner, waiting(runner, [NUMBERS[1], NUMBERS[1]]))) == ["failed"] * 2
    (spent,) = UsageStore(runner.service.database).sums()
    assert (spent["documents"], spent["tokens_in"]) == (2.0, 500.0)


def test_a_job_that_is_deleted_while_its_batch_is_at_work_leaves_nothing(runner, monkeypatch):
    made = waiting(runner, NUMBERS[:3])
    monkeypatch.setattr(BatchedExtractor, "on_batch", staticmethod(lambda _: delete_job(runner.service, made[1].id)))
    monkeypatch.setattr("docpipe.workers.outcomes.STORE_WAITS", (0.01,))
    runner.understand(made[0].id)
    assert [job and job.state for job in now(runner, made)] == ["done", None, "done"]
    assert (count_rows(runner.service.database, documents), count_rows(runner.service.database, extractions)) == (2, 2)
    assert not list(Path(runner.service.settings.blob_url, job_prefix(made[1].id)).glob("*"))


def test_the_leases_of_all_are_renewed_until_each_has_ended(runner, service, monkeypatch):
    others: list[Job | None] = []

    def slowly(_: int) -> None:
        for job in made:
            await_renewal(service.database, job)
            others.append(service.jobs.claim(job.id, "understand", "other:1"))

    monkeypatch.setattr(BatchedExtractor, "on_batch", staticmethod(slowly))
    hasten_renewals(monkeypatch)
    made = waiting(runner, NUMBERS[:3])
    assert states(worked(runner, made)) == ["done"] * 3
    assert others == [None] * 3


def test_the_log_says_how_many_there_were_at_a_time(tmp_path, redis_url, caplog):
    caplog.set_level("INFO", logger="docpipe.worker")
    with (
        service_in(tmp_path, broker_url=redis_url, model=batched(tmp_path)) as service,
        task_runner(service) as runner,
    ):
        worked(runner, waiting(runner, NUMBERS[:3]))
    said = [record.context["batch"] for record in caplog.records if record.message == "understand: done"]
    assert said == [3, 3, 3]


SCHEMA = """
import os, signal
from pydantic import BaseModel, Field, model_validator

class Bill(BaseModel):
    invoice_number: str | None = Field(None, description="number of the bill")

    @model_validator(mode="after")
    def does_harm(self):
        if self.invoice_number == "R-2013":
            os.kill(os.getpid(), signal.SIGKILL)
        return self
"""
JOINS = """
from docpipe.components import EXTRACTOR_KINDS
from tests.support.batched import BATCHED, KIND
EXTRACTOR_KINDS[KIND] = BATCHED
"""


def test_a_document_that_kills_its_worker_takes_others_with_it_once_and_then_dies_alone(tmp_path):
    (tmp_path / "bill.py").write_text(SCHEMA)
    (tmp_path / "joins.py").write_text(JOINS)
    redis = RedisServer(tmp_path, save=False).start()
    chosen = settings_in(tmp_path, broker_url=redis.url, model=batched(tmp_path), lease_seconds=600)
    given = environment(**{name: getattr(chosen, name) for name in chosen.model_fields_set})
    program = worker({**given, "PYTHONPATH": f"{ROOT}:{tmp_path}"}, tmp_path / "worker.log", "-I", "joins")
    service = Service.of(chosen)
    maintenance = Maintenance(service)
    maintenance_thread = threading.Thread(target=maintenance.run, kwargs={"poll_seconds": 0.1})

    def all_have_ended() -> bool:
        end_leases_of_the_dead(service)
        return all(service.jobs.get(job.id).state in ENDED for job in made)

    try:
        with task_runner(service) as runner:
            options = SubmitOptions(f"{tmp_path}/bill.py:Bill")
            made = [
                submit_document(service, io.BytesIO(pdf(f"Rechnung {number}")), f"{number}.pdf", options)
                for number in NUMBERS[:6]
            ]
            for job in made:
                runner.prepare(job.id)
        maintenance_thread.start()
        with running(program):
            wait_until(all_have_ended, "all have ended")
        found = [service.jobs.get(job.id) for job in made]
        assert states(found) == ["done", "done", "done", "quarantined", "done", "done"], program.output()
        assert (found[3].error["code"], found[3].attempts) == ("worker_lost", MAX_ATTEMPTS)
        assert [job.attempts for job in found] == [2, 2, 2, 3, 1, 1], "those of its batch once more, the others not"
        assert count_rows(service.database, extractions) == 5
        counted = UsageStore(service.database).sums("outcome")
        assert sum(row["documents"] for row in counted) == 6.0
        assert "4 documents at a time" in program.output() and "2 documents at a time" in program.output()
    finally:
        maintenance.stop.set()
        if maintenance_thread.is_alive():
            maintenance_thread.join()
        service.close()
        redis.stop()
