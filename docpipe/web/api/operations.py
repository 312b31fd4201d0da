"""For those who run the service, and what documents may be sent for: health, readiness, metrics, schemas.

In: requests. Out: JSON, and Prometheus' text. Health and readiness need no key and say nothing about where things are.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from docpipe.errors import DocpipeError, SchemaError
from docpipe.schema import load_schema
from docpipe.service.maintenance import LOCK_NAME
from docpipe.service.service import Service
from docpipe.service.submit import allowed_schemas
from docpipe.store.jobs.leader_lock import LeaderLock
from docpipe.web.api.authentication import CurrentService, ReadKey, ReviewKey
from docpipe.web.api.metrics import registry
from docpipe.web.api.models import Readiness, SchemaEntry, error_responses, example
from docpipe.web.api.problems import ApiError

log = logging.getLogger("docpipe.web")
router = APIRouter()
PROBE_SECONDS = 5.0  # between two checks of readiness: anybody may ask, and a check writes to the blobs
READY = {"ready": True, "database": "ok", "blobs": "ok", "broker": "ok", "keeper": "ok"}
ENTRY = {
    "name": "receipt", "version": "3b0c", "description": "A receipt of a shop.", "fields": ["seller.name", "total"],
    "url": "/v1/schemas/receipt",
}  # fmt: skip
METRICS = '# TYPE docpipe_documents_total counter\ndocpipe_documents_total{schema="invoice",…,outcome="complete"} 12\n'
JSON_SCHEMA = {"title": "Receipt", "type": "object", "properties": {}}
T = TypeVar("T")


@router.get(
    "/health", tags=["operations"], summary="The process lives", responses={200: example("It does", {"status": "ok"})}
)
async def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get(
    "/ready",
    tags=["operations"],
    summary="Whether documents can be taken in, and what is away",
    responses={
        200: example("They can", READY),
        503: {"model": Readiness, **example("They cannot", READY | {"ready": False, "database": "away"})},
    },
)
def ready(request: Request, response: Response) -> Readiness:
    """503 only when the database or the blob store is away. Checked every five seconds at most."""
    probe: ReadinessProbe = request.app.state.readiness
    readiness = probe.check()
    response.status_code = 200 if readiness.ready else 503
    return readiness


@router.get(
    "/metrics",
    tags=["operations"],
    summary="For Prometheus",
    response_class=Response,
    responses=error_responses()
    | {200: {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}}}},
)
def metrics(key: ReviewKey, service: CurrentService) -> Response:  # noqa: ARG001 - the role is asked for
    """Sums over everybody's documents: for keys that may see those."""
    return Response(generate_latest(registry(service)), headers={"content-type": CONTENT_TYPE_LATEST})


@router.get(
    "/v1/schemas",
    tags=["schemas"],
    summary="What documents may be sent for",
    responses=error_responses() | {200: example("The schemas", [ENTRY])},
)
def schemas(request: Request, key: ReadKey, service: CurrentService) -> list[SchemaEntry]:  # noqa: ARG001
    entries = (_entry(request, name) for name in allowed_schemas(service.settings))
    return [entry for entry in entries if entry is not None]


@router.get(
    "/v1/schemas/{name:path}",
    tags=["schemas"],
    summary="A schema as JSON Schema",
    responses=error_responses(404)
    | {200: example("JSON Schema", {"title": "Receipt", "type": "object", "properties": {}})},
)
def schema(key: ReadKey, service: CurrentService, name: str) -> dict[str, Any]:  # noqa: ARG001
    """Of `auto` it says which schemas are tried."""
    if name not in allowed_schemas(service.settings):
        raise ApiError(404, "not_found", f"there is no schema {name[:100]!r} here", "GET /v1/schemas lists them.")
    loaded = load_schema(name)
    if loaded.choices:
        return {
            "title": name,
            "description": loaded.description,
            "anyOf": [choice.json_schema() for choice in loaded.choices],
        }
    return loaded.json_schema()


def _entry(request: Request, name: str) -> SchemaEntry | None:
    try:
        loaded = load_schema(name)
    except SchemaError as error:  # one of DOCPIPE_SCHEMAS; the others are of use
        log.error("%s", error)
        return None
    return SchemaEntry(
        name=name,
        version=loaded.version,
        description=loaded.description,
        fields=[spec.path for spec in loaded.fields],
        url=f"{request.scope.get('root_path', '')}/v1/schemas/{name}",
    )


@dataclass
class ReadinessProbe:
    """Checks all that the service needs; the answer is kept for a few seconds."""

    service: Service
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _until: float = 0.0
    _readiness: Readiness | None = None

    def check(self) -> Readiness:
        with self._lock:
            if self._readiness is None or time.monotonic() > self._until:
                self._readiness = self._probe()
                self._until = time.monotonic() + PROBE_SECONDS
            return self._readiness

    def _probe(self) -> Readiness:
        service = self.service
        maintenance = _attempt("the database", lambda: LeaderLock(service.database, LOCK_NAME).holder() or "")
        database = maintenance is not None
        blobs = _attempt("the blob store", self._probe_blobs) is not None
        broker = _attempt("the broker", lambda: service.queue.depth("prepare")) is not None
        return Readiness(
            ready=database and blobs,
            database="ok" if database else "away",
            blobs="ok" if blobs else "away",
            broker="ok" if broker else "away",
            keeper="ok" if maintenance else "nobody",
        )

    def _probe_blobs(self) -> bool:
        """A disk that is full can be read."""
        prefix = f"ready/{uuid.uuid4().hex}"
        self.service.blobs.put(f"{prefix}/probe", b"ready")
        self.service.blobs.delete(prefix)
        return True


def _attempt(what: str, check: Callable[[], T]) -> T | None:
    """None: what is checked does not answer."""
    try:
        return check()
    except DocpipeError as error:
        log.warning("%s is away: %s", what, error)
        return None
