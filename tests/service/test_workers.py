"""Workers as processes of their own, that die, are killed, are stopped and take too long: each document ends once, and
with its reason. A real Redis and a keeper beside them."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from benchmarks.service.servers import Program, RedisServer, environment, wait_until, worker
from docpipe.service.job_actions import delete_job
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs import job_sweeper
from docpipe.store.jobs.job import ENDED, Job
from docpipe.store.jobs.job_store import MAX_ATTEMPTS
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.tables import extractions
from tests.support.serving import pdf, rows, script, settings

SLOW = 1.0  # seconds of a document: long enough to be caught at it
LEASE = 4  # seconds: a busy machine may stand still for one or two
LIMIT = 6  # seconds of a task
LOST = timedelta(seconds=3)  # after which a message that nobody has begun counts as lost; 30 s otherwise
SCHEMA = f"""
import os, signal, time
from pydantic import BaseModel, Field, model_validator

class Bill(BaseModel):
    number: str | None = Field(None, description="number of the bill")

    @model_validator(mode="after")
    def does_harm(self):
        if self.number == "R-KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.number == "R-HANG":
            time.sleep(3600)
        if self.number == "R-SLOW":
            time.sleep({SLOW})
        return self
"""
NUMBERS = ("R-KILL", "R-HANG", "R-SLOW", "R-GOOD")


@dataclass
class Site:
    """A database, a Redis, a keeper, and a worker of one child."""

    service: Service
    worker: Program
    schema: str

    def submit(self, number: str, more: str = "") -> Job:
        return submit_document(
            self.service, io.BytesIO(pdf(f"Rechnung {number}", more)), f"{number}.pdf", SubmitOptions(self.schema)
        )

    def job(self, job: Job) -> Job:
        found = self.service.jobs.get(job.id)
        assert found is not None
        return found

    def wait_for(self, job: Job, *states: str) -> Job:
        try:
            wait_until(lambda: self.job(job).state in states, f"{job.name} is {' or '.join(states)}")
        except TimeoutError as error:
            raise AssertionError(f"{self.job(job)}\n{self.worker.said()}") from error
        return self.job(job)

    def ready(self) -> None:
        if not self.worker.alive:
            self.worker.start()


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    (folder / "bill.py").write_text(SCHEMA)
    redis = RedisServer(folder, save=False).start()
    chosen = settings(
        folder, broker_url=redis.url, lease_seconds=LEASE, task_seconds=LIMIT,
        model=script(folder, [{"when": number, "number": number} for number in NUMBERS]),
    )  # fmt: skip
    given = {name: getattr(chosen, name) for name in chosen.model_fields_set}
    service = Service.of(chosen)
    program = worker(environment(**given), folder / "worker.log")
    keeper = Maintenance(service)
    keeping = threading.Thread(target=keeper.run, kwargs={"poll_seconds": 0.1})
    keeping.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job_sweeper, "LOST_AFTER", LOST)
            yield Site(service, program, f"{folder}/bill.py:Bill")
    finally:
        keeper.stop.set()
        keeping.join()
        if program.process is not None:
            program.kill()
        service.close()
        redis.stop()


@pytest.fixture
def site(whole_site: Site) -> Site:
    whole_site.ready()
    return whole_site


def test_a_document_that_kills_its_worker_is_quarantined_and_the_others_are_done(site):
    good = [site.submit("R-GOOD", "1")]
    killer = site.submit("R-KILL")
    good.append(site.submit("R-GOOD", "2"))
    ended = site.wait_for(killer, *ENDED)
    assert (ended.state, ended.error["code"], ended.attempts) == ("quarantined", "worker_lost", MAX_ATTEMPTS)
    for job in good:
        assert site.wait_for(job, *ENDED).state == "done"
    assert site.worker.alive, "only the child died"
    assert killer.id in site.worker.said()


def test_a_document_that_takes_too_long_is_given_back_with_that_reason(site):
    job = site.submit("R-HANG")
    site.wait_for(job, "understanding")
    waiting = site.wait_for(job, "prepared", *ENDED)
    assert (waiting.state, waiting.attempts) == ("prepared", 1)
    assert f"longer than {LIMIT} seconds" in waiting.error["message"]
    assert site.wait_for(site.submit("R-GOOD", "after"), *ENDED).state == "done", "the worker goes on"
    delete_job(site.service, job.id)


def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_does_nothing_twice(site):
    usage = UsageStore(site.service.database)
    before, counted = rows(site.service.database, extractions), usage.sums()[0]["documents"]
    made = [site.submit("R-SLOW", str(number)) for number in range(2)]
    wait_until(lambda: any(site.job(job).state == "understanding" for job in made), "one is in work")
    site.worker.kill()
    site.worker.start()
    for job in made:
        assert site.wait_for(job, *ENDED).state == "done"
    assert rows(site.service.database, extractions) == before + 2
    assert usage.sums()[0]["documents"] == counted + 2


def test_a_worker_that_is_stopped_ends_what_it_has_and_begins_nothing_new(site):
    slow = site.submit("R-SLOW", "the last")
    site.wait_for(slow, "understanding")
    later = site.submit("R-GOOD", "later")
    os.kill(site.worker.process.pid, signal.SIGTERM)
    assert site.worker.process.wait(30) == 0
    ended = site.job(slow)
    assert (ended.state, ended.attempts) == ("done", 1)
    assert site.job(later).state == "queued"
    site.worker.start()
    assert site.wait_for(later, *ENDED).state == "done"
