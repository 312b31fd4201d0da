"""A watched folder that is read on this machine, without a queue.

In: files that are ready. Out: results in the database; the files, moved. The workers stay, with their models loaded, as
long as nothing goes wrong around them.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.batch.batch_worker import BatchPlan
from docpipe.batch.outcome import Outcome
from docpipe.batch.run import run_in
from docpipe.batch.worker_pool import Pool
from docpipe.capacity import Deadlines
from docpipe.cli.failure_note import reason_of
from docpipe.data import Document
from docpipe.errors import ModelError, StoreError
from docpipe.store.results.result_store import SqlStore
from docpipe.watch import Found, WatchedFolder

log = logging.getLogger("docpipe.watch")
AT_A_TIME = 100  # files between two looks: what comes later waits no longer than these
AGAIN_SECONDS = 15.0  # after which a database that was away is tried again
ASIDE_SECONDS = 600.0  # so long the others come first, when the database refuses one document's result


@dataclass
class HereWatch:
    folder: WatchedFolder
    plan: BatchPlan
    database: str
    jobs: int
    deadlines: Deadlines
    poll: float
    _in_hand: dict[Path, Found] = field(default_factory=dict)
    _aside: dict[Path, float] = field(default_factory=dict)
    _at_a_time: int = AT_A_TIME

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. Raises StoreError and ModelError at the start; later they are waited for."""
        has_begun = False
        while not stop.is_set():
            try:
                with SqlStore(self.database) as store, Pool(self.plan, self.jobs, self.deadlines) as pool:
                    extractor = pool.begin()
                    log.info("watching %s, reading with %s", self.folder.folder, extractor)
                    has_begun = True
                    self._watch(store, pool, stop)
            except (StoreError, ModelError) as error:
                if not has_begun:
                    raise
                log.warning("%s. %s Trying again in %g s", error, error.hint, AGAIN_SECONDS)
                self._find_the_cause()
                stop.wait(AGAIN_SECONDS)

    def opened(self, file: Path, pages: int) -> None:
        log.info("%s came: %d page%s", self._in_hand[file].name, pages, "s" * (pages != 1))

    def page_read(self, file: Path) -> None:
        """Not said: a log of pages would be long."""

    def _watch(self, store: SqlStore, pool: Pool, stop: threading.Event) -> None:
        while not stop.is_set():
            looked = time.monotonic()
            self._in_hand = {found.path: found for found in self._ready()}
            if self._in_hand:
                files = list(self._in_hand)
                for outcome in run_in(pool, files, self.plan, store, watch=self, stop=stop.is_set):
                    self._settle(outcome, store)
                self._at_a_time = AT_A_TIME
            stop.wait(max(0.0, looked + self.poll - time.monotonic()))

    def _ready(self) -> list[Found]:
        now = time.monotonic()
        self._aside = {path: until for path, until in self._aside.items() if until > now}
        return [found for found in self.folder.look() if found.path not in self._aside][: self._at_a_time]

    def _settle(self, outcome: Outcome, store: SqlStore) -> None:
        found = self._in_hand.pop(outcome.path)
        if outcome.error is not None:
            log.warning("%s: failed: %s", found.name, outcome.error)
            self.folder.settle(found, reason_of(outcome.error, document=outcome.document_id))
            return
        log.info("%s: %s%s", found.name, outcome.status, ", unchanged" if outcome.unchanged else "")
        target = self.folder.settle(found)
        if target is not None and outcome.document_id is not None:  # `docpipe show` looks for it there
            store.add(Document(outcome.document_id, found.path.name, target, "", found.size, outcome.pages))

    def _find_the_cause(self) -> None:
        """The next files come one by one; the one with which it happens again has to wait."""
        if self._at_a_time == 1:
            self._aside |= dict.fromkeys(self._in_hand, time.monotonic() + ASIDE_SECONDS)
        self._at_a_time = 1
        self._in_hand.clear()
