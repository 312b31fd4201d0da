"""A run over many files: work that is stored is not done again; each result is stored before it is told.

In: files, a plan, a store. Out: an outcome for every file, as it comes. Only this process writes to the store.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.messages import Failed, Finished, Opened, PageRead, Task
from docpipe.batch.outcome import Outcome
from docpipe.batch.worker_pool import Pool
from docpipe.capacity import Deadlines
from docpipe.data import Extraction
from docpipe.errors import DocpipeError, StoreError
from docpipe.store.results.result_store import SqlStore


class Watch(Protocol):
    """Who wants to know how far the run is."""

    def opened(self, file: Path, pages: int) -> None: ...

    def page_read(self, file: Path) -> None: ...


def run(
    files: Iterable[Path],
    plan: BatchPlan,
    store: SqlStore,
    *,
    jobs: int,
    watch: Watch,
    deadlines: Deadlines | None = None,
) -> Generator[Outcome, None, None]:
    """Every file gives one outcome, the largest files first: a long one begun last would keep the others waiting.

    Raises ModelError when no worker can work and StoreError when results cannot be kept. Whoever stops listening, by
    Ctrl-C or by closing the iterator, ends the workers at once; what was yielded is stored.
    """
    files = list(files)
    if not files:
        return
    with Pool(plan, min(jobs, len(files)), deadlines or Deadlines()) as pool:
        pool.begin()
        yield from run_in(pool, files, plan, store, watch=watch)


def run_in(
    pool: Pool,
    files: Iterable[Path],
    plan: BatchPlan,
    store: SqlStore,
    *,
    watch: Watch,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Outcome, None, None]:
    """The same in a pool that stays, with its models loaded. After `stop` what is in work is ended, and nothing is
    begun. A pool whose run was left early, by an error too, has to be closed."""
    desk = RunLedger(plan, store)
    tasks = [Task(path) for path in sorted(files, key=_size, reverse=True)]
    for task, message in pool.process(tasks, desk.is_wanted, stop):
        match message:
            case Opened(document):
                watch.opened(task.path, document.page_count)
            case PageRead():
                watch.page_read(task.path)
            case Finished(extraction):
                yield from desk.finished(task, extraction)
            case Failed(error):
                yield from desk.failed(task, error)


@dataclass
class RunLedger:
    """Where the parent keeps the books: every attempt, result and failure goes through the store.

    The same bytes may lie under several names. One of them is worked on (`working`); a twin that is opened meanwhile
    waits there for its outcome.
    """

    plan: BatchPlan
    store: SqlStore
    open: dict[Path, Opened] = field(default_factory=dict)
    working: dict[str, list[Path]] = field(default_factory=dict)  # run key -> twins that wait
    failures: dict[str, DocpipeError] = field(default_factory=dict)  # run key -> why, for twins that come late

    @property
    def _schema_name(self) -> str | None:
        """Of an attempt; None as long as the document has not said which it is of."""
        return None if self.plan.schema.choices else self.plan.schema.name

    def is_wanted(self, task: Task, opened: Opened) -> bool:
        """False when the store has this very work or it is being done. Otherwise the attempt is counted."""
        self.open[task.path] = opened
        self.store.add(opened.document)
        if opened.run_key in self.working or opened.run_key in self.failures or self.store.has(opened.run_key):
            return False
        extractor = opened.extractor or None
        self.store.claim(opened.document.id, opened.run_key, schema=self._schema_name, extractor=extractor)
        self.working[opened.run_key] = []
        return True

    def finished(self, task: Task, extraction: Extraction | None) -> Iterator[Outcome]:
        opened = self.open.pop(task.path)
        if extraction is not None:
            self.store.save(extraction, self.plan.schema.chosen(extraction.schema))
            outcome = Outcome(task.path, opened.document.id, extraction, pages=opened.document.page_count)
            yield from self._with_twins(outcome, opened.run_key)
        elif opened.run_key in self.working:
            self.working[opened.run_key].append(task.path)
        else:
            yield self._known(task, opened)

    def failed(self, task: Task, error: DocpipeError) -> Iterator[Outcome]:
        name = self._schema_name
        opened = self.open.pop(task.path, None)
        if opened is None:
            document_id = _sha256(task.path, int(self.plan.settings.max_bytes))
            self.store.fail(document_id, None, task.path, error, schema=name)
            yield Outcome(task.path, document_id, error=error)
            return
        self.store.fail(opened.document.id, opened.run_key, task.path, error, schema=name)
        self.failures[opened.run_key] = error
        outcome = Outcome(task.path, opened.document.id, error=error, pages=opened.document.page_count)
        yield from self._with_twins(outcome, opened.run_key)

    def _with_twins(self, outcome: Outcome, run_key: str) -> Iterator[Outcome]:
        yield outcome
        for twin in self.working.pop(run_key, ()):
            yield replace(outcome, path=twin)

    def _known(self, task: Task, opened: Opened) -> Outcome:
        """The outcome of work that was not done now, because it was done before."""
        pages = opened.document.page_count
        if opened.run_key in self.failures:
            return Outcome(task.path, opened.document.id, error=self.failures[opened.run_key], pages=pages)
        known = self.store.find(opened.run_key)
        if known is None or known.extraction is None:
            raise StoreError(f"the stored result of {task.path} has disappeared", hint="Run again.")
        self.store.make_current(opened.run_key, self.plan.schema.chosen(known.extraction.schema))
        return Outcome(task.path, opened.document.id, known.extraction, unchanged=True, pages=pages)


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
