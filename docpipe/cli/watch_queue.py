"""A watched folder whose files go into the queue. In: files that are ready. Out: jobs; the files, moved when those end.

A file is known by its place, size and time: after a restart the same file finds the job that it has already.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.cli.failure_note import reason_of
from docpipe.cli.service_access import ID_SHOWN
from docpipe.cli.submission import error_of, submit_file
from docpipe.errors import DocpipeError, InputError, QueueError, StoreError
from docpipe.service.submit import Service, SubmitOptions
from docpipe.store.jobs.job_store import ENDED, Job
from docpipe.watch import Found, WatchedFolder

log = logging.getLogger("docpipe.watch")
MOST_OPEN = 500  # files in the queue at a time: each lies on the disk twice as long as it is there
AGAIN_SECONDS = 15.0  # after which a database that was away is tried again
FAILURES = ("failed", "quarantined")
PURGED = InputError(
    "it failed before, and what the queue had of it was deleted since",
    hint="Change the file's time (touch), so that it counts as a new one.",
)


@dataclass
class QueueWatch:
    folder: WatchedFolder
    service: Service
    schema: str
    poll: float
    _open: dict[Path, tuple[Found, str]] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set; what is in the queue then goes on there. Raises StoreError and SchemaError at the start;
        later a database that is away is waited for."""
        self.service.check(SubmitOptions(self.schema))
        _ = self.service.database, self.service.blobs
        log.info("watching %s, into the queue", self.folder.folder)
        while not stop.is_set():
            pause = self.poll
            try:
                self.look()
            except (StoreError, QueueError) as error:
                log.warning("%s. %s Trying again in %g s", error, error.hint, AGAIN_SECONDS)
                pause = max(pause, AGAIN_SECONDS)
            stop.wait(pause)

    def look(self) -> None:
        """Submit what is ready, move what has ended."""
        for found in self.folder.look():
            known = self._open.get(found.path)
            if known is not None and known[0].same(found):
                continue
            if len(self._open) >= MOST_OPEN:
                break
            self._submit(found)
        jobs = self.service.view.by_ids([job_id for _, job_id in self._open.values()])
        for path, (found, job_id) in list(self._open.items()):
            job = jobs.get(job_id)
            if job is None:
                del self._open[path]  # deleted from the queue: the file is still to be done
            elif job.state in ENDED:
                del self._open[path]
                self._settle(found, job)

    def _submit(self, found: Found) -> None:
        wish = SubmitOptions(self.schema, idempotency_key=self._key(found))
        try:
            job = submit_file(self.service, found.path, wish)
        except (StoreError, QueueError):
            raise
        except DocpipeError as error:
            log.warning("%s: refused: %s", found.name, error)
            self.folder.settle(found, reason_of(error))
            return
        if job.state in FAILURES and job.ended is not None and found.arrived > job.ended.timestamp():
            again = self.service.retry(job.id)  # it failed before, and somebody has put it back since
            if again is None:
                self.folder.settle(found, reason_of(PURGED, document=job.document_id, job=job.id))
                return
            job = again
        log.info("%s: job %s is %s", found.name, job.id[:ID_SHOWN], job.state)
        self._open[found.path] = found, job.id

    def _settle(self, found: Found, job: Job) -> None:
        if job.state == "done":
            log.info("%s: %s (job %s)", found.name, job.status, job.id[:ID_SHOWN])
            self.folder.settle(found)
            return
        error = error_of(job)
        log.warning("%s: %s: %s (job %s)", found.name, job.state, error, job.id[:ID_SHOWN])
        self.folder.settle(found, reason_of(error, document=job.document_id, job=job.id))

    def _key(self, found: Found) -> str:
        """The same file with the same question is the same job."""
        facts = (found.name, found.size, found.changed, self.schema, self.service.settings.model)
        return "watch " + hashlib.sha256("\0".join(map(str, facts)).encode("utf-8", "surrogateescape")).hexdigest()
