"""The Celery app. In: DOCPIPE_* settings. Out: `app`, for `celery -A docpipe.workers.app worker`.

Messages carry ids alone. SQL is the record: a message that is lost is sent again by the maintenance, one that comes
twice finds its job taken.
"""

from __future__ import annotations

from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_process_shutdown
from celery.utils.log import get_multiprocessing_logger

from docpipe.config import load_settings
from docpipe.log import configure_logging
from docpipe.private_files import allow_access
from docpipe.service.queue import (
    PREPARE_QUEUE,
    RESULT_EXPIRES,
    UNDERSTAND_QUEUE,
    default_result_url,
    queues,
    transport_options,
)
from docpipe.temporary import keep_temporary_files_together
from docpipe.trace import flush_spans

settings = load_settings()
TASK_SECONDS = int(settings.task_seconds)
"""The time limit of a task. The visibility timeout is longer: otherwise Redis hands a task out a second time
while it runs."""

app = Celery(
    "docpipe",
    broker=settings.broker_url,
    backend=default_result_url(settings.broker_url, settings.result_url),
    include=["docpipe.workers.tasks"],
)
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],  # a pickle from a stranger would run here
    task_acks_late=True,  # a worker that dies gives its message back
    task_reject_on_worker_lost=True,  # also when only its child dies; attempts are counted in SQL, so it ends
    worker_prefetch_multiplier=1,  # a message waits in the queue, not behind a long document
    task_ignore_result=True,  # SQL has it; docpipe.process answers through the outbox
    result_expires=RESULT_EXPIRES,
    task_time_limit=TASK_SECONDS + 30,  # kills the child: C code may not notice the soft limit
    task_soft_time_limit=TASK_SECONDS,
    task_queues=queues(settings.broker_url),
    task_routes={
        "docpipe.prepare": {"queue": PREPARE_QUEUE},
        "docpipe.process": {"queue": PREPARE_QUEUE},
        "docpipe.understand": {"queue": UNDERSTAND_QUEUE},
    },
    task_create_missing_queues=False,  # a worker that listens to a misspelled queue would wait for ever
    broker_transport_options=transport_options(settings.broker_url) | {"visibility_timeout": 2 * TASK_SECONDS + 120},
    broker_connection_retry_on_startup=True,  # a broker that starts later than the worker is no error
    broker_connection_max_retries=None,  # nor one that is away for an hour
    worker_cancel_long_running_tasks_on_connection_loss=False,  # the work is kept in SQL whatever the broker does
    worker_max_tasks_per_child=500,  # C libraries keep memory
    worker_soft_shutdown_timeout=20,  # after a second SIGTERM; the first one lets all work end
    worker_enable_remote_control=True,  # `docpipe queue` asks who is there
    worker_send_task_events=False,
)


@worker_init.connect
def _keep_files_to_ourselves(**_: Any) -> None:
    """In the main process, before it forks."""
    allow_access(settings.file_access)
    keep_temporary_files_together()


@setup_logging.connect
def _log_as_docpipe(**_: Any) -> None:
    """Celery leaves the log alone when somebody answers this signal."""
    configure_logging(settings.log_format)
    get_multiprocessing_logger().propagate = True  # it logs which child died


@worker_process_shutdown.connect
def _send_last_spans(**_: Any) -> None:
    flush_spans()
