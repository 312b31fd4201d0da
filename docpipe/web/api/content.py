"""What belongs to a document: its result, its bytes, its pages, its changes as they come.

In: requests with a key that may read. Out: JSON, bytes, pictures, an event stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from docpipe.errors import MissingError
from docpipe.service.job_actions import job_result
from docpipe.store.blobs import CHUNK, original_key
from docpipe.store.jobs.job import ENDED
from docpipe.store.jobs.prepared_pages import picture_key
from docpipe.web.api.authentication import CurrentService, ReadKey, visible_job
from docpipe.web.api.event_stream import JobWatcher, event_id, stream
from docpipe.web.api.models import SHA256, error_responses, example, submitted_document
from docpipe.web.api.problems import ApiError, gone

router = APIRouter(prefix="/v1/documents/{id}", tags=["documents"])
MAX_PAGE_NUMBER = 1_000_000  # of a URL; far more than a document may have
BINARY: dict[str, Any] = {"type": "string", "format": "binary"}
RESULT = {
    "file": "invoice-4711.pdf", "document_id": SHA256, "schema": "invoice", "schema_version": "5c1f", "pages": 1,
    "status": "complete", "issues": [], "error": None, "extractor": "embedded:9a1b2c", "run_key": "77aa…",
    "timings": {"read": 0.41}, "cost": {},
    "fields": {
        "gross_total": {
            "value": "119.00", "raw": "119,00 EUR", "confidence": 0.993, "accepted": True, "issues": [], "signals": {},
            "evidence": [{"page": 1, "box": [0.71, 0.8, 0.8, 0.82], "text": "119,00 EUR", "match": "exact"}],
        }
    },
}  # fmt: skip
_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]")
EVENTS = 'retry: 2000\n\nevent: state\nid: preparing-1-…\ndata: {"id": "1f0c…", "state": "preparing", …}\n\n'


@router.get(
    "/result",
    summary="What was extracted, with its evidence",
    responses=error_responses(404, 409, 410) | {200: example("A line of `docpipe run`'s result file", RESULT)},
)
def result(key: ReadKey, service: CurrentService, id: str) -> dict[str, Any]:  # noqa: A002 - the name in the URL
    """Of a document that failed: `status` is `failed`, and `error` says why."""
    job = visible_job(service, key, id)
    if job.state not in ENDED:
        raise ApiError(
            409, "not_ended", f"the document is {job.state}", f"Wait for its end: GET /v1/documents/{id}?wait=30"
        )
    record = job_result(service, job)
    if record is None:
        raise gone("the result")
    return record


@router.get(
    "/original",
    summary="The bytes that were sent in",
    response_class=Response,
    responses=error_responses(404, 410)
    | {200: {"content": {"application/octet-stream": {"schema": BINARY, "example": "%PDF…"}}}},
)
def original(key: ReadKey, service: CurrentService, id: str) -> StreamingResponse:  # noqa: A002
    """Always as a download: whatever a stranger sent is shown by no browser."""
    job = visible_job(service, key, id)
    if job.purged is not None:
        raise gone("the original")
    source = service.blobs.open(original_key(job.id))
    ascii_name = _UNSAFE.sub("_", job.name)  # for clients that know no other, such as curl
    headers = {
        "content-disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(job.name, safe='')}",
        "content-length": str(source.seek(0, 2)),
    }
    source.seek(0)
    return StreamingResponse(_chunks(source), headers=headers, media_type="application/octet-stream")


@router.get(
    "/pages/{number}",
    summary="A page as the worker saw it",
    response_class=Response,
    responses=error_responses(404, 410) | {200: {"content": {"image/webp": {"schema": BINARY, "example": "(a WebP)"}}}},
)
def page(
    key: ReadKey,
    service: CurrentService,
    id: str,  # noqa: A002
    number: Annotated[int, Path(ge=1, le=MAX_PAGE_NUMBER, description="from 1", examples=[1])],
) -> Response:
    """Upright, at most 1,280 pixels high: the boxes of the evidence are fractions of it. Blank pages have none."""
    job = visible_job(service, key, id)
    if job.purged is not None:
        raise gone("the picture")
    try:
        return Response(service.blobs.get(picture_key(job.id, number)), media_type="image/webp")
    except MissingError as error:
        hint = "It is blank, the document has fewer pages, or it was not read yet."
        raise ApiError(404, "not_found", f"there is no picture of page {number}", hint) from error


@router.get(
    "/events",
    summary="Its changes as they come",
    response_class=StreamingResponse,
    responses=error_responses(404)
    | {200: {"description": "Server-sent events", "content": {"text/event-stream": {"example": EVENTS}}}}
    | {204: {"description": "It has ended, and the client knows"}},
)
async def events(
    request: Request,
    key: ReadKey,
    service: CurrentService,
    id: str,  # noqa: A002
    last_event_id: Annotated[str | None, Header(max_length=200, description="browsers send it")] = None,
) -> Response:
    """An event `state` at once and at each change, with the document as data, until it has ended; `deleted` when it
    is gone. A browser that connects again after the end gets 204 and stops."""
    job = await run_in_threadpool(visible_job, service, key, id)
    if job.state in ENDED and last_event_id == event_id(job):
        return Response(status_code=204)
    watcher: JobWatcher = request.app.state.watcher
    changes = stream(watcher, job, partial(submitted_document, request=request))
    return StreamingResponse(changes, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    with source:
        while chunk := source.read(CHUNK):
            yield chunk
