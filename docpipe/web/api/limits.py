"""What one client may cost: bytes of a body, seconds of silence, requests a minute.

In: ASGI messages of one request, times of requests. Out: the same messages, or an ApiError before the rest is read.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque

from starlette.types import Message, Receive, Scope, Send

from docpipe.web.api.problems import ApiError

UPLOAD_OVERHEAD = 64 * 1024  # bytes of an upload beside the file: other fields, names, boundaries
SMALL_BODY = 64 * 1024  # bytes of the body of any other request
SILENCE_TIMEOUT = 30.0  # seconds between two chunks of a body
RATE_WINDOW = 60.0  # seconds over which requests are counted


class LimitedBody:
    """The body of one request, counted and timed. A declared length is believed only when it is too large. `max_bytes`
    limits the document in it; None: it has none. All of it must come within `seconds`."""

    def __init__(self, receive: Receive, send: Send, *, max_bytes: int | None, seconds: float) -> None:
        self._receive, self._send = receive, send
        self._allowed, self._seconds = SMALL_BODY if max_bytes is None else max_bytes, seconds
        self._limit = SMALL_BODY if max_bytes is None else max_bytes + UPLOAD_OVERHEAD
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._received = 0
        self._complete = self._answered = False

    def check_declared(self, scope: Scope) -> None:
        """Raises ApiError."""
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._limit:
                raise self._too_large()

    async def receive(self) -> Message:
        """Raises ApiError. After the body this waits without a limit: what comes then is that the client has
        closed the connection."""
        if self._complete:
            return await self._receive()
        remaining = self._deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(0.0, min(SILENCE_TIMEOUT, remaining))):
                message = await self._receive()
        except TimeoutError:
            if self._answered:
                return {"type": "http.disconnect"}
            raise self._too_slow(remaining) from None
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._received > self._limit:
            raise self._too_large()
        return message

    async def send(self, message: Message) -> None:
        self._answered = True
        await self._send(message)

    def _too_large(self) -> ApiError:
        message = f"the body has more than the {self._allowed:,} bytes that are allowed"
        return ApiError(413, "too_large", message, "Split the document, or ask the operator.", close_connection=True)

    def _too_slow(self, remaining: float) -> ApiError:
        waited = f"stopped coming for {SILENCE_TIMEOUT:g} seconds" if remaining > SILENCE_TIMEOUT else "took too long"
        message = f"the body {waited}; all of it must come within {self._seconds:g} seconds"
        return ApiError(408, "timeout", message, "Try again over a better line.", close_connection=True)


class RateLimiter:
    """Counts the requests of each key in the last minute, in this process: two API processes allow twice as many."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def wait(self, key: str, per_minute: int) -> float:
        """Seconds until the next request is allowed; 0 counts this one."""
        now, times = time.monotonic(), self._times.setdefault(key, deque())
        while times and times[0] <= now - RATE_WINDOW:
            times.popleft()
        if len(times) >= per_minute:
            return times[0] + RATE_WINDOW - now if times else RATE_WINDOW
        times.append(now)
        return 0.0
