"""What became of a job, written to SQL: a result, a failure, or another try later.

In: claimed jobs, and extractions or exceptions. Out: changed rows of `jobs`, `extractions` and `attempts`. A database
that is away is waited for. What was written about a job that was deleted meanwhile is removed again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from celery.exceptions import SoftTimeLimitExceeded

from docpipe.data import Extraction
from docpipe.errors import REPORT_HINT, DocpipeError, EncryptedError, MissingError, StoreError
from docpipe.result import RunIdentity
from docpipe.schema import Schema
from docpipe.service.job_actions import delete_remains
from docpipe.service.service import Service
from docpipe.store.jobs.job import Job, Stage
from docpipe.store.jobs.usage import JobUsage

log = logging.getLogger("docpipe.worker")
STORE_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds between tries while the database is away. After half a minute in all the job is left to the maintenance."""

PASSWORD_HINT = "Send a copy without a password: none is ever stored, so workers have none."  # noqa: S105 - a sentence
T = TypeVar("T")


@dataclass(frozen=True)
class OutcomeRecorder:
    """One per process, as its service."""

    service: Service

    def stored_result(self, run: RunIdentity, schema: Schema) -> Extraction | None:
        """The result of the same work, if there is one; it is current again from now on."""
        stored = self.service.store.find(run.key)
        if stored is None or stored.extraction is None:
            return None
        self.service.store.make_current(run.key, schema.chosen(stored.extraction.schema))
        return stored.extraction

    def begin_attempt(self, run: RunIdentity, schema: Schema) -> None:
        self.service.store.claim(run.document_id, run.key, schema=_schema_name(schema), extractor=run.extractor)

    def store_answer(self, run: RunIdentity, schema: Schema, answer: Extraction | DocpipeError) -> Extraction:
        """The extraction, stored. An error is stored with the attempt, and raised."""
        store, name = self.service.store, _schema_name(schema)
        if isinstance(answer, DocpipeError):
            retry_store(lambda: store.fail(run.document_id, run.key, None, answer, schema=name))
            raise answer
        retry_store(lambda: store.save(answer, schema.chosen(answer.schema)))
        return answer

    def prepared(self, job: Job) -> None:
        """The pages of the job are stored: it waits for the next stage."""
        if retry_store(lambda: self.service.jobs.mark_prepared(job)):
            self.service.enqueue(replace(job, state="prepared"))
        else:
            self._clean_up_if_deleted(job)

    def finished(self, job: Job, run: RunIdentity, extraction: Extraction, *, charge_cost: bool) -> None:
        """`charge_cost`: the extraction was made for this job, and its cost is this job's."""
        usage = JobUsage.of(extraction) if charge_cost else JobUsage.of(extraction).without_cost()
        if not retry_store(lambda: self.service.jobs.finish(job, run.key, extraction.status, usage)):
            self._clean_up_if_deleted(replace(job, run_key=run.key))

    def pages_lost(self, job: Job, error: MissingError) -> None:
        """The stored pages of the job are gone: back to the first stage."""
        log.warning("%s: its pages are read again", error)
        if not retry_store(lambda: self.service.jobs.retry_later(job, "prepare", error)):
            self._clean_up_if_deleted(job)

    def failed(self, job: Job, stage: Stage, reason: Exception, *, in_batch: bool = False) -> None:
        """Another try later where that may help, otherwise the end of the job. `in_batch`: the failure is one of
        several jobs at once, and may be the fault of any of them: each is tried again by itself."""
        error = self._as_docpipe_error(reason, in_batch=in_batch)
        retry = error.retryable or error is not reason or in_batch
        if isinstance(error, EncryptedError):
            error, retry = EncryptedError(error.message, hint=PASSWORD_HINT), False
        log.warning("%s: %s", stage, error, extra={"context": {"code": error.code, "attempt": job.attempts}})
        jobs, store = self.service.jobs, self.service.store
        if not retry_store(lambda: jobs.retry_later(job, stage, error) if retry else jobs.fail(job, error)):
            self._clean_up_if_deleted(job)
        elif not retry and stage == "prepare":
            retry_store(lambda: store.fail(job.document_id, None, None, error))  # whatever the schema

    def time_limit_error(self, more: str = "") -> DocpipeError:
        seconds = self.service.settings.task_seconds
        return DocpipeError(f"it took longer than {seconds:g} seconds{more}", hint="DOCPIPE_TASK_SECONDS is the limit.")

    def _as_docpipe_error(self, reason: Exception, *, in_batch: bool) -> DocpipeError:
        if isinstance(reason, DocpipeError):
            return reason
        if isinstance(reason, SoftTimeLimitExceeded):
            return self.time_limit_error(" together with others; it is tried alone" if in_batch else "")
        log.error("a bug", exc_info=reason)
        return DocpipeError(f"{type(reason).__name__}: {reason}", hint=REPORT_HINT)

    def _clean_up_if_deleted(self, job: Job) -> None:
        """A job that is no longer this worker's was deleted, or another worker has it."""
        if retry_store(lambda: self.service.jobs.get(job.id)) is None:
            retry_store(lambda: delete_remains(self.service, job))


def retry_store(work: Callable[[], T]) -> T:
    """A database that restarts is waited for: what was worked out is not thrown away. Raises StoreError in the end."""
    for wait in STORE_WAITS:
        try:
            return work()
        except StoreError as error:
            log.warning("%s; waiting %g s", error, wait)
            time.sleep(wait)
    return work()


def _schema_name(schema: Schema) -> str | None:
    """None before it is known which schema a document is of."""
    return None if schema.choices else schema.name
