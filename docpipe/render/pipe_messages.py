"""The messages between this process and the decoder process: a JSON header, then (when it says so) one block of bytes.

In: a Connection and a message. Out: the message that came. JSON and raw arrays, never pickle: a decoder process that a
hostile file took over must not be able to run code in this one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

from docpipe.data import WidgetType
from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError, UnsupportedError
from docpipe.render.rendered_page import RenderEngine

JsonObject = dict[str, Any]
Task = Literal["sizes", "page_objects", "draw", "characters", "form"]
# One row of float32 per character: left, bottom, right, top, the same loosely, size, angle, flags, font
COLUMNS = 12
INVISIBLE, UNMAPPED, GENERATED, DOUBTFUL = 1, 2, 4, 8  # flags
_ERRORS = {kind.code: kind for kind in (InputError, UnsupportedError, EncryptedError, CorruptError, TooLargeError)}


@dataclass(frozen=True, slots=True)
class Request:
    """One thing to do with a file. `version` tells whether it was written anew under the same name; `number` counts
    pages from 1; `max_side` (pixels) is for drawings."""

    task: Task
    path: str
    version: list[int]
    media_type: str
    password: str | None = field(repr=False)
    engine: RenderEngine
    number: int = 1
    max_side: int = 0


@dataclass(frozen=True, slots=True)
class DecoderResponse:
    """What came of a request: facts, and the pixels or rows that are too many for JSON."""

    header: JsonObject
    payload: bytes | memoryview | None = None


class PageBox(NamedTuple):
    """The visible part of a PDF page in points, origin bottom-left, before /Rotate."""

    left: float
    bottom: float
    right: float
    top: float


UNIT_BOX = PageBox(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A page as an engine drew it: rows of RGB bytes, each `stride` bytes after the last (0: without a gap).
    `complete` and `frames` as in `Drawing`."""

    width: int
    height: int
    pixels: bytes | memoryview
    stride: int = 0
    complete: float = 1.0
    frames: int = 1

    def response(self, engine: RenderEngine) -> DecoderResponse:
        size, parts = (self.width, self.height), {"complete": self.complete, "frames": self.frames}
        return DecoderResponse({"size": size, "stride": self.stride, "engine": engine, **parts}, self.pixels)


@dataclass(frozen=True, slots=True)
class CharacterRows:
    """The characters of a page's text layer: COLUMNS float32 in `rows` for each character of `text`, coordinates as in
    PageBox. `rotation` is the page's /Rotate."""

    text: str = ""
    box: PageBox = UNIT_BOX
    rotation: int = 0
    rows: bytes | memoryview = b""

    def response(self) -> DecoderResponse:
        return DecoderResponse({"text": self.text, "box": self.box, "rotation": self.rotation}, self.rows)


class WidgetRow(NamedTuple):
    """A `Widget` with its place as in PageBox."""

    name: str
    tooltip: str
    type: WidgetType
    place: PageBox
    value: str
    checked: bool


@dataclass(frozen=True, slots=True)
class FormRows:
    """The form's fields on a page, and whether the form is an XFA form that the page does not show. `box` and
    `rotation` as in CharacterRows."""

    widgets: tuple[WidgetRow, ...] = ()
    box: PageBox = UNIT_BOX
    rotation: int = 0
    is_xfa: bool = False

    def response(self) -> DecoderResponse:
        return DecoderResponse(
            {"widgets": self.widgets, "box": self.box, "rotation": self.rotation, "is_xfa": self.is_xfa}
        )


def send(pipe: Connection, header: JsonObject, payload: bytes | bytearray | memoryview | None = None) -> None:
    """One message. Lone surrogates (file names that are not UTF-8) survive as JSON escapes."""
    pipe.send_bytes(json.dumps({**header, "payload": payload is not None}).encode("ascii"))
    if payload is not None:
        pipe.send_bytes(payload)


def receive(pipe: Connection) -> DecoderResponse:
    """The next message; EOFError when the other process is gone."""
    header: JsonObject = json.loads(pipe.recv_bytes())
    return DecoderResponse(header, pipe.recv_bytes() if header.pop("payload") else b"")


def error_response(error: InputError) -> DecoderResponse:
    return DecoderResponse({"error": error.code, "message": error.message, "hint": error.hint})


def error_of(header: JsonObject) -> InputError:
    return _ERRORS.get(header["error"], InputError)(header["message"], hint=header["hint"])
