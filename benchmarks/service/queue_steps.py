"""Seconds by step of a document in the service, in one process with real servers.

In: how many documents. Out: seconds a document, by step, in the order in which they come.
"""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.service.documents import invoice, write_script
from benchmarks.service.service_harness import service_harness
from benchmarks.speed.stopwatch import Stopwatch, TimedFunction
from docpipe import pipeline
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs import prepared_pages
from docpipe.workers import job_batch, task_runner
from docpipe.workers.task_runner import TaskRunner

WARM = 3  # documents before the clock starts
STEPS = (  # `flow` is what `docpipe run` does as well
    "submit: its bytes into the blobs", "submit: its row", "submit: the message", "submit: the rest",
    "prepare: claim", "prepare: take the file in", "flow: rasterise and read",
    "prepare: draw the stored pictures", "prepare: write them as WebP", "prepare: write pictures and words",
    "prepare: mark prepared", "prepare: the message", "prepare: the rest",
    "understand: claim", "understand: read words and plan", "flow: extract, ground, decide, validate",
    "understand: save the result", "understand: finish", "understand: the rest",
    "maintenance: deliver an answer",
)  # fmt: skip


def steps(documents: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="docpipe-steps-") as folder:
        model = write_script(Path(folder) / "script.json")
        with service_harness(model) as harness:
            service = harness.service()
            runner, maintenance = TaskRunner(service), Maintenance(service)
            try:
                _process_all(runner, maintenance, range(WARM), Stopwatch())
                watch = Stopwatch()
                _process_all(runner, maintenance, range(WARM, WARM + documents), watch)
            finally:
                runner.close()
                service.close()
    assert set(watch.seconds) <= set(STEPS), set(watch.seconds) - set(STEPS)
    return {step: watch.seconds[step] / documents for step in STEPS}


def _process_all(runner: TaskRunner, maintenance: Maintenance, numbers: range, watch: Stopwatch) -> None:
    """All documents through one stage, then all through the next, as a backlog goes."""
    service, jobs = runner.service, []
    contents = [invoice(number) for number in numbers]
    with watch.timing(_of_submit(service)):
        for number, content in zip(numbers, contents, strict=True):
            with watch.step("submit: the rest"):
                options = SubmitOptions(callback={"answer": f"load-{number}"})
                jobs.append(submit_document(service, io.BytesIO(content), f"{number}.pdf", options).id)
    with watch.timing(_of_prepare(service)):
        for job in jobs:
            with watch.step("prepare: the rest"):
                runner.prepare(job)
    with watch.timing(_of_understand(service)):
        for job in jobs:
            with watch.step("understand: the rest"):
                runner.understand(job)
    with watch.step("maintenance: deliver an answer"):
        while maintenance.deliver():
            pass


def _of_submit(service: Service) -> list[TimedFunction]:
    return [
        TimedFunction("submit: its bytes into the blobs", service.blobs, "add_original"),
        TimedFunction("submit: its row", service.jobs, "submit"),
        TimedFunction("submit: the message", service.queue, "send"),
    ]


def _of_prepare(service: Service) -> list[TimedFunction]:
    return [
        TimedFunction("prepare: claim", service.jobs, "claim"),
        TimedFunction("prepare: take the file in", task_runner, "ingest"),
        TimedFunction("prepare: take the file in", service.store, "add"),
        TimedFunction("flow: rasterise and read", pipeline, "prepare"),
        TimedFunction("prepare: draw the stored pictures", task_runner, "save_pages"),  # without what it calls
        TimedFunction("prepare: write them as WebP", prepared_pages, "_webp"),
        TimedFunction("prepare: write pictures and words", service.blobs, "put"),
        TimedFunction("prepare: mark prepared", service.jobs, "mark_prepared"),
        TimedFunction("prepare: the message", service.queue, "send"),
    ]


def _of_understand(service: Service) -> list[TimedFunction]:
    return [
        TimedFunction("understand: claim", service.jobs, "claim"),
        TimedFunction("understand: read words and plan", job_batch, "load_pages"),
        TimedFunction("understand: read words and plan", job_batch, "load_schema"),
        TimedFunction("understand: read words and plan", pipeline, "identify_run"),
        TimedFunction("flow: extract, ground, decide, validate", pipeline, "understand_many"),
        TimedFunction("understand: save the result", service.store, "find"),
        TimedFunction("understand: save the result", service.store, "claim"),
        TimedFunction("understand: save the result", service.store, "save"),
        TimedFunction("understand: finish", service.jobs, "finish"),
    ]
