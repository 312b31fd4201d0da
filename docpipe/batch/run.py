"""A run over many files: work that is stored is not done again; each result is stored before it is handed on.

In: files, a plan, a store. Out: an outcome for every file, as it comes. Only this process writes to the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.messages import Failed, FileTask, Finished, Opened, PageRead
from docpipe.batch.outcome import Outcome
from docpipe.batch.worker_pool import WorkerPool
from docpipe.capacity import Deadlines
from docpipe.errors import DocpipeError, StoreError
from docpipe.kept_work import KeptEntries
from docpipe.store.results.result_store import SqlStore


class ProgressListener(Protocol):
    """Is told how far the run is."""

    def opened(self, file: Path, pages: int) -> None: ...

    def page_read(self, file: Path) -> None: ...


def run_batch(
    files: Iterable[Path],
    plan: BatchPlan,
    store: SqlStore,
    *,
    jobs: int,
    listener: ProgressListener,
    deadlines: Deadlines | None = None,
) -> Generator[Outcome, None, None]:
    """Every file gives one outcome, the largest files first: a long one begun last would keep the others waiting.

    Raises ModelError when no worker can work and StoreError when results cannot be kept. Ctrl-C, or
    closing the iterator, ends the workers at once; what was yielded is stored.
    """
    files = list(files)
    if not files:
        return
    with WorkerPool(plan, min(jobs, len(files)), deadlines or Deadlines()) as pool:
        pool.start()
        yield from run_in_pool(pool, files, plan, store, listener=listener)


def run_in_pool(
    pool: WorkerPool,
    files: Iterable[Path],
    plan: BatchPlan,
    store: SqlStore,
    *,
    listener: ProgressListener,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Outcome, None, None]:
    """The same in a pool that stays, with its models loaded. After `stop` documents in progress are ended, and
    none is begun. A pool whose run was left early, by an error too, has to be closed."""
    ledger = RunLedger(plan, store)
    tasks = [FileTask(path) for path in sorted(files, key=_size, reverse=True)]
    for task, message in pool.process(tasks, ledger.reply_to_opened, stop):
        match message:
            case Opened(document):
                listener.opened(task.path, document.page_count)
            case PageRead():
                listener.page_read(task.path)
            case Finished():
                yield from ledger.finished(task, message)
            case Failed(error):
                yield from ledger.failed(task, error)


@dataclass
class RunLedger:
    """The parent's record of a run: every attempt, result and failure goes through it to the store.

    The same bytes may lie under several names. One of these files is worked on; a duplicate that is opened meanwhile
    waits in `in_progress` for its outcome, by run key. `failures` are by run key, for duplicates that come later.
    """

    plan: BatchPlan
    store: SqlStore
    opened: dict[Path, Opened] = field(default_factory=dict)
    in_progress: dict[str, list[Path]] = field(default_factory=dict)
    failures: dict[str, DocpipeError] = field(default_factory=dict)

    @property
    def _schema_name(self) -> str | None:
        """Of an attempt; None as long as the document has not said which it is of."""
        return None if self.plan.schema.choices else self.plan.schema.name

    def reply_to_opened(self, task: FileTask, opened: Opened) -> KeptEntries | None:
        """None when the store has this very work or it is being done. Otherwise the attempt is counted, and what is
        kept of earlier work can be used."""
        self.opened[task.path] = opened
        self.store.add(opened.document)
        if opened.run_key in self.in_progress or opened.run_key in self.failures or self.store.has(opened.run_key):
            return None
        extractor = opened.extractor or None
        self.store.claim(opened.document.id, opened.run_key, schema=self._schema_name, extractor=extractor)
        self.in_progress[opened.run_key] = []
        if self.plan.salt or not self.plan.settings.keep_work:
            return {}
        return self.store.kept_work(opened.document.id, opened.preparation_key)

    def finished(self, task: FileTask, message: Finished) -> Iterator[Outcome]:
        opened, extraction = self.opened.pop(task.path), message.extraction
        if extraction is not None:
            self.store.save(extraction, self.plan.schema.chosen(extraction.schema))
            if message.kept and self.plan.settings.keep_work:
                self.store.keep_work(opened.document.id, opened.preparation_key, message.kept)
            outcome = Outcome(task.path, opened.document.id, extraction, pages=opened.document.page_count)
            yield from self._with_duplicates(outcome, opened.run_key)
        elif opened.run_key in self.in_progress:
            self.in_progress[opened.run_key].append(task.path)
        else:
            yield self._stored_outcome(task, opened)

    def failed(self, task: FileTask, error: DocpipeError) -> Iterator[Outcome]:
        name = self._schema_name
        opened = self.opened.pop(task.path, None)
        if opened is None:
            document_id = _sha256(task.path, int(self.plan.settings.max_bytes))
            self.store.fail(document_id, None, task.path, error, schema=name)
            yield Outcome(task.path, document_id, error=error)
            return
        self.store.fail(opened.document.id, opened.run_key, task.path, error, schema=name)
        self.failures[opened.run_key] = error
        outcome = Outcome(task.path, opened.document.id, error=error, pages=opened.document.page_count)
        yield from self._with_duplicates(outcome, opened.run_key)

    def _with_duplicates(self, outcome: Outcome, run_key: str) -> Iterator[Outcome]:
        yield outcome
        for duplicate in self.in_progress.pop(run_key, ()):
            yield replace(outcome, path=duplicate)

    def _stored_outcome(self, task: FileTask, opened: Opened) -> Outcome:
        """The outcome of work that was not done now, because it was done before."""
        pages = opened.document.page_count
        if opened.run_key in self.failures:
            return Outcome(task.path, opened.document.id, error=self.failures[opened.run_key], pages=pages)
        stored = self.store.find(opened.run_key)
        if stored is None or stored.extraction is None:
            raise StoreError(f"the stored result of {task.path} has disappeared", hint="Run again.")
        self.store.make_current(opened.run_key, self.plan.schema.chosen(stored.extraction.schema))
        return Outcome(task.path, opened.document.id, stored.extraction, unchanged=True, pages=pages)


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
