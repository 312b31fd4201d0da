"""The application. In: settings. Out: an ASGI app, for `docpipe serve` or `uvicorn docpipe.web.app:app --factory`.

RequestMiddleware          request id, a line in the log, headers, an answer whatever happens
 AuthenticationMiddleware  the key; its rate limit; how long and how large a body may be
  routes                   documents, content, operations; each requires a role
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from docpipe.config import Settings, load_settings
from docpipe.errors import StoreError
from docpipe.private_files import allow_access
from docpipe.service.service import Service
from docpipe.web.api import content, documents, operations
from docpipe.web.api.authentication import AuthenticationMiddleware
from docpipe.web.api.event_stream import JobWatcher
from docpipe.web.api.middleware import RequestMiddleware
from docpipe.web.api.problems import add_error_handlers

DESCRIPTION = """Scanned documents in, fields with evidence and a confidence out. docs/api.md has examples.

All but `/health` and `/ready` need a key: `Authorization: Bearer dp_…`. Every error has the shape
`{"error": {"code", "message", "hint"}}`; every answer has `x-request-id`, which is on the lines of the log."""


def app(settings: Settings | None = None) -> FastAPI:
    """With `settings`, or those of the environment. Its service is opened when the server starts."""
    settings = settings or load_settings()
    allow_access(settings.file_access)
    service = Service.of(settings)

    @asynccontextmanager
    async def lifespan(started: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(_open, service)
        yield
        started.state.watcher.close()
        await run_in_threadpool(service.close)

    application = FastAPI(
        title="docpipe",
        version=version("docpipe-extract"),
        description=DESCRIPTION,
        lifespan=lifespan,
        redoc_url=None,
        redirect_slashes=False,
    )
    application.state.service = service
    application.state.watcher = JobWatcher(lambda ids: service.view.by_ids(ids))  # noqa: PLW0108 - not opened yet
    application.state.readiness = operations.ReadinessProbe(service)
    application.include_router(documents.router)
    application.include_router(content.router)
    application.include_router(operations.router)
    add_error_handlers(application)
    application.add_middleware(AuthenticationMiddleware)
    application.add_middleware(RequestMiddleware)
    return application


def _open(service: Service) -> None:
    """Before the first request; a database that is away is tried again with each request."""
    with suppress(StoreError):
        _ = (service.database, service.store, service.blobs)
