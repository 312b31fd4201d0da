"""Seconds by step of a document's way through the service, in one process with real servers.

In: how many documents. Out: seconds a document, by step, in the order of the way.
"""

from __future__ import annotations

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.service.documents import invoice, write_script
from benchmarks.service.service_harness import stand
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
    "prepare: draw the kept pictures", "prepare: write them as WebP", "prepare: write pictures and words",
    "prepare: hand on", "prepare: the message", "prepare: the rest",
    "understand: claim", "understand: read words and plan", "flow: extract, ground, decide, validate",
    "understand: save the result", "understand: finish", "understand: the rest",
    "keeper: deliver an answer",
)  # fmt: skip


def steps(documents: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="docpipe-steps-") as folder:
        model = write_script(Path(folder) / "script.json")
        with stand(model) as whole:
            service = whole.service()
            runner, keeper = TaskRunner(service), Maintenance(service)
            try:
                _way(runner, keeper, range(WARM), Stopwatch())
                watch = Stopwatch()
                _way(runner, keeper, range(WARM, WARM + documents), watch)
            finally:
                runner.close()
                service.close()
    assert set(watch.seconds) <= set(STEPS), set(watch.seconds) - set(STEPS)
    return {step: watch.seconds[step] / documents for step in STEPS}


def _way(runner: TaskRunner, keeper: Maintenance, numbers: range, watch: Stopwatch) -> None:
    """All documents through one stage, then all through the next, as a backlog goes."""
    service, jobs = runner.service, []
    contents = [invoice(number) for number in numbers]
    with watch.timing(_of_submit(service)):
        for number, content in zip(numbers, contents, strict=True):
            with watch.step("submit: the rest"):
                wish = SubmitOptions(callback={"answer": f"load-{number}"})
                jobs.append(submit_document(service, io.BytesIO(content), f"{number}.pdf", wish).id)
    with watch.timing(_of_prepare(service)):
        for job in jobs:
            with watch.step("prepare: the rest"):
                runner.prepare(job)
    with watch.timing(_of_understand(service)):
        for job in jobs:
            with watch.step("understand: the rest"):
                runner.understand(job)
    with watch.step("keeper: deliver an answer"):
        while keeper.deliver():
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
        TimedFunction("prepare: draw the kept pictures", task_runner, "save_pages"),  # what it calls counts for itself
        TimedFunction("prepare: write them as WebP", prepared_pages, "_webp"),
        TimedFunction("prepare: write pictures and words", service.blobs, "put"),
        TimedFunction("prepare: hand on", service.jobs, "mark_prepared"),
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
