"""The keeper: what has to happen though nobody asks. Jobs of dead workers are freed, what the broker forgot is sent
again, messages are delivered, old originals are deleted.

In: the record. Out: the same, in order. One keeper at a time does it (store/waiting.py, Duties); a second one waits.
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
from docpipe.log import about
from docpipe.service.submit import Service, addressed
from docpipe.service.webhooks import Caller, Refused, checked_url, secret_of
from docpipe.store.blobs import prefix_of
from docpipe.store.jobs.job_store import ENDED, STAGES, Stage
from docpipe.store.jobs.outbox import Delivery, Outbox
from docpipe.store.jobs.waiting import Duties, Waiting

log = logging.getLogger("docpipe.service.maintenance")
DUTY = "keeper"
HELD = timedelta(seconds=30)  # another keeper takes over after that
LOOK = 1.0  # seconds between two looks
AT_A_TIME = 8  # messages to others: one that does not answer holds up no other
SLOW = 2.0  # seconds for an answer; a receiver that fails after so long is slow, not only broken
PAUSE = 60.0  # seconds before what failed for all is tried again for others
SENT_AT_ONCE = 500  # messages of one look: the rest comes with the next


@dataclass
class Keeper:
    service: Service
    stop: threading.Event = field(default_factory=threading.Event)
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    _free_from: float = 0.0
    _delete_from: float = 0.0
    _silent: dict[str, float] = field(default_factory=dict)

    def run(self, *, look: float = LOOK) -> None:
        """Until `stop` is set. Messages have a thread of their own: a receiver may take its time."""
        log.info("keeper %s is there", self.name)
        messages = threading.Thread(target=self._repeat, args=(self.deliver, look))
        messages.start()
        self._repeat(self._keep, look)
        messages.join()
        with contextlib.suppress(StoreError):
            self._duties.lay_down(DUTY, self.name)

    def keep_order(self) -> int:
        """One look at all jobs. Returns how much was done."""
        return sum(self._stage(stage) for stage in STAGES) + self._delete_old()

    def deliver(self) -> int:
        """One look into the outbox: messages that are due, several at a time. Returns how many there were."""
        due = self._outbox.take(AT_A_TIME)
        if due:
            with ThreadPoolExecutor(AT_A_TIME) as senders:
                list(senders.map(self._deliver, due))
        return len(due)

    def _repeat(self, work: Callable[[], int], look: float) -> None:
        while not self.stop.is_set():
            done = 0
            try:
                done = work()
            except StoreError as error:
                log.warning("%s", error)
            except Exception:
                log.exception("the keeper goes on")
            if not done:
                self.stop.wait(look)

    def _keep(self) -> int:
        try:
            return self.keep_order() if self._duties.take(DUTY, self.name, HELD) else 0
        except StoreError:
            # nobody could renew a lease either: workers have the time of one to do so
            self._free_from = time.monotonic() + self.service.settings.lease_seconds
            raise

    def _stage(self, stage: Stage) -> int:
        """Free what dead workers held, and send what the broker does not know of."""
        freed = self._waiting.free_the_lost(stage) if time.monotonic() >= self._free_from else 0
        if freed:
            log.warning("%d jobs of dead workers were freed (%s)", freed, stage)
        try:
            queue_is_empty = self.service.sender.depth(stage) == 0
            untold = self._waiting.untold(stage, queue_is_empty=queue_is_empty, limit=SENT_AT_ONCE)
        except QueueError as error:
            log.warning("%s", error)
            return freed
        for number, job in enumerate(untold):
            try:
                self.service.sender.send(stage, job)
            except QueueError as error:
                log.warning("%s", error)
                self._waiting.tell_again(untold[number:])
                return freed + number
        if untold:
            log.info("%d jobs were sent to %s", len(untold), stage)
        return freed + len(untold)

    def _deliver(self, delivery: Delivery) -> None:
        with about(job=delivery.job_id, event=delivery.id):
            try:
                self._send(delivery)
            except Refused as error:
                log.warning("not delivered, for good: %s", error)
                self._outbox.failed(delivery, str(error), for_good=True)
            except Exception as error:  # noqa: BLE001 - whatever the network does, it is tried again
                log.warning("not delivered: %s: %s", type(error).__name__, error)
                self._outbox.failed(delivery, f"{type(error).__name__}: {error}")
            else:
                self._outbox.delivered(delivery)

    def _send(self, delivery: Delivery) -> None:
        target = delivery.target
        if "url" in target:
            if self._caller is None:
                raise Refused("DOCPIPE_WEBHOOK_SECRET is not set any more")
            self._post(delivery, self._caller)
            return
        job = self.service.jobs.get(delivery.job_id)
        if job is not None and job.state not in ENDED:
            raise Refused("it was begun again meanwhile, and its next end has a message of its own")
        answer = self.service.answer(job) if job is not None else None
        if answer is None:
            raise Refused("the result was deleted meanwhile")
        answer = addressed(answer, target.get("answer"), delivery.job_id)
        if "task" in target:
            self.service.sender.call(str(target["task"]), str(target.get("queue") or "celery"), answer)
        else:
            self.service.sender.answer(str(target["answer"]), answer)

    def _post(self, delivery: Delivery, caller: Caller) -> None:
        """A receiver that keeps us waiting is left alone for a while: others are waiting, too."""
        host, began = checked_url(str(delivery.target["url"])).netloc, time.monotonic()
        if began < self._silent.get(host, 0.0):
            raise OSError(f"{host} did not answer a moment ago")
        try:
            caller.post(delivery)
        except OSError:
            if time.monotonic() - began > SLOW:
                self._silent[host] = time.monotonic() + PAUSE
            raise

    def _delete_old(self) -> int:
        """Originals and pictures; results stay."""
        days = self.service.settings.keep_days
        if days is None or time.monotonic() < self._delete_from:
            return 0
        old = self._waiting.past_their_time(timedelta(days=days), SENT_AT_ONCE)
        deleted = 0
        for job in old:
            with about(job=job.id, document=job.document_id):
                try:
                    with self._waiting.purging(job) as may:
                        if may:
                            self.service.blobs.delete(prefix_of(job.id))
                            deleted += 1
                except DocpipeError as error:
                    log.warning("%s", error)
                    self._delete_from = time.monotonic() + PAUSE
        return deleted

    @cached_property
    def _waiting(self) -> Waiting:
        return Waiting(self.service.database)

    @cached_property
    def _outbox(self) -> Outbox:
        return Outbox(self.service.database)

    @cached_property
    def _duties(self) -> Duties:
        return Duties(self.service.database)

    @cached_property
    def _caller(self) -> Caller | None:
        secret = self.service.settings.webhook_secret
        if secret is None:
            return None
        return Caller(secret_of(secret.get_secret_value()), internal=self.service.settings.webhook_internal)
