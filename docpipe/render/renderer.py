"""The parent's side of rendering.

In: a file and what to do with it. Out: sizes, drawings, characters, or an InputError.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from docpipe.errors import CorruptError, InputError, TooLargeError
from docpipe.render.decoder_process import Child, ChildLost
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import COLUMNS, GENERATED, INVISIBLE, UNMAPPED, Json, to_error
from docpipe.render.results import Characters, Drawing, PageLook, PageSize, fitted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

LANCZOS = 1  # PIL.Image.Resampling.LANCZOS, without loading Pillow


class Renderer:
    """One child process that opens files. Safe to call from several threads (one at a time); after a fork
    each process gets its own child."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._child: Child | None = None
        self._lock = threading.Lock()
        self._last: tuple[object, Drawing] | None = None  # the reader and the extractor open the same page in turn

    def inspect(self, path: Path, media_type: str, password: str | None = None) -> tuple[PageSize, ...]:
        """The size of every page, cheaply: nothing is drawn."""
        header, _ = self._ask("inspect", path, media_type, password)
        return tuple(PageSize(*size) for size in header["sizes"])

    def look(self, path: Path, media_type: str, password: str | None, number: int) -> PageLook:
        """What carries page `number` (from 1): text or images, and at which resolution."""
        header, _ = self._ask("look", path, media_type, password, number=number)
        return PageLook(*header["look"])

    def draw(self, path: Path, media_type: str, password: str | None, number: int, *, max_side: int) -> Drawing:
        """Page `number` (from 1), upright as the file says, as RGB; its longer side has `max_side` pixels
        (PDF) or at most as many (image). The last drawing is kept and serves smaller ones."""
        key = (path, _stamp(path), media_type, password, number)
        kept = self._last
        if kept is not None and kept[0] == key and max(kept[1].image.size) >= max_side:
            return _reduced(kept[1], max_side)
        self._last = None  # before the next one comes: never two large drawings
        header, pixels = self._ask("draw", path, media_type, password, number=number, max_side=max_side)
        drawing = Drawing(_image(header, pixels), header["complete"], header["frames"])
        self._last = (key, drawing)
        return _reduced(drawing, max_side)

    def characters(self, path: Path, media_type: str, password: str | None, number: int) -> Characters:
        """The text layer of page `number` (from 1); empty for images."""
        header, packed = self._ask("characters", path, media_type, password, number=number)
        return _characters(header, packed)

    def close(self) -> None:
        """End the child and forget the last drawing. The next request starts a new child."""
        with self._lock:
            self._last = None
            if self._child is not None:
                self._child.forget() if self._child.owner != os.getpid() else self._child.kill()
                self._child = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _ask(self, task: str, path: Path, media_type: str, password: str | None, **rest: int) -> tuple[Json, bytes]:
        """One request. A PDF that PDFium refuses, or that makes it crash, is asked once more of Poppler where that
        is installed; when both refuse, PDFium's reason counts."""
        request: Json = {"task": task, "path": str(Path(path).absolute()), "stamp": _stamp(path)}
        request |= {"media_type": media_type, "password": password, "engine": "pdfium", **rest}
        try:
            return self._answer(request)
        except CorruptError as refused:
            if media_type != "application/pdf" or not poppler_is_installed():
                raise
            try:
                return self._answer(request | {"engine": "poppler"})
            except InputError:
                raise refused from None

    def _answer(self, request: Json) -> tuple[Json, bytes]:
        with self._lock:
            if self._child is not None and self._child.owner != os.getpid():
                self._child.forget()
                self._child = None
            if self._child is None:
                self._child = Child(self.limits)
            try:
                header, payload = self._child.ask(request)
            except BaseException as error:  # also when interrupted: a late answer must not meet the next request
                self._child.kill()
                self._child = None
                if isinstance(error, ChildLost):
                    raise _lost_error(error) from error
                raise
        if "error" in header:
            raise to_error(header)
        return header, payload


def _stamp(path: Path) -> list[int]:
    """Tells whether a file was written anew under the same name."""
    try:
        status = Path(path).stat()
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file can no longer be read ({reason})", hint="Check that it is there.") from error
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def poppler_is_installed() -> bool:
    """Both programs that pdf2image calls."""
    return shutil.which("pdftoppm") is not None and shutil.which("pdfinfo") is not None


def _lost_error(lost: ChildLost) -> InputError:
    if lost.kind == "timeout":
        return TooLargeError(f"it {lost.detail} to open or draw")
    return CorruptError(f"it {lost.detail}; it is damaged, or needs more memory than is allowed")


def _image(header: Json, pixels: bytes) -> Image:
    from PIL import Image  # heavy: Pillow

    return Image.frombuffer("RGB", tuple(header["size"]), pixels, "raw", "RGB", header["stride"], 1)


def _reduced(drawing: Drawing, max_side: int) -> Drawing:
    """A copy, so that nobody draws on the one that is kept."""
    size = fitted(*drawing.image.size, min(max_side, max(drawing.image.size)))
    same = size == drawing.image.size
    image = drawing.image.copy() if same else drawing.image.resize(size, LANCZOS, reducing_gap=2.0)
    return Drawing(image, drawing.complete, drawing.frames)


def _characters(header: Json, packed: bytes) -> Characters:
    import numpy as np  # heavy: numpy

    text = header["text"]
    rows = np.frombuffer(packed, dtype=np.float32).reshape(len(text), COLUMNS)
    flags = rows[:, 10].astype(np.uint8)
    box, rotation = header["box"], header["rotation"]
    loose = _upright(rows[:, 4:8], box, rotation)
    off_page = (loose[:, 2:] <= 0.0).any(axis=1) | (loose[:, :2] >= 1.0).any(axis=1)
    return Characters(
        text=text,
        boxes=_upright(rows[:, 0:4], box, rotation),
        loose=loose,
        size=rows[:, 8],
        angle=(rows[:, 9] + np.float32(rotation)) % np.float32(360.0),
        invisible=(flags & INVISIBLE > 0) | off_page,
        unmapped=flags & UNMAPPED > 0,
        generated=flags & GENERATED > 0,
    )


def _upright(points: NDArray[np.float32], page: Sequence[float], rotation: int) -> NDArray[np.float32]:
    """(n, 4) left, bottom, right, top in points before /Rotate -> left, top, right, bottom in fractions as drawn."""
    import numpy as np  # heavy: numpy

    left, bottom, right, top = page
    width, height = max(right - left, 1e-6), max(top - bottom, 1e-6)
    x0, x1 = (points[:, 0] - left) / width, (points[:, 2] - left) / width
    y0, y1 = (top - points[:, 3]) / height, (top - points[:, 1]) / height
    turned = {
        0: (x0, y0, x1, y1),
        90: (1.0 - y1, x0, 1.0 - y0, x1),
        180: (1.0 - x1, 1.0 - y1, 1.0 - x0, 1.0 - y0),
        270: (y0, 1.0 - x1, y1, 1.0 - x0),
    }[rotation]
    return np.stack(turned, axis=1).astype(np.float32)
