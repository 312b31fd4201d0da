"""What the routes work with, and who is asking.

In: settings. Out: stores, one of each per process; the key of a request with the role that the route asks for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from docpipe.config import Settings
from docpipe.queue import Sender
from docpipe.store.blobs import Blobs
from docpipe.store.job_view import JobView
from docpipe.store.jobs import Job, JobStore
from docpipe.store.keys import ApiKey, KeyStore
from docpipe.store.sql import SqlStore
from docpipe.web.limits import Rate, problem

bearer = HTTPBearer(auto_error=False, description="A key that `docpipe key create` made.")


@dataclass
class Service:
    """All that the routes need."""

    settings: Settings
    store: SqlStore
    jobs: JobStore
    view: JobView
    keys: KeyStore
    blobs: Blobs
    sender: Sender
    rate: Rate = field(default_factory=Rate)

    @classmethod
    def of(cls, settings: Settings) -> Service:
        jobs = JobStore(settings.database_url)
        return cls(
            settings, SqlStore(settings.database_url), jobs, JobView(jobs), KeyStore(settings.database_url),
            Blobs(settings.blob_url), Sender(settings.broker_url),
        )  # fmt: skip

    def close(self) -> None:
        for part in (self.store, self.jobs, self.keys):
            part.close()


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Parts = Annotated[Service, Depends(service_of)]


def key_with(role: str) -> Callable[..., ApiKey]:
    """A dependency: the key of the request, if it has the role and is within its rate."""

    def check(parts: Parts, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)] = None) -> ApiKey:
        key = parts.keys.check(given.credentials) if given is not None else None
        if key is None:
            raise HTTPException(
                401, "no valid API key: send `Authorization: Bearer dp_…`", {"www-authenticate": "Bearer"}
            )
        if not key.may(role):
            raise HTTPException(403, f"the key {key.name!r} has not the role {role!r}")
        if wait := parts.rate.wait(key.id, key.per_minute):
            raise HTTPException(429, f"more than {key.per_minute} requests a minute", {"retry-after": f"{wait:.0f}"})
        return key

    return check


def job_of(parts: Service, key: ApiKey, job_id: str) -> Job:
    """The job, if the key may know of it; 404 otherwise, as if there were none."""
    job = parts.jobs.get(job_id)
    if job is None or (job.submitter != key.id and not key.may("admin")):
        raise HTTPException(404, f"there is no document {job_id}")
    return job


__all__ = ["Parts", "Service", "job_of", "key_with", "problem", "service_of"]
