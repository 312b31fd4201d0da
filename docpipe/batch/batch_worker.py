"""What a worker does with a document: the flow of docpipe.pipeline, with a message to the parent at every page.

In: a plan that travels to the worker. Out: extractions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docpipe import pipeline
from docpipe.batch.messages import FileTask, Opened, PageRead, ReportProgress
from docpipe.components import Components, ModelName, load_components
from docpipe.config import Settings
from docpipe.data import Box, Document, Extraction, Page, Word
from docpipe.ports import Reader, WordReader
from docpipe.schema import Schema


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """What is done with every document of a run. `salt` makes other run keys, so that stored work is done again.
    Passwords are tried in turn; they are kept in memory only."""

    schema: Schema
    model: ModelName
    settings: Settings
    passwords: tuple[str, ...] = ()
    salt: str = ""
    threads: int = 1  # as many processes as cores; two threads a page would only get into each other's way

    def __call__(self) -> DocumentWorker:
        components = load_components(self.model, self.settings, threads=self.threads, salt=self.salt)
        _trim_memory()
        return DocumentWorker(self, components)


@dataclass
class DocumentWorker:
    """A BatchWorker with its models loaded."""

    plan: BatchPlan
    components: Components

    @property
    def extractor_name(self) -> str:
        return self.components.parts.extractor.name

    def process(self, task: FileTask, report: ReportProgress) -> Extraction | None:
        document = self.components.open(task.path, self.plan.passwords)
        schema, policy = self.plan.schema, self.components.policy
        run_key = pipeline.identify_run(document, schema, self.components.parts, policy).key
        if not report(Opened(replace(document, password=None), run_key, self.extractor_name)):
            return None
        parts = replace(self.components.parts, reader=_ReportingReader(self.components.parts.reader, report))
        try:
            return pipeline.extract(document, schema, parts, policy)
        finally:
            _trim_memory()

    def close(self) -> None:
        self.components.close()


def _trim_memory() -> None:
    """The C library keeps what loading a model (120 MB) and reading a page (up to 90 MB) took; the next step, other
    workers and renderers can use it. glibc only."""
    library = ctypes.CDLL(None)
    if hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


@dataclass(frozen=True)
class _ReportingReader:
    """A reader that reports when a page is done, and gives memory back."""

    reader: Reader
    report: ReportProgress

    def read(self, document: Document, page: Page) -> Page:
        _trim_memory()  # what drawing the page took
        read = self.reader.read(document, page)
        _trim_memory()
        self.report(PageRead(page.number))
        return read

    def read_words(self, page: Page, boxes: Sequence[Box]) -> Sequence[Word]:
        """As `ports.WordReader`: without it nobody would take the last look at what is accepted."""
        if isinstance(self.reader, WordReader):
            return self.reader.read_words(page, boxes)
        return [Word("", box, 0.0, "ocr", 0) for box in boxes]
