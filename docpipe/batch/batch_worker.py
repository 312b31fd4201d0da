"""What a worker does with a document: the flow of docpipe.pipeline, with a message to the parent at every page.

In: a plan that travels to the worker. Out: extractions.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, replace

from docpipe import pipeline
from docpipe.batch.messages import FileTask, Finished, Opened, PageRead, ReportProgress
from docpipe.components import Components, ModelName, load_components
from docpipe.config import Settings
from docpipe.data import Box, Document, Page, Word
from docpipe.kept_work import KeptReader, KeptWork, with_kept_answers
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

    def process(self, task: FileTask, report: ReportProgress) -> Finished:
        document = self.components.open(task.path, self.plan.passwords)
        schema, policy, parts = self.plan.schema, self.components.policy, self.components.parts
        run_key = pipeline.identify_run(document, schema, parts, policy).key
        without_password = replace(document, password=None)
        entries = report(Opened(without_password, run_key, self.extractor_name, parts.preparation_key))
        if entries is None:
            return Finished(None)
        kept = KeptWork(entries)
        reader = _ReportingReader(KeptReader(parts.reader, kept), report)
        extractor = with_kept_answers(parts.extractor, kept, parts.picture_sides)
        try:
            parts = replace(parts, reader=reader, extractor=extractor)
            return Finished(pipeline.extract(document, schema, parts, policy), kept.new)
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

    reader: KeptReader
    report: ReportProgress

    def read(self, document: Document, page: Page) -> Page:
        _trim_memory()  # what drawing the page took
        read = self.reader.read(document, page)
        _trim_memory()
        self.report(PageRead(page.number))
        return read

    def read_words(self, page: Page, boxes: Sequence[Box]) -> Sequence[Word]:
        """As `ports.WordReader`: without it nobody would take the last look at what is accepted."""
        return self.reader.read_words(page, boxes)
