"""A program of somebody else: a shop that has its suppliers' invoices read by docpipe, over the queue.

In: a broker that docpipe's workers use too. Out: messages to docpipe, and the task that gets its answers. Nothing of
docpipe is imported: the name of a task, the name of a queue and JSON are all that the two programs share.

    SHOP_BROKER     redis://localhost:6379/0 unless it is set
    SHOP_DATABASE   shop.db unless it is set
"""

from __future__ import annotations

import os
from typing import Any

from bills import Bills
from celery import Celery
from kombu import Exchange, Queue

BROKER = os.environ.get("SHOP_BROKER", "redis://localhost:6379/0")
DATABASE = os.environ.get("SHOP_DATABASE", "shop.db")
CALLBACK = {"task": "shop.invoice_read", "queue": "shop"}

# Declared as docpipe declares it: RabbitMQ takes no second declaration that differs. Redis does not mind either way.
TO_DOCPIPE = Queue(
    "docpipe.prepare",
    Exchange("docpipe.prepare"),
    routing_key="docpipe.prepare",
    queue_arguments={"x-max-priority": 9},
)

app = Celery("shop", broker=BROKER, backend=BROKER if BROKER.startswith("redis") else None)
app.conf.update(
    task_default_queue="shop",
    accept_content=["json"],
    task_acks_late=True,  # a worker that dies gives the answer back
    broker_connection_retry_on_startup=True,
)


def send(task_id: str, reference: str, *, callback: bool) -> None:
    """Ask for one invoice. The task id is the shop's own: sent twice, the document is still read once."""
    arguments: dict[str, Any] = {"schema": "invoice"}
    if callback:
        arguments["callback"] = CALLBACK
    app.send_task("docpipe.process", args=[reference], kwargs=arguments, task_id=task_id, queue=TO_DOCPIPE)


@app.task(name="shop.invoice_read", ignore_result=True)
def invoice_read(answer: dict[str, Any]) -> None:
    """docpipe calls this with its answer. It may come twice: the row is the same."""
    with Bills(DATABASE) as bills:
        bills.store(answer)
