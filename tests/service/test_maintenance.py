"""The maintenance: what has to happen though nobody asks. A real Redis, database and receiver of webhooks."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from celery.result import AsyncResult
from kombu import Connection
from sqlalchemy import select

from benchmarks.service.servers import wait_until
from docpipe.errors import QueueError, StoreError
from docpipe.schema import load_schema
from docpipe.service import maintenance as module
from docpipe.service import service as service_module
from docpipe.service.job_actions import job_result, retry_job
from docpipe.service.maintenance import LOCK_NAME, Maintenance
from docpipe.service.service import Service
from docpipe.store.blobs import job_prefix, original_key
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_sweeper import JobSweeper
from docpipe.store.jobs.leader_lock import LeaderLock
from docpipe.store.jobs.prepared_pages import picture_key
from docpipe.store.jobs.tables import deliveries, jobs
from docpipe.store.jobs.usage import JobUsage
from docpipe.store.results.result_store import SqlStore
from tests.support.receiver import webhook_receiver
from tests.support.serving import (
    NO_BROKER,
    ago,
    column_of,
    end_lease,
    make_deliveries_due,
    pdf,
    service_in,
    set_columns,
    submit_pdf,
)
from tests.support.stored import document, extraction

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
HOOKS = {"webhook_secret": SECRET, "webhook_internal": True}
DAY = 86400
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")  # Celery makes it


@pytest.fixture
def service(tmp_path: Path, redis_url: str) -> Iterator[Service]:
    with service_in(tmp_path, broker_url=redis_url, keep_days=2, **HOOKS) as service:
        yield service


@pytest.fixture
def maintenance(service: Service, monkeypatch: pytest.MonkeyPatch) -> Maintenance:
    """No receiver of a test counts as slow, however busy the computer is."""
    monkeypatch.setattr(module, "SLOW_SECONDS", 600.0)
    return Maintenance(service)


@contextmanager
def maintained(service: Service, **more: Any) -> Iterator[Maintenance]:
    """A maintenance process, in a thread."""
    maintenance = Maintenance(service, **more)
    running = threading.Thread(target=maintenance.run, kwargs={"poll_seconds": 0.02})
    running.start()
    try:
        yield maintenance
    finally:
        maintenance.stop.set()
        running.join()


def done(service: Service, content: bytes | None = None, **options: Any) -> Job:
    """A job that has ended as if a worker had done it."""
    job, schema = submit_pdf(service, content, **options), load_schema("invoice")
    service.jobs.mark_prepared(service.jobs.claim(job.id, "prepare", "host:1"))
    service.blobs.put(picture_key(job.id, 1), b"a picture")
    claimed = service.jobs.claim(job.id, "understand", "host:1")
    extracted = extraction(replace(document(), id=job.document_id), schema, run_key=f"key of {job.id}")
    service.store.save(extracted, schema)
    service.jobs.finish(claimed, extracted.run_key, extracted.status, JobUsage.of(extracted))
    ended = service.jobs.get(job.id)
    assert ended is not None and ended.state == "done"
    return ended


def message(service: Service) -> dict[str, Any]:
    with service.database.reading() as connection:
        return dict(connection.execute(select(deliveries)).mappings().one())


# Jobs.


def test_a_job_whose_message_was_lost_is_sent_again(service, maintenance, redis_server):
    job = submit_pdf(service)
    assert service.queue.depth("prepare") == 1
    redis_server.wipe()
    assert maintenance.sweep() == 0, "it was sent a moment ago"
    set_columns(service.database, job, sent=ago(60))
    assert maintenance.sweep() == 1
    assert service.queue.depth("prepare") == 1
    assert maintenance.sweep() == 0


def test_a_job_whose_message_waits_is_not_sent_twice(service, maintenance):
    job = submit_pdf(service)
    set_columns(service.database, job, sent=ago(DAY))
    assert maintenance.sweep() == 0
    assert service.queue.depth("prepare") == 1


def test_what_a_dead_worker_held_is_sent_again(service, maintenance):
    job = submit_pdf(service)
    service.queue._app.control.purge()
    service.jobs.claim(job.id, "prepare", "host:1")
    assert maintenance.sweep() == 0
    end_lease(service.database, job)
    assert maintenance.sweep() == 2, "released, and sent"
    assert (service.jobs.get(job.id).state, service.queue.depth("prepare")) == ("queued", 1)


def test_a_document_that_was_taken_in_while_the_broker_was_away_is_sent_when_it_is_back(tmp_path, redis_url):
    with service_in(tmp_path, broker_url=NO_BROKER) as without_broker:
        jobs = [submit_pdf(without_broker, pdf(f"Rechnung {number}")) for number in range(3)]
        assert [job.state for job in jobs] == ["queued"] * 3
        assert Maintenance(without_broker).sweep() == 0, "and the maintenance logs it and goes on"
    with service_in(tmp_path, broker_url=redis_url) as service:
        assert Maintenance(service).sweep() == 3
        assert service.queue.depth("prepare") == 3


def test_a_broker_that_goes_away_in_the_middle_loses_nothing(service, maintenance, monkeypatch):
    jobs = [submit_pdf(service, pdf(f"Rechnung {number}")) for number in range(4)]
    service.queue._app.control.purge()
    JobSweeper(service.database).mark_unsent(jobs)
    original, calls = service.queue.send, []

    def send(stage: str, job: Job) -> None:
        calls.append(job.id)
        if len(calls) > 2:
            raise QueueError("it went away")
        original(stage, job)

    monkeypatch.setattr(service.queue, "send", send)
    assert maintenance.sweep() == 2
    monkeypatch.undo()
    assert maintenance.sweep() == 2
    assert service.queue.depth("prepare") == 4


def test_interactive_documents_are_handed_out_first(service, redis_url):
    slow, fast = submit_pdf(service, pdf("1")), submit_pdf(service, pdf("2"), priority=1)
    app = service.queue._app
    with app.connection_for_read() as connection, connection.SimpleQueue(app.amqp.queues["docpipe.prepare"]) as queue:
        assert [queue.get(timeout=120).payload[0] for _ in range(2)] == [[fast.id], [slow.id]]


# Originals past their time.


def test_originals_and_pictures_go_after_their_time_and_results_stay(service, maintenance):
    old, fresh = done(service), done(service, pdf("Rechnung R-2041", "another"))
    set_columns(service.database, old, ended=ago(3 * DAY))
    set_columns(service.database, fresh, ended=ago(DAY))
    assert maintenance.sweep() == 1
    folder = Path(service.settings.blob_url)
    assert not (folder / job_prefix(old.id)).exists()
    assert service.blobs.has(original_key(fresh.id))
    assert job_result(service, service.jobs.get(old.id))["fields"]["gross_total"]["value"] == "1234.50"
    assert service.jobs.get(old.id).purged is not None
    assert maintenance.sweep() == 0
    assert retry_job(service, old.id) is None, "there is nothing left to read"
    assert retry_job(service, fresh.id).state == "queued"


def test_originals_stay_where_nobody_said_how_long(tmp_path, redis_url):
    with service_in(tmp_path, broker_url=redis_url) as service:
        job = done(service)
        set_columns(service.database, job, ended=ago(3000 * DAY))
        assert Maintenance(service).sweep() == 0
        assert service.blobs.has(original_key(job.id))


def test_an_original_that_cannot_be_deleted_now_is_deleted_later(service, maintenance, monkeypatch):
    jobs = [done(service, pdf("Rechnung R-2041", str(number))) for number in range(2)]
    for job in jobs:
        set_columns(service.database, job, ended=ago(3 * DAY))
    original = service.blobs.delete

    def delete(prefix: str) -> None:
        if prefix == job_prefix(jobs[0].id):
            raise StoreError("the disk does not answer")
        original(prefix)

    monkeypatch.setattr(service.blobs, "delete", delete)
    assert maintenance.sweep() == 1
    monkeypatch.undo()
    assert maintenance.sweep() == 0, "a disk that does not answer is left alone for a while"
    maintenance._delete_from = 0.0
    assert maintenance.sweep() == 1
    assert not any(service.blobs.has(original_key(job.id)) for job in jobs)


# Messages.


def test_a_webhook_is_delivered_once_and_tried_again_with_the_same_id(service, maintenance):
    with webhook_receiver() as receiver:
        receiver.statuses = [500, 200]
        job = done(service, callback={"url": receiver.url})
        assert maintenance.deliver() == 1
        assert message(service)["last_error"] == "OSError: the receiver answered 500"
        assert maintenance.deliver() == 0, "it waits"
        make_deliveries_due(service.database)
        assert maintenance.deliver() == 1
        make_deliveries_due(service.database)
        assert maintenance.deliver() == 0
    first, second = receiver.calls
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body and job.id.encode() in first.body
    assert (message(service)["delivered"] is not None, message(service)["attempts"]) == (True, 2)


def test_a_receiver_that_is_gone_is_not_called_again(service, maintenance):
    with webhook_receiver() as receiver:
        receiver.statuses = [410]
        done(service, callback={"url": receiver.url})
        maintenance.deliver()
        make_deliveries_due(service.database)
        assert maintenance.deliver() == 0
        assert len(receiver.calls) == 1
    assert (message(service)["given_up"], service.view.undelivered()) == (True, {"waiting": 0, "given_up": 1})


def test_a_receiver_in_our_own_network_is_not_called(tmp_path, redis_url):
    with service_in(tmp_path, broker_url=redis_url, webhook_secret=SECRET) as service, webhook_receiver() as receiver:
        done(service, callback={"url": receiver.url})
        Maintenance(service).deliver()
        assert receiver.calls == []
        assert message(service)["given_up"] and "internal" in message(service)["last_error"]


def test_a_webhook_is_given_up_where_there_is_no_secret_any_more(tmp_path, redis_url):
    with webhook_receiver() as receiver:
        with service_in(tmp_path, broker_url=redis_url, **HOOKS) as service:
            done(service, callback={"url": receiver.url})
        with service_in(tmp_path, broker_url=redis_url) as service:
            Maintenance(service).deliver()
            assert message(service)["given_up"] and "SECRET" in message(service)["last_error"]
        assert receiver.calls == []


def test_one_receiver_that_does_not_answer_holds_up_no_other(service, maintenance, monkeypatch):
    """The second message arrives while the first is still on its way."""
    arrived = threading.Event()
    original = module.WebhookClient.post

    def post(self, delivery) -> None:
        if "slow" in delivery.target["url"]:
            assert arrived.wait(120)
            return
        original(self, delivery)
        arrived.set()

    monkeypatch.setattr(module.WebhookClient, "post", post)
    with webhook_receiver() as receiver:
        done(service, callback={"url": f"{receiver.url}/slow"})
        done(service, pdf("Rechnung R-2041", "2"), callback={"url": receiver.url})
        assert maintenance.deliver() == 2
        assert len(receiver.calls) == 1
    assert service.view.undelivered() == {"waiting": 0, "given_up": 0}


def test_who_waits_for_an_answer_gets_it(service, maintenance, redis_url):
    job = done(service, callback={"answer": "task-1"})
    assert maintenance.deliver() == 1
    with Celery(broker=redis_url, backend=redis_url, set_as_current=False) as app:
        answer = AsyncResult("task-1", app=app).get(timeout=120)
    assert (answer["task_id"], answer["job_id"], answer["run_key"]) == ("task-1", job.id, job.run_key)
    assert answer["fields"]["gross_total"]["value"] == "1234.50"


def test_the_task_that_was_named_gets_the_answer_as_its_argument(service, maintenance, redis_url):
    job = done(service, callback={"answer": "task-1", "task": "shop.bill", "queue": "shop"})
    assert maintenance.deliver() == 1
    with Connection(redis_url) as connection, connection.SimpleQueue("shop") as queue:
        received = queue.get(timeout=120)
        assert received.headers["task"] == "shop.bill"
        (arguments, *_) = received.payload
        assert [argument["job_id"] for argument in arguments] == [job.id]
        received.ack()


def test_an_answer_whose_result_was_deleted_is_given_up(service, maintenance, monkeypatch):
    done(service, callback={"answer": "task-1"})
    monkeypatch.setattr(module, "job_result", lambda service, job: None)
    maintenance.deliver()
    assert message(service)["given_up"] and "deleted" in message(service)["last_error"]


def test_a_job_that_was_begun_again_is_not_answered_before_it_has_ended(service, maintenance):
    job = done(service, callback={"answer": "task-1"})
    retry_job(service, job.id)
    maintenance.deliver()
    assert message(service)["given_up"] and "begun again" in message(service)["last_error"]


def test_an_answer_waits_while_the_broker_is_away(tmp_path, redis_url):
    with service_in(tmp_path, broker_url=redis_url) as service:
        done(service, callback={"answer": "task-1"})
    with service_in(tmp_path, broker_url=NO_BROKER) as service:
        Maintenance(service).deliver()
        assert not message(service)["given_up"] and "QueueError" in message(service)["last_error"]
    with service_in(tmp_path, broker_url=redis_url) as service:
        make_deliveries_due(service.database)
        Maintenance(service).deliver()
        assert message(service)["delivered"] is not None


# The process.


def test_one_process_sweeps_and_another_takes_over_when_it_is_gone(service):
    lock = LeaderLock(service.database, LOCK_NAME)
    lock.acquire("another", timedelta(days=1))
    job = submit_pdf(service)
    JobSweeper(service.database).mark_unsent([job])
    with webhook_receiver() as receiver, maintained(service, name="me"):
        done(service, pdf("Rechnung R-2041", "2"), callback={"url": receiver.url})
        wait_until(lambda: bool(receiver.calls), "messages are delivered by both")
        assert column_of(service.database, job, "sent") is None
        lock.release("another")
        wait_until(lambda: column_of(service.database, job, "sent") is not None, "the job is sent")
        assert lock.holder() == "me"
    assert lock.holder() is None, "who stops releases it"


@pytest.mark.parametrize("error", [StoreError("the server is starting up"), KeyError("a bug")])
def test_the_maintenance_goes_on_after_a_sweep_that_failed(service, monkeypatch, error):
    job, original, sweeps = submit_pdf(service), JobSweeper.release_expired, []
    JobSweeper(service.database).mark_unsent([job])

    def sweep(self, stage):
        sweeps.append(stage)
        if len(sweeps) < 3:
            raise error
        return original(self, stage)

    monkeypatch.setattr(JobSweeper, "release_expired", sweep)
    with maintained(service):
        wait_until(lambda: column_of(service.database, job, "sent") is not None, "the job is sent")


def test_threads_that_ask_at_once_open_one_database(tmp_path, monkeypatch):
    """The maintenance delivers with several threads, the API answers with forty."""
    opened_stores = []

    def opened(url: str) -> SqlStore:
        opened_stores.append(url)
        return SqlStore(url)

    monkeypatch.setattr(service_module, "SqlStore", opened)
    with service_in(tmp_path) as service:
        start = threading.Barrier(8)
        threads = [threading.Thread(target=lambda: start.wait() or service.store) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened_stores) == 1


def test_nothing_to_do_is_nothing_done(service, maintenance):
    assert (maintenance.sweep(), maintenance.deliver()) == (0, 0)
    with service.database.reading() as connection:
        assert connection.execute(select(jobs)).all() == []
