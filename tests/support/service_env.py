"""The commands of the service in a test: settings in the environment, a folder IN, workers without Celery."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docpipe.config import Settings, load_settings
from docpipe.service.service import Service
from docpipe.store.jobs.job_view import JobFilter
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import pdf, scripted_model, task_runner


def configure_service(folder: Path, monkeypatch: pytest.MonkeyPatch, broker_url: str) -> Settings:
    """Commands without options work in this folder."""
    chosen = {
        "database_url": f"sqlite:///{folder / 'docpipe.db'}", "blob_url": folder / "blobs",
        "model": scripted_model(folder), "broker_url": broker_url,
    }  # fmt: skip
    for name, value in chosen.items():
        monkeypatch.setenv(f"DOCPIPE_{name.upper()}", str(value))
    monkeypatch.chdir(folder)
    (folder / "IN").mkdir()
    return load_settings()


def run_waiting_jobs(runner: TaskRunner) -> None:
    """All that waits, as workers would do it."""
    for states, run in ((("queued",), runner.prepare), (("prepared",), runner.understand)):
        for job in list(runner.service.view.all(JobFilter(states=states))):
            run(job.id)


@contextmanager
def worker_thread(settings: Settings) -> Iterator[None]:
    """A worker in a thread."""
    stop = threading.Event()

    def run() -> None:
        service = Service.of(settings)
        with task_runner(service) as runner:
            while not stop.wait(0.05):
                run_waiting_jobs(runner)
        service.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def put_documents(folder: Path) -> None:
    """Two that can be read and two that cannot."""
    (folder / "sub").mkdir()
    (folder / "a.pdf").write_bytes(pdf("Rechnung R-2041"))
    (folder / "sub" / "b.pdf").write_bytes(pdf("Rechnung R-2042"))
    (folder / "empty.pdf").touch()
    (folder / "notes.pdf").write_text("this is no PDF")
