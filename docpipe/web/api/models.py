"""What the API answers, as the OpenAPI document describes it, with examples.

In: jobs. Out: Pydantic models, and entries for `responses=`. Here a *document* is one submission (a job); `document_id`
is the sha256 of its bytes, which two submissions may share.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from docpipe.store.jobs.job import ENDED, INTERACTIVE, Job, JobState
from docpipe.web.api.problems import problem

ID = "1f0c2a5be7d94c0c8d2f6b1f3a7e9d10"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
Priority = Literal["bulk", "interactive"]
EXAMPLE: dict[str, Any] = {
    "id": ID, "document_id": SHA256, "name": "invoice-4711.pdf", "schema": "invoice", "state": "done",
    "status": "complete", "priority": "bulk", "attempts": 1, "error": None, "created": "2026-01-31T12:00:00Z",
    "changed": "2026-01-31T12:00:09Z", "ended": "2026-01-31T12:00:09Z", "kept": True, "owner": "0a1b2c3d4e5f",
    "callback_url": None, "status_url": f"/v1/documents/{ID}", "result_url": f"/v1/documents/{ID}/result",
}  # fmt: skip


class ProblemBody(BaseModel):
    code: Annotated[str, Field(description="for programs; docs/errors.md and docs/api.md list them")]
    message: Annotated[str, Field(description="what is wrong")]
    hint: Annotated[str, Field(description="what to do about it; may be empty")]


class Problem(BaseModel):
    """Every error has this shape."""

    error: ProblemBody


class SubmittedDocument(BaseModel):
    """A document that was sent in, and how far it is."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"example": EXAMPLE})

    id: Annotated[str, Field(description="of this submission")]
    document_id: Annotated[str, Field(description="sha256 of the bytes")]
    name: str
    schema_: Annotated[str, Field(alias="schema")]
    state: JobState
    status: Annotated[Literal["complete", "needs_review"] | None, Field(description="of the result")]
    priority: Priority
    attempts: Annotated[int, Field(description="of the present stage")]
    error: Annotated[ProblemBody | None, Field(description="why it failed; while it waits, why the last try did")]
    created: datetime
    changed: datetime
    ended: datetime | None
    kept: Annotated[bool, Field(description="whether the original and the pictures are still there")]
    owner: Annotated[str, Field(description="id of the API key that sent it")]
    callback_url: str | None
    status_url: Annotated[str, Field(description="a path on this host, as all URLs here")]
    result_url: Annotated[str | None, Field(description="when it has ended")]


class DocumentList(BaseModel):
    documents: list[SubmittedDocument]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null: this is the last one")]


class SchemaEntry(BaseModel):
    name: str
    version: Annotated[str, Field(description="changes when anything changes that can change a result")]
    description: str
    fields: Annotated[list[str], Field(description="paths of the fields: `line_items[].amount`")]
    url: str


class Readiness(BaseModel):
    """`ready` is false only when documents cannot be taken in."""

    ready: bool
    database: Literal["ok", "away"]
    blobs: Literal["ok", "away"]
    broker: Annotated[Literal["ok", "away"], Field(description="while it is away documents are taken in and wait")]
    keeper: Annotated[
        Literal["ok", "nobody"], Field(description="`docpipe maintain`: without it nothing is sent again")
    ]


def submitted_document(job: Job, request: Request) -> SubmittedDocument:
    url = document_url(request, job.id)
    return SubmittedDocument(
        id=job.id,
        document_id=job.document_id,
        name=job.name,
        schema_=job.schema,
        state=job.state,
        status=job.status,
        priority="interactive" if job.priority >= INTERACTIVE else "bulk",
        attempts=job.attempts,
        error=ProblemBody(**job.error) if job.error else None,
        created=job.created,
        changed=job.changed,
        ended=job.ended,
        kept=job.purged is None,
        owner=job.owner,
        callback_url=(job.callback or {}).get("url"),
        status_url=url,
        result_url=f"{url}/result" if job.state in ENDED else None,
    )


def document_url(request: Request, job_id: str) -> str:
    """A path: the host in a request is whatever its sender wrote."""
    return f"{request.scope.get('root_path', '')}/v1/documents/{job_id}"


ERROR_RESPONSES: dict[int, tuple[str, dict[str, Any]]] = {
    400: ("The request cannot be granted", problem("usage", "webhooks are not set up here", "The operator sets …")),
    401: ("No valid key", problem("unauthorized", "no valid API key", "Send `Authorization: Bearer dp_…` …")),
    403: ("The key has not the role", problem("forbidden", "the key 'app' does not have the role 'submit'")),
    404: ("Not there, or of another key", problem("not_found", f"there is no document {ID}")),
    408: ("The body did not come", problem("timeout", "the body stopped coming for 30 seconds", "Try again …")),
    409: ("Not now, or a contradiction", problem("not_ended", "the document is preparing", "Ask again later.")),
    410: ("It was deleted", problem("missing", "the original is not kept any more")),
    413: ("Too large", problem("too_large", "the file has 60,000,000 bytes, more than the 52,428,800 allowed")),
    415: ("No form", problem("unsupported_media_type", "the body is no multipart/form-data")),
    422: ("What was sent is wrong", problem("invalid", "limit: Input should be less than or equal to 200")),
    429: ("Too many requests", problem("rate", "more than 600 requests a minute", "Try again in 3 seconds.")),
    503: ("Something is away", problem("store", "something that the service needs is away", "Try again in a while.")),
}
ALWAYS = (401, 403, 413, 422, 429, 503)


def error_responses(*further: int) -> dict[int | str, dict[str, Any]]:
    """Entries for `responses=` of a route that needs a key."""
    responses: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*ALWAYS, *further}):
        description, example = ERROR_RESPONSES[status]
        content = {"application/json": {"example": example}}
        headers = {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}}
        responses[status] = {"model": Problem, "description": description, "content": content}
        if status in (429, 503):
            responses[status]["headers"] = headers
    return responses


def example(description: str, value: Any, media_type: str = "application/json") -> dict[str, Any]:
    """An entry for `responses=` of a success."""
    return {"description": description, "content": {media_type: {"example": value}}}
