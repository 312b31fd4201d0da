"""Authentication: the key of a request is checked before its body is read.

In: requests. Out: requests with `request.state.key`, within the key's limits of rate and size; or 401, 413, 429. The
role that a route requires is checked there (`requires_role`).
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from docpipe.errors import DocpipeError
from docpipe.service.service import Service
from docpipe.store.jobs.api_keys import ApiKey, ApiKeyStore
from docpipe.store.jobs.job import Job
from docpipe.web.api.limits import LimitedBody, RateLimiter
from docpipe.web.api.problems import ApiError, not_found, to_api_error

PUBLIC_PATHS = ("/health", "/ready", "/openapi.json", "/docs")  # all others need a key
UPLOAD = ("POST", "/v1/documents")
ID_DIGITS = 32
bearer = HTTPBearer(auto_error=False, bearerFormat="dp_…", description="A key that `docpipe key create` made.")


class AuthenticationMiddleware:
    """Before the routes, because FastAPI reads the body before a route's own checks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self._rate_limiter = app, RateLimiter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service: Service = scope["app"].state.service
        settings = service.settings
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        try:
            key = None if path in PUBLIC_PATHS else await self._authenticate(scope, service)
            max_bytes = None
            if key is not None and (scope["method"], path) == UPLOAD:
                max_bytes = min(int(settings.max_bytes), key.max_bytes or int(settings.max_bytes))
            body = LimitedBody(receive, send, max_bytes=max_bytes, seconds=settings.upload_seconds)
            body.check_declared(scope)
        except ApiError as error:
            error.close_connection = True
            await error.response()(scope, receive, send)
        else:
            await self.app(scope, body.receive, body.send)

    async def _authenticate(self, scope: Scope, service: Service) -> ApiKey:
        """Raises ApiError."""
        header = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, token = header.decode("latin-1").partition(" ")
        try:
            key = await run_in_threadpool(_find_key, service, token.strip() if scheme.lower() == "bearer" else "")
        except DocpipeError as error:
            raise to_api_error(error) from error
        if key is None:
            hint = "Send `Authorization: Bearer dp_…` with a key that `docpipe key create` made."
            raise ApiError(401, "unauthorized", "no valid API key", hint, {"www-authenticate": "Bearer"})
        scope.setdefault("state", {})["key"] = key
        if wait := self._rate_limiter.wait(key.id, key.per_minute):
            seconds = str(max(1, math.ceil(wait)))
            message = f"more than {key.per_minute} requests a minute"
            raise ApiError(429, "rate", message, f"Try again in {seconds} seconds.", {"retry-after": seconds})
        return key


def _find_key(service: Service, token: str) -> ApiKey | None:
    return ApiKeyStore(service.database).check(token)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


CurrentService = Annotated[Service, Depends(service_of)]


def requires_role(role: str) -> Callable[..., Awaitable[ApiKey]]:
    """A dependency: the key of the request, if it has the role. `bearer` is there for the OpenAPI document."""

    async def key_with_role(request: Request, _: Annotated[object, Depends(bearer)] = None) -> ApiKey:
        key: ApiKey = request.state.key
        if not key.may(role):
            message = f"the key {key.name!r} does not have the role {role!r}"
            raise ApiError(403, "forbidden", message, "Ask the operator for a key with it.", close_connection=True)
        return key

    return key_with_role


SubmitKey = Annotated[ApiKey, Depends(requires_role("submit"))]
ReadKey = Annotated[ApiKey, Depends(requires_role("read"))]
ReviewKey = Annotated[ApiKey, Depends(requires_role("review"))]


def visible_job(service: Service, key: ApiKey, job_id: str) -> Job:
    """The job, if the key may see it. Raises ApiError 404 otherwise, as if there were none."""
    job = service.jobs.get(job_id) if _is_id(job_id) else None
    if job is None or not (key.sees_all or job.owner == key.id):
        raise not_found(job_id)
    return job


def changeable_job(service: Service, key: ApiKey, job_id: str) -> Job:
    """The job, if the key may try it again and delete it: its own, or any for an admin. Raises ApiError."""
    job = visible_job(service, key, job_id)
    if job.owner != key.id and not key.may("admin"):
        raise ApiError(403, "forbidden", "it belongs to another key", "Only the role `admin` changes those of others.")
    return job


def _is_id(text: str) -> bool:
    return len(text) == ID_DIGITS and set(text) <= set("0123456789abcdef")
