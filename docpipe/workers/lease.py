"""A worker keeps its jobs while it works on them. In: claimed jobs. Out: leases, renewed until the work is over."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from contextvars import copy_context
from types import TracebackType
from typing import Self

from docpipe.errors import StoreError
from docpipe.log import log_context
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import JobStore

log = logging.getLogger("docpipe.worker")
RENEWALS_PER_LEASE = 4  # three of them may fail before the lease is over


class Lease:
    """Of the jobs that one task works on. Further ones may join, and each is removed when it has ended. `time_limit` is
    that of a task, in seconds: a worker that hangs keeps its jobs no longer."""

    def __init__(self, store: JobStore, job: Job, *, time_limit: float) -> None:
        self.jobs: tuple[Job, ...] = (job,)
        self._store = store
        self._renewed_until = time.monotonic() + time_limit + store.lease_duration.total_seconds()
        self._stop = threading.Event()
        context = copy_context()  # so that the thread's lines in the log name the job too
        self._thread = threading.Thread(target=context.run, args=(self._renew_all,), daemon=True)

    def add(self, jobs: Sequence[Job]) -> None:
        self.jobs = (*self.jobs, *jobs)

    def remove(self, job: Job) -> None:
        self.jobs = tuple(other for other in self.jobs if other.id != job.id)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _renew_all(self) -> None:
        lost: set[str] = set()  # another worker has it, or it was deleted: our result will not count
        interval = self._store.lease_duration.total_seconds() / RENEWALS_PER_LEASE
        while not self._stop.wait(interval) and time.monotonic() < self._renewed_until:
            for job in self.jobs:
                if job.id not in lost and not self._stop.is_set():
                    with log_context(job=job.id):
                        self._renew(job, lost)

    def _renew(self, job: Job, lost: set[str]) -> None:
        try:
            if not self._store.renew(job):
                lost.add(job.id)
        except StoreError as error:
            log.warning("the lease was not renewed: %s", error)
