"""Errors as clients see them: one shape, whatever went wrong.

In: exceptions. Out: `{"error": {"code", "message", "hint"}}` with a status. What is the operator's business (where the
database is, what it said) goes to the log, not to the client.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from docpipe.errors import (
    ConflictError,
    DocpipeError,
    InputError,
    MissingError,
    QueueError,
    SchemaError,
    StoreError,
    TooLargeError,
    UsageError,
)

log = logging.getLogger("docpipe.web")
RETRY_AFTER_SECONDS = 5  # seconds after which a client may ask again when something of ours is away
CLOSE = "close"
STATUS: Mapping[type[DocpipeError], int] = {
    UsageError: 400,
    ConflictError: 409,
    TooLargeError: 413,
    InputError: 422,
    SchemaError: 422,
    MissingError: 410,
    StoreError: 503,
    QueueError: 503,
}
"""The first that fits."""


@dataclass(eq=False)
class ApiError(Exception):
    """An error answer of a route, a check or a limit. `close_connection`: the rest of the body is not read."""

    status: int
    code: str
    message: str
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    close_connection: bool = False

    def response(self) -> JSONResponse:
        close = {"connection": CLOSE} if self.close_connection else {}
        return JSONResponse(problem(self.code, self.message, self.hint), self.status, {**self.headers, **close})


def problem(code: str, message: str, hint: str = "") -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}


def not_found(job_id: str) -> ApiError:
    return ApiError(404, "not_found", f"there is no document {job_id[:64]}", "Or it belongs to another key.")


def gone(what: str) -> ApiError:
    return ApiError(410, MissingError.code, f"{what} is not kept any more", "Originals may be deleted after some days.")


def to_api_error(error: DocpipeError) -> ApiError:
    """An error of docpipe as a client sees it."""
    status = next((number for kind, number in STATUS.items() if isinstance(error, kind)), 500)
    if isinstance(error, MissingError):
        log.warning("%s", error)
        return gone("this")
    if status < 500:
        return ApiError(status, error.code, error.message, error.hint)
    log.error("%s", error)
    message = "something that the service needs is away" if status == 503 else "the service could not do this"
    return ApiError(status, error.code, message, "Try again in a while.", {"retry-after": str(RETRY_AFTER_SECONDS)})


def add_error_handlers(app: FastAPI) -> None:
    """All errors of this application come out in the one shape."""
    app.add_exception_handler(ApiError, _on_api_error)
    app.add_exception_handler(DocpipeError, _on_docpipe_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)


async def _on_api_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101 - registered for these alone, as the next three
    return error.response()


async def _on_docpipe_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DocpipeError)  # noqa: S101
    return to_api_error(error).response()


async def _on_http_error(_: Request, error: Exception) -> JSONResponse:
    """An error of the framework: no such path, no such method, a body that is no form."""
    assert isinstance(error, HTTPException)  # noqa: S101
    code = HTTPStatus(error.status_code).name.lower()
    return ApiError(error.status_code, code, str(error.detail), "See /openapi.json.", error.headers or {}).response()


async def _on_invalid_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    return invalid(error.errors()[0]).response()


def invalid(error: Mapping[str, Any]) -> ApiError:
    """From one entry of a Pydantic error. The input is not repeated: it may be of any size and kind."""
    where = ".".join(str(part) for part in error["loc"] if part not in ("query", "path", "header", "body"))
    return ApiError(422, "invalid", f"{where[:100]}: {error['msg']}", "See /openapi.json for what is allowed.")
