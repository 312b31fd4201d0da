"""The tasks, by name. In: ids from the queue. Out: nothing; what happened is in SQL."""

from __future__ import annotations

from functools import cache
from typing import Any

from celery import Task
from celery.exceptions import Ignore

from docpipe.errors import StoreError
from docpipe.queue import Sender
from docpipe.service import Service
from workers.app import app, settings
from workers.desk import Desk

REQUEST = "workers.request:Request"  # named: only a worker loads it


@cache
def desk() -> Desk:
    """Made in the child that works, never in the parent: connections do not survive a fork."""
    return Desk(Service(settings, Sender(settings.broker_url, app=app)))


@app.task(name="docpipe.prepare", Request=REQUEST)
def prepare(job_id: str) -> None:
    desk().prepare(job_id)


@app.task(name="docpipe.understand", Request=REQUEST)
def understand(job_id: str) -> None:
    desk().understand(job_id)


@app.task(
    name="docpipe.process",
    bind=True,
    ignore_result=False,
    autoretry_for=(StoreError,),  # this message alone is not in SQL yet: it goes back to the broker until it is
    retry_backoff=2,
    retry_backoff_max=300,
    max_retries=None,
)
def process(
    self: Task, reference: str, schema: str = "invoice", callback: dict[str, Any] | None = None
) -> dict[str, Any]:
    """For other programs (docs/integration.md). The answer is stored under this task's id when the document has ended,
    so `.get()` waits for it; with a callback, {"task": name, "queue": name}, that task gets it instead."""
    refused = desk().process(reference, schema, callback or {"answer": self.request.id}, self.request.id)
    if refused is None:
        raise Ignore  # there is no answer yet
    return refused
