"""A backup as docs/operations.md describes it: the database first, then the documents, and nothing of the broker."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service.servers import PostgresServer, postgres_programs
from docpipe.service.job_actions import delete_job, job_result
from docpipe.service.maintenance import Maintenance
from docpipe.service.service import Service
from docpipe.store.jobs.job import Job
from tests.support.serving import end_lease, pdf, service_in, submit_pdf, task_runner


@pytest.fixture
def restored_url(postgres: PostgresServer) -> Iterator[str]:
    """Another database, empty."""
    with postgres.new_database() as url:
        yield url


def test_what_was_backed_up_goes_on_where_it_was(postgres_url: str, restored_url: str, redis_url: str, tmp_path: Path):
    """One document had ended, one was at work, one waited; one was sent in between the two halves of the backup,
    which is no harm, and one was deleted between them, which is said."""
    dump, blobs = tmp_path / "docpipe.dump", tmp_path / "saved"
    with service_in(tmp_path, broker_url=redis_url, database_url=postgres_url) as service:
        ended, at_work, waiting, deleted = (submit_pdf(service, pdf(f"Rechnung {n}"), f"{n}.pdf") for n in range(4))
        _work(service, ended)
        service.jobs.claim(at_work.id, "prepare", "a worker that will be gone")
        _run("pg_dump", "--format=custom", f"--file={dump}", f"--dbname={postgres_url}")
        late = submit_pdf(service, pdf("Rechnung 5"), "late.pdf")
        delete_job(service, deleted.id)
        shutil.copytree(tmp_path / "blobs", blobs)
        service.queue._app.control.purge()

    _run("pg_restore", "--clean", "--if-exists", f"--dbname={restored_url}", str(dump))
    with service_in(tmp_path, broker_url=redis_url, database_url=restored_url, blob_url=blobs) as service:
        assert job_result(service, service.jobs.get(ended.id))["fields"]
        assert service.jobs.get(late.id) is None
        jobs = service.jobs
        assert jobs.get(at_work.id).state == "preparing"
        end_lease(service.database, at_work)
        Maintenance(service).sweep()
        assert jobs.get(at_work.id).state == "queued"
        for job in (at_work, waiting, deleted):
            _work(service, job)
        assert [jobs.get(job.id).state for job in (ended, at_work, waiting, deleted)] == ["done"] * 3 + ["failed"]
        assert jobs.get(deleted.id).error["code"] == "missing"


def _work(service: Service, job: Job) -> None:
    """As a worker does; the messages are the broker's business."""
    with task_runner(service) as runner:
        runner.prepare(job.id)
        runner.understand(job.id)


def _run(program: str, *arguments: str) -> None:
    completed = subprocess.run([postgres_programs() / program, *arguments], capture_output=True, text=True, check=False)
    assert completed.returncode == 0, completed.stderr
