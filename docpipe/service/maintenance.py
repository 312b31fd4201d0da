"""What has to happen though nobody asks: jobs of dead workers are released, what the broker forgot is sent again,
webhooks and answers are delivered, old originals are deleted.

In: the tables of the service. Out: the same, in order. One process at a time sweeps (store/jobs/leader_lock.py); a
second one waits until the first is gone. All of them deliver.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from docpipe.errors import DocpipeError, QueueError, StoreError
from docpipe.log import log_context
from docpipe.service.job_actions import job_result, task_reply
from docpipe.service.service import Service
from docpipe.service.webhooks import DeliveryRefused, WebhookClient, parse_secret, parse_webhook_url
from docpipe.store.blobs import job_prefix
from docpipe.store.jobs.job import ENDED, STAGES, Stage
from docpipe.store.jobs.job_sweeper import JobSweeper
from docpipe.store.jobs.leader_lock import LeaderLock
from docpipe.store.jobs.outbox import Delivery, Outbox

log = logging.getLogger("docpipe.service.maintenance")
LOCK_NAME = "maintenance"
LOCK_DURATION = timedelta(seconds=30)  # after the leader's death another process takes over
POLL_SECONDS = 1.0  # between two sweeps that found nothing to do
CONCURRENT_DELIVERIES = 8  # a receiver that does not answer holds up no other
SLOW_SECONDS = 2.0  # a receiver that fails after so long is slow, not only broken
PAUSE_SECONDS = 60.0  # before a slow receiver, or a disk that failed, is tried again
SWEEP_LIMIT = 500  # jobs of one sweep: the rest comes with the next


@dataclass
class Maintenance:
    """The process `docpipe maintain`. `name` is host:process."""

    service: Service
    stop: threading.Event = field(default_factory=threading.Event)
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    _release_from: float = 0.0
    _delete_from: float = 0.0
    _paused_hosts: dict[str, float] = field(default_factory=dict)

    def run(self, *, poll_seconds: float = POLL_SECONDS) -> None:
        """Until `stop` is set. Deliveries have a thread of their own: a receiver may take its time."""
        log.info("maintenance %s has started", self.name)
        deliveries = threading.Thread(target=self._repeat, args=(self.deliver, poll_seconds))
        deliveries.start()
        self._repeat(self._sweep_as_leader, poll_seconds)
        deliveries.join()
        with contextlib.suppress(StoreError):
            self._lock.release(self.name)

    def sweep(self) -> int:
        """Once over all jobs. Returns how much was done."""
        return sum(self._sweep_stage(stage) for stage in STAGES) + self._delete_expired()

    def deliver(self) -> int:
        """Once over the outbox: messages that are due, several at a time. Returns how many there were."""
        deliveries = self._outbox.acquire(CONCURRENT_DELIVERIES)
        if deliveries:
            with ThreadPoolExecutor(CONCURRENT_DELIVERIES) as pool:
                list(pool.map(self._deliver, deliveries))
        return len(deliveries)

    def _repeat(self, work: Callable[[], int], poll_seconds: float) -> None:
        while not self.stop.is_set():
            done = 0
            try:
                done = work()
            except StoreError as error:
                log.warning("%s", error)
            except Exception:  # a bug in one duty must not end the others, nor the next try of this one
                log.exception("the maintenance goes on")
            if not done:
                self.stop.wait(poll_seconds)

    def _sweep_as_leader(self) -> int:
        try:
            return self.sweep() if self._lock.acquire(self.name, LOCK_DURATION) else 0
        except StoreError:
            # no worker could renew its lease either: they get the time of one to do so
            self._release_from = time.monotonic() + self.service.settings.lease_seconds
            raise

    def _sweep_stage(self, stage: Stage) -> int:
        """Release what dead workers held, and send what the broker does not know of."""
        released = self._sweeper.release_expired(stage) if time.monotonic() >= self._release_from else 0
        if released:
            log.warning("%d jobs of dead workers were released (%s)", released, stage)
        try:
            queue_is_empty = self.service.queue.depth(stage) == 0
            unsent = self._sweeper.take_unsent(stage, queue_is_empty=queue_is_empty, limit=SWEEP_LIMIT)
        except QueueError as error:
            log.warning("%s", error)
            return released
        for position, job in enumerate(unsent):
            try:
                self.service.queue.send(stage, job)
            except QueueError as error:
                log.warning("%s", error)
                self._sweeper.mark_unsent(unsent[position:])
                return released + position
        if unsent:
            log.info("%d jobs were sent to %s", len(unsent), stage)
        return released + len(unsent)

    def _deliver(self, delivery: Delivery) -> None:
        with log_context(job=delivery.job_id, event=delivery.id):
            try:
                self._send(delivery)
            except DeliveryRefused as error:
                log.warning("not delivered, for good: %s", error)
                self._outbox.mark_failed(delivery, str(error), permanent=True)
            except Exception as error:  # noqa: BLE001 - whatever the network does, it is tried again
                log.warning("not delivered: %s: %s", type(error).__name__, error)
                self._outbox.mark_failed(delivery, f"{type(error).__name__}: {error}")
            else:
                self._outbox.mark_delivered(delivery)

    def _send(self, delivery: Delivery) -> None:
        target = delivery.target
        if "url" in target:
            if self._webhooks is None:
                raise DeliveryRefused("DOCPIPE_WEBHOOK_SECRET is not set any more")
            self._post(delivery, self._webhooks)
            return
        job = self.service.jobs.get(delivery.job_id)
        if job is not None and job.state not in ENDED:
            raise DeliveryRefused("it was begun again meanwhile, and its next end has a message of its own")
        result = job_result(self.service, job) if job is not None else None
        if result is None:
            raise DeliveryRefused("the result was deleted meanwhile")
        reply = task_reply(result, target.get("answer"), delivery.job_id)
        if "task" in target:
            self.service.queue.call_task(str(target["task"]), str(target.get("queue") or "celery"), reply)
        else:
            self.service.queue.set_result(str(target["answer"]), reply)

    def _post(self, delivery: Delivery, client: WebhookClient) -> None:
        """A receiver that keeps us waiting is left alone for a while: others are waiting, too."""
        host, started = parse_webhook_url(str(delivery.target["url"])).netloc, time.monotonic()
        if started < self._paused_hosts.get(host, 0.0):
            raise OSError(f"{host} did not answer a moment ago")
        try:
            client.post(delivery)
        except OSError:
            if time.monotonic() - started > SLOW_SECONDS:
                self._paused_hosts[host] = time.monotonic() + PAUSE_SECONDS
            raise

    def _delete_expired(self) -> int:
        """Originals and pictures that were kept for long enough; results stay."""
        days = self.service.settings.keep_days
        if days is None or time.monotonic() < self._delete_from:
            return 0
        expired = self._sweeper.expired(timedelta(days=days), SWEEP_LIMIT)
        deleted = 0
        for job in expired:
            with log_context(job=job.id, document=job.document_id):
                try:
                    with self._sweeper.purging(job) as allowed:
                        if allowed:
                            self.service.blobs.delete(job_prefix(job.id))
                            deleted += 1
                except DocpipeError as error:
                    log.warning("%s", error)
                    self._delete_from = time.monotonic() + PAUSE_SECONDS
        return deleted

    @cached_property
    def _sweeper(self) -> JobSweeper:
        return JobSweeper(self.service.database)

    @cached_property
    def _outbox(self) -> Outbox:
        return Outbox(self.service.database)

    @cached_property
    def _lock(self) -> LeaderLock:
        return LeaderLock(self.service.database, LOCK_NAME)

    @cached_property
    def _webhooks(self) -> WebhookClient | None:
        secret = self.service.settings.webhook_secret
        if secret is None:
            return None
        allow_internal = self.service.settings.webhook_internal
        return WebhookClient(parse_secret(secret.get_secret_value()), allow_internal=allow_internal)
