"""What Celery's main process says of a task, said with the job: which document it was that took a worker with it.

In: tasks whose child died or ran out of time. Out: the same lines in the log, with the id of the job.
"""

from __future__ import annotations

from typing import Any

from celery.worker import request

from docpipe.log import log_context
from docpipe.service.queue import job_id_in


class JobRequest(request.Request):  # type: ignore[misc]  # Celery has no types
    def on_failure(self, *args: Any, **more: Any) -> Any:
        with log_context(job=job_id_in(self.id)):
            return super().on_failure(*args, **more)

    def on_timeout(self, *args: Any, **more: Any) -> Any:
        with log_context(job=job_id_in(self.id)):
            return super().on_timeout(*args, **more)
