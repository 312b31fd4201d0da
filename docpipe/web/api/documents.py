"""Documents over HTTP: sent in, asked about, listed, tried again, deleted.

In: requests with a key. Out: JSON; a document that was taken in has an id under which all else is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from docpipe.store.blobs import opened
from docpipe.store.jobs.job_store import ENDED, Job, State
from docpipe.store.jobs.job_view import MOST, Wanted
from docpipe.web.api.authentication import Reading, Serving, Submitting, changeable, visible
from docpipe.web.api.event_stream import Follower
from docpipe.web.api.models import EXAMPLE, SHA256, Document, Listing, errors, example, shown
from docpipe.web.api.problems import Refusal, gone, not_found
from docpipe.web.api.upload_form import Uploading, described

router = APIRouter(prefix="/v1/documents", tags=["documents"])
LONGEST_WAIT = 60.0  # seconds of one request
ACCEPTED = {"Location": {"description": "where its status is", "schema": {"type": "string"}}}
QUEUED = EXAMPLE | {
    "state": "queued", "status": None, "attempts": 0, "ended": None, "result_url": None,
}  # fmt: skip


@router.post(
    "",
    status_code=202,
    summary="Send a document in",
    responses=errors(400, 408, 409, 415) | {202: example("Taken in", QUEUED) | {"headers": ACCEPTED}},
    openapi_extra=described(),
)
def submit(request: Request, response: Response, key: Submitting, service: Serving, upload: Uploading) -> Document:
    """The bytes are kept and the document is in the database when this answers; the work comes later, also when the
    broker is away. With an `Idempotency-Key` a repeated request gives the document of the first one."""
    service.check_schema(upload.wish.schema)
    if upload.source is not None:
        job = service.submit(upload.source, upload.name, upload.wish, most=key.max_bytes)
    else:
        with opened(upload.reference, service.settings.references) as (source, name):
            job = service.submit(source, name, upload.wish, most=key.max_bytes)
    document = shown(job, request)
    response.headers["location"] = document.status_url
    return document


@dataclass(frozen=True, slots=True)
class Filter:
    """Of a list. Times without a zone are UTC."""

    state: Annotated[list[State] | None, Query(description="may be given several times", examples=[["done"]])] = None
    status: Annotated[Literal["complete", "needs_review"] | None, Query(description="of the result")] = None
    schema: Annotated[str | None, Query(max_length=200, examples=["invoice"])] = None
    document_id: Annotated[str | None, Query(pattern="^[0-9a-f]{64}$", examples=[SHA256])] = None
    created_since: Annotated[datetime | None, Query(examples=["2026-01-31T00:00:00Z"])] = None
    created_before: Annotated[datetime | None, Query(examples=["2026-02-01T00:00:00Z"])] = None


@router.get(
    "",
    summary="List documents, newest first",
    responses=errors(400) | {200: example("A page of the list", {"documents": [EXAMPLE], "next": None})},
)
def listed(
    request: Request,
    key: Reading,
    service: Serving,
    wanted: Annotated[Filter, Depends()],
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before")] = None,
) -> Listing:
    """One's own; with the role `review` or `admin` everybody's."""
    found, following = service.view.page(
        Wanted(
            states=tuple(wanted.state or ()),
            status=wanted.status,
            schema=wanted.schema,
            document_id=wanted.document_id,
            owner=None if key.sees_all else key.id,
            created_since=_utc("created_since", wanted.created_since),
            created_before=_utc("created_before", wanted.created_before),
        ),
        limit=limit,
        after=cursor,
    )
    return Listing(documents=[shown(job, request) for job in found], next=following)


@router.get("/{id}", summary="How far a document is", responses=errors(404) | {200: example("Its state", EXAMPLE)})
async def status(
    request: Request,
    key: Reading,
    service: Serving,
    id: str,  # noqa: A002 - the name in the URL
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_WAIT, description="seconds to wait for its end", examples=[30])
    ] = 0.0,
) -> Document:
    """With `wait` the answer comes as soon as the document has ended, and after so many seconds at the latest."""
    job: Job | None = await run_in_threadpool(visible, service, key, id)
    if wait and job is not None and job.state not in ENDED:
        follower: Follower = request.app.state.follower
        job = await follower.ended(job, wait)
    if job is None:
        raise not_found(id)
    return shown(job, request)


@router.post(
    "/{id}/retry",
    status_code=202,
    summary="Try a document again that has ended",
    responses=errors(404, 409, 410) | {202: example("It waits again", QUEUED) | {"headers": ACCEPTED}},
)
def retry(request: Request, response: Response, key: Submitting, service: Serving, id: str) -> Document:  # noqa: A002
    """From the beginning, with attempts of its own. What was stored stays until there is a new result."""
    job = changeable(service, key, id)
    if job.purged is not None:
        raise gone("the original")
    again = service.retry(id)
    if again is None:
        raise Refusal(409, "not_ended", f"the document is {job.state}", "Only what has ended is tried again.")
    document = shown(again, request)
    response.headers["location"] = document.status_url
    return document


@router.delete(
    "/{id}",
    status_code=204,
    response_class=Response,
    summary="Delete a document and all that belongs to it",
    responses=errors(404) | {204: {"description": "It is gone"}},
)
def delete(key: Submitting, service: Serving, id: str) -> None:  # noqa: A002
    """The original, the pictures, the result and the messages about it; at once, also while a worker has it."""
    changeable(service, key, id)
    if not service.delete(id):
        raise not_found(id)


def _utc(name: str, given: datetime | None) -> datetime | None:
    """Raises Refusal for the ends of the calendar."""
    if given is None or given.tzinfo is None:
        return None if given is None else given.replace(tzinfo=UTC)
    try:
        return given.astimezone(UTC)
    except OverflowError as error:
        raise Refusal(422, "invalid", f"{name}: there is no such time in UTC", "Give a year of ours.") from error
