"""Documents over HTTP: sent in, asked about, tried again, deleted.

In: requests with a key. Out: JSON; a document that was taken in has an id under which all else is found.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, cast

from fastapi import APIRouter, Depends, Form, Header, HTTPException, Query, Request, Response, UploadFile
from fastapi.responses import StreamingResponse

from docpipe.data import Document
from docpipe.errors import QueueError, SchemaError
from docpipe.result import record
from docpipe.schema import load_schema
from docpipe.store.blobs import job_prefix, original_key
from docpipe.store.job_view import MOST, Wanted
from docpipe.store.jobs import BULK, ENDED, INTERACTIVE, Job, Submission
from docpipe.store.keys import ApiKey
from docpipe.web.parts import Parts, Service, job_of, key_with

router = APIRouter(prefix="/v1/documents", tags=["documents"])
Submitting = Annotated[ApiKey, Depends(key_with("submit"))]
Reading = Annotated[ApiKey, Depends(key_with("read"))]
POLL = 0.5  # seconds between two looks of an event stream
LONGEST_STREAM = 600.0  # seconds; the client connects again


@router.post("", status_code=202, summary="Send a document in")
def submit(
    parts: Parts,
    key: Submitting,
    request: Request,
    file: UploadFile,
    schema: Annotated[str, Form(description="a shipped schema, or `auto`")] = "invoice",
    interactive: Annotated[bool, Form(description="before bulk work")] = False,
    callback_url: Annotated[str | None, Form(max_length=2000)] = None,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    _check_schema(schema)
    most = min(int(parts.settings.max_bytes), key.max_bytes or int(parts.settings.max_bytes))
    try:
        sha256, size = parts.blobs.add_original(cast(BinaryIO, file.file), most=most)
    except ValueError as error:
        raise HTTPException(413, str(error)) from error
    if not size:
        raise HTTPException(422, "the file is empty")
    name = Path(file.filename or "document").name[:200] or "document"
    parts.store.add(Document(sha256, name, Path(name), "", size, 0))
    wanted = Submission(
        sha256, name, schema, parts.settings.model, parts.settings.accept_error,
        INTERACTIVE if interactive else BULK, key.id, idempotency_key, {"url": callback_url} if callback_url else None,
    )  # fmt: skip
    job, is_new = parts.jobs.submit(wanted)
    if is_new:
        _send(parts, job)
    return _shown(job, request)


@router.get("", summary="List documents, newest first")
def listed(
    parts: Parts,
    key: Reading,
    request: Request,
    state: Annotated[list[str] | None, Query()] = None,
    schema: str | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    after: str | None = None,
) -> dict[str, Any]:
    wanted = Wanted(tuple(state or ()), schema, None, None if key.may("admin") else key.id, limit, after)  # type: ignore[arg-type]
    jobs, following = parts.view.page(wanted)
    return {"documents": [_shown(job, request) for job in jobs], "next": following}


@router.get("/{job_id}", summary="How far a document is")
def status(parts: Parts, key: Reading, request: Request, job_id: str) -> dict[str, Any]:
    return _shown(job_of(parts, key, job_id), request)


@router.get("/{job_id}/events", summary="Its changes as they come (server-sent events)")
def events(parts: Parts, key: Reading, request: Request, job_id: str) -> StreamingResponse:
    job_of(parts, key, job_id)
    return StreamingResponse(_changes(parts, request, job_id), media_type="text/event-stream")


@router.get("/{job_id}/result", summary="What was extracted, with its evidence")
def result(parts: Parts, key: Reading, job_id: str) -> dict[str, Any]:
    job = job_of(parts, key, job_id)
    if job.state != "done" or job.run_key is None:
        raise HTTPException(409, f"there is no result: the document is {job.state}")
    found = parts.store.find(job.run_key)
    if found is None or found.extraction is None:
        raise HTTPException(410, "the result was deleted")
    schema = load_schema(job.schema).chosen(found.extraction.schema)
    return record(found.extraction, job.name, schema)


@router.get("/{job_id}/original", summary="The bytes that were sent in")
def original(parts: Parts, key: Reading, job_id: str) -> Response:
    job = job_of(parts, key, job_id)
    content = parts.blobs.get(original_key(job.document_id))
    headers = {"content-disposition": "attachment", "x-content-type-options": "nosniff"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.post("/{job_id}/retry", status_code=202, summary="Try a document again that has ended")
def retry(parts: Parts, key: Submitting, request: Request, job_id: str) -> dict[str, Any]:
    job_of(parts, key, job_id)
    again = parts.view.retry(job_id)
    if again is None:
        raise HTTPException(409, "it is still at work")
    _send(parts, again)
    return _shown(again, request)


@router.delete("/{job_id}", status_code=204, summary="Delete a document and all that belongs to it")
def delete(parts: Parts, key: Submitting, job_id: str) -> None:
    job_of(parts, key, job_id)
    gone = parts.view.delete(job_id)
    if gone is not None:
        job, was_last = gone
        parts.blobs.delete(job_prefix(job.id))
        if was_last:
            parts.blobs.delete(original_key(job.document_id))


def _check_schema(name: str) -> None:
    """Only names: a path to a Python file from a stranger would be run."""
    if not name.isidentifier():
        raise HTTPException(422, f"there is no schema {name!r}")
    try:
        load_schema(name)
    except SchemaError as error:
        raise HTTPException(422, error.message) from error


def _send(parts: Service, job: Job) -> None:
    try:
        parts.sender.send("prepare", job)
    except QueueError:
        return  # the job is in SQL: the sweep sends it when the broker is back


def _shown(job: Job, request: Request) -> dict[str, Any]:
    here = str(request.url_for("status", job_id=job.id))
    return {
        "id": job.id, "document_id": job.document_id, "name": job.name, "schema": job.schema, "state": job.state,
        "attempts": job.attempts, "error": job.error, "created": job.created.isoformat(),
        "changed": job.changed.isoformat(), "ended": job.ended.isoformat() if job.ended else None,
        "status_url": here, "result_url": f"{here}/result" if job.state == "done" else None,
    }  # fmt: skip


async def _changes(parts: Service, request: Request, job_id: str) -> AsyncIterator[str]:
    """The state at once, then each new one, until it has ended or the stream is long enough."""
    told = None
    for _ in range(int(LONGEST_STREAM / POLL)):
        job = await asyncio.to_thread(parts.jobs.get, job_id)
        if job is None or await request.is_disconnected():
            return
        if job.changed != told:
            told = job.changed
            yield f"event: {job.state}\ndata: {json.dumps(_shown(job, request))}\n\n"
        if job.state in ENDED:
            return
        await asyncio.sleep(POLL)
