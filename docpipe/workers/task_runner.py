"""What a task does with a job: take it, do its stage, hand it on. All that can go wrong ends in SQL.

In: ids of jobs. Out: changed jobs. One desk per process; models are loaded with the first job that needs them.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from docpipe import pipeline
from docpipe.components import Components, ModelName, load_components, worker_limits
from docpipe.data import Extraction
from docpipe.errors import (
    REPORT_HINT,
    ConflictError,
    DocpipeError,
    EncryptedError,
    MissingError,
    ModelError,
    StoreError,
    UsageError,
)
from docpipe.ingest import ingest
from docpipe.log import log_context
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.result import RunIdentity
from docpipe.schema import Schema
from docpipe.service.submit import Service, SubmitOptions, task_reply
from docpipe.store.blobs import open_reference, original_key
from docpipe.store.jobs.job_store import ENDED, LOCAL_OWNER, Job, Stage
from docpipe.store.jobs.prepared_pages import save_pages
from docpipe.store.jobs.usage import JobUsage
from docpipe.trace import span
from docpipe.workers.batch import Batch
from docpipe.workers.lease import Lease
from docpipe.workers.process_request import PRIORITIES, ProcessRequest

log = logging.getLogger("docpipe.worker")
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds for a database that is away; after half a minute it is the keeper's
LOCKED = "Send a copy without a password: none is ever stored, so workers have none."
T = TypeVar("T")


@dataclass
class TaskRunner:
    service: Service
    _components: dict[ModelName, Components] = field(default_factory=dict)

    def prepare(self, job_id: str) -> None:
        """Read the pages and keep them for whoever understands them."""
        job = self._take(job_id, "prepare")
        if job is not None:
            with log_context(job=job.id, document=job.document_id), span("prepare", job.trace, job=job.id):
                self._work(job, "prepare", self._read_pages)

    def understand(self, job_id: str) -> None:
        """Answer the schema from the kept pages and store the result. A model that takes several documents at a time
        gets more of those that wait for it; their own messages find nothing to do then."""
        job = self._take(job_id, "understand")
        if job is not None:
            with log_context(job=job.id, document=job.document_id), span("understand", job.trace, job=job.id):
                self._work(job, "understand", self._answer)

    def process(self, order: ProcessRequest) -> dict[str, Any] | None:
        """Take a document in by its reference, and read its pages at once. None: the answer comes when it has ended, or
        goes to another task. What is refused has its answer now. Raises StoreError or QueueError: try again later."""
        # a message that comes again is not looked into: its file may be gone, and its answer may have been given
        job = self.service.jobs.find_by_idempotency_key(LOCAL_OWNER, order.idempotency_key)
        if job is None:
            try:
                job = self._taken_in(order)
            except StoreError:
                raise
            except ConflictError:  # a second worker had the same message, and its file was changed between the two
                return None
            except DocpipeError as error:
                return self._refused(order, error)
            except SoftTimeLimitExceeded:
                return self._refused(order, self._too_slow())
            except Exception as error:
                log.exception("a bug")
                return self._refused(order, DocpipeError(f"{type(error).__name__}: {error}", hint=REPORT_HINT))
        if job.state in ENDED and "task" not in order.callback_target:
            answer = self.service.answer(job)
            return None if answer is None else task_reply(answer, order.task_id, job.id)
        self.prepare(job.id)
        return None

    def _taken_in(self, order: ProcessRequest) -> Job:
        order.check()
        self.service.check_schema(order.schema)
        with open_reference(order.reference, self.service.settings.references) as (source, name):
            wish = SubmitOptions(
                order.schema, PRIORITIES[order.priority], LOCAL_OWNER, order.idempotency_key, order.callback_target
            )
            return self.service.submit(source, name, wish, enqueue=False)

    def _refused(self, order: ProcessRequest, error: DocpipeError) -> dict[str, Any] | None:
        facts = {"reference": order.reference, "task": order.task_id, "code": error.code}
        log.warning("refused: %s", error, extra={"context": facts})
        answer, target = order.refusal(error), order.callback_target
        if "task" not in target:
            return answer
        self.service.queue.call_task(target["task"], target["queue"], answer)
        return None

    def _read_pages(self, held: Lease) -> None:
        """Raises MissingError for an original that is not the one that was taken in."""
        (job,) = held.jobs
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
            save_pages(self.service.blobs, job.id, document, prepared.pages, prepared.timings, sides=sides)
        if self.patiently(lambda: self.service.jobs.mark_prepared(job)):
            self.service.enqueue(replace(job, state="prepared"))
        else:
            self._clear_if_deleted(job)

    def _answer(self, held: Lease) -> None:
        (job,) = held.jobs
        components = self._components_for(job)
        most = min(components.parts.extractor.batch_size, self.service.settings.batch)
        more = self.patiently(lambda: self.service.jobs.claim_batch_mates(job, self._name, most - 1))
        held.add(more)
        Batch(self, held, components).answer()

    def known(self, run: RunIdentity, schema: Schema) -> Extraction | None:
        """The result of the same work, which is shown again then."""
        found = self.service.store.find(run.key)
        if found is None or found.extraction is None:
            return None
        self.service.store.make_current(run.key, schema.chosen(found.extraction.schema))
        return found.extraction

    def begin(self, run: RunIdentity, schema: Schema) -> None:
        self.service.store.claim(run.document_id, run.key, schema=_name_of(schema), extractor=run.extractor)

    def stored(self, run: RunIdentity, schema: Schema, answer: Extraction | DocpipeError) -> Extraction:
        """A new result, stored; or what went wrong, stored with the attempt and raised."""
        store, name = self.service.store, _name_of(schema)
        if isinstance(answer, DocpipeError):
            self.patiently(lambda: store.fail(run.document_id, run.key, None, answer, schema=name))
            raise answer
        self.patiently(lambda: store.save(answer, schema.chosen(answer.schema)))
        return answer

    def finish(self, job: Job, run: RunIdentity, made: Extraction, *, paid: bool) -> None:
        """`paid`: the result was made for this job, and its cost is this job's."""
        used = JobUsage.of(made) if paid else JobUsage.of(made).without_cost()
        if not self.patiently(lambda: self.service.jobs.finish(job, run.key, made.status, used)):
            self._clear_if_deleted(replace(job, run_key=run.key))

    def read_again(self, job: Job, error: MissingError) -> None:
        """Its pages are lost: back to the first stage."""
        log.warning("%s: its pages are read again", error)
        if not self.patiently(lambda: self.service.jobs.retry_later(job, "prepare", error)):
            self._clear_if_deleted(job)

    def _take(self, job_id: str, stage: Stage) -> Job | None:
        with log_context(job=job_id):
            job = self.patiently(lambda: self.service.jobs.claim(job_id, stage, self._name))
            if job is None:
                log.info("not free: ended, or another worker has it")
        return job

    def _work(self, job: Job, stage: Stage, work: Callable[[Lease], None]) -> None:
        """What stopped the work is written to the job. What stopped the work on several at a time may be the fault of
        one of them: they are given back, and each is tried alone."""
        started = perf_counter()
        held = Lease(self.service.jobs, job, time_limit=self.service.settings.task_seconds)
        try:
            with held:
                work(held)
        except Exception as error:  # noqa: BLE001 - it is written to the jobs
            together = len(held.jobs) > 1
            for each in held.jobs:
                with log_context(job=each.id, document=each.document_id):
                    self.stopped(each, stage, error, together=together)
        else:
            if held.jobs:  # those of a batch have each said so
                log.info("%s: done", stage, extra={"context": {"seconds": perf_counter() - started}})

    def stopped(self, job: Job, stage: Stage, reason: Exception, *, together: bool = False) -> None:
        """Given back, where it may go better next time; otherwise the document has ended."""
        error = self._explained(reason, together)
        again = error.retryable or error is not reason or together
        if isinstance(error, EncryptedError):
            error, again = EncryptedError(error.message, hint=LOCKED), False
        log.warning("%s: %s", stage, error, extra={"context": {"code": error.code, "attempt": job.attempts}})
        jobs, store = self.service.jobs, self.service.store
        if not self.patiently(lambda: jobs.retry_later(job, stage, error) if again else jobs.fail(job, error)):
            self._clear_if_deleted(job)
        elif not again and stage == "prepare":
            self.patiently(lambda: store.fail(job.document_id, None, None, error))  # whatever the schema

    def _explained(self, reason: Exception, together: bool) -> DocpipeError:
        if isinstance(reason, DocpipeError):
            return reason
        if isinstance(reason, SoftTimeLimitExceeded):
            return self._too_slow(" together with others; it is tried alone" if together else "")
        log.error("a bug", exc_info=reason)
        return DocpipeError(f"{type(reason).__name__}: {reason}", hint=REPORT_HINT)

    def _clear_if_deleted(self, job: Job) -> None:
        """A job that is not ours any more was deleted, or another worker has it."""
        if self.patiently(lambda: self.service.jobs.get(job.id)) is None:
            self.patiently(lambda: self.service.forget(job))

    def _too_slow(self, more: str = "") -> DocpipeError:
        seconds = self.service.settings.task_seconds
        return DocpipeError(f"it took longer than {seconds:g} seconds{more}", hint="DOCPIPE_TASK_SECONDS is the limit.")

    def patiently(self, work: Callable[[], T]) -> T:
        """A database that starts again is waited for: what was worked out is not thrown away."""
        for wait in WAITS:
            try:
                return work()
            except StoreError as error:
                log.warning("%s; waiting %g s", error, wait)
                time.sleep(wait)
        return work()

    @cached_property
    def _name(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}"

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(self.service.settings.limits())

    @cached_property
    def _reader(self) -> PageReader:
        return PageReader(self._renderer, threads=1)

    def _components_for(self, job: Job) -> Components:
        """The parts for a job's model, kept for the next one. A setting that is wrong is no document's fault: the model
        is away until it is mended."""
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


def _name_of(schema: Schema) -> str | None:
    """None before it is known which schema a document is of."""
    return None if schema.choices else schema.name
