"""The tasks, by name. In: ids from the queue. Out: nothing; what happened is in SQL."""

from __future__ import annotations

import logging
from functools import cache
from typing import Any

from celery import Task
from celery.exceptions import Ignore, Reject

from docpipe.errors import QueueError, StoreError
from docpipe.service.queue import QueueClient
from docpipe.service.service import Service
from docpipe.workers.app import app, settings
from docpipe.workers.process_request import ProcessRequest
from docpipe.workers.task_runner import TaskRunner

log = logging.getLogger("docpipe.worker")
FIRST_WAIT, MAX_WAIT = 2.0, 300.0  # seconds before a message is tried again
REQUEST = "docpipe.workers.celery_request:JobRequest"  # by name: only a worker loads it


@cache
def task_runner() -> TaskRunner:
    """Made in the child process that works, never in its parent: connections do not survive a fork."""
    return TaskRunner(Service(settings, QueueClient(settings.broker_url, app=app)))


@app.task(name="docpipe.prepare", Request=REQUEST)
def prepare(job_id: str) -> None:
    task_runner().prepare(job_id)


@app.task(name="docpipe.understand", Request=REQUEST)
def understand(job_id: str) -> None:
    task_runner().understand(job_id)


# this message alone is not in SQL yet: it goes back to the broker until it is
@app.task(name="docpipe.process", bind=True, ignore_result=False, max_retries=None)
def process(self: Task, *args: Any, **kwargs: Any) -> dict[str, Any]:
    """For other programs (docs/integration.md). The answer is stored under this task's id when the document has ended,
    so `.get()` waits for it; with a callback, {"task": name, "queue": name}, that task gets it instead."""
    try:
        answer = task_runner().process(ProcessRequest.from_message(self.request.id, args, kwargs))
    except (StoreError, QueueError) as error:
        wait = min(FIRST_WAIT * 2 ** min(self.request.retries, 10), MAX_WAIT)
        log.warning("%s; the message is tried again in %g s", error, wait, extra={"context": {"task": self.request.id}})
        try:
            raise self.retry(exc=error, countdown=wait)
        except Reject as rejection:  # the broker is away too: it hands the message out again when it is back
            raise Reject(error, requeue=True) from rejection
    if answer is None:
        raise Ignore  # there is none yet, or another task gets it
    return answer
