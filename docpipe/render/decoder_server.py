"""The decoder process: decoders run here, and whatever a hostile file does to them ends here.

In: requests on the socket whose number is the first argument; limits as JSON in the second.
Out: responses; it ends when the socket closes.
"""

from __future__ import annotations

import json
import math
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from docpipe.errors import CorruptError, InputError, TooLargeError
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import (
    Bitmap,
    CharacterRows,
    DecoderResponse,
    FormRows,
    Request,
    error_response,
    receive,
    send,
)
from docpipe.render.rendered_page import PageObjects, PageSize

PDF_SHARE = 0.6  # of memory_bytes: an A3 scan at 600 dpi takes 200 MB in a PDF and 770 MB as a 16-bit TIFF
ALARM_GRACE_SECONDS = 2  # the other process's own deadline comes first; the alarm is for when it died meanwhile


class DecodableFile(Protocol):
    """What the files of the three engines have in common. Page numbers count from 1."""

    def sizes(self) -> list[PageSize]: ...

    def page_objects(self, number: int) -> PageObjects: ...

    def draw(self, number: int, max_side: int) -> Bitmap: ...

    def characters(self, number: int) -> CharacterRows: ...

    def form(self, number: int) -> FormRows: ...

    def close(self) -> None: ...


class DecoderServer:
    """Responds to requests. One file is open, and stays open for the next request."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._key: object = None
        self._file: DecodableFile | None = None

    def respond(self, request: Request) -> DecoderResponse:
        """Never raises: what goes wrong with a file is a response, too."""
        try:
            return self._respond(request)
        except InputError as error:
            return error_response(error)
        except MemoryError:
            self._close_file()
            return error_response(TooLargeError("opening it takes more memory than is allowed"))
        except RecursionError:
            return error_response(CorruptError("its parts are nested without end"))
        except Exception as error:  # noqa: BLE001 (the one boundary: decoders raise anything on damaged files)
            return error_response(CorruptError(f"it cannot be decoded ({type(error).__name__}: {error})"))

    def _respond(self, request: Request) -> DecoderResponse:
        file = self._open(request)
        match request.task:
            case "sizes":
                return DecoderResponse({"sizes": [asdict(size) for size in file.sizes()]})
            case "page_objects":
                return DecoderResponse(asdict(file.page_objects(request.number)))
            case "draw":
                return file.draw(request.number, request.max_side).response(request.engine)
            case "characters":
                return file.characters(request.number).response()
            case "form":
                return file.form(request.number).response()

    def _open(self, request: Request) -> DecodableFile:
        key = (request.path, request.version, request.password, request.engine)
        if self._file is None or key != self._key:
            self._close_file()
            _confine(self._limits, 1.0 if request.engine == "pillow" else PDF_SHARE)
            self._file = _opened(request, self._limits)
            self._key = key
        return self._file

    def _close_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._key = self._file = None


def _opened(request: Request, limits: Limits) -> DecodableFile:
    """Decoders are imported when the first file needs them: a run over PDFs never loads the HEIC library."""
    path = Path(request.path)
    match request.engine:
        case "pillow":
            from docpipe.render.images import ImageFile  # heavy: Pillow and its codecs

            return ImageFile(path, request.media_type, limits)
        case "poppler":
            from docpipe.render.poppler import PopplerFile  # heavy: pdf2image

            return PopplerFile(path, request.password, limits)
        case "pdfium":
            from docpipe.render.pdf import PdfFile  # heavy: PDFium

            return PdfFile(path, request.password, limits)


def _confine(limits: Limits, share: float = 1.0) -> None:
    """No more address space than this share of what is allowed, no core files. Programs that are started from here
    inherit both."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # macOS has no such limit; there the deadline has to do
        resource.setrlimit(resource.RLIMIT_AS, (int(share * limits.memory_bytes), limits.memory_bytes))


def main() -> None:
    pipe = Connection(int(sys.argv[1]))
    limits = Limits(**json.loads(sys.argv[2]))
    _confine(limits)
    server = DecoderServer(limits)
    send(pipe, {"ready": True})
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the other process is gone: nothing left to do
        while True:
            request = Request(**receive(pipe).header)
            signal.alarm(math.ceil(limits.seconds) + ALARM_GRACE_SECONDS)
            response = server.respond(request)
            send(pipe, response.header, response.payload)
            signal.alarm(0)


if __name__ == "__main__":
    main()
