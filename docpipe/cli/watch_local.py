"""A watched folder that is read on this machine, without a queue.

In: files that are ready. Out: results in the database; the files, moved. The worker processes stay, with their models
loaded, as long as neither the database nor the model fails.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.outcome import Outcome
from docpipe.batch.run import run_in_pool
from docpipe.batch.worker_pool import WorkerPool
from docpipe.capacity import WorkerLimits
from docpipe.cli.wording import counted, failure_note
from docpipe.data import Document
from docpipe.errors import ModelError, StoreError
from docpipe.store.results.result_store import SqlStore
from docpipe.watch import RETRY_SECONDS, WatchedFile, WatchedFolder

log = logging.getLogger("docpipe.watch")
MAX_FILES = 100  # between two polls: what comes later waits no longer than these
POSTPONED_SECONDS = 600.0  # so long the others come first, when the database refuses one document's result


@dataclass
class LocalWatcher:
    """`poll`: seconds between two polls of the folder."""

    folder: WatchedFolder
    plan: BatchPlan
    database: str
    limits: WorkerLimits
    poll: float
    _in_progress: dict[Path, WatchedFile] = field(default_factory=dict, init=False)
    _postponed: dict[Path, float] = field(default_factory=dict, init=False)
    _max_files: int = field(default=MAX_FILES, init=False)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Raises StoreError and ModelError at the start; later they are waited for."""
        has_begun = False
        while not stop.is_set():
            try:
                with SqlStore(self.database) as store, self._pool() as pool:
                    extractor = pool.start()
                    log.info("watching %s, reading with %s", self.folder.folder, extractor)
                    has_begun = True
                    self._watch(store, pool, stop)
            except (StoreError, ModelError) as error:
                if not has_begun:
                    raise
                log.warning("%s. %s Trying again in %g s", error, error.hint, RETRY_SECONDS)
                self._narrow_down()
                stop.wait(RETRY_SECONDS)

    def _pool(self) -> WorkerPool:
        return WorkerPool(self.plan, self.limits.jobs, self.limits.deadlines)

    def opened(self, file: Path, pages: int) -> None:
        log.info("%s came: %s", self._in_progress[file].name, counted(pages, "page"))

    def page_read(self, file: Path) -> None:
        """Not logged: a line for each page would be many."""

    def _watch(self, store: SqlStore, pool: WorkerPool, stop: threading.Event) -> None:
        while not stop.is_set():
            started = time.monotonic()
            self._in_progress = {file.path: file for file in self._ready()}
            if self._in_progress:
                paths = list(self._in_progress)
                for outcome in run_in_pool(pool, paths, self.plan, store, listener=self, stop=stop.is_set):
                    self._finish(outcome, store)
                self._max_files = MAX_FILES
            stop.wait(max(0.0, started + self.poll - time.monotonic()))

    def _ready(self) -> list[WatchedFile]:
        now = time.monotonic()
        self._postponed = {path: until for path, until in self._postponed.items() if until > now}
        return [file for file in self.folder.poll() if file.path not in self._postponed][: self._max_files]

    def _finish(self, outcome: Outcome, store: SqlStore) -> None:
        """Move the file, and keep where it lies now."""
        file = self._in_progress.pop(outcome.path)
        if outcome.error is not None:
            log.warning("%s: failed: %s", file.name, outcome.error)
            note = failure_note(outcome.error, document=outcome.document_id, unfinished=file.unfinished)
            self.folder.move_away(file, note)
            return
        log.info("%s: %s%s", file.name, outcome.status, ", unchanged" if outcome.unchanged else "")
        target = self.folder.move_away(file)
        if target is not None and outcome.document_id is not None:  # `docpipe show` looks for it there
            store.add(Document(outcome.document_id, file.path.name, target, "", file.size, outcome.pages))

    def _narrow_down(self) -> None:
        """After a failure the next files come one by one; one with which it happens again is postponed."""
        if self._max_files == 1:
            self._postponed |= dict.fromkeys(self._in_progress, time.monotonic() + POSTPONED_SECONDS)
        self._max_files = 1
        self._in_progress.clear()
