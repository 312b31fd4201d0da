"""The language between parent and child: a JSON header, then (when it says so) one block of bytes.

In: a Connection and what to say. Out: what was said. JSON and raw arrays, never pickle: a child that a hostile
file took over must not be able to run code in the parent.
"""

from __future__ import annotations

import json
from multiprocessing.connection import Connection
from typing import Any

from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError, UnsupportedError

Json = dict[str, Any]
# One row of float32 per character: left, top, right, bottom, the same loosely, size, angle, flags
COLUMNS = 11
INVISIBLE, UNMAPPED, GENERATED = 1, 2, 4
_ERRORS = {kind.code: kind for kind in (InputError, UnsupportedError, EncryptedError, CorruptError, TooLargeError)}


def send(pipe: Connection, header: Json, payload: bytes | bytearray | memoryview | None = None) -> None:
    """One message. Lone surrogates (file names that are not UTF-8) survive as JSON escapes."""
    pipe.send_bytes(json.dumps({**header, "payload": payload is not None}).encode("ascii"))
    if payload is not None:
        pipe.send_bytes(payload)


def receive(pipe: Connection) -> tuple[Json, bytes]:
    """The next message; EOFError when the other side is gone."""
    header: Json = json.loads(pipe.recv_bytes())
    return header, pipe.recv_bytes() if header.pop("payload") else b""


def from_error(error: InputError) -> Json:
    return {"error": error.code, "message": error.message, "hint": error.hint}


def to_error(header: Json) -> InputError:
    return _ERRORS.get(header["error"], InputError)(header["message"], hint=header["hint"])
