"""Workers as processes of their own, that die, are killed, are stopped and take too long: each document ends once, and
with its reason. A real Redis and the maintenance beside them."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from benchmarks.service.servers import START_SECONDS, Program, RedisServer, environment, wait_until, worker
from docpipe.service.job_actions import delete_job
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs import job_sweeper
from docpipe.store.jobs.job import ENDED, Job
from docpipe.store.jobs.job_store import MAX_ATTEMPTS
from docpipe.store.jobs.usage import UsageStore
from docpipe.store.tables import extractions
from tests.support.processes import KILLS, WAITS, Gate, end_leases_of_the_dead
from tests.support.serving import count_rows, pdf, scripted_model, settings_in, task_runner

GOOD = "R-GOOD"
LEASE = LIMIT = 600  # seconds; what only time would bring about is done by hand
SHORT = 3  # seconds
LOST = timedelta(seconds=1)  # after which a message that nobody has begun counts as lost; 30 s otherwise


@dataclass
class Site:
    """A database, a Redis, the maintenance, and a worker of one child. `gate`: documents numbered WAITS stand still at
    it, in the child."""

    service: Service
    worker: Program
    gate: Gate

    def submit(self, number: str, more: str = "") -> Job:
        content = io.BytesIO(pdf(f"Rechnung {number}", more))
        return submit_document(self.service, content, f"{number}.pdf", SubmitOptions(self.gate.schema))

    def job(self, job: Job) -> Job:
        stored = self.service.jobs.get(job.id)
        assert stored is not None
        return stored

    def wait_for(self, job: Job, *states: str) -> Job:
        """Meanwhile the leases of dead workers end."""

        def is_there() -> bool:
            end_leases_of_the_dead(self.service)
            return self.job(job).state in states

        try:
            wait_until(is_there, f"{job.name} is {' or '.join(states)}")
        except TimeoutError as error:
            raise AssertionError(f"{self.job(job)}\n{self.worker.output()}") from error
        return self.job(job)

    def conf_of_worker(self) -> dict[str, Any]:
        """Celery's settings in the worker, as soon as it answers."""
        answers: list[dict[str, Any]] = []

        def answered() -> bool:
            answers.extend((self.service.queue._app.control.inspect(limit=1).conf() or {}).values())
            return answers != []

        wait_until(answered, "the worker answers")
        return answers[0]

    def ready(self) -> None:
        self.gate.close()
        if not self.worker.is_alive:
            self.worker.start()


@pytest.fixture(scope="module")
def whole_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    redis = RedisServer(folder, save=False).start()
    chosen = settings_in(
        folder, broker_url=redis.url, lease_seconds=LEASE, task_seconds=LIMIT,
        model=scripted_model(folder, [{"when": number, "invoice_number": number} for number in (KILLS, WAITS, GOOD)]),
    )  # fmt: skip
    settings = {name: getattr(chosen, name) for name in chosen.model_fields_set}
    service = Service.of(chosen)
    program = worker(environment(**settings), folder / "worker.log")
    maintenance = Maintenance(service)
    maintenance_thread = threading.Thread(target=maintenance.run, kwargs={"poll_seconds": 0.1})
    maintenance_thread.start()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job_sweeper, "LOST_AFTER", LOST)
            yield Site(service, program, Gate(folder))
    finally:
        maintenance.stop.set()
        maintenance_thread.join()
        if program.process is not None:
            program.kill()
        service.close()
        redis.stop()


@pytest.fixture
def site(whole_site: Site) -> Site:
    whole_site.ready()
    return whole_site


def test_a_document_that_kills_its_worker_is_quarantined_and_the_others_are_done(site):
    good = [site.submit(GOOD, "1")]
    killer = site.submit(KILLS)
    good.append(site.submit(GOOD, "2"))
    ended = site.wait_for(killer, *ENDED)
    assert (ended.state, ended.error["code"], ended.attempts) == ("quarantined", "worker_lost", MAX_ATTEMPTS)
    for job in good:
        assert site.wait_for(job, *ENDED).state == "done"
    assert site.worker.is_alive, "only the child died"
    assert killer.id in site.worker.output()


def test_a_document_that_takes_too_long_is_given_back_with_that_reason(site, monkeypatch):
    """Its message has a limit of SHORT, the others that of the settings. The worker has read one before: this one comes
    to the gate at once, and stands still there when its time is over."""
    app = site.service.queue._app
    assert site.conf_of_worker()["task_soft_time_limit"] == LIMIT
    assert site.wait_for(site.submit(GOOD, "before"), *ENDED).state == "done"
    content = io.BytesIO(pdf(f"Rechnung {WAITS}"))
    job = submit_document(site.service, content, "a.pdf", SubmitOptions(site.gate.schema), enqueue=False)
    with monkeypatch.context() as patch, task_runner(site.service) as runner:
        patch.setattr(app, "send_task", partial(app.send_task, soft_time_limit=SHORT))
        runner.prepare(job.id)
        site.gate.await_document()
        wait_until(lambda: site.job(job).error is not None, "it is given back")
        waiting = site.job(job)
        assert (waiting.state, waiting.attempts) == ("prepared", 1)
        assert f"longer than {LIMIT} seconds" in waiting.error["message"]
        delete_job(site.service, job.id)
    assert site.wait_for(site.submit(GOOD, "after"), *ENDED).state == "done", "the worker goes on"


def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_does_nothing_twice(site):
    usage = UsageStore(site.service.database)
    before, counted = count_rows(site.service.database, extractions), usage.sums()[0]["documents"]
    jobs = [site.submit(WAITS, str(number)) for number in range(2)]
    site.gate.await_document()
    site.worker.kill()
    site.gate.open()
    site.worker.start()
    for job in jobs:
        assert site.wait_for(job, *ENDED).state == "done"
    assert count_rows(site.service.database, extractions) == before + 2
    assert usage.sums()[0]["documents"] == counted + 2


def test_a_worker_that_is_stopped_ends_what_it_has_and_begins_nothing_new(site):
    slow = site.submit(WAITS, "the last")
    site.gate.await_document()
    later = site.submit(GOOD, "later")
    os.kill(site.worker.process.pid, signal.SIGTERM)
    wait_until(lambda: "Warm shutdown" in site.worker.output(), "the worker has seen it")
    site.gate.open()
    assert site.worker.process.wait(START_SECONDS) == 0
    ended = site.job(slow)
    assert (ended.state, ended.attempts) == ("done", 1)
    assert site.job(later).state == "queued"
    site.worker.start()
    assert site.wait_for(later, *ENDED).state == "done"
