"""Files on their way into the queue, and what became of them.

In: paths. Out: jobs; and of an ended job the outcome, as `docpipe run` knows it.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from docpipe import errors
from docpipe.batch.outcome import Outcome
from docpipe.errors import DocpipeError, InputError, MissingError, QueueError
from docpipe.service import Service, Wish
from docpipe.store.jobs import Job
from docpipe.store.waiting import Waiting

log = logging.getLogger("docpipe.sending")
AWAY_SECONDS = 30.0  # a broker that is away is not asked again for every document: each may cost five seconds
WORKER_LOST = "worker_lost"
KINDS = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DocpipeError)}


@dataclass
class Courier:
    """Takes files in. A broker that is away is said once; then the keeper tells it of them."""

    service: Service
    _away_until: float = 0.0

    def submit(self, path: Path, wish: Wish) -> Job:
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
            hint = "Check its permissions and the disk."
            raise InputError(f"the file cannot be read ({reason})", hint=hint) from error
        with source:
            job = self.service.submit(source, path.name, wish, tell=False)
        self.tell(job)
        return job

    def retry(self, job_id: str) -> Job | None:
        """An ended job from the beginning; None when it has not ended, or its original was deleted."""
        job = self.service.view.retry(job_id)
        if job is not None:
            self.tell(job)
        return job

    def tell(self, job: Job) -> None:
        if job.state != "queued":
            return  # known already, and further on
        if time.monotonic() >= self._away_until:
            try:
                self.service.sender.send("prepare", job)
            except QueueError as error:
                log.warning("%s; the keeper sends what is taken in when it is back", error.message.rstrip("."))
                self._away_until = time.monotonic() + AWAY_SECONDS
            else:
                return
        Waiting(self.service.database).tell_again([job])


def outcome_of(service: Service, path: Path, job: Job | None) -> Outcome:
    """Of a job that has ended; None: it was deleted."""
    if job is None:
        return Outcome(path, None, error=MissingError("it was deleted from the queue", hint="Submit it again."))
    found = service.store.find(job.run_key) if job.state == "done" and job.run_key else None
    if found is not None and found.extraction is not None:
        return Outcome(path, job.document_id, found.extraction, pages=found.extraction.pages)
    return Outcome(path, job.document_id, error=error_of(job))


def error_of(job: Job) -> DocpipeError:
    """Why a job has no result, as the error that it was in the worker."""
    if job.error is None:
        return MissingError("its result was deleted meanwhile", hint="Submit it again.")
    kind = KINDS.get(job.error["code"], InputError)  # one that ended its workers counts as a file that cannot be read
    return kind(job.error["message"], hint=job.error["hint"])
