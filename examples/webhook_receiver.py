"""A receiver of docpipe's webhooks, with Python's standard library alone: `python webhook_receiver.py [PORT]`.

In: signed POST requests (https://www.standardwebhooks.com). Out: one line for each event, however often it was sent.

    WEBHOOK_SECRET   what docpipe has as DOCPIPE_WEBHOOK_SECRET: whsec_ and base64
    WEBHOOK_EVENTS   an SQLite file that remembers which events came; events.db unless it is set
"""
# ruff: noqa: T201  (a program for a terminal)

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import sqlite3
import sys
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LARGEST = 256 * 1024  # bytes of an event; docpipe's have less than one kB and a file name
TOLERANCE = 300  # seconds: an older request may be one that somebody has recorded


class NotGenuine(Exception):  # noqa: N818 - what it says is that we do not believe it
    """Not from docpipe, or too old."""


def checked(headers: Mapping[str, str], body: bytes, secret: bytes, *, now: float | None = None) -> str:
    """The event's id. Raises NotGenuine. The bytes are checked as they came: JSON that was read and written again has
    another signature."""
    event, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = f"{event}.{sent}.".encode() + body
    right = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split(" ")  # several, while a secret is being changed
    if not any(hmac.compare_digest(right.encode(), each.encode()) for each in given):
        raise NotGenuine("the signature is wrong")
    if not sent.isdigit() or abs((now or time.time()) - int(sent)) > TOLERANCE:
        raise NotGenuine("the time stamp is too far from now")
    return event


def once(path: str, event: str, body: bytes) -> None:
    """Act, unless this event came before: docpipe sends again what was not answered, and an answer can be lost. Both in
    one transaction: an event that was not acted upon did not come."""
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
        if connection.execute("INSERT OR IGNORE INTO events VALUES (?)", (event,)).rowcount:
            act(json.loads(body))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer soon, with 2xx: what else is answered is sent again, for two days. 410 says: no more of this event."""
        length = int(self.headers.get("content-length") or 0)
        if length > LARGEST:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            event = checked(self.headers, body, SECRET)
        except NotGenuine as error:
            print(f"refused: {error}", flush=True)
            self._answer(401)
            return
        once(EVENTS, event, body)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """One line an event is enough."""


def act(event: Mapping[str, Any]) -> None:
    """The event says what ended, without values of the document: fetch them with your API key, `/v1/documents/ID`."""
    data = event["data"]
    print(f"{event['type']}  {data['id']}  {data['name']}  {data['status'] or data['error']}", flush=True)


if __name__ == "__main__":
    SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
    EVENTS = os.environ.get("WEBHOOK_EVENTS", "events.db")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
