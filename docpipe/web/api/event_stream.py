"""Waiting for documents: one query of the database for all who wait, several times a second.

In: jobs as a client knows them. Out: the same jobs once they have changed, or after a time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from starlette.concurrency import run_in_threadpool

from docpipe.errors import StoreError
from docpipe.store.jobs.job import ENDED, Job
from docpipe.web.api.models import SubmittedDocument

log = logging.getLogger("docpipe.web")
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0  # a silent stream sends a comment: proxies close connections after 30 or 60 seconds
MAX_STREAM_SECONDS = 600.0  # then the client connects again, and its key is checked again
RECONNECT_MILLISECONDS = 2_000  # after which a browser connects again


@dataclass(eq=False)
class _Waiter:
    job: Job
    change: asyncio.Future[Job | None]


@dataclass
class JobWatcher:
    """One per application. `load` gives the jobs with these ids, as far as they exist."""

    load: Callable[[Sequence[str]], Mapping[str, Job]]
    _waiters: set[_Waiter] = field(default_factory=set)
    _polling: asyncio.Task[None] | None = None
    _closing: bool = False

    async def next_change(self, job: Job, seconds: float) -> Job | None:
        """The job once it is in another state or attempt; None when it was deleted; as it was after `seconds`."""
        if self._closing or seconds <= 0:
            return job
        waiter = _Waiter(job, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            async with asyncio.timeout(seconds):
                return await waiter.change
        except TimeoutError:
            return job
        finally:
            self._waiters.discard(waiter)

    async def wait_for_end(self, job: Job, seconds: float) -> Job | None:
        """The job as soon as it has ended, or as it is after `seconds`; None when it was deleted."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        latest: Job | None = job
        while latest is not None and latest.state not in ENDED and loop.time() < deadline and not self._closing:
            latest = await self.next_change(latest, deadline - loop.time())
        return latest

    def close(self) -> None:
        """The server stops: nobody is kept waiting."""
        self._closing = True
        for waiter in self._waiters:
            if not waiter.change.done():
                waiter.change.set_result(waiter.job)

    @property
    def closing(self) -> bool:
        return self._closing

    async def _poll(self) -> None:
        while self._waiters and not self._closing:
            await asyncio.sleep(POLL_SECONDS)
            ids = sorted({waiter.job.id for waiter in self._waiters})
            try:
                jobs = await run_in_threadpool(self.load, ids)
            except StoreError as error:  # those who wait do so until their time is over
                log.warning("%s", error)
                continue
            for waiter in self._waiters:
                latest = jobs.get(waiter.job.id)
                if waiter.job.id in ids and not waiter.change.done() and _version(latest) != _version(waiter.job):
                    waiter.change.set_result(latest)


async def stream(watcher: JobWatcher, job: Job, to_document: Callable[[Job], SubmittedDocument]) -> AsyncIterator[str]:
    """Server-sent events: the job as it is, then each change, until it has ended."""
    deadline = monotonic() + MAX_STREAM_SECONDS
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n{_event(job, to_document)}"
    while job.state not in ENDED and monotonic() < deadline and not watcher.closing:
        latest = await watcher.next_change(job, min(HEARTBEAT_SECONDS, deadline - monotonic()))
        if latest is None:
            yield "event: deleted\ndata: {}\n\n"
            return
        yield ": it is still at work\n\n" if latest is job else _event(latest, to_document)
        job = latest


def event_id(job: Job) -> str:
    return f"{job.state}-{job.attempts}-{job.created:%Y%m%d%H%M%S}-{job.ended or ''}".replace(" ", "T")


def _event(job: Job, to_document: Callable[[Job], SubmittedDocument]) -> str:
    """JSON has no line breaks."""
    return f"event: state\nid: {event_id(job)}\ndata: {to_document(job).model_dump_json(by_alias=True)}\n\n"


def _version(job: Job | None) -> object:
    """What changes when a client gets an event. That a worker renews its lease is none."""
    return None if job is None else (job.state, job.attempts, job.environment_retries, job.ended)
