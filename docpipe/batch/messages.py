"""The messages between the parent process and its workers. In: the nouns. Out: small picklable dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from docpipe.data import Document, Extraction
from docpipe.errors import DocpipeError
from docpipe.kept_work import KeptEntries


@dataclass(frozen=True, slots=True)
class FileTask:
    """One file to work on. `is_asked`: whether the parent says, once the file is open, if the work is to be done."""

    path: Path
    is_asked: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded its models; `extractor` is its extractor's full name."""

    extractor: str


@dataclass(frozen=True, slots=True)
class StartupFailed:
    """The worker cannot work on any document (a model is missing, the schema does not load): the run ends."""

    error: DocpipeError


@dataclass(frozen=True, slots=True)
class Opened:
    """The file was taken in: what it is, how many pages it has, and the key of the work that comes. The worker waits
    for the parent's reply: what is kept of earlier work with this `preparation_key`, or None: it is not to be done."""

    document: Document
    run_key: str
    extractor: str = ""
    preparation_key: str = ""


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page of the document was drawn and read."""

    number: int


@dataclass(frozen=True, slots=True)
class Finished:
    """The work is done; None when it was not to be done. `kept` is new, for later runs."""

    extraction: Extraction | None
    kept: KeptEntries = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failed:
    error: DocpipeError


TaskMessage = Opened | PageRead | Finished | Failed
ReportProgress = Callable[[Opened | PageRead], KeptEntries | None]
"""Returns the parent's reply to `Opened`."""


class BatchWorker(Protocol):
    """What works on documents in a worker process, once its models are loaded."""

    @property
    def extractor_name(self) -> str:
        """Of its extractor: `kind:weights@revision`."""
        ...

    def process(self, task: FileTask, report: ReportProgress) -> Finished:
        """One document, from its file to its result; without one when `report` returns that it is not to be processed.
        Raises DocpipeError."""
        ...

    def close(self) -> None: ...


class WorkerSetup(Protocol):
    """Picklable: it is sent to the worker process and loads the models there."""

    def __call__(self) -> BatchWorker: ...
