"""Documents are taken in: their bytes are stored, a job is written, and the broker gets a message.

In: bytes with a file name, and options. Out: jobs. The HTTP API, the command line, the watched folder and other
programs' tasks all come in here.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from docpipe.config import Settings
from docpipe.errors import ConflictError, SchemaError, UsageError
from docpipe.log import log_context
from docpipe.schema import AUTO, load_schema
from docpipe.schema_lookup import shipped
from docpipe.service.service import Service
from docpipe.service.webhooks import DeliveryRefused, parse_secret, parse_webhook_url
from docpipe.store.blobs import job_prefix
from docpipe.store.jobs.job import BULK, LOCAL_OWNER, Job, Submission
from docpipe.trace import span, traceparent

log = logging.getLogger("docpipe.service.submit")
MAX_NAME_LENGTH = 200  # characters of a file name


@dataclass(frozen=True, slots=True)
class SubmitOptions:
    """What is asked for with a document. `callback` is {"url"}, {"answer"} or {"answer", "task", "queue"}."""

    schema: str = "invoice"
    priority: int = BULK
    owner: str = LOCAL_OWNER
    idempotency_key: str | None = None
    callback: Mapping[str, Any] | None = None


def submit_document(
    service: Service,
    source: BinaryIO,
    name: str,
    options: SubmitOptions,
    *,
    max_bytes: int | None = None,
    enqueue: bool = True,
) -> Job:
    """Store the bytes first, then the row, then send a message to the broker, which may be away. `max_bytes` is a limit
    below the service's own. Without `enqueue` the caller runs the job itself. Raises DocpipeError; then nothing was
    taken in."""
    check_options(service.settings, options)
    job_id, name = uuid.uuid4().hex, file_name(name)
    with log_context(job=job_id), span("submit", job=job_id):
        service.database.check()  # first: bytes without a row would lie there for ever
        limit = int(service.settings.max_bytes)
        sha256, size = service.blobs.add_original(job_id, source, max_bytes=min(limit, max_bytes or limit))
        submission = Submission(
            document_id=sha256,
            name=name,
            size=size,
            schema=options.schema,
            model=service.settings.model,
            accept_error=service.settings.accept_error,
            priority=options.priority,
            owner=options.owner,
            idempotency_key=options.idempotency_key,
            callback=options.callback,
            trace=traceparent(),
        )
        try:
            job, is_new = service.jobs.submit(job_id, submission, sent=enqueue)
        except ConflictError:
            service.blobs.delete(job_prefix(job_id))
            raise
        if not is_new:
            service.blobs.delete(job_prefix(job_id))
        elif enqueue:
            service.enqueue(job)
        log.info("taken in" if is_new else "known already", extra={"context": {"document": sha256, "bytes": size}})
    return job


def check_options(settings: Settings, options: SubmitOptions) -> None:
    """Raises SchemaError or UsageError for what cannot be granted."""
    load_schema(options.schema)
    if options.callback and "url" in options.callback:
        if settings.webhook_secret is None:
            raise UsageError("webhooks are not set up here", hint="The operator sets DOCPIPE_WEBHOOK_SECRET.")
        parse_secret(settings.webhook_secret.get_secret_value())
        try:
            parse_webhook_url(str(options.callback["url"]))
        except DeliveryRefused as error:
            raise UsageError(str(error), hint="Give an https URL of yours.") from error


def allowed_schemas(settings: Settings) -> tuple[str, ...]:
    """What strangers may ask for: a path to a Python file of theirs would be run."""
    configured = (name.strip() for name in settings.schemas.split(","))
    return (*shipped(), AUTO, *(name for name in configured if name))


def check_schema(settings: Settings, name: str) -> None:
    """Raises SchemaError for a schema that strangers may not ask for."""
    allowed = allowed_schemas(settings)
    if name not in allowed:
        raise SchemaError(f"there is no schema {name!r} here", hint=f"There are {', '.join(allowed)}.")


def file_name(name: str) -> str:
    """The last part of a name from a stranger, whichever slashes it has; without control characters."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:MAX_NAME_LENGTH] or "document"
