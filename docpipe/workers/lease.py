"""Jobs stay a worker's while it works on them. In: claimed jobs. Out: their leases, renewed until the work is over."""

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
from docpipe.store.jobs.job_store import Job, JobStore

log = logging.getLogger("docpipe.worker")
RENEWALS_PER_LEASE = 4  # in the time of one lease: three may fail


class Lease:
    """`longest` is the time limit of a task, in seconds: a worker that hangs keeps its jobs no longer than that. `jobs`
    are those in its hands: further ones may join, and each is let go when it has ended."""

    def __init__(self, store: JobStore, job: Job, *, time_limit: float) -> None:
        self.jobs: tuple[Job, ...] = (job,)
        self._store = store
        self._ends = time.monotonic() + time_limit + store.lease_duration.total_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=copy_context().run, args=(self._renew,), daemon=True)  # for its log

    def add(self, jobs: Sequence[Job]) -> None:
        self.jobs = (*self.jobs, *jobs)

    def remove(self, job: Job) -> None:
        self.jobs = tuple(held for held in self.jobs if held.id != job.id)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        lost: set[str] = set()  # another worker has it, or it was deleted: our result will not count
        while (
            not self._over.wait(self._store.lease_duration.total_seconds() / RENEWALS_PER_LEASE)
            and time.monotonic() < self._ends
        ):
            for job in self.jobs:
                if job.id not in lost and not self._over.is_set():
                    with log_context(job=job.id):
                        self._renew_one(job, lost)

    def _renew_one(self, job: Job, lost: set[str]) -> None:
        try:
            if not self._store.renew(job):
                lost.add(job.id)
        except StoreError as error:
            log.warning("the lease was not renewed: %s", error)
