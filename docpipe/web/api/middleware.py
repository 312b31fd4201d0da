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

from docpipe.log import about
from docpipe.web.api.problems import CLOSE, Refusal

log = logging.getLogger("docpipe.web")
HUNG_UP = 499  # as nginx writes it: nobody is there to be answered
LINGER_SECONDS, LINGER_BYTES = 3.0, 16 * 1024**2
"""A client that sends all before it reads would see a broken line instead of a refusal: so much of what it sends is
thrown away first."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
NOTHING = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; sandbox")
_GIVEN = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class Frame:
    """The outermost part."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        number = given.decode() if _GIVEN.fullmatch(given) else uuid.uuid4().hex[:16]
        answer = _Answer(number, receive, send, page=scope["path"].endswith("/docs"))
        started = perf_counter()
        with about(request=number):
            try:
                await self.app(scope, answer.receive, answer.send)
            except ClientDisconnect:
                answer.status = answer.status or HUNG_UP
            except Exception:
                log.exception("a bug")
                if not answer.status:
                    await _bug(number).answer()(scope, answer.receive, answer.send)
            finally:
                log.info(_line(scope, answer.status), extra={"facts": _facts(scope, perf_counter() - started)})


class _Answer:
    """What is sent back, with our headers. `status` is 0 before it has begun."""

    def __init__(self, number: str, receive: Receive, send: Send, *, page: bool) -> None:
        self.status = 0
        self._receive, self._send = receive, send
        self._closing = self._body_is_complete = False
        policy = () if page else (NOTHING,)
        self._headers = [*HEADERS, *policy, (b"x-request-id", number.encode())]

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
        thrown = 0
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                while thrown < LINGER_BYTES and not self._body_is_complete:
                    thrown += len((await self.receive()).get("body", b""))
        except TimeoutError:
            return


def _bug(number: str) -> Refusal:
    return Refusal(500, "bug", "this is a bug in docpipe", f"Please report it; in the log it is request {number}.")


def _line(scope: Scope, status: int) -> str:
    """The path as it came, with its percent signs: decoded it could hold a line break."""
    return f"{scope['method']} {scope.get('raw_path', b'').partition(b'?')[0].decode('latin-1')[:200]} {status}"


def _facts(scope: Scope, seconds: float) -> dict[str, Any]:
    key, client = scope.get("state", {}).get("key"), scope.get("client")
    return {
        "method": scope["method"],
        "seconds": round(seconds, 3),
        "key": None if key is None else key.id,
        "client": client[0] if client else None,
    }
