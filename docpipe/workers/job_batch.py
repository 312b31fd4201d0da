"""Several documents in one call of the model: on a graphics card eight take hardly longer than one.

In: claimed jobs of the same schema and model. Out: an end for each of them: its result is stored, or what was wrong
with it is written to it alone. What stops them all is raised; the task runner then tries each of them by itself
(docs/decisions/0013-batches-claimed-from-sql.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter

from celery.exceptions import SoftTimeLimitExceeded

from docpipe import pipeline
from docpipe.components import Components
from docpipe.data import Extraction, PreparedDocument
from docpipe.errors import DocpipeError, MissingError
from docpipe.log import log_context
from docpipe.result import RunIdentity
from docpipe.schema import Schema, load_schema
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.prepared_pages import load_pages
from docpipe.trace import span
from docpipe.workers.lease import Lease
from docpipe.workers.outcomes import OutcomeRecorder

log = logging.getLogger("docpipe.worker")


@dataclass(frozen=True, slots=True)
class ModelInput:
    """Pages for the model, and the jobs that wait for the answer: more than one where the same bytes were sent
    again."""

    prepared: PreparedDocument
    run: RunIdentity
    jobs: list[Job]


class JobBatch:
    def __init__(self, recorder: OutcomeRecorder, lease: Lease, components: Components) -> None:
        self._recorder, self._lease, self._components = recorder, lease, components
        self._size, self._started = len(lease.jobs), perf_counter()

    def run(self) -> None:
        """Raises what stopped them all; the lease then has the jobs that have no end yet."""
        first, *batch_mates = self._lease.jobs
        facts = {"batch": self._size, "jobs": [job.id for job in self._lease.jobs]}
        if batch_mates:
            log.info("understand: %d documents at a time", self._size, extra={"context": facts})
        with ExitStack() as spans:
            for job in batch_mates:  # the task runner has begun the span of the first
                spans.enter_context(span("understand", job.trace, job=job.id, batch=self._size))
            schema = load_schema(first.schema)
            inputs = self._model_inputs(schema)
            if inputs:
                self._run_model(inputs, schema)

    def _model_inputs(self, schema: Schema) -> list[ModelInput]:
        """What needs the model: a stored result is taken as it is, and lost pages are read again first."""
        inputs: dict[str, ModelInput] = {}
        for job in self._lease.jobs:
            with self._isolated(job):
                sides = self._components.parts.picture_sides
                stored = load_pages(self._recorder.service.blobs, job.id, sides=sides)
                run = pipeline.identify_run(stored.document, schema, self._components.parts, self._components.policy)
                extraction = self._recorder.stored_result(run, schema)
                if extraction is not None:
                    self._finish(job, run, extraction, charge_cost=False)
                elif run.key in inputs:
                    inputs[run.key].jobs.append(job)
                else:
                    self._recorder.begin_attempt(run, schema)
                    inputs[run.key] = ModelInput(PreparedDocument(stored.pages, stored.timings), run, [job])
        return list(inputs.values())

    def _run_model(self, inputs: list[ModelInput], schema: Schema) -> None:
        extractor, policy = self._components.parts.extractor, self._components.policy
        prepared, runs = [item.prepared for item in inputs], [item.run for item in inputs]
        reader = self._components.parts.reader
        answers = pipeline.understand_many(
            prepared, schema, extractor=extractor, runs=runs, policy=policy, reader=reader
        )
        for item, answer in zip(inputs, answers, strict=True):
            failure: Exception | None = None
            try:
                extraction = self._recorder.store_answer(item.run, schema, answer)
            except SoftTimeLimitExceeded:
                raise
            except Exception as error:  # noqa: BLE001 - it is raised again below
                failure = error
            for job in item.jobs:
                with self._isolated(job):
                    if failure is not None:
                        raise failure
                    self._finish(job, item.run, extraction, charge_cost=job is item.jobs[0])
                if isinstance(failure, DocpipeError):
                    failure.cost = {}  # it was counted for the first job

    def _finish(self, job: Job, run: RunIdentity, extraction: Extraction, *, charge_cost: bool) -> None:
        self._recorder.finished(job, run, extraction, charge_cost=charge_cost)
        self._lease.remove(job)
        seconds = perf_counter() - self._started
        log.info("understand: done", extra={"context": {"seconds": seconds, "batch": self._size}})

    @contextmanager
    def _isolated(self, job: Job) -> Iterator[None]:
        """What goes wrong with this job touches no other. The time limit is for all of them."""
        with log_context(job=job.id, document=job.document_id):
            try:
                yield
            except SoftTimeLimitExceeded:
                raise
            except MissingError as error:
                self._recorder.pages_lost(job, error)
                self._lease.remove(job)
            except Exception as error:  # noqa: BLE001 - it is written to the job
                self._recorder.failed(job, "understand", error)
                self._lease.remove(job)
