"""A file to be decoded: where it is, what it is, and the password that opens it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from docpipe.data import Document

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """`media_type` is one that `media_types.detect` gives."""

    path: Path
    media_type: str
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, document: Document) -> SourceFile:
        return cls(document.path, document.media_type, document.password)
