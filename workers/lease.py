"""A job stays a worker's while it works on it. In: a claimed job. Out: its lease, renewed until the work is over."""

from __future__ import annotations

import logging
import threading
import time
from contextvars import copy_context
from types import TracebackType

from docpipe.errors import StoreError
from docpipe.store.jobs import Job, JobStore

log = logging.getLogger("docpipe.worker")
RENEWALS = 4  # in the time of one lease: three may fail


class Lease:
    """`longest` is the time limit of a task, in seconds: a worker that hangs keeps its job no longer than that."""

    def __init__(self, jobs: JobStore, job: Job, *, longest: float) -> None:
        self._jobs, self._job = jobs, job
        self._ends = time.monotonic() + longest + jobs.lease.total_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._renew,), daemon=True)  # for its log

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        while not self._over.wait(self._jobs.lease.total_seconds() / RENEWALS) and time.monotonic() < self._ends:
            try:
                if not self._jobs.renew(self._job):
                    return  # another worker has it, or it was deleted: our result will not count
            except StoreError as error:
                log.warning("the lease was not renewed: %s", error)
