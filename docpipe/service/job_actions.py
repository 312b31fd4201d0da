"""What may be done with a job that was taken in: its result is asked for, it is tried again, it is deleted.

In: a service, and a job or its id. Out: records and jobs; deletion removes the bytes, the result and the messages too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from docpipe.errors import DocpipeError
from docpipe.result import failed_record, record
from docpipe.schema import load_schema
from docpipe.service.service import Service
from docpipe.store.blobs import job_prefix
from docpipe.store.jobs.job import Job


def job_result(service: Service, job: Job) -> dict[str, Any] | None:
    """What is known of an ended job, as a line of `docpipe run`'s result file; None when its result was deleted."""
    if job.state != "done" or job.run_key is None:
        failed = failed_record(job.name, job.schema, DocpipeError(f"it is {job.state}"), job.document_id)
        return {**failed, "error": job.error or failed["error"]}
    stored = service.store.find(job.run_key)
    if stored is None or stored.extraction is None:
        return None
    schema = load_schema(job.schema).chosen(stored.extraction.schema)
    return record(stored.extraction, job.name, schema)


def task_reply(result: Mapping[str, Any], task_id: str | None, job_id: str | None = None) -> dict[str, Any]:
    """A result as other programs get it: with the id of the task that asked, by which they know what it answers."""
    return {"task_id": task_id, "job_id": job_id, **result}


def retry_job(service: Service, job_id: str) -> Job | None:
    """An ended job from the beginning; None when it has not ended, is unknown, or its original was deleted."""
    job = service.view.retry(job_id)
    if job is not None:
        service.enqueue(job)
    return job


def delete_job(service: Service, job_id: str) -> bool:
    """The job with all that belongs to it. A worker that has it finds it gone. False when it is unknown."""
    if service.jobs.get(job_id) is None:
        return False
    service.blobs.delete(job_prefix(job_id))  # first: what fails here can be asked for again
    deleted = service.view.delete(job_id)
    service.blobs.delete(job_prefix(job_id))  # a worker may have stored pages meanwhile
    return deleted is not None


def delete_remains(service: Service, job: Job) -> None:
    """What a worker wrote about a job that was deleted meanwhile."""
    service.view.delete_remains(job)
    service.blobs.delete(job_prefix(job.id))
