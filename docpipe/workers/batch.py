"""Several documents that one worker understands at a time: a model on a graphics card takes hardly longer for eight
than for one.

In: claimed jobs of the same schema and model. Out: an end for each of them: its result is stored, or what was wrong
with it is written to it alone. What stops them all is for the desk, which gives them back: they are tried again one by
one (docs/decisions/0013-batches-claimed-from-sql.md).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from celery.exceptions import SoftTimeLimitExceeded

from docpipe import pipeline
from docpipe.components import Components
from docpipe.data import Extraction, PreparedDocument
from docpipe.errors import DocpipeError, MissingError
from docpipe.log import log_context
from docpipe.result import RunIdentity
from docpipe.schema import Schema, load_schema
from docpipe.store.jobs.job_store import Job
from docpipe.store.jobs.prepared_pages import load_pages
from docpipe.trace import span
from docpipe.workers.lease import Lease

if TYPE_CHECKING:
    from docpipe.workers.task_runner import TaskRunner

log = logging.getLogger("docpipe.worker")


@dataclass(frozen=True, slots=True)
class Asked:
    """Work for the model, and the jobs that want it: more than one where the same bytes were sent again."""

    prepared: PreparedDocument
    run: RunIdentity
    jobs: list[Job]


class Batch:
    def __init__(self, desk: TaskRunner, held: Lease, components: Components) -> None:
        self._desk, self._held, self._components = desk, held, components
        self._size, self._started = len(held.jobs), perf_counter()

    def answer(self) -> None:
        """Raises what stopped them all; `held` has those that have no end yet."""
        first, *more = self._held.jobs
        facts = {"batch": self._size, "jobs": [job.id for job in self._held.jobs]}
        if more:
            log.info("understand: %d documents at a time", self._size, extra={"context": facts})
        with ExitStack() as spans:
            for job in more:  # the desk has begun that of the first
                spans.enter_context(span("understand", job.trace, job=job.id, batch=self._size))
            schema = load_schema(first.schema)
            asked = self._asked(schema)
            if asked:
                self._ask(asked, schema)

    def _asked(self, schema: Schema) -> list[Asked]:
        """What needs the model. Pages that are lost are read again, and what is known already is not asked."""
        asked: dict[str, Asked] = {}
        for job in self._held.jobs:
            with self._by_itself(job):
                sides = self._components.parts.picture_sides
                document, pages, timings = load_pages(self._desk.service.blobs, job.id, sides=sides)
                run = pipeline.plan(document, schema, self._components.parts, self._components.policy)
                known = self._desk.known(run, schema)
                if known is not None:
                    self._end(job, run, known, paid=False)
                elif run.key in asked:
                    asked[run.key].jobs.append(job)
                else:
                    self._desk.begin(run, schema)
                    asked[run.key] = Asked(PreparedDocument(pages, timings), run, [job])
        return list(asked.values())

    def _ask(self, asked: list[Asked], schema: Schema) -> None:
        extractor, policy = self._components.parts.extractor, self._components.policy
        prepared, runs = [one.prepared for one in asked], [one.run for one in asked]
        answers = pipeline.understand_many(prepared, schema, extractor=extractor, runs=runs, policy=policy)
        for one, answer in zip(asked, answers, strict=True):
            failure: Exception | None = None
            try:
                made = self._desk.stored(one.run, schema, answer)
            except SoftTimeLimitExceeded:
                raise
            except Exception as error:  # noqa: BLE001 - it is raised again below
                failure = error
            for job in one.jobs:
                with self._by_itself(job):
                    if failure is not None:
                        raise failure
                    self._end(job, one.run, made, paid=job is one.jobs[0])
                if isinstance(failure, DocpipeError):
                    failure.cost = {}  # the first job's

    def _end(self, job: Job, run: RunIdentity, made: Extraction, *, paid: bool) -> None:
        self._desk.finish(job, run, made, paid=paid)
        self._held.remove(job)
        seconds = perf_counter() - self._started
        log.info("understand: done", extra={"context": {"seconds": seconds, "batch": self._size}})

    @contextmanager
    def _by_itself(self, job: Job) -> Iterator[None]:
        """What goes wrong with this job touches no other. The time limit is for all of them."""
        with log_context(job=job.id, document=job.document_id):
            try:
                yield
            except SoftTimeLimitExceeded:
                raise
            except MissingError as error:
                self._desk.read_again(job, error)
                self._held.remove(job)
            except Exception as error:  # noqa: BLE001 - the desk writes it to the job
                self._desk.stopped(job, "understand", error)
                self._held.remove(job)
