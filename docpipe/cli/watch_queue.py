"""A watched folder whose files go into the queue. In: files that are ready. Out: jobs; the files, moved when those end.

A file is known by its name, size and time: after a restart the same file finds the job that it has already.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.cli.submission import error_of, submit_file
from docpipe.cli.wording import ID_DIGITS, failure_note
from docpipe.errors import DocpipeError, InputError, QueueError, StoreError
from docpipe.service.job_actions import retry_job
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, check_options
from docpipe.store.jobs.job import ENDED, Job
from docpipe.watch import RETRY_SECONDS, WatchedFile, WatchedFolder

log = logging.getLogger("docpipe.watch")
MAX_QUEUED = 500  # files in the queue at a time: each lies on the disk twice as long as it is there
FAILURES = ("failed", "quarantined")
PURGED = InputError(
    "it failed before, and what the queue had of it was deleted since",
    hint="Change the file's time (touch), so that it counts as a new one.",
)


@dataclass
class QueueWatcher:
    """`poll`: seconds between two polls of the folder."""

    folder: WatchedFolder
    service: Service
    schema: str
    poll: float
    _queued: dict[Path, tuple[WatchedFile, str]] = field(default_factory=dict, init=False)  # with the id of its job

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is in the queue then goes on there. Raises StoreError and SchemaError at the start;
        later a database that is away is waited for."""
        check_options(self.service.settings, SubmitOptions(self.schema))
        _ = self.service.database, self.service.blobs
        log.info("watching %s, into the queue", self.folder.folder)
        while not stop.is_set():
            pause = self.poll
            try:
                self.update()
            except (StoreError, QueueError) as error:
                log.warning("%s. %s Trying again in %g s", error, error.hint, RETRY_SECONDS)
                pause = max(pause, RETRY_SECONDS)
            stop.wait(pause)

    def update(self) -> None:
        """Submit what is ready, move what has ended."""
        for file in self.folder.poll():
            queued = self._queued.get(file.path)
            if queued is not None and queued[0].same_version(file):
                continue
            if len(self._queued) >= MAX_QUEUED:
                break
            self._submit(file)
        jobs = self.service.view.by_ids([job_id for _, job_id in self._queued.values()])
        for path, (file, job_id) in list(self._queued.items()):
            job = jobs.get(job_id)
            if job is None:
                del self._queued[path]  # deleted from the queue: the file is still to be done
            elif job.state in ENDED:
                del self._queued[path]
                self._finish(file, job)

    def _submit(self, file: WatchedFile) -> None:
        options = SubmitOptions(self.schema, idempotency_key=self._idempotency_key(file))
        try:
            job = submit_file(self.service, file.path, options)
        except (StoreError, QueueError):
            raise
        except DocpipeError as error:
            log.warning("%s: refused: %s", file.name, error)
            self.folder.move_away(file, failure_note(error, unfinished=file.unfinished))
            return
        if job.state in FAILURES and job.ended is not None and file.arrived > job.ended.timestamp():
            retried = retry_job(self.service, job.id)  # it failed before, and somebody has put it back since
            if retried is None:
                self.folder.move_away(file, failure_note(PURGED, document=job.document_id, job=job.id))
                return
            job = retried
        log.info("%s: job %s is %s", file.name, job.id[:ID_DIGITS], job.state)
        self._queued[file.path] = file, job.id

    def _finish(self, file: WatchedFile, job: Job) -> None:
        """Move the file of a job that has ended."""
        if job.state == "done":
            log.info("%s: %s (job %s)", file.name, job.status, job.id[:ID_DIGITS])
            self.folder.move_away(file)
            return
        error = error_of(job)
        log.warning("%s: %s: %s (job %s)", file.name, job.state, error, job.id[:ID_DIGITS])
        note = failure_note(error, document=job.document_id, job=job.id, unfinished=file.unfinished)
        self.folder.move_away(file, note)

    def _idempotency_key(self, file: WatchedFile) -> str:
        """The same file for the same schema and model is the same job."""
        parts = (file.name, file.size, file.modified_ns, self.schema, self.service.settings.model)
        return "watch " + hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()
