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
from docpipe.api import Kit, choose_kit
from docpipe.data import Document, Extraction
from docpipe.errors import ConflictError, DocpipeError, EncryptedError, MissingError, StoreError
from docpipe.ingest import ingest
from docpipe.log import about
from docpipe.pipeline import Prepared
from docpipe.rasterise import PageRasteriser
from docpipe.read import PageReader
from docpipe.render import Renderer
from docpipe.result import Run
from docpipe.schema import Schema, load_schema
from docpipe.service import Service, Wish, addressed
from docpipe.store.blobs import opened, original_key
from docpipe.store.jobs import ENDED, LOCAL, Job, Stage
from docpipe.store.prepared import keep, kept
from docpipe.store.usage import Usage
from docpipe.trace import span
from workers.lease import Lease
from workers.order import PRIORITIES, Order

log = logging.getLogger("docpipe.worker")
WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # seconds for a database that is away; after half a minute it is the keeper's
REPORT = "This is a bug in docpipe. Please report it, with the document if you may share it."
LOCKED = "Send a copy without a password: none is ever stored, so workers have none."
T = TypeVar("T")


@dataclass
class Desk:
    service: Service
    _kits: dict[tuple[str, float], Kit] = field(default_factory=dict)

    def prepare(self, job_id: str) -> None:
        """Read the pages and keep them for whoever understands them."""
        job = self._take(job_id, "prepare")
        if job is not None:
            with about(job=job.id, document=job.document_id), span("prepare", job.trace, job=job.id):
                self._work(job, "prepare", self._read_pages)

    def understand(self, job_id: str) -> None:
        """Answer the schema from the kept pages and store the result."""
        job = self._take(job_id, "understand")
        if job is not None:
            with about(job=job.id, document=job.document_id), span("understand", job.trace, job=job.id):
                self._work(job, "understand", self._answer)

    def process(self, order: Order) -> dict[str, Any] | None:
        """Take a document in by its reference, and read its pages at once. None: the answer comes when it has ended, or
        goes to another task. What is refused has its answer now. Raises StoreError or QueueError: try again later."""
        # a message that comes again is not looked into: its file may be gone, and its answer may have been given
        job = self.service.jobs.known(LOCAL, order.key)
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
                return self._refused(order, DocpipeError(f"{type(error).__name__}: {error}", hint=REPORT))
        if job.state in ENDED and "task" not in order.answer_to:
            answer = self.service.answer(job)
            return None if answer is None else addressed(answer, order.task_id, job.id)
        self.prepare(job.id)
        return None

    def _taken_in(self, order: Order) -> Job:
        order.check()
        self.service.check_schema(order.schema)
        with opened(order.reference, self.service.settings.references) as (source, name):
            wish = Wish(order.schema, PRIORITIES[order.priority], LOCAL, order.key, order.answer_to)
            return self.service.submit(source, name, wish, tell=False)

    def _refused(self, order: Order, error: DocpipeError) -> dict[str, Any] | None:
        facts = {"reference": order.reference, "task": order.task_id, "code": error.code}
        log.warning("refused: %s", error, extra={"facts": facts})
        answer, target = order.refused(error), order.answer_to
        if "task" not in target:
            return answer
        self.service.sender.call(target["task"], target["queue"], answer)
        return None

    def _read_pages(self, job: Job) -> None:
        """Raises MissingError for an original that is not the one that was taken in."""
        with self.service.blobs.local(original_key(job.id)) as path:
            document = replace(ingest(path, renderer=self._renderer), name=job.name)
            if document.id != job.document_id:
                raise MissingError(
                    f"{self.service.blobs.url}: the original of {job.name} is damaged: its sha256 is another"
                )
            self.service.store.add(replace(document, path=Path()))
            rasteriser = PageRasteriser(self._renderer)
            prepared = pipeline.prepare(document, rasteriser=rasteriser, reader=self._reader)
            keep(self.service.blobs, job.id, document, prepared.pages, prepared.timings)
        if self._patiently(lambda: self.service.jobs.hand_on(job)):
            self.service.tell(replace(job, state="prepared"))
        else:
            self._clear_if_deleted(job)

    def _answer(self, job: Job) -> None:
        try:
            document, pages, timings = kept(self.service.blobs, job.id)
            self._answer_from(job, document, Prepared(pages, timings))
        except MissingError as error:
            log.warning("%s: its pages are read again", error)
            lost = error
            if not self._patiently(lambda: self.service.jobs.give_back(job, "prepare", lost)):
                self._clear_if_deleted(job)

    def _answer_from(self, job: Job, document: Document, prepared: Prepared) -> None:
        schema, kit, store = load_schema(job.schema), self._kit(job), self.service.store
        run = pipeline.plan(document, schema, kit.parts, kit.judge)
        known = store.find(run.key)
        extraction = known.extraction if known is not None else None
        if extraction is None:
            extraction = self._made(schema, kit, prepared, run)
        else:
            store.make_current(run.key, schema.chosen(extraction.schema))
        found, used = extraction, Usage.of(extraction)
        if not self._patiently(lambda: self.service.jobs.finish(job, run.key, found.status, used)):
            self._clear_if_deleted(replace(job, run_key=run.key))

    def _made(self, schema: Schema, kit: Kit, prepared: Prepared, run: Run) -> Extraction:
        """A new result, stored; or what went wrong, stored with the attempt."""
        store, name = self.service.store, _name_of(schema)
        store.claim(run.document_id, run.key, schema=name)
        try:
            extractor = kit.parts.extractor
            made = pipeline.understand(prepared, schema, extractor=extractor, run=run, judge=kit.judge)
        except DocpipeError as error:
            reason = error
            self._patiently(lambda: store.fail(run.document_id, run.key, None, reason, schema=name))
            raise
        self._patiently(lambda: store.save(made, schema.chosen(made.schema)))
        return made

    def _take(self, job_id: str, stage: Stage) -> Job | None:
        with about(job=job_id):
            job = self._patiently(lambda: self.service.jobs.claim(job_id, stage, self._name))
            if job is None:
                log.info("not free: ended, or another worker has it")
        return job

    def _work(self, job: Job, stage: Stage, work: Callable[[Job], None]) -> None:
        """What stopped the work is written to the job."""
        started = perf_counter()
        try:
            with Lease(self.service.jobs, job, longest=self.service.settings.task_seconds):
                work(job)
        except EncryptedError as error:
            self._stopped(job, stage, EncryptedError(error.message, hint=LOCKED), again=False)
        except DocpipeError as error:
            self._stopped(job, stage, error, again=error.retryable)
        except SoftTimeLimitExceeded:
            self._stopped(job, stage, self._too_slow(), again=True)
        except Exception as error:
            log.exception("a bug")
            self._stopped(job, stage, DocpipeError(f"{type(error).__name__}: {error}", hint=REPORT), again=True)
        else:
            log.info("%s: done", stage, extra={"facts": {"seconds": perf_counter() - started}})

    def _stopped(self, job: Job, stage: Stage, error: DocpipeError, *, again: bool) -> None:
        """Given back, where it may go better next time; otherwise the document has ended."""
        log.warning("%s: %s", stage, error, extra={"facts": {"code": error.code, "attempt": job.attempts}})
        jobs, store = self.service.jobs, self.service.store
        if not self._patiently(lambda: jobs.give_back(job, stage, error) if again else jobs.fail(job, error)):
            self._clear_if_deleted(job)
        elif not again and stage == "prepare":
            self._patiently(lambda: store.fail(job.document_id, None, None, error))  # whatever the schema

    def _clear_if_deleted(self, job: Job) -> None:
        """A job that is not ours any more was deleted, or another worker has it."""
        if self._patiently(lambda: self.service.jobs.get(job.id)) is None:
            self._patiently(lambda: self.service.forget(job))

    def _too_slow(self) -> DocpipeError:
        seconds = self.service.settings.task_seconds
        return DocpipeError(f"it took longer than {seconds:g} seconds", hint="DOCPIPE_TASK_SECONDS is the limit.")

    def _patiently(self, work: Callable[[], T]) -> T:
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

    def _kit(self, job: Job) -> Kit:
        """The parts for a job's model, kept for the next one."""
        key = (job.model, job.accept_error)
        if key not in self._kits:
            self._kits[key] = choose_kit(job.model, job.accept_error, self.service.settings.limits(), threads=1)
        return self._kits[key]


def _name_of(schema: Schema) -> str | None:
    """None before it is known which schema a document is of."""
    return None if schema.choices else schema.name
