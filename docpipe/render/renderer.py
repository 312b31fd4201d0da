"""The parent's side of rendering. In: a file and what to do with it. Out: sizes, drawings, characters, or an InputError."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from docpipe.render.answers import Characters, Drawing, PageLook, PageSize
from docpipe.render.limits import Limits


class Renderer:
    """One child process that opens files. Safe to call from several threads (one at a time); not across forks."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()

    def inspect(self, path: Path, media_type: str, password: str | None = None) -> tuple[PageSize, ...]:
        """The size of every page, cheaply: nothing is drawn."""
        raise NotImplementedError

    def look(self, path: Path, media_type: str, password: str | None, number: int) -> PageLook:
        """What carries page `number` (from 1): text or images, and at which resolution."""
        raise NotImplementedError

    def draw(self, path: Path, media_type: str, password: str | None, number: int, *, max_side: int) -> Drawing:
        """Page `number` (from 1), upright as the file says, as RGB; its longer side has `max_side` pixels
        (PDF) or at most as many (image)."""
        raise NotImplementedError

    def characters(self, path: Path, media_type: str, password: str | None, number: int) -> Characters:
        """The text layer of page `number` (from 1); empty for images."""
        raise NotImplementedError

    def close(self) -> None:
        """End the child. The next request would start a new one."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
