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
from tests.support.batched import BATCHED, KIND, Batched
from tests.support.processes import end_leases_of_the_dead
from tests.support.serving import (
    await_renewal,
    hasten_renewals,
    pdf,
    result,
    rows,
    script,
    serving,
    settings,
    submit,
    task_runner,
    wait_over,
)

NUMBERS = [f"R-20{number}" for number in range(10, 20)]
SAID = [{"when": number, "invoice_number": number, "gross_total": "119,00"} for number in NUMBERS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def batched(folder: Path, said: Any = SAID) -> str:
    return script(folder, said).replace("scripted:", f"{KIND}:")


@pytest.fixture(autouse=True)
def _kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EXTRACTOR_KINDS, KIND, BATCHED)
    monkeypatch.setattr(Batched, "sizes", [])


@pytest.fixture
def service(folder: Path, database_url: str, redis_url: str) -> Iterator[Service]:
    with serving(folder, database_url=database_url, broker_url=redis_url, model=batched(folder)) as service:
        yield service


@pytest.fixture
def runner(service: Service) -> Iterator[TaskRunner]:
    with task_runner(service) as runner:
        yield runner


def waiting(runner: TaskRunner, numbers: list[str], **wish: Any) -> list[Job]:
    """Documents whose pages have been read."""
    made = [submit(runner.service, pdf(f"Rechnung {number}"), f"{number}.pdf", **wish) for number in numbers]
    for job in made:
        runner.prepare(job.id)
    return made


def worked(runner: TaskRunner, made: list[Job]) -> list[Job]:
    """The jobs after each of their messages has come."""
    for job in made:
        runner.understand(job.id)
    return now(runner, made)


def now(runner: TaskRunner, made: list[Job]) -> list[Job]:
    return [runner.service.jobs.get(job.id) for job in made]


def states(made: list[Job]) -> list[str]:
    return [job.state for job in made]


def as_if_alone(made: Extraction) -> Extraction:
    return replace(made, timings={})


def test_ten_documents_are_understood_in_three_batches_as_one_by_one(folder, redis_url, runner):
    found = worked(runner, waiting(runner, NUMBERS))
    assert Batched.sizes == [4, 4, 2]
    assert {(job.state, job.attempts) for job in found} == {("done", 1)}
    (folder / "alone").mkdir()
    with (
        serving(folder / "alone", broker_url=redis_url, model=runner.service.settings.model, batch=1) as service,
        task_runner(service) as other,
    ):
        alone = worked(other, waiting(other, NUMBERS))
        assert Batched.sizes[3:] == [1] * 10
        for one, job in zip(alone, found, strict=True):
            assert as_if_alone(result(runner.service, job)) == as_if_alone(result(service, one))
            assert result(runner.service, job).timings.keys() == result(service, one).timings.keys()
    assert [field.value for job in found for field in result(runner.service, job).fields[:1]] == NUMBERS
    assert UsageStore(runner.service.database).sums()[0]["documents"] == 10.0


def test_a_document_that_waits_alone_does_not_wait_for_others(runner):
    made = waiting(runner, NUMBERS[:1])
    assert states(worked(runner, made)) == ["done"]
    assert Batched.sizes == [1]


def test_the_operator_says_how_many_at_most(folder, redis_url):
    with (
        serving(folder, broker_url=redis_url, model=batched(folder), batch=2) as service,
        task_runner(service) as runner,
    ):
        assert states(worked(runner, waiting(runner, NUMBERS[:3]))) == ["done"] * 3
    assert Batched.sizes == [2, 1]


def test_an_error_of_one_documents_answer_fails_that_one(runner):
    made = waiting(runner, [*NUMBERS[:2], "R-UNKNOWN", NUMBERS[2]])
    found = worked(runner, made)
    assert states(found) == ["done", "done", "failed", "done"]
    assert Batched.sizes == [4]
    assert (found[2].error["code"], found[2].attempts) == ("answer", 1)
    assert runner.service.store.get(found[2].document_id).error["code"] == "answer"
    assert rows(runner.service.database, extractions) == 3


@pytest.mark.parametrize("together", [4, 1])
def test_a_document_over_which_the_extractor_breaks_off_is_not_tried_again(runner, monkeypatch, together):
    """A model that is away is waited for, up to sixty times; a document that does not fit it has ended."""
    answer = Batched.extract

    def broken_off(self: Batched, pages: Any, schema: Any) -> Any:
        if any(NUMBERS[1] in line for line in pages[0].lines):
            raise ValueError("operands could not be broadcast together")
        return answer(self, pages, schema)

    monkeypatch.setattr(Batched, "extract", broken_off)
    monkeypatch.setattr(Batched, "batch_size", together)
    found = worked(runner, waiting(runner, NUMBERS[:3]))
    assert states(found) == ["done", "failed", "done"]
    assert (found[1].error["code"], found[1].attempts, found[1].environment_retries) == ("extraction", 1, 0)
    assert "broadcast" in found[1].error["message"]


@pytest.mark.parametrize("refusal", [ModelError("out of memory"), KeyError("no such key")], ids=["model", "a bug"])
def test_a_model_that_cannot_take_them_together_takes_them_one_by_one(runner, monkeypatch, refusal):
    def too_many(number: int) -> None:
        if number > 1:
            raise refusal

    monkeypatch.setattr(Batched, "meanwhile", staticmethod(too_many))
    found = worked(runner, waiting(runner, NUMBERS[:4]))
    assert {(job.state, job.attempts, job.environment_retries) for job in found} == {("done", 1, 0)}


STOPS = {"time": SoftTimeLimitExceeded(), "a bug": OSError("no such device")}


@pytest.mark.parametrize("why", STOPS)
def test_what_stops_them_all_gives_all_back_and_each_is_tried_alone(folder, redis_url, monkeypatch, why):
    def stop(number: int) -> None:
        if number > 1:
            raise STOPS[why]

    monkeypatch.setattr(Batched, "meanwhile", staticmethod(stop))
    with (
        serving(folder, broker_url=redis_url, model=batched(folder)) as service,
        task_runner(service) as runner,
    ):
        made = waiting(runner, NUMBERS[:3])
        runner.understand(made[0].id)
        back = now(runner, made)
        assert {(job.state, job.attempts, job.lease) for job in back} == {("prepared", 1, None)}
        said = "longer than 1800 seconds together with others" if why == "time" else "OSError"
        assert all(said in job.error["message"] for job in back)
        for job in made:
            wait_over(service.database, job)
        assert states(worked(runner, made)) == ["done"] * 3
        assert Batched.sizes == [3, 1, 1, 1]


def test_a_document_whose_pages_are_lost_is_read_again_and_the_others_are_done(runner):
    made = waiting(runner, NUMBERS[:3])
    runner.service.blobs.delete(f"{job_prefix(made[1].id)}/pages.json")
    runner.understand(made[0].id)
    found = now(runner, made)
    assert states(found) == ["done", "queued", "done"]
    assert (found[1].error["code"], found[1].attempts) == ("missing", 0)
    wait_over(runner.service.database, made[1])
    runner.prepare(made[1].id)
    assert states(worked(runner, made)) == ["done"] * 3


def test_the_same_bytes_twice_in_a_batch_and_a_result_that_is_there_already_are_asked_once(runner):
    known = worked(runner, waiting(runner, NUMBERS[:1]))
    Batched.sizes.clear()
    found = worked(runner, waiting(runner, [NUMBERS[0], NUMBERS[1], NUMBERS[1], NUMBERS[2]]))
    assert states(found) == ["done"] * 4
    assert Batched.sizes == [2]
    assert found[0].run_key == known[0].run_key and found[1].run_key == found[2].run_key
    assert (rows(runner.service.database, extractions), rows(runner.service.database, attempts)) == (3, 3)


def test_what_a_failed_answer_cost_is_counted_once_where_the_same_bytes_were_sent_twice(runner, monkeypatch):
    def refused(*_: object) -> DocpipeError:
        error = AnswerError("no")
        error.cost = {"tokens_in": 500.0}
        return error

    monkeypatch.setattr(Batched, "_one", refused)
    assert states(worked(runner, waiting(runner, [NUMBERS[1], NUMBERS[1]]))) == ["failed"] * 2
    (spent,) = UsageStore(runner.service.database).sums()
    assert (spent["documents"], spent["tokens_in"]) == (2.0, 500.0)


def test_a_job_that_is_deleted_while_its_batch_is_at_work_leaves_nothing(runner, monkeypatch):
    made = waiting(runner, NUMBERS[:3])
    monkeypatch.setattr(Batched, "meanwhile", staticmethod(lambda _: delete_job(runner.service, made[1].id)))
    monkeypatch.setattr("docpipe.workers.outcomes.STORE_WAITS", (0.01,))
    runner.understand(made[0].id)
    assert [job and job.state for job in now(runner, made)] == ["done", None, "done"]
    assert (rows(runner.service.database, documents), rows(runner.service.database, extractions)) == (2, 2)
    assert not list(Path(runner.service.settings.blob_url, job_prefix(made[1].id)).glob("*"))


def test_the_leases_of_all_are_renewed_until_each_has_ended(runner, service, monkeypatch):
    others: list[Job | None] = []

    def slowly(_: int) -> None:
        for job in made:
            await_renewal(service.database, job)
            others.append(service.jobs.claim(job.id, "understand", "other:1"))

    monkeypatch.setattr(Batched, "meanwhile", staticmethod(slowly))
    hasten_renewals(monkeypatch)
    made = waiting(runner, NUMBERS[:3])
    assert states(worked(runner, made)) == ["done"] * 3
    assert others == [None] * 3


def test_the_log_says_how_many_there_were_at_a_time(folder, redis_url, caplog):
    caplog.set_level("INFO", logger="docpipe.worker")
    with (
        serving(folder, broker_url=redis_url, model=batched(folder)) as service,
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


def test_a_document_that_kills_its_worker_takes_others_with_it_once_and_then_dies_alone(folder):
    (folder / "bill.py").write_text(SCHEMA)
    (folder / "joins.py").write_text(JOINS)
    redis = RedisServer(folder, save=False).start()
    chosen = settings(folder, broker_url=redis.url, model=batched(folder), lease_seconds=600)
    given = environment(**{name: getattr(chosen, name) for name in chosen.model_fields_set})
    program = worker({**given, "PYTHONPATH": f"{ROOT}:{folder}"}, folder / "worker.log", "-I", "joins")
    service = Service.of(chosen)
    keeper = Maintenance(service)
    keeping = threading.Thread(target=keeper.run, kwargs={"poll_seconds": 0.1})

    def all_have_ended() -> bool:
        end_leases_of_the_dead(service)
        return all(service.jobs.get(job.id).state in ENDED for job in made)

    try:
        with task_runner(service) as runner:
            options = SubmitOptions(f"{folder}/bill.py:Bill")
            made = [
                submit_document(service, io.BytesIO(pdf(f"Rechnung {number}")), f"{number}.pdf", options)
                for number in NUMBERS[:6]
            ]
            for job in made:
                runner.prepare(job.id)
        keeping.start()
        with running(program):
            wait_until(all_have_ended, "all have ended")
        found = [service.jobs.get(job.id) for job in made]
        assert states(found) == ["done", "done", "done", "quarantined", "done", "done"], program.said()
        assert (found[3].error["code"], found[3].attempts) == ("worker_lost", MAX_ATTEMPTS)
        assert [job.attempts for job in found] == [2, 2, 2, 3, 1, 1], "those of its batch once more, the others not"
        assert rows(service.database, extractions) == 5
        counted = UsageStore(service.database).sums("outcome")
        assert sum(row["documents"] for row in counted) == 6.0
        assert "4 documents at a time" in program.said() and "2 documents at a time" in program.said()
    finally:
        keeper.stop.set()
        if keeping.is_alive():
            keeping.join()
        service.close()
        redis.stop()
