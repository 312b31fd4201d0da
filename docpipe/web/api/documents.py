"""Documents over HTTP: sent in, asked about, listed, tried again, deleted.

In: requests with a key. Out: JSON; a document that was taken in has an id under which all else is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from docpipe.service.job_actions import delete_job, retry_job
from docpipe.service.submit import check_schema, submit_document
from docpipe.store.blobs import open_reference
from docpipe.store.jobs.job import ENDED, Job, JobState
from docpipe.store.jobs.job_view import MAX_PAGE_SIZE, JobFilter
from docpipe.web.api.authentication import CurrentService, ReadKey, SubmitKey, changeable_job, visible_job
from docpipe.web.api.event_stream import JobWatcher
from docpipe.web.api.models import (
    EXAMPLE,
    SHA256,
    DocumentList,
    SubmittedDocument,
    error_responses,
    example,
    submitted_document,
)
from docpipe.web.api.problems import ApiError, gone, not_found
from docpipe.web.api.upload_form import UploadForm, openapi_request_body

router = APIRouter(prefix="/v1/documents", tags=["documents"])
MAX_WAIT = 60.0  # seconds of one request
ACCEPTED = {"Location": {"description": "where its status is", "schema": {"type": "string"}}}
QUEUED = EXAMPLE | {
    "state": "queued", "status": None, "attempts": 0, "ended": None, "result_url": None,
}  # fmt: skip


@router.post(
    "",
    status_code=202,
    summary="Send a document in",
    responses=error_responses(400, 408, 409, 415) | {202: example("Taken in", QUEUED) | {"headers": ACCEPTED}},
    openapi_extra=openapi_request_body(),
)
def submit(
    request: Request, response: Response, key: SubmitKey, service: CurrentService, upload: UploadForm
) -> SubmittedDocument:
    """The bytes are kept and the document is in the database when this answers; the work comes later, also when the
    broker is away. With an `Idempotency-Key` a repeated request gives the document of the first one."""
    check_schema(service.settings, upload.options.schema)
    if upload.source is not None:
        job = submit_document(service, upload.source, upload.name, upload.options, max_bytes=key.max_bytes)
    else:
        with open_reference(upload.reference, service.settings.references) as (source, name):
            job = submit_document(service, source, name, upload.options, max_bytes=key.max_bytes)
    document = submitted_document(job, request)
    response.headers["location"] = document.status_url
    return document


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """The query parameters of a list. Times without a zone are UTC."""

    state: Annotated[list[JobState] | None, Query(description="may be given several times", examples=[["done"]])] = None
    status: Annotated[Literal["complete", "needs_review"] | None, Query(description="of the result")] = None
    schema: Annotated[str | None, Query(max_length=200, examples=["invoice"])] = None
    document_id: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", examples=[SHA256])] = None
    created_since: Annotated[datetime | None, Query(examples=["2026-01-31T00:00:00Z"])] = None
    created_before: Annotated[datetime | None, Query(examples=["2026-02-01T00:00:00Z"])] = None


@router.get(
    "",
    summary="List documents, newest first",
    responses=error_responses(400) | {200: example("A page of the list", {"documents": [EXAMPLE], "next": None})},
)
def list_documents(
    request: Request,
    key: ReadKey,
    service: CurrentService,
    filters: Annotated[DocumentFilter, Depends()],
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE_SIZE)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> DocumentList:
    """One's own; with the role `review` or `admin` everybody's."""
    chosen = JobFilter(
        states=tuple(filters.state or ()),
        status=filters.status,
        schema=filters.schema,
        document_id=filters.document_id,
        owner=None if key.sees_all else key.id,
        created_since=_utc("created_since", filters.created_since),
        created_before=_utc("created_before", filters.created_before),
    )
    page, next_cursor = service.view.page(chosen, limit=limit, after=cursor)
    return DocumentList(documents=[submitted_document(job, request) for job in page], next=next_cursor)


@router.get(
    "/{id}", summary="How far a document is", responses=error_responses(404) | {200: example("Its state", EXAMPLE)}
)
async def status(
    request: Request,
    key: ReadKey,
    service: CurrentService,
    id: str,  # noqa: A002 - the name in the URL
    wait: Annotated[float, Query(ge=0, le=MAX_WAIT, description="seconds to wait for its end", examples=[30])] = 0.0,
) -> SubmittedDocument:
    """With `wait` the answer comes as soon as the document has ended, and after so many seconds at the latest."""
    job: Job | None = await run_in_threadpool(visible_job, service, key, id)
    if wait and job is not None and job.state not in ENDED:
        watcher: JobWatcher = request.app.state.watcher
        job = await watcher.wait_for_end(job, wait)
    if job is None:
        raise not_found(id)
    return submitted_document(job, request)


@router.post(
    "/{id}/retry",
    status_code=202,
    summary="Try a document again that has ended",
    responses=error_responses(404, 409, 410) | {202: example("It waits again", QUEUED) | {"headers": ACCEPTED}},
)
def retry(request: Request, response: Response, key: SubmitKey, service: CurrentService, id: str) -> SubmittedDocument:  # noqa: A002
    """From the beginning, with attempts of its own. What was stored stays until there is a new result."""
    job = changeable_job(service, key, id)
    if job.purged is not None:
        raise gone("the original")
    retried = retry_job(service, id)
    if retried is None:
        raise ApiError(409, "not_ended", f"the document is {job.state}", "Only what has ended is tried again.")
    document = submitted_document(retried, request)
    response.headers["location"] = document.status_url
    return document


@router.delete(
    "/{id}",
    status_code=204,
    response_class=Response,
    summary="Delete a document and all that belongs to it",
    responses=error_responses(404) | {204: {"description": "It is gone"}},
)
def delete(key: SubmitKey, service: CurrentService, id: str) -> None:  # noqa: A002
    """The original, the pictures, the result and its webhooks; at once, also while a worker has it."""
    changeable_job(service, key, id)
    if not delete_job(service, id):
        raise not_found(id)


def _utc(name: str, time: datetime | None) -> datetime | None:
    """Raises Refusal for the ends of the calendar."""
    if time is None or time.tzinfo is None:
        return None if time is None else time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC)
    except OverflowError as error:
        raise ApiError(422, "invalid", f"{name}: there is no such time in UTC", "Give a year of ours.") from error
