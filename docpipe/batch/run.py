"""A run over many files: work that is stored is not done again; each result is stored before it is told.

In: files, a plan, a store. Out: an outcome for every file, as it comes. Only this process writes to the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from docpipe.batch.messages import Failed, Finished, Opened, PageRead, Task
from docpipe.batch.outcome import Outcome
from docpipe.batch.pool import Patience, Pool
from docpipe.batch.station import Plan
from docpipe.data import Extraction
from docpipe.errors import DocpipeError, StoreError
from docpipe.store.sql import SqlStore


class Watch(Protocol):
    """Who wants to know how far the run is."""

    def opened(self, file: Path, pages: int) -> None: ...

    def page_read(self, file: Path) -> None: ...


def run(
    files: Iterable[Path], plan: Plan, store: SqlStore, *, jobs: int, watch: Watch, patience: Patience | None = None
) -> Iterator[Outcome]:
    """Every file gives one outcome, the largest files first: a long one begun last would keep the others waiting.

    Raises ModelError when no worker can work and StoreError when results cannot be kept. Whoever stops listening, by
    Ctrl-C or by closing the iterator, ends the workers at once; what was yielded is stored.
    """
    tasks = [Task(path) for path in sorted(files, key=_size, reverse=True)]
    if not tasks:
        return
    desk = _Desk(plan, store)
    with Pool(plan, min(jobs, len(tasks)), patience or Patience()) as pool:
        pool.begin()
        for task, message in pool.process(tasks, desk.is_wanted):
            match message:
                case Opened(document):
                    watch.opened(task.path, document.page_count)
                case PageRead():
                    watch.page_read(task.path)
                case Finished(extraction):
                    yield desk.finished(task, extraction)
                case Failed(error):
                    yield desk.failed(task, error)


@dataclass
class _Desk:
    """Where the parent keeps the books: every attempt, result and failure goes through the store."""

    plan: Plan
    store: SqlStore
    open: dict[Path, Opened] = field(default_factory=dict)

    def is_wanted(self, task: Task, opened: Opened) -> bool:
        """False when the store has this very work. Otherwise the attempt is counted."""
        self.open[task.path] = opened
        self.store.add(opened.document)
        if self.store.has(opened.run_key):
            return False
        self.store.claim(opened.document.id, opened.run_key, schema=self.plan.schema.name)
        return True

    def finished(self, task: Task, extraction: Extraction | None) -> Outcome:
        opened = self.open.pop(task.path)
        pages = opened.document.page_count
        if extraction is not None:
            self.store.save(extraction, self.plan.schema)
            return Outcome(task.path, opened.document.id, extraction, pages=pages)
        self.store.make_current(opened.run_key, self.plan.schema)
        known = self.store.find(opened.run_key)
        if known is None or known.extraction is None:
            raise StoreError(f"the stored result of {task.path} has disappeared", hint="Run again.")
        return Outcome(task.path, opened.document.id, known.extraction, unchanged=True, pages=pages)

    def failed(self, task: Task, error: DocpipeError) -> Outcome:
        opened = self.open.pop(task.path, None)
        document_id = _sha256(task.path, self.plan.limits.max_bytes) if opened is None else opened.document.id
        run_key = None if opened is None else opened.run_key
        pages = 0 if opened is None else opened.document.page_count
        self.store.fail(document_id, run_key, task.path, error, schema=self.plan.schema.name)
        return Outcome(task.path, document_id, error=error, pages=pages)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # `ingest` says why; nothing is lost by its place in the queue
        return 0


def _sha256(path: Path, max_bytes: int) -> str | None:
    """The id of a file that was refused; None where it cannot be read or is too large to be worth it."""
    try:
        if not path.is_file() or path.stat().st_size > max_bytes:
            return None
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return None
