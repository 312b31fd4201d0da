"""What one client may cost: bytes of a body, seconds of silence, requests a minute.

In: ASGI messages. Out: the same, or 413, 408 and 429 before the rest of the body is read.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OVERHEAD = 64 * 1024  # bytes of a multipart body beside the file
SILENT_SECONDS = 30.0  # between two pieces of a body


class TooMuch(Exception):
    """The body is larger than allowed, or does not come."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class BodyLimit:
    """Counts what comes: a declared length is believed only when it is too large."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app, self.most = app, max_bytes + OVERHEAD

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, seen = False, 0

        async def counted() -> Message:
            nonlocal seen
            try:
                message = await asyncio.wait_for(receive(), SILENT_SECONDS)
            except TimeoutError:
                raise TooMuch(408, f"the body stopped coming for {SILENT_SECONDS:g} seconds") from None
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise TooMuch(413, f"the body has more than {self.most - OVERHEAD:,} bytes")
            return message

        async def watched(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            self._declared(scope)
            await self.app(scope, counted, watched)
        except TooMuch as error:
            if not began:
                answer = JSONResponse(problem(error.message), error.status, headers={"connection": "close"})
                await answer(scope, receive, send)

    def _declared(self, scope: Scope) -> None:
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self.most:
                raise TooMuch(413, f"{int(value):,} bytes are declared, {self.most - OVERHEAD:,} are allowed")


class Rate:
    """Requests of each key in the last minute, in this process: several API processes allow as many times more."""

    def __init__(self) -> None:
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def wait(self, key: str, per_minute: int) -> float:
        """Seconds until the next request is allowed; 0 counts this one."""
        now, seen = time.monotonic(), self._seen[key]
        while seen and seen[0] <= now - 60.0:
            seen.popleft()
        if len(seen) >= per_minute:
            return 60.0 - (now - seen[0])
        seen.append(now)
        return 0.0


def problem(message: str, *, code: str = "request", hint: str = "") -> dict[str, Any]:
    """The shape of every error: what is wrong, and what to do."""
    return {"error": {"code": code, "message": message, "hint": hint}}
