"""What every part of the service shares: the settings, the opened stores, and the queue.

In: settings. Out: a `Service`, as the HTTP API, the command line, the watched folder, the workers and the maintenance
hold one per process.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TypeVar

from docpipe.config import Settings
from docpipe.errors import QueueError, StoreError
from docpipe.service.queue import QueueClient, default_result_url
from docpipe.store.blobs import Blobs
from docpipe.store.database import Database
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_store import JobStore
from docpipe.store.jobs.job_sweeper import JobSweeper
from docpipe.store.jobs.job_view import JobView
from docpipe.store.results.result_store import SqlStore

log = logging.getLogger("docpipe.service")
BROKER_PAUSE_SECONDS = 10.0  # a broker that did not answer is left alone for so long: each try may take ten seconds
T = TypeVar("T")


class locked_cached_property(cached_property[T]):  # noqa: N801 - it is used as cached_property is
    """Computed once, also when several threads ask for it first at the same moment: each database that is opened has
    connections of its own."""

    _lock = threading.RLock()

    def __get__(self, instance: object, owner: type | None = None) -> T:  # type: ignore[override]
        with self._lock:
            value: T = super().__get__(instance, owner)
            return value


@dataclass
class Service:
    """Each store is opened when it is first used. `queue` is the workers' own in a worker."""

    settings: Settings
    queue: QueueClient
    _broker_paused_until: float = 0.0

    @classmethod
    def of(cls, settings: Settings) -> Service:
        result_url = default_result_url(settings.broker_url, settings.result_url)
        return cls(settings, QueueClient(settings.broker_url, result_url))

    @locked_cached_property
    def database(self) -> Database:
        return Database(self.settings.database_url)

    @locked_cached_property
    def jobs(self) -> JobStore:
        return JobStore(self.database, timedelta(seconds=self.settings.lease_seconds))

    @locked_cached_property
    def view(self) -> JobView:
        return JobView(self.database)

    @locked_cached_property
    def store(self) -> SqlStore:
        return SqlStore(self.settings.database_url)

    @locked_cached_property
    def blobs(self) -> Blobs:
        return Blobs(self.settings.blob_url)

    def close(self) -> None:
        for name in ("store", "database"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()

    def enqueue(self, job: Job) -> None:
        """Send the job's next stage to the broker. While the broker is away the maintenance sends it later."""
        try:
            if time.monotonic() < self._broker_paused_until:
                raise QueueError("the broker did not answer a moment ago")
            if self._broker_paused_until:  # one caller tries; the others do not wait with it
                self._broker_paused_until = time.monotonic() + BROKER_PAUSE_SECONDS
            self.queue.send("understand" if job.state == "prepared" else "prepare", job)
            self._broker_paused_until = 0.0
        except QueueError as error:
            self._broker_paused_until = self._broker_paused_until or time.monotonic() + BROKER_PAUSE_SECONDS
            log.warning("%s; the maintenance sends it later", error)
            with suppress(StoreError):  # the job is in, and the maintenance finds it
                JobSweeper(self.database).mark_unsent([job])
