"""The flow's ports: what a step needs from the part that is plugged in. All structural, two methods at most.

In: the nouns and a schema. Out: protocols that the flow takes as arguments and that shells choose implementations for.
What a schema itself is made of (kinds, rules) is in docpipe/schema_ports.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from docpipe.data import Answer, Box, Document, Extraction, Page, Word
from docpipe.errors import DocpipeError
from docpipe.schema import Schema


class Rasteriser(Protocol):
    def pages(self, document: Document) -> Iterator[Page]:
        """The document's pages in order, drawn lazily. A page that cannot be drawn is yielded with
        `image=None` and an issue, never skipped."""
        ...


class Reader(Protocol):
    def read(self, document: Document, page: Page) -> Page:
        """The page with its words in reading order, upright. No words is an honest answer."""
        ...


@runtime_checkable
class WordReader(Protocol):
    """A reader that can read single words of a page's picture again."""

    def read_words(self, page: Page, boxes: Sequence[Box]) -> Sequence[Word]:
        """One word for each box, with what the picture shows there; an empty text where nothing can be read."""
        ...


class Extractor(Protocol):
    @property
    def name(self) -> str:
        """`kind:weights@revision`, part of the run key."""
        ...

    @property
    def batch_size(self) -> int:
        """How many documents at once pay off."""
        ...

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Candidates for each field of the schema.

        Raises ModelError when the model is away or cannot run at all, which is tried again later, and AnswerError or
        TooLargeError for what is the matter with this document.
        """
        ...

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        """The same for several documents; batching is the extractor's business. Where one has no answer, the error
        stands in its place."""
        ...


@runtime_checkable
class RegionExtractor(Protocol):
    """An extractor that can read a part of a page again, where a value is thought to stand."""

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        """`regions`: concrete path of a single field -> a page whose picture is the region around its value. Candidates
        for each of these fields, from its region alone."""
        ...


@runtime_checkable
class PartExtractor(Protocol):
    """An extractor that may be asked with a part of a document's words."""

    @property
    def reads_parts(self) -> bool:
        """Whether lines around what is doubtful are enough for it, and cheaper than pages."""
        ...


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What the store knows of a document under a schema.

    `extraction` is the current one, None when no attempt succeeded. `error` (code, message, hint) is that of the last
    attempt if it failed; beside an extraction it says that a later attempt, with other settings, failed.
    `files` are all paths that hold these bytes; a file that could not even be read has a document without an id.
    """

    document: Document
    schema: str
    extraction: Extraction | None
    error: Mapping[str, str] | None
    attempts: int
    files: tuple[Path, ...] = ()
    created: datetime | None = None
