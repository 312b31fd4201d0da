"""What Celery's main process logs about a task, with the id of its job: which document took a worker with it.

In: tasks whose child process died or ran out of time. Out: the lines that Celery writes, with the job.
"""

from __future__ import annotations

from typing import Any

from celery.worker import request

from docpipe.log import log_context
from docpipe.service.queue import job_id_of


class JobRequest(request.Request):  # type: ignore[misc]  # Celery has no types
    def on_failure(self, *args: Any, **kwargs: Any) -> Any:
        with log_context(job=job_id_of(self.id)):
            return super().on_failure(*args, **kwargs)

    def on_timeout(self, *args: Any, **kwargs: Any) -> Any:
        with log_context(job=job_id_of(self.id)):
            return super().on_timeout(*args, **kwargs)
