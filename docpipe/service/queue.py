"""Sending work to the workers by the names of their tasks: nothing of theirs is imported.

In: a broker's URL, ids of jobs. Out: messages. A broker that is away is no loss: the job is in SQL, and the maintenance
sends it when the broker is back.
"""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from docpipe.errors import QueueError
from docpipe.store.jobs.job import INTERACTIVE, Job, Stage

if TYPE_CHECKING:
    from celery import Celery
    from kombu.entity import Queue

PREPARE_QUEUE, UNDERSTAND_QUEUE = "docpipe.prepare", "docpipe.understand"
QUEUES: Mapping[Stage, str] = {"prepare": PREPARE_QUEUE, "understand": UNDERSTAND_QUEUE}
REDIS_FIRST_PRIORITY, REDIS_LAST_PRIORITY = 0, 9
REDIS_PRIORITY_STEPS = [0, 3, 6, 9]  # kombu's own: a message of another program may lie in any of these lists
AMQP_LAST_PRIORITY, AMQP_FIRST_PRIORITY = 0, 9  # RabbitMQ counts the other way round
SEND_TIMEOUT = 5  # seconds: an upload waits no longer for a broker that is away
ONE_RETRY = {"max_retries": 1, "interval_start": 0, "interval_step": 0}  # kombu would wait six seconds for its return
KEEPALIVE_SECONDS = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
KEEPALIVE_OPTIONS = {getattr(socket, name): value for name, value in KEEPALIVE_SECONDS.items() if hasattr(socket, name)}
"""A broker whose machine is gone without a word is noticed in a minute, not after two hours. macOS has other names."""
PING_TIMEOUT = 1.0  # seconds for workers to answer
RESULT_EXPIRES = 24 * 3600  # seconds in the result backend; the results themselves are in SQL


class QueueClient:
    """One per process. `app`: the workers' own, in a worker."""

    def __init__(self, broker_url: str, result_url: str | None = None, *, app: Celery | None = None) -> None:
        self._is_amqp = is_amqp(broker_url)
        self._app = app or _celery_app(broker_url, result_url)

    def send(self, stage: Stage, job: Job) -> None:
        """Raises QueueError when the broker cannot be reached."""
        task_id = f"{job.id}.{uuid.uuid4().hex[:8]}"  # names the job where Celery logs, see job_id_of
        self._send(QUEUES[stage], [job.id], QUEUES[stage], urgent=job.priority >= INTERACTIVE, task_id=task_id)

    def call_task(self, task: str, queue: str, argument: Mapping[str, Any]) -> None:
        """Call another program's task with one argument. Raises QueueError."""
        from kombu.entity import Queue  # heavy: 0.3 s, and only the service queues

        if self._is_amqp:  # it drops, without an error, what is for a queue that is not declared yet
            with _queue_errors(), self._app.connection_for_read() as connection, connection.channel() as channel:
                channel.queue_declare(queue=queue, passive=True)
        # not declared: the queue is theirs, and RabbitMQ takes no second declaration that differs
        self._send(task, [argument], Queue(queue, no_declare=True), urgent=True)

    def set_result(self, task_id: str, result: Mapping[str, Any]) -> None:
        """Whoever waits for this `docpipe.process` task gets the result. Raises QueueError."""
        if not self._app.conf.result_backend:
            raise QueueError("there is no place for answers", hint="Set DOCPIPE_RESULT_URL, or ask with a callback.")
        with _queue_errors():
            self._app.backend.store_result(task_id, result, "SUCCESS")

    def depth(self, stage: Stage) -> int:
        """Messages that wait. Raises QueueError."""
        with (
            _queue_errors(),
            self._app.connection_for_read() as connection,
            connection.ensure_connection(**ONE_RETRY).channel() as channel,
        ):
            try:
                return int(channel.queue_declare(queue=QUEUES[stage], passive=True).message_count)
            except Exception as error:
                if str(getattr(error, "reply_code", "")) == "404":  # in Redis an empty list does not exist at all
                    return 0
                raise

    def workers(self) -> list[str]:
        """Those that answer within a second. Raises QueueError."""
        with _queue_errors():
            replies = self._app.control.ping(timeout=PING_TIMEOUT)
        return sorted(name for reply in replies for name in reply)

    def _send(
        self, task: str, args: Sequence[Any], queue: str | Queue, *, urgent: bool, task_id: str | None = None
    ) -> None:
        if self._is_amqp:
            priority = AMQP_FIRST_PRIORITY if urgent else AMQP_LAST_PRIORITY
        else:
            priority = REDIS_FIRST_PRIORITY if urgent else REDIS_LAST_PRIORITY
        options = {"queue": queue, "priority": priority, "task_id": task_id}
        with _queue_errors():
            self._app.send_task(task, args=args, retry=False, ignore_result=True, **options)


def job_id_of(task_id: str) -> str | None:
    """The job that a task is about; None where another program sent it."""
    job_id, dot, _ = task_id.partition(".")
    return job_id if dot else None


def transport_options(broker_url: str) -> dict[str, Any]:
    """Those that senders and workers must share: Redis' lists for each priority are named after them. RabbitMQ confirms
    that it has a message: until then the message counts as not sent."""
    if is_amqp(broker_url):
        return {"confirm_publish": True}
    if not is_redis(broker_url):
        return {}
    keepalive = {"socket_keepalive": True, "socket_keepalive_options": KEEPALIVE_OPTIONS}
    return {"priority_steps": REDIS_PRIORITY_STEPS, "queue_order_strategy": "priority", **keepalive}


def queues(broker_url: str) -> list[Queue]:
    """Both; the second stage first, so that what was begun is finished. Each has an exchange of its own name, as Celery
    makes them for whoever sends to a queue by name. RabbitMQ has to know of priorities when a queue is declared."""
    from kombu.entity import Exchange, Queue  # heavy: 0.3 s, and only the service queues

    arguments = {"x-max-priority": AMQP_FIRST_PRIORITY} if is_amqp(broker_url) else None
    names = UNDERSTAND_QUEUE, PREPARE_QUEUE
    return [Queue(name, Exchange(name), routing_key=name, queue_arguments=arguments) for name in names]


def is_amqp(broker_url: str) -> bool:
    return broker_url.startswith(("amqp", "pyamqp"))


def is_redis(broker_url: str) -> bool:
    return broker_url.startswith("redis")


def default_result_url(broker_url: str, result_url: str | None) -> str | None:
    return result_url or (broker_url if is_redis(broker_url) else None)


def _celery_app(broker_url: str, result_url: str | None) -> Celery:
    from celery import Celery  # heavy: 0.3 s, and only the service queues

    app = Celery(
        "docpipe-sender", broker=broker_url, backend=default_result_url(broker_url, result_url), set_as_current=False
    )
    options = transport_options(broker_url)
    if is_redis(broker_url):
        options |= {"socket_connect_timeout": SEND_TIMEOUT, "socket_timeout": SEND_TIMEOUT, **ONE_RETRY}
    app.conf.update(
        broker_transport_options=options,
        broker_connection_timeout=SEND_TIMEOUT,
        task_serializer="json",
        result_serializer="json",
        accept_content=["json"],
        result_expires=RESULT_EXPIRES,
        result_backend_thread_safe=True,  # the threads of the maintenance share its connections
        task_queues=queues(broker_url),
    )
    return app


@contextmanager
def _queue_errors() -> Iterator[None]:
    """What the broker's client library raises comes out as QueueError."""
    try:
        yield
    except Exception as error:  # kombu raises what each transport's library raises
        raise QueueError(f"the broker cannot be reached: {type(error).__name__}: {error}") from error
