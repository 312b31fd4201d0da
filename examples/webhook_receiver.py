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

MAX_BYTES = 256 * 1024  # bytes of an event; docpipe's have less than one kB and a file name
MAX_AGE_SECONDS = 300  # an older request may be one that somebody has recorded


class VerificationError(Exception):
    """Not from docpipe, or too old."""


def verify(headers: Mapping[str, str], body: bytes, secret: bytes, *, now: float | None = None) -> str:
    """The event's id. Raises VerificationError. The bytes are checked as they came: JSON that was read and written
    again has another signature."""
    event_id, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signed = f"{event_id}.{sent}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    signatures = headers.get("webhook-signature", "").split(" ")  # several, while a secret is being changed
    if not any(hmac.compare_digest(expected.encode(), signature.encode()) for signature in signatures):
        raise VerificationError("the signature is wrong")
    if not sent.isdigit() or abs((now or time.time()) - int(sent)) > MAX_AGE_SECONDS:
        raise VerificationError("the time stamp is too far from now")
    return event_id


def handle_once(path: str, event_id: str, body: bytes) -> None:
    """Act, unless this event came before: docpipe sends again what was not answered, and an answer can be lost. Both in
    one transaction: an event that was not acted upon did not come."""
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute("CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY)")
        if connection.execute("INSERT OR IGNORE INTO events VALUES (?)", (event_id,)).rowcount:
            handle(json.loads(body))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer soon, with 2xx: what else is answered is sent again, for two days. 410 says: no more of this event."""
        length = int(self.headers.get("content-length") or 0)
        if length > MAX_BYTES:
            self._answer(413)
            return
        body = self.rfile.read(length)
        try:
            event_id = verify(self.headers, body, SECRET)
        except VerificationError as error:
            print(f"refused: {error}", flush=True)
            self._answer(401)
            return
        handle_once(EVENTS, event_id, body)
        self._answer(204)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """One line an event is enough."""


def handle(event: Mapping[str, Any]) -> None:
    """The event says what ended, without values of the document: fetch them with your API key, `/v1/documents/ID`."""
    data = event["data"]
    print(f"{event['type']}  {data['id']}  {data['name']}  {data['status'] or data['error']}", flush=True)


if __name__ == "__main__":
    SECRET = base64.b64decode(os.environ["WEBHOOK_SECRET"].removeprefix("whsec_"))
    EVENTS = os.environ.get("WEBHOOK_EVENTS", "events.db")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server, contextlib.suppress(KeyboardInterrupt):
        server.serve_forever()
