"""A clerk's place: settings in the environment, a folder IN, and workers' desks without Celery around them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docpipe.config import Settings, load_settings
from docpipe.service.submit import Service
from docpipe.store.jobs.job_view import JobFilter
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import pdf, script


def clerk(folder: Path, monkeypatch: pytest.MonkeyPatch, broker_url: str) -> Settings:
    """Commands without options work in this folder."""
    given = {
        "database_url": f"sqlite:///{folder / 'docpipe.db'}", "blob_url": folder / "blobs",
        "model": script(folder), "broker_url": broker_url,
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(f"DOCPIPE_{name.upper()}", str(value))
    monkeypatch.chdir(folder)
    (folder / "IN").mkdir()
    return load_settings()


@contextmanager
def desk(service: Service) -> Iterator[TaskRunner]:
    desk = TaskRunner(service)
    try:
        yield desk
    finally:
        desk._renderer.close()
        for components in desk._components.values():
            components.close()


def work(desk: TaskRunner) -> None:
    """All that waits, as workers would do it."""
    for states, do in ((("queued",), desk.prepare), (("prepared",), desk.understand)):
        for job in list(desk.service.view.all(JobFilter(states=states))):
            do(job.id)


@contextmanager
def working(settings: Settings) -> Iterator[None]:
    """A worker in a thread."""
    over = threading.Event()

    def run() -> None:
        service = Service.of(settings)
        with desk(service) as mine:
            while not over.wait(0.05):
                work(mine)
        service.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def documents(folder: Path) -> None:
    """Two that can be read and two that cannot."""
    (folder / "sub").mkdir()
    (folder / "a.pdf").write_bytes(pdf("Rechnung R-2041"))
    (folder / "sub" / "b.pdf").write_bytes(pdf("Rechnung R-2042"))
    (folder / "empty.pdf").touch()
    (folder / "notes.pdf").write_text("this is no PDF")
