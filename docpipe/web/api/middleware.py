"""Around every request: an id, one line in the log, headers for browsers, an answer whatever happens.

In: requests. Out: answers, each with `x-request-id`, and a line of the log with method, path, status, seconds and key.
"""

from __future__ import annotations

import asyncio
import logging
import re
import uuid
from time import perf_counter
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from docpipe.log import log_context
from docpipe.web.api.problems import CLOSE, ApiError

log = logging.getLogger("docpipe.web")
CLIENT_CLOSED_REQUEST = 499  # as nginx logs it: nobody is there to get an answer
LINGER_SECONDS, LINGER_BYTES = 3.0, 16 * 1024**2
"""A client that sends all before it reads would see a broken connection instead of the error: so much of what it
sends is discarded first."""
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
NO_CONTENT_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        header = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        request_id = header.decode() if _REQUEST_ID.fullmatch(header) else uuid.uuid4().hex[:16]
        response = _ResponseSender(request_id, receive, send, is_page=scope["path"].endswith("/docs"))
        started = perf_counter()
        with log_context(request=request_id):
            try:
                await self.app(scope, response.receive, response.send)
            except ClientDisconnect:
                response.status = response.status or CLIENT_CLOSED_REQUEST
            except Exception:
                log.exception("a bug")
                if not response.status:
                    await _internal_error(request_id).response()(scope, response.receive, response.send)
            finally:
                context = _log_context(scope, perf_counter() - started)
                log.info(_log_line(scope, response.status), extra={"context": context})


class _ResponseSender:
    """Sends the response with our headers. `status` is 0 before it has begun."""

    def __init__(self, request_id: str, receive: Receive, send: Send, *, is_page: bool) -> None:
        self.status = 0
        self._receive, self._send = receive, send
        self._closing = self._body_is_complete = False
        policy = () if is_page else (NO_CONTENT_POLICY,)
        self._headers = [*SECURITY_HEADERS, *policy, (b"x-request-id", request_id.encode())]

    async def receive(self) -> Message:
        message = await self._receive()
        self._body_is_complete = self._body_is_complete or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = list(message.get("headers", ()))
            self._closing = (b"connection", CLOSE.encode()) in own
            message = {**message, "headers": own + self._headers}
        elif self._closing and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        discarded = 0
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while discarded < LINGER_BYTES and not self._body_is_complete:
                    discarded += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _internal_error(request_id: str) -> ApiError:
    return ApiError(500, "bug", "this is a bug in docpipe", f"Please report it; in the log it is request {request_id}.")


def _log_line(scope: Scope, status: int) -> str:
    """The path as it came, with its percent signs: decoded it could hold a line break."""
    return f"{scope['method']} {scope.get('raw_path', b'').partition(b'?')[0].decode('latin-1')[:200]} {status}"


def _log_context(scope: Scope, seconds: float) -> dict[str, Any]:
    key, client = scope.get("state", {}).get("key"), scope.get("client")
    return {
        "method": scope["method"],
        "seconds": round(seconds, 3),
        "key": None if key is None else key.id,
        "client": client[0] if client else None,
    }
