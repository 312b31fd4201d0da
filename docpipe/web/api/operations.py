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
from docpipe.service.maintenance import DUTY
from docpipe.service.submit import Service
from docpipe.store.jobs.waiting import Duties
from docpipe.web.api.authentication import Reading, Reviewing, Serving
from docpipe.web.api.metrics import registry
from docpipe.web.api.models import Readiness, SchemaEntry, errors, example
from docpipe.web.api.problems import Refusal

log = logging.getLogger("docpipe.web")
router = APIRouter()
LOOKS = 5.0  # seconds between two looks at what is ready: anybody may ask, and a look writes to the blobs
READY = {"ready": True, "database": "ok", "blobs": "ok", "broker": "ok", "keeper": "ok"}
ENTRY = {
    "name": "receipt", "version": "3b0c", "description": "A receipt of a shop.", "fields": ["seller.name", "total"],
    "url": "/v1/schemas/receipt",
}  # fmt: skip
METRICS = '# TYPE docpipe_documents_total counter\ndocpipe_documents_total{schema="invoice",…,outcome="complete"} 12\n'
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
    """503 only when the database or the blob store is away. Looked at every five seconds at most."""
    look: Look = request.app.state.look
    found = look.ready()
    response.status_code = 200 if found.ready else 503
    return found


@router.get(
    "/metrics",
    tags=["operations"],
    summary="For Prometheus",
    response_class=Response,
    responses=errors()
    | {200: {"description": "Text", "content": {"text/plain": {"schema": {"type": "string"}, "example": METRICS}}}},
)
def metrics(key: Reviewing, service: Serving) -> Response:  # noqa: ARG001 - the role is asked for
    """Sums over everybody's documents: for keys that may see those."""
    return Response(generate_latest(registry(service)), headers={"content-type": CONTENT_TYPE_LATEST})


@router.get(
    "/v1/schemas",
    tags=["schemas"],
    summary="What documents may be sent for",
    responses=errors() | {200: example("The schemas", [ENTRY])},
)
def schemas(request: Request, key: Reading, service: Serving) -> list[SchemaEntry]:  # noqa: ARG001
    found = (_entry(request, name) for name in service.allowed_schemas())
    return [entry for entry in found if entry is not None]


@router.get(
    "/v1/schemas/{name:path}",
    tags=["schemas"],
    summary="A schema as JSON Schema",
    responses=errors(404) | {200: example("JSON Schema", {"title": "Receipt", "type": "object", "properties": {}})},
)
def schema(key: Reading, service: Serving, name: str) -> dict[str, Any]:  # noqa: ARG001
    """Of `auto` it says which schemas are tried."""
    if name not in service.allowed_schemas():
        raise Refusal(404, "not_found", f"there is no schema {name[:100]!r} here", "GET /v1/schemas lists them.")
    found = load_schema(name)
    if found.choices:
        return {
            "title": name,
            "description": found.description,
            "anyOf": [each.json_schema() for each in found.choices],
        }
    return found.json_schema()


def _entry(request: Request, name: str) -> SchemaEntry | None:
    try:
        found = load_schema(name)
    except SchemaError as error:  # one of DOCPIPE_SCHEMAS; the others are of use
        log.error("%s", error)
        return None
    return SchemaEntry(
        name=name,
        version=found.version,
        description=found.description,
        fields=[spec.path for spec in found.fields],
        url=f"{request.scope.get('root_path', '')}/v1/schemas/{name}",
    )


@dataclass
class Look:
    """At all that the service needs, and not again for a while."""

    service: Service
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _until: float = 0.0
    _found: Readiness | None = None

    def ready(self) -> Readiness:
        with self._lock:
            if self._found is None or time.monotonic() > self._until:
                self._found = self._look()
                self._until = time.monotonic() + LOOKS
            return self._found

    def _look(self) -> Readiness:
        service = self.service
        keeper = _tried("the database", lambda: Duties(service.database).holder(DUTY) or "")
        database = keeper is not None
        blobs = _tried("the blob store", self._write) is not None
        broker = _tried("the broker", lambda: service.sender.depth("prepare")) is not None
        return Readiness(
            ready=database and blobs,
            database="ok" if database else "away",
            blobs="ok" if blobs else "away",
            broker="ok" if broker else "away",
            keeper="ok" if keeper else "nobody",
        )

    def _write(self) -> bool:
        """A disk that is full can be read."""
        place = f"ready/{uuid.uuid4().hex}"
        self.service.blobs.put(f"{place}/probe", b"ready")
        self.service.blobs.delete(place)
        return True


def _tried(what: str, look: Callable[[], T]) -> T | None:
    try:
        return look()
    except DocpipeError as error:
        log.warning("%s is away: %s", what, error)
        return None
