"""The log of the service: lines that a program can read, and on each that is about a document, which one it is."""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path

import pytest

from benchmarks.service.servers import START_SECONDS, Program, environment, running, wait_until, worker
from docpipe import pipeline
from docpipe.log import JsonFormatter, TextFormatter, configure_logging, log_context
from docpipe.service.service import Service
from docpipe.store.blobs import job_prefix
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.tables import jobs
from docpipe.workers.lease import Lease
from docpipe.workers.task_runner import TaskRunner
from tests.support.processes import KILLS, Gate
from tests.support.serving import ANSWER, end_wait, hasten_renewals, pdf, scripted_model, service_in, submit_pdf

TEXT = re.compile(r"\d\d:\d\d:\d\d (?P<level>\w+) +(?P<message>.*?)(?:  \[(?P<context>.*)\])?")
OF_NO_DOCUMENT = re.compile(r"^Connected to|ready\.$|^Process ")  # the last is a child, not what it worked on


def test_every_line_of_a_worker_about_a_document_has_its_id(redis_url: str, tmp_path: Path):
    """Two workers write JSON, one text; a document that is damaged, one whose pages get lost, one that takes its
    worker with it, and messages that came twice."""
    model = scripted_model(tmp_path, [{"when": KILLS, "invoice_number": KILLS}, ANSWER])
    with service_in(tmp_path, broker_url=redis_url, model=model) as service:
        chosen = service.settings.model_dump(include={"database_url", "blob_url", "broker_url", "model"})
        reader = _worker(tmp_path / "reader.log", "docpipe.prepare", chosen, "json")
        understander = _worker(tmp_path / "understander.log", "docpipe.understand", chosen, "text")
        killed = _worker(tmp_path / "killed.log", "docpipe.understand", chosen, "json")
        broken, lost = submit_pdf(service, b"%PDF-1.7\nnothing", "broken.pdf"), submit_pdf(service, name="lost.pdf")
        states = lambda *chosen: [service.jobs.get(job.id).state for job in chosen]  # noqa: E731
        with running(reader):
            wait_until(lambda: states(broken, lost) == ["failed", "prepared"], "pages are read")
            (tmp_path / "blobs" / job_prefix(lost.id) / "pages.json").unlink()
            service.queue.send("prepare", broken)
            with running(understander):
                wait_until(lambda: states(lost) == ["queued"], "the loss is seen")
                end_wait(service.database, lost)
                service.queue.send("prepare", lost)  # the work of maintenance
                wait_until(lambda: "understand: done" in understander.output(), "all is done, and said")
            wait_until(lambda: "not free" in reader.output(), "the second message is seen")
            deadly = _submit_deadly(service, tmp_path)
            with running(killed):
                wait_until(lambda: "WorkerLostError" in killed.output(), "the loss of a child is seen")
                wait_until(lambda: "not free" in killed.output(), "its message comes again")

        lines = [json.loads(line) for line in (reader.output() + killed.output()).splitlines() if line.startswith("{")]
        about_documents = [line for line in lines if not OF_NO_DOCUMENT.search(line["message"])]
        assert {line.get("job") for line in about_documents} == {broken.id, lost.id, deadly.id}
        assert {line["level"] for line in about_documents} == {"info", "warning", "error"}
        assert [line["job"] for line in about_documents if "WorkerLostError" in line["message"]] == [deadly.id]

        texts = [match for line in understander.output().splitlines() if (match := TEXT.fullmatch(line))]
        about_documents = [line for line in texts if not OF_NO_DOCUMENT.search(line["message"])]
        assert {line["level"] for line in about_documents} == {"info", "warning"}
        assert [line[0] for line in about_documents if f"job={lost.id}" not in str(line["context"])] == []


def _worker(log: Path, queue: str, chosen: dict[str, object], style: str) -> Program:
    settings = environment(**chosen, log_format=style)
    return worker(settings, log, "--without-gossip", "--without-mingle", queues=queue)


def _submit_deadly(service: Service, folder: Path) -> Job:
    """A document that kills the process in which it is understood."""
    content = pdf(f"Rechnung {KILLS}")
    return submit_pdf(service, content, "deadly.pdf", schema=Gate(folder).schema)


def test_an_error_with_its_traceback_stays_one_line_of_json(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(pipeline, "prepare", fail)
    with service_in(tmp_path, broker_url=redis_url) as service:
        job = submit_pdf(service)
        configure_logging("json")
        runner = TaskRunner(service)
        runner.prepare(job.id)
        runner.close()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (bug,) = [line for line in lines if "error" in line]
    assert bug["job"] == job.id
    assert bug["level"] == "error"
    assert bug["error"].startswith("Traceback") and bug["error"].endswith("RuntimeError: first\nsecond")
    assert {line["job"] for line in lines} == {job.id}


def test_the_thread_that_renews_a_lease_names_the_document(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    hasten_renewals(monkeypatch)
    with service_in(tmp_path, broker_url=redis_url) as service:
        submitted = submit_pdf(service)
        job = service.jobs.claim(submitted.id, "prepare", "a worker")
        with service.database.writing() as connection:
            jobs.drop(connection)
        configure_logging("json")
        chunks: list[str] = []

        def is_logged() -> bool:
            chunks.append(capsys.readouterr().err)
            return "not renewed" in "".join(chunks)

        with log_context(job=job.id), Lease(service.jobs, job, time_limit=START_SECONDS):
            wait_until(is_logged, "it is logged")
    lines = [json.loads(line) for line in "".join(chunks).splitlines()]
    assert {(line["job"], line["level"]) for line in lines} == {(job.id, "warning")}


def test_work_in_one_thread_does_not_name_the_document_of_another():
    line = logging.LogRecord("docpipe", logging.INFO, "", 0, "done", (), None)
    output: list[str] = []
    with log_context(job="one"):
        other = threading.Thread(target=lambda: output.append(JsonFormatter().format(line)))
        other.start()
        other.join()
        with log_context(document="two"):
            assert json.loads(JsonFormatter().format(line)).items() >= {"job": "one", "document": "two"}.items()
    assert "job" not in json.loads(output[0])
    assert "job" not in json.loads(JsonFormatter().format(line))


def test_a_name_with_line_breaks_cannot_add_a_line_to_the_log():
    line = logging.LogRecord("docpipe", logging.INFO, "", 0, "refused: %s", ("a.pdf\n12:00:00 info all is well",), None)
    line.context = {"reference": "b\r\n\x1b[2Kc"}
    assert TextFormatter().format(line).splitlines()[0].endswith("[reference=b   [2Kc]")
    assert len(TextFormatter().format(line).splitlines()) == 1
    assert len(JsonFormatter().format(line).splitlines()) == 1
    assert TEXT.fullmatch(TextFormatter().format(line))["level"] == "info"


def test_the_ids_of_jobs_can_be_copied_from_the_text():
    line = logging.LogRecord("docpipe", logging.INFO, "", 0, "done", (), None)
    with log_context(job="0123456789abcdef" * 2, document="fedcba9876543210" * 4, seconds=1.23456):
        context = TEXT.fullmatch(TextFormatter().format(line))["context"]
    assert context == "job=0123456789abcdef0123456789abcdef document=fedcba987654 seconds=1.235"
