"""Documents over time, through the API: waited for, followed, tried again, deleted with all that belongs to them."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

import docpipe.workers.task_runner
from benchmarks.service.servers import START_SECONDS
from docpipe.service.job_actions import delete_job
from docpipe.store.jobs.job import Job
from docpipe.web.api import event_stream
from docpipe.web.api.event_stream import JobWatcher
from tests.support.serving import pdf
from tests.support.web import Api, blob_names, error_code

NOT_OF_DOCUMENTS = {"api_keys", "usage", "duties", "typed_tables", "typed_columns", "docpipe_version"}


Act = Callable[[Job], object]


@pytest.fixture
def on_wait(api: Api, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Act], None]]:
    """What happens, in a thread of its own, when a client begins to wait for a change of the job as it knows it. It
    has ended before the API ends."""
    threads: list[threading.Thread] = []
    next_change = JobWatcher.next_change

    def set_act(act: Act) -> None:
        async def waited_for(self: JobWatcher, job: Job, seconds: float) -> Job | None:
            threads.append(threading.Thread(target=act, args=(job,)))
            threads[-1].start()
            return await next_change(self, job, seconds)

        monkeypatch.setattr(JobWatcher, "next_change", waited_for)

    yield set_act
    for thread in threads:
        thread.join()


def test_waiting_ends_as_soon_as_the_document_has_ended(api: Api, on_wait: Callable[[Act], None]):
    document = api.submit()
    answers: list[Any] = []
    own, waits = api.own_headers, threading.Event()
    on_wait(lambda _: waits.set())
    client_thread = threading.Thread(
        target=lambda: answers.append(api.get(f"{document['status_url']}?wait=60", own).json())
    )
    client_thread.start()
    assert waits.wait(START_SECONDS)
    assert not answers
    api.process(document)
    client_thread.join()
    assert answers[0]["state"] == "done" and answers[0]["result_url"]


def test_waiting_ends_after_the_time_that_was_asked_for_or_with_the_document(
    api: Api, on_wait: Callable[[Act], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(event_stream, "POLL_SECONDS", 0.05)
    document = api.submit()
    assert api.get(f"{document['status_url']}?wait=0.2").json()["state"] == "queued"
    on_wait(lambda job: delete_job(api.service, job.id))
    assert error_code(api.get(f"{document['status_url']}?wait=60")) == (404, "not_found")


def test_a_renewed_lease_is_no_news_for_whoever_waits(api: Api, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(event_stream, "POLL_SECONDS", 0.02)
    document = api.submit()
    job = api.service.jobs.claim(document["id"], "prepare", "a worker")
    watcher, polls = api.client.app.state.watcher, itertools.count(1)
    load = watcher.load

    def load_meanwhile(ids: Sequence[str]) -> Mapping[str, Job]:
        poll = next(polls)
        if poll == 2:
            assert api.service.jobs.renew(job)
        elif poll == 4:
            assert delete_job(api.service, job.id)
        return load(ids)

    monkeypatch.setattr(watcher, "load", load_meanwhile)
    assert events(api.get(f"{document['status_url']}/events")) == [("state", "preparing"), ("deleted", None)]


def events(answer: Any) -> list[tuple[str, str | None]]:
    """Names of server-sent events with the state in each."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    event_list = []
    for block in answer.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
        if "event" in lines:
            event_list.append((lines["event"], json.loads(lines["data"]).get("state")))
    return event_list


def test_changes_come_as_events_until_the_end(
    api: Api, on_wait: Callable[[Act], None], monkeypatch: pytest.MonkeyPatch
):
    """A worker takes each step when the client knows of the one before."""
    monkeypatch.setattr(event_stream, "POLL_SECONDS", 0.02)
    steps = {"queued": api.runner.prepare, "prepared": api.runner.understand}

    def work(job: Job) -> None:
        step = steps.pop(job.state, None)
        if step is not None:
            step(job.id)

    on_wait(work)
    document, own = api.submit(), api.own_headers
    streamed = api.get(f"{document['status_url']}/events", own)
    states = [state for _, state in events(streamed)]
    assert states[0] == "queued" and states[-1] == "done" and "prepared" in states
    last_event_id = [line for line in streamed.text.splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
    reconnected = api.get(f"{document['status_url']}/events", own | {"last-event-id": last_event_id})
    assert reconnected.status_code == 204, "a browser that connects again is told to stop"


def test_a_silent_stream_says_that_it_lives(api: Api, monkeypatch: pytest.MonkeyPatch):
    """Its time passes faster than ours."""
    now, next_change = 0.0, JobWatcher.next_change

    async def waited_for(self: JobWatcher, job: Job, seconds: float) -> Job | None:
        nonlocal now
        now += seconds
        return await next_change(self, job, 0.001)

    monkeypatch.setattr(event_stream, "monotonic", lambda: now)
    monkeypatch.setattr(JobWatcher, "next_change", waited_for)
    answer = api.get(f"{api.submit()['status_url']}/events")
    heartbeats = event_stream.MAX_STREAM_SECONDS / event_stream.HEARTBEAT_SECONDS
    assert answer.text.count(": it is still at work") == heartbeats >= 2
    assert events(answer) == [("state", "queued")]


def test_an_ended_document_is_tried_again_and_one_at_work_is_not(api: Api):
    document = api.submit(b"%PDF-1.7\n")
    assert error_code(api.request("POST", f"{document['status_url']}/retry")) == (409, "not_ended")
    assert api.process(document)["state"] == "failed"
    retried = api.request("POST", f"{document['status_url']}/retry")
    assert retried.status_code == 202 and retried.headers["location"] == document["status_url"]
    assert (retried.json()["state"], retried.json()["error"], retried.json()["ended"]) == ("queued", None, None)
    assert api.process(document)["state"] == "failed"


def left(api: Api) -> dict[str, int]:
    """Rows of each table, the typed ones too; and blobs."""
    with api.service.database.reading() as connection:
        names = set(inspect(connection).get_table_names()) - NOT_OF_DOCUMENTS
        counts = {name: connection.scalar(text(f'SELECT count(*) FROM "{name}"')) or 0 for name in names}
    assert {"jobs", "documents", "extractions", "attempts"} <= names
    return {name: count for name, count in {**counts, "blobs": len(blob_names(api.service))}.items() if count}


def test_deletion_leaves_nothing_behind(api_on_both: Api):
    api = api_on_both
    good, bad, waiting = api.submit(), api.submit(b"%PDF-1.7\n"), api.submit(pdf("another"))
    assert api.process(good)["state"] == "done" and api.process(bad)["state"] == "failed"
    assert left(api)["blobs"] >= 4 and left(api)["documents"] == 3 and left(api)["invoice"] == 1
    for document in (good, bad, waiting):
        assert api.request("DELETE", document["status_url"]).status_code == 204
        assert error_code(api.get(document["status_url"])) == (404, "not_found")
        assert error_code(api.request("DELETE", document["status_url"])) == (404, "not_found")
    assert left(api) == {}


def test_a_document_that_two_sent_in_is_there_until_both_have_deleted_it(api: Api):
    mine = api.process(api.submit())
    other = api.new_key("submit", "read")
    theirs = api.process(api.submit(headers=other))
    assert api.request("DELETE", mine["status_url"]).status_code == 204
    assert api.get(theirs["result_url"], other).json()["fields"]["gross_total"]["value"] == "119.00"
    assert api.get(f"{theirs['status_url']}/original", other).content == pdf()
    assert api.request("DELETE", theirs["status_url"], other).status_code == 204
    assert left(api) == {}


@pytest.mark.parametrize("content", [pdf(), b"%PDF-1.7\n"])
def test_what_a_worker_writes_of_a_deleted_document_is_deleted_too(
    api_on_both: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
):
    api = api_on_both
    document = api.submit(content)
    read = docpipe.workers.task_runner.ingest

    def deleted_meanwhile(path: Path, **more: Any) -> Any:
        """The worker has opened it: what it reads stays there for it."""
        copy = tmp_path / "copy"
        copy.write_bytes(path.read_bytes())
        assert api.request("DELETE", document["status_url"]).status_code == 204
        return read(copy, **more)

    monkeypatch.setattr(docpipe.workers.task_runner, "ingest", deleted_meanwhile)
    api.runner.prepare(document["id"])
    assert left(api) == {}
