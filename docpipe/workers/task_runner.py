"""What a task does with a job: claim it, run its stage, pass it on. All that can go wrong ends in SQL.

In: ids of jobs. Out: changed jobs. One task runner per process; models are loaded with the first job that needs them.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components, worker_limits
from docpipe.errors import REPORT_HINT, ConflictError, DocpipeError, MissingError, ModelError, StoreError, UsageError
from docpipe.ingest import ingest
from docpipe.log import log_context
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.service.job_actions import job_result, task_reply
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, check_schema, submit_document
from docpipe.store.blobs import open_reference, original_key
from docpipe.store.jobs.job import ENDED, LOCAL_OWNER, Job, Stage
from docpipe.store.jobs.prepared_pages import StoredPages, save_pages
from docpipe.trace import span
from docpipe.workers.job_batch import JobBatch
from docpipe.workers.lease import Lease
from docpipe.workers.outcomes import OutcomeRecorder, retry_store
from docpipe.workers.process_request import PRIORITIES, ProcessRequest

log = logging.getLogger("docpipe.worker")


@dataclass
class TaskRunner:
    service: Service
    _components: dict[ModelName, Components] = field(default_factory=dict)

    def close(self) -> None:
        """Ends the child processes that draw pages, and forgets the models."""
        if "_renderer" in self.__dict__:
            self._renderer.close()
        for components in self._components.values():
            components.close()
        self._components.clear()

    def prepare(self, job_id: str) -> None:
        """Read the pages and store them for the second stage."""
        job = self._claim(job_id, "prepare")
        if job is not None:
            with log_context(job=job.id, document=job.document_id), span("prepare", job.trace, job=job.id):
                self._run_stage(job, "prepare", self._prepare_pages)

    def understand(self, job_id: str) -> None:
        """Answer the schema from the stored pages, and store the result. A model that takes several documents at a
        time gets further jobs that wait for it; their own messages find nothing to do then."""
        job = self._claim(job_id, "understand")
        if job is not None:
            with log_context(job=job.id, document=job.document_id), span("understand", job.trace, job=job.id):
                self._run_stage(job, "understand", self._understand_batch)

    def process(self, request: ProcessRequest) -> dict[str, Any] | None:
        """Take a document in by its reference, and read its pages at once. None: the answer comes when the job has
        ended, or goes to another task. What is refused has its answer now. Raises StoreError or QueueError: try again
        later."""
        # a message that comes again is not checked: its file may be gone, and its answer may have been given
        job = self.service.jobs.find_by_idempotency_key(LOCAL_OWNER, request.idempotency_key)
        if job is None:
            try:
                job = self._submit(request)
            except StoreError:
                raise
            except ConflictError:  # a second worker had the same message, and its file was changed between the two
                return None
            except DocpipeError as error:
                return self._refuse(request, error)
            except SoftTimeLimitExceeded:
                return self._refuse(request, self._recorder.time_limit_error())
            except Exception as error:
                log.exception("a bug")
                return self._refuse(request, DocpipeError(f"{type(error).__name__}: {error}", hint=REPORT_HINT))
        if job.state in ENDED and "task" not in request.callback_target:
            record = job_result(self.service, job)
            return None if record is None else task_reply(record, request.task_id, job.id)
        self.prepare(job.id)
        return None

    def _submit(self, request: ProcessRequest) -> Job:
        request.check()
        check_schema(self.service.settings, request.schema)
        options = SubmitOptions(
            schema=request.schema,
            priority=PRIORITIES[request.priority],
            owner=LOCAL_OWNER,
            idempotency_key=request.idempotency_key,
            callback=request.callback_target,
        )
        with open_reference(request.reference, self.service.settings.references) as (source, name):
            return submit_document(self.service, source, name, options, enqueue=False)

    def _refuse(self, request: ProcessRequest, error: DocpipeError) -> dict[str, Any] | None:
        facts = {"reference": request.reference, "task": request.task_id, "code": error.code}
        log.warning("refused: %s", error, extra={"context": facts})
        reply, target = request.refusal(error), request.callback_target
        if "task" not in target:
            return reply
        self.service.queue.call_task(target["task"], target["queue"], reply)
        return None

    def _claim(self, job_id: str, stage: Stage) -> Job | None:
        with log_context(job=job_id):
            job = retry_store(lambda: self.service.jobs.claim(job_id, stage, self._worker_name))
            if job is None:
                log.info("not free: ended, or another worker has it")
        return job

    def _run_stage(self, job: Job, stage: Stage, work: Callable[[Lease], None]) -> None:
        """What stopped the work is written to the job, or to each of a batch that has no end yet."""
        started = perf_counter()
        lease = Lease(self.service.jobs, job, time_limit=self.service.settings.task_seconds)
        try:
            with lease:
                work(lease)
        except Exception as error:  # noqa: BLE001 - it is written to the jobs
            in_batch = len(lease.jobs) > 1
            for leased_job in lease.jobs:
                with log_context(job=leased_job.id, document=leased_job.document_id):
                    self._recorder.failed(leased_job, stage, error, in_batch=in_batch)
        else:
            if lease.jobs:  # a batch has logged the end of each of its jobs
                log.info("%s: done", stage, extra={"context": {"seconds": perf_counter() - started}})

    def _prepare_pages(self, lease: Lease) -> None:
        """Raises MissingError for an original whose bytes are not those that were taken in."""
        (job,) = lease.jobs
        with self.service.blobs.local(original_key(job.id)) as path:
            document = replace(ingest(path, renderer=self._renderer), name=job.name)
            if document.id != job.document_id:
                raise MissingError(
                    f"{self.service.blobs.url}: the original of {job.name} is damaged: its sha256 is another"
                )
            self.service.store.add(replace(document, path=Path()))
            rasteriser = PageRasteriser(self._renderer)
            prepared = pipeline.prepare(document, rasteriser=rasteriser, reader=self._reader)
            sides = ModelName.parse(job.model).picture_sides
            save_pages(self.service.blobs, job.id, StoredPages(document, prepared.pages, prepared.timings), sides=sides)
        self._recorder.prepared(job)

    def _understand_batch(self, lease: Lease) -> None:
        (job,) = lease.jobs
        components = self._components_for(job)
        batch_size = min(components.parts.extractor.batch_size, self.service.settings.batch)
        batch_mates = retry_store(lambda: self.service.jobs.claim_batch_mates(job, self._worker_name, batch_size - 1))
        lease.add(batch_mates)
        JobBatch(self._recorder, lease, components).run()

    def _components_for(self, job: Job) -> Components:
        """The parts for a job's model, kept for the next one. A setting that is wrong is no document's fault: the model
        counts as away until it is mended."""
        model = ModelName.parse(job.model)
        if model not in self._components:
            settings = self.service.settings
            for other in [loaded for loaded in self._components if loaded.is_local]:  # a card has room for one
                self._components.pop(other).close()
            try:
                threads = worker_limits(model, settings, jobs=1).threads
                self._components[model] = load_components(model, settings, threads=threads)
            except UsageError as error:
                raise ModelError(error.message, hint=error.hint) from error
        components = self._components[model]
        return replace(components, policy=replace(components.policy, accept_error=job.accept_error))

    @cached_property
    def _recorder(self) -> OutcomeRecorder:
        return OutcomeRecorder(self.service)

    @cached_property
    def _worker_name(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}"

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(self.service.settings.limits())

    @cached_property
    def _reader(self) -> PageReader:
        return PageReader(self._renderer, threads=1)
