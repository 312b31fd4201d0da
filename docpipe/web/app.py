"""The application: routes, limits, errors in one shape, health.

In: settings. Out: an ASGI app, for `docpipe serve` or `uvicorn docpipe.web.app:app --factory`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from docpipe.config import Settings, load_settings
from docpipe.errors import DocpipeError, QueueError, StoreError, UsageError
from docpipe.schema import load_schema
from docpipe.schema_lookup import shipped
from docpipe.web import documents
from docpipe.web.limits import BodyLimit, problem
from docpipe.web.parts import Parts, Service

STATUS: dict[type[DocpipeError], int] = {UsageError: 400, StoreError: 503, QueueError: 503}


def app(settings: Settings | None = None) -> FastAPI:
    """With `settings`, or those of the environment."""
    chosen = settings or load_settings()

    @asynccontextmanager
    async def life(made: FastAPI) -> AsyncIterator[None]:
        made.state.service = Service.of(chosen)
        yield
        made.state.service.close()

    made = FastAPI(title="docpipe", version=version("docpipe-extract"), lifespan=life)
    made.add_middleware(BodyLimit, max_bytes=int(chosen.max_bytes))  # type: ignore[arg-type]
    made.include_router(documents.router)
    made.add_api_route("/health", health, methods=["GET"], tags=["operations"])
    made.add_api_route("/ready", ready, methods=["GET"], tags=["operations"])
    made.add_api_route("/v1/schemas", schemas, methods=["GET"], tags=["schemas"])
    made.add_exception_handler(HTTPException, _refused)  # type: ignore[arg-type]
    made.add_exception_handler(RequestValidationError, _invalid)  # type: ignore[arg-type]
    made.add_exception_handler(DocpipeError, _failed)  # type: ignore[arg-type]
    return made


def health() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


def ready(parts: Parts, response: Response) -> dict[str, str]:
    """Whether database and broker answer. Uploads are taken while the broker is away: SQL keeps them."""
    said = {"database": "ok", "broker": "ok"}
    try:
        parts.jobs.counts()
    except StoreError as error:
        said["database"], response.status_code = error.message, 503
    try:
        parts.sender.depth("prepare")
    except QueueError as error:
        said["broker"] = error.message
    return said


def schemas() -> dict[str, Any]:
    """The schemas that documents can be sent for, as JSON Schema."""
    return {name: load_schema(name).model.model_json_schema() for name in shipped() if name != "auto"}


def _refused(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse(problem(str(error.detail)), error.status_code, headers=error.headers)


def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return JSONResponse(problem(f"{where}: {first['msg']}", code="invalid"), 422)


def _failed(_: Request, error: DocpipeError) -> JSONResponse:
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)
    return JSONResponse(problem(error.message, code=error.code, hint=error.hint), status)
