"""Files on their way into the queue, and what became of them.

In: paths. Out: jobs; and of an ended job the outcome, as `docpipe run` knows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docpipe import errors
from docpipe.batch.outcome import Outcome
from docpipe.errors import DocpipeError, InputError, MissingError
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
from docpipe.store.jobs.job import Job

ERRORS_BY_CODE = {
    error.code: error for error in vars(errors).values() if isinstance(error, type) and issubclass(error, DocpipeError)
}


def submit_file(service: Service, path: Path, options: SubmitOptions) -> Job:
    """Raises InputError for a file that cannot be read, and what Service.submit raises."""
    if path.is_dir():
        raise InputError("this is a folder, not a file", hint="Name a file in it, or check that it can be listed.")
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise InputError("this is a device or a pipe, not a file", hint="Save it as a file first.")
    try:
        source = path.open("rb")
    except FileNotFoundError as error:
        raise InputError("there is no such file", hint="Check the path.") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(f"the file cannot be read ({reason})", hint="Check its permissions and the disk.") from error
    with source:
        return submit_document(service, source, path.name, options)


@contextmanager
def warnings_once() -> Iterator[None]:
    """That the broker is away is logged once, not for each of a thousand documents."""
    logged: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        is_first = message not in logged
        logged.add(message)
        return is_first

    service_log = logging.getLogger("docpipe.service")
    service_log.addFilter(is_new)
    try:
        yield
    finally:
        service_log.removeFilter(is_new)


def outcome_of(service: Service, path: Path, job: Job | None) -> Outcome:
    """Of a job that has ended; None: it was deleted."""
    if job is None:
        return Outcome(path, None, error=MissingError("it was deleted from the queue", hint="Submit it again."))
    stored = service.store.find(job.run_key) if job.state == "done" and job.run_key else None
    if stored is not None and stored.extraction is not None:
        return Outcome(path, job.document_id, stored.extraction, pages=stored.extraction.pages)
    return Outcome(path, job.document_id, error=error_of(job))


def error_of(job: Job) -> DocpipeError:
    """Why a job has no result, as the error that it was in the worker."""
    if job.error is None:
        return MissingError("its result was deleted meanwhile", hint="Submit it again.")
    # a document that killed its workers has a code of its own: it counts as a file that cannot be read
    error_class = ERRORS_BY_CODE.get(job.error["code"], InputError)
    return error_class(job.error["message"], hint=job.error["hint"])
