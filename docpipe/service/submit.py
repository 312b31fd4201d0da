"""The service as its shells use it: documents are taken in, asked about, tried again and deleted.

In: settings, and bytes with a wish. Out: jobs and answers. The HTTP API, the command line, the watched folder and other
programs' tasks all come in here.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, BinaryIO, TypeVar

from docpipe.config import Settings
from docpipe.errors import ConflictError, DocpipeError, QueueError, SchemaError, StoreError, UsageError
from docpipe.log import log_context
from docpipe.result import failed_record, record
from docpipe.schema import AUTO, load_schema
from docpipe.schema_lookup import shipped
from docpipe.service.queue import QueueClient, default_result_url
from docpipe.service.webhooks import DeliveryRefused, parse_secret, parse_webhook_url
from docpipe.store.blobs import Blobs, job_prefix
from docpipe.store.database import Database
from docpipe.store.jobs.job_store import BULK, LOCAL_OWNER, Job, JobStore, Submission
from docpipe.store.jobs.job_view import JobView
from docpipe.store.jobs.waiting import JobSweeper
from docpipe.store.results.result_store import SqlStore
from docpipe.trace import span, traceparent

log = logging.getLogger("docpipe.service.submit")
T = TypeVar("T")
MAX_NAME_LENGTH = 200  # characters of a file name
BROKER_PAUSE_SECONDS = 10.0  # seconds for which a broker that did not answer is not asked again: each time may take ten


class locked_cached_property(cached_property[T]):  # noqa: N801 - it is used as cached_property is
    """Made once, also when several threads ask for it first at the same moment: each database that is opened has
    connections of its own."""

    _lock = threading.RLock()

    def __get__(self, service: object, kind: type | None = None) -> T:  # type: ignore[override]
        with self._lock:
            made: T = super().__get__(service, kind)
            return made


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """What is wanted of a document. `callback` is {"url"}, {"answer"} or {"answer", "task", "queue"}."""

    schema: str = "invoice"
    priority: int = BULK
    owner: str = LOCAL_OWNER
    idempotency_key: str | None = None
    callback: Mapping[str, Any] | None = None


@dataclass
class Service:
    """One per process, opened when it is first used. `sender` is the workers' own in a worker."""

    settings: Settings
    queue: QueueClient
    _broker_paused_until: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Service:
        return cls(
            settings, QueueClient(settings.broker_url, default_result_url(settings.broker_url, settings.result_url))
        )

    @locked_cached_property
    def database(self) -> Database:
        return Database(self.settings.database_url)

    @locked_cached_property
    def jobs(self) -> JobStore:
        return JobStore(self.database, timedelta(seconds=self.settings.lease_seconds))

    @locked_cached_property
    def view(self) -> JobView:
        return JobView(self.database)

    @locked_cached_property
    def store(self) -> SqlStore:
        return SqlStore(self.settings.database_url)

    @locked_cached_property
    def blobs(self) -> Blobs:
        return Blobs(self.settings.blob_url)

    def close(self) -> None:
        for name in ("store", "database"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def submit(
        self, source: BinaryIO, name: str, options: SubmitOptions, *, max_bytes: int | None = None, enqueue: bool = True
    ) -> Job:
        """Take a document in: its bytes first, then its row, then word to the broker, which may be away. `most` bytes,
        below the service's own limit; without `tell` the caller does the work itself. Raises DocpipeError; what was
        raised for was not taken in."""
        self.check(options)
        job_id = uuid.uuid4().hex
        name = file_name(name)
        with log_context(job=job_id), span("submit", job=job_id):
            self.database.check()  # first: bytes without a row would lie there for ever
            limit = int(self.settings.max_bytes)
            sha256, size = self.blobs.add_original(job_id, source, max_bytes=min(limit, max_bytes or limit))
            submission = Submission(
                sha256, name, size, options.schema, self.settings.model, self.settings.accept_error, options.priority,
                options.owner, options.idempotency_key, options.callback, traceparent(),
            )  # fmt: skip
            try:
                job, is_new = self.jobs.submit(job_id, submission, sent=enqueue)
            except ConflictError:
                self._forget(job_id)
                raise
            if not is_new:
                self._forget(job_id)
            elif enqueue:
                self.enqueue(job)
            log.info("taken in" if is_new else "known already", extra={"context": {"document": sha256, "bytes": size}})
        return job

    def check(self, options: SubmitOptions) -> None:
        """Raises SchemaError or UsageError for what cannot be granted."""
        load_schema(options.schema)
        if options.callback and "url" in options.callback:
            if self.settings.webhook_secret is None:
                raise UsageError("webhooks are not set up here", hint="The operator sets DOCPIPE_WEBHOOK_SECRET.")
            parse_secret(self.settings.webhook_secret.get_secret_value())
            try:
                parse_webhook_url(str(options.callback["url"]))
            except DeliveryRefused as error:
                raise UsageError(str(error), hint="Give an https URL of yours.") from error

    def allowed_schemas(self) -> tuple[str, ...]:
        """What strangers may ask for: a path to a Python file of theirs would be run."""
        more = (name.strip() for name in self.settings.schemas.split(","))
        return (*shipped(), AUTO, *(name for name in more if name))

    def check_schema(self, name: str) -> None:
        """Raises SchemaError for a schema that strangers may not ask for."""
        if name not in self.allowed_schemas():
            raise SchemaError(
                f"there is no schema {name!r} here", hint=f"There are {', '.join(self.allowed_schemas())}."
            )

    def enqueue(self, job: Job) -> None:
        """The broker, that there is work. One that is away is told by the keeper."""
        try:
            if time.monotonic() < self._broker_paused_until:
                raise QueueError("the broker did not answer a moment ago")
            if self._broker_paused_until:  # one asks; the others do not wait with it
                self._broker_paused_until = time.monotonic() + BROKER_PAUSE_SECONDS
            self.queue.send("understand" if job.state == "prepared" else "prepare", job)
            self._broker_paused_until = 0.0
        except QueueError as error:
            self._broker_paused_until = self._broker_paused_until or time.monotonic() + BROKER_PAUSE_SECONDS
            log.warning("%s; the keeper sends it later", error)
            with suppress(StoreError):  # the job is in, and the keeper finds it
                JobSweeper(self.database).mark_unsent([job])

    def retry(self, job_id: str) -> Job | None:
        """An ended job from the beginning; None when it has not ended, is unknown, or its original was deleted."""
        job = self.view.retry(job_id)
        if job is not None:
            self.enqueue(job)
        return job

    def delete(self, job_id: str) -> bool:
        """The job with all that belongs to it. A worker that has it finds it gone. False when it is unknown."""
        if self.jobs.get(job_id) is None:
            return False
        self.blobs.delete(job_prefix(job_id))  # first: what fails here can be asked for again
        gone = self.view.delete(job_id)
        self.blobs.delete(job_prefix(job_id))  # a worker may have kept pages meanwhile
        return gone is not None

    def forget(self, job: Job) -> None:
        """What a worker wrote of a job that was deleted meanwhile."""
        self.view.delete_remains(job)
        self.blobs.delete(job_prefix(job.id))

    def answer(self, job: Job) -> dict[str, Any] | None:
        """What is known of an ended job, as a line of `docpipe run`'s result file; None when its result was deleted."""
        if job.state != "done" or job.run_key is None:
            failed = failed_record(job.name, job.schema, DocpipeError(f"it is {job.state}"), job.document_id)
            return {**failed, "error": job.error or failed["error"]}
        found = self.store.find(job.run_key)
        if found is None or found.extraction is None:
            return None
        schema = load_schema(job.schema).chosen(found.extraction.schema)
        return record(found.extraction, job.name, schema)

    def _forget(self, job_id: str) -> None:
        self.blobs.delete(job_prefix(job_id))


def task_reply(answer: Mapping[str, Any], task_id: str | None, job_id: str | None = None) -> dict[str, Any]:
    """An answer as other programs get it: with the task that asked, by which they know what it answers."""
    return {"task_id": task_id, "job_id": job_id, **answer}


def file_name(given: str) -> str:
    """The last part of a name from a stranger, whichever slashes it has; without control characters."""
    last = given.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME_LENGTH] or "document"
