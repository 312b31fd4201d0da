"""The rendering of files, as the other steps see it.

In: a file and what to do with it. Out: sizes, drawings, characters, or an InputError.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from docpipe.data import Box, Widget
from docpipe.errors import CorruptError, EncryptedError, InputError, TooLargeError
from docpipe.render.decoder_process import DecoderLost, DecoderProcess
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import (
    COLUMNS,
    DOUBTFUL,
    GENERATED,
    INVISIBLE,
    UNMAPPED,
    DecoderResponse,
    PageBox,
    Request,
    Task,
    WidgetRow,
    error_of,
)
from docpipe.render.rendered_page import Characters, Drawing, PageForm, PageObjects, PageSize, RenderEngine, fitted
from docpipe.render.source_file import PDF, SourceFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LANCZOS = 1  # PIL.Image.Resampling.LANCZOS, without loading Pillow
log = logging.getLogger("docpipe.render")


@dataclass(frozen=True, slots=True)
class _LastDrawing:
    """`request` names the file and the page, without a size."""

    request: Request
    drawing: Drawing

    def serves(self, max_side: int, engine: RenderEngine | None) -> bool:
        return max(self.drawing.image.size) >= max_side and engine in (None, self.drawing.engine)


class Renderer:
    """One decoder process that opens files. Safe to call from several threads (one at a time); after a fork
    each process gets its own decoder process."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._decoder: DecoderProcess | None = None
        self._lock = threading.Lock()
        self._last: _LastDrawing | None = None  # the reader and the extractor open the same page in turn

    def sizes(self, source: SourceFile) -> tuple[PageSize, ...]:
        """The size of every page, cheaply: nothing is drawn."""
        header = self._response(_request("sizes", source)).header
        return tuple(PageSize(**size) for size in header["sizes"])

    def page_objects(self, source: SourceFile, number: int) -> PageObjects:
        """What page `number` (from 1) is made of: text or images, and at which resolution."""
        return PageObjects(**self._response(_request("page_objects", source, number)).header)

    def draw(self, source: SourceFile, number: int, *, max_side: int, engine: RenderEngine | None = None) -> Drawing:
        """Page `number` (from 1), upright as the file says, as RGB; its longer side has `max_side` pixels
        (PDF) or at most as many (image). The last drawing is kept and serves smaller ones. With an `engine` only this
        one draws."""
        request = _request("draw", source, number)
        last = self._last
        if last is not None and last.request == request and last.serves(max_side, engine):
            return _reduced(last.drawing, max_side)
        self._last = None  # before the next one comes: never two large drawings
        drawing = _drawing(self._response(replace(request, max_side=max_side), engine))
        self._last = _LastDrawing(request, drawing)
        return _reduced(drawing, max_side)

    def characters(self, source: SourceFile, number: int) -> Characters:
        """The text layer of page `number` (from 1); empty for images."""
        return _characters(self._response(_request("characters", source, number)))

    def form(self, source: SourceFile, number: int) -> PageForm:
        """The fields of the form on page `number` (from 1), as the file has them; none in images."""
        return _form(self._response(_request("form", source, number)))

    def close(self) -> None:
        """End the decoder process and forget the last drawing. The next request starts a new one."""
        with self._lock:
            self._last = None
            if self._decoder is not None:
                self._decoder.forget() if self._decoder.owner != os.getpid() else self._decoder.kill()
                self._decoder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _response(self, request: Request, engine: RenderEngine | None = None) -> DecoderResponse:
        """The response to one request, from this engine alone or else from any. A PDF that PDFium refuses, or that
        makes it crash, goes to Poppler where that is installed. When both refuse, PDFium's reason counts, except that
        a file for which Poppler needs a password is encrypted and not damaged."""
        if engine is not None:
            return self._exchange(replace(request, engine=engine))
        try:
            return self._exchange(request)
        except CorruptError as refusal:
            if request.engine != "pdfium" or not poppler_is_installed():
                raise
            log.info("PDFium refuses %s: %s; Poppler is tried", Path(request.path).name, refusal.message)
            try:
                return self._exchange(replace(request, engine="poppler"))
            except EncryptedError:
                raise
            except InputError:
                raise refusal from None

    def _exchange(self, request: Request) -> DecoderResponse:
        with self._lock:
            if self._decoder is not None and self._decoder.owner != os.getpid():
                self._decoder.forget()
                self._decoder = None
            if self._decoder is None:
                self._decoder = DecoderProcess(self.limits)
            try:
                response = self._decoder.exchange(request)
            except BaseException as error:  # also when interrupted: a late response must not meet the next request
                self._decoder.kill()
                self._decoder = None
                if isinstance(error, DecoderLost):
                    raise _error_of_loss(error) from error
                raise
        if "error" in response.header:
            raise error_of(response.header)
        return response


def _request(task: Task, source: SourceFile, number: int = 1) -> Request:
    path = Path(source.path)
    return Request(
        task=task,
        path=str(path.absolute()),
        version=_version(path),
        media_type=source.media_type,
        password=source.password,
        engine="pdfium" if source.media_type == PDF else "pillow",
        number=number,
    )


def _version(path: Path) -> list[int]:
    """Tells whether a file was written anew under the same name."""
    try:
        status = path.stat()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file can no longer be read ({reason})", hint="Check that it is there.") from error
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def poppler_is_installed() -> bool:
    """Both programs that pdf2image calls."""
    return shutil.which("pdftoppm") is not None and shutil.which("pdfinfo") is not None


def _error_of_loss(lost: DecoderLost) -> InputError:
    if lost.kind == "timeout":
        return TooLargeError(f"it {lost.detail} to open or draw")
    return CorruptError(f"it {lost.detail}; it is damaged, or needs more memory than is allowed")


def _drawing(response: DecoderResponse) -> Drawing:
    from PIL import Image  # heavy: Pillow

    header, pixels = response.header, response.payload
    assert isinstance(pixels, bytes)  # noqa: S101 - as `receive` gives them
    image = Image.frombuffer("RGB", tuple(header["size"]), pixels, "raw", "RGB", header["stride"], 1)
    return Drawing(image, header["engine"], header["complete"], header["frames"])


def _reduced(drawing: Drawing, max_side: int) -> Drawing:
    """A copy, so that nobody draws on the one that is kept."""
    size = fitted(*drawing.image.size, min(max_side, max(drawing.image.size)))
    same = size == drawing.image.size
    image = drawing.image.copy() if same else drawing.image.resize(size, LANCZOS, reducing_gap=2.0)
    return replace(drawing, image=image)


def _characters(response: DecoderResponse) -> Characters:
    import numpy as np  # heavy: numpy

    text, rotation = response.header["text"], response.header["rotation"]
    box = PageBox(*response.header["box"])
    rows = np.frombuffer(response.payload or b"", dtype=np.float32).reshape(len(text), COLUMNS)
    flags = rows[:, 10].astype(np.uint8)
    loose = _as_drawn(rows[:, 4:8], box, rotation)
    off_page: NDArray[np.bool_] = np.any(loose[:, 2:] <= 0.0, axis=1) | np.any(loose[:, :2] >= 1.0, axis=1)
    return Characters(
        text=text,
        boxes=_as_drawn(rows[:, 0:4], box, rotation),
        loose=loose,
        size=rows[:, 8],
        angle=(rows[:, 9] + np.float32(rotation)) % np.float32(360.0),
        invisible=(flags & INVISIBLE > 0) | off_page,
        off_page=off_page,
        doubtful=flags & DOUBTFUL > 0,
        font=rows[:, 11].astype(np.int32),
        unmapped=flags & UNMAPPED > 0,
        generated=flags & GENERATED > 0,
    )


def _form(response: DecoderResponse) -> PageForm:
    import numpy as np  # heavy: numpy

    header = response.header
    rows = [WidgetRow(*row) for row in header["widgets"]]
    places = np.array([row.place for row in rows], np.float32).reshape(-1, 4)
    boxes = _as_drawn(places, PageBox(*header["box"]), header["rotation"]).clip(0, 1).tolist()
    widgets = (
        Widget(row.name, row.tooltip, row.type, Box(*box), row.value, row.checked)
        for row, box in zip(rows, boxes, strict=True)
    )
    return PageForm(tuple(widget for widget in widgets if widget.box.area > 0), header["is_xfa"])


def _as_drawn(points: NDArray[np.float32], page: PageBox, rotation: int) -> NDArray[np.float32]:
    """(n, 4) left, bottom, right, top in points before /Rotate -> left, top, right, bottom in fractions as drawn."""
    import numpy as np  # heavy: numpy

    width, height = max(page.right - page.left, 1e-6), max(page.top - page.bottom, 1e-6)
    x0, x1 = (points[:, 0] - page.left) / width, (points[:, 2] - page.left) / width
    y0, y1 = (page.top - points[:, 3]) / height, (page.top - points[:, 1]) / height
    drawn = {
        0: (x0, y0, x1, y1),
        90: (1.0 - y1, x0, 1.0 - y0, x1),
        180: (1.0 - x1, 1.0 - y1, 1.0 - x0, 1.0 - y0),
        270: (y0, 1.0 - x1, y1, 1.0 - x0),
    }[rotation]
    return np.stack(drawn, axis=1).astype(np.float32)
