"""The child process: decoders live here, and whatever a hostile file does to them ends here.

In: requests on the socket whose number is the first argument; limits as JSON in the second.
Out: answers; it ends when the socket closes.
"""

from __future__ import annotations

import json
import math
import resource
import signal
import sys
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from docpipe.errors import CorruptError, InputError, TooLargeError
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import Json, from_error, receive, send

Answer = tuple[Json, bytes | memoryview | None]
PDF = "application/pdf"
PDF_SHARE = 0.6  # of memory_bytes: an A3 scan at 600 dpi takes 200 MB in a PDF and 770 MB as a 16-bit TIFF
ALARM_GRACE_SECONDS = 2  # the parent's own deadline comes first; the alarm is for a parent that died meanwhile


class OpenFile(Protocol):
    """What the three openers have in common. Page numbers count from 1."""

    def sizes(self) -> list[tuple[float, float, float]]: ...

    def look(self, number: int) -> tuple[float, float, int, int]: ...

    def draw(self, number: int, max_side: int) -> Answer: ...

    def characters(self, number: int) -> Answer: ...

    def close(self) -> None: ...


class Desk:
    """The one document that is open; it stays open for the next request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._key: object = None
        self._file: OpenFile | None = None

    def answer(self, request: Json) -> Answer:
        file = self._open(request)
        task, number = request["task"], request.get("number", 1)
        if task == "inspect":
            return {"sizes": file.sizes()}, None
        if task == "look":
            return {"look": file.look(number)}, None
        if task == "draw":
            return file.draw(number, request["max_side"])
        return file.characters(number)

    def clear(self) -> None:
        if self._file is not None:
            self._file.close()
        self._key = self._file = None

    def _open(self, request: Json) -> OpenFile:
        path = Path(request["path"])
        key = (path, request["stamp"], request["password"], request["engine"])
        if self._file is None or key != self._key:
            self.clear()
            _confine(self._limits, PDF_SHARE if request["media_type"] == PDF else 1.0)
            self._file = _opened(path, request, self._limits)
            self._key = key
        return self._file


def _opened(path: Path, request: Json, limits: Limits) -> OpenFile:
    """Decoders are imported when the first file needs them: a run over PDFs never loads the HEIC library."""
    if request["media_type"] != PDF:
        from docpipe.render.images import ImageFile  # heavy: Pillow and its codecs

        return ImageFile(path, request["media_type"], limits)
    if request["engine"] == "poppler":
        from docpipe.render.poppler import PopplerFile  # heavy: pdf2image

        return PopplerFile(path, request["password"], limits)
    from docpipe.render.pdf import PdfFile  # heavy: PDFium

    return PdfFile(path, request["password"], limits)


def _answer(desk: Desk, request: Json) -> Answer:
    try:
        return desk.answer(request)
    except InputError as error:
        return from_error(error), None
    except MemoryError:
        desk.clear()
        return from_error(TooLargeError("opening it takes more memory than is allowed")), None
    except RecursionError:
        return from_error(CorruptError("its parts are nested without end")), None
    except Exception as error:  # noqa: BLE001 (the one boundary: decoders raise anything on damaged files)
        return from_error(CorruptError(f"it cannot be decoded ({type(error).__name__}: {error})")), None


def _confine(limits: Limits, share: float = 1.0) -> None:
    """No more address space than this share of what is allowed, no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS has no such limit; there the deadline has to do
        resource.setrlimit(resource.RLIMIT_AS, (int(share * limits.memory_bytes), limits.memory_bytes))


def main() -> None:
    pipe = Connection(int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    _confine(limits)
    desk = Desk(limits)
    send(pipe, {"ready": True})
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent is gone: nothing left to do
        while True:
            request, _ = receive(pipe)
            signal.alarm(math.ceil(limits.seconds) + ALARM_GRACE_SECONDS)
            header, payload = _answer(desk, request)
            send(pipe, header, payload)
            signal.alarm(0)


if __name__ == "__main__":
    main()
