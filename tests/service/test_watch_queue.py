"""`docpipe watch --queue`: files of a watched folder as jobs; a real Redis, task runners here or as a process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service.servers import docpipe, environment, running, wait_until, worker
from docpipe.cli import invoke
from docpipe.cli.watch_queue import QueueWatcher
from docpipe.config import Settings
from docpipe.service.job_actions import delete_job
from docpipe.service.service import Service
from docpipe.store import connect
from docpipe.store.jobs.job_view import JobFilter
from docpipe.watch import STABLE_POLLS, WatchedFolder
from tests.support.command_line import files_in
from tests.support.service_env import configure_service, put_documents, run_waiting_jobs
from tests.support.serving import pdf, set_columns, task_runner


@pytest.fixture
def settings(tmp_path, monkeypatch, redis_url) -> Settings:
    return configure_service(tmp_path, monkeypatch, redis_url)


@pytest.fixture
def service(settings) -> Iterator[Service]:
    service = Service.of(settings)
    yield service
    service.close()


@pytest.fixture
def watched(service, tmp_path) -> QueueWatcher:
    return restarted_watcher(service, tmp_path)


def restarted_watcher(service: Service, tmp_path: Path) -> QueueWatcher:
    """As after a restart."""
    folder = WatchedFolder(tmp_path / "IN")
    folder.prepare()
    return QueueWatcher(folder, service, "invoice", 0.1)


def update_until_stable(watched: QueueWatcher) -> None:
    for _ in range(STABLE_POLLS + 1):
        watched.update()


def test_a_watched_file_goes_into_the_queue_once_and_is_moved_when_its_job_has_ended(service, watched, tmp_path):
    put_documents(tmp_path / "IN")
    update_until_stable(watched)
    assert sorted(job.name for job in service.view.all(JobFilter())) == ["a.pdf", "b.pdf", "notes.pdf"]
    update_until_stable(watched)
    assert service.queue.depth("prepare") == 3
    assert files_in(tmp_path / "IN") == {"a.pdf", "sub/b.pdf", "notes.pdf", "empty.pdf"}  # the last may still be filled
    with task_runner(service) as runner:
        run_waiting_jobs(runner)
    update_until_stable(watched)
    assert files_in(tmp_path / "IN") == {
        "done/a.pdf", "done/sub/b.pdf", "failed/notes.pdf", "failed/notes.pdf.reason.txt", "empty.pdf",
    }  # fmt: skip
    (broken,) = service.view.all(JobFilter(states=("failed",)))
    assert f"job: {broken.id}" in (tmp_path / "IN/failed/notes.pdf.reason.txt").read_text()


def test_after_a_restart_a_watched_file_finds_the_job_that_it_has(service, watched, tmp_path):
    put_documents(tmp_path / "IN")
    update_until_stable(watched)
    with task_runner(service) as runner:
        run_waiting_jobs(runner)
    before = {job.id: job.state for job in service.view.all(JobFilter())}
    update_until_stable(restarted_watcher(service, tmp_path))
    assert {job.id: job.state for job in service.view.all(JobFilter())} == before
    assert "done/a.pdf" in files_in(tmp_path / "IN")
    assert "failed/notes.pdf" in files_in(tmp_path / "IN")
    assert len(list((tmp_path / "blobs").rglob("original"))) == len(before)


def test_a_failed_file_that_is_put_back_is_tried_again(service, watched, tmp_path):
    notes = tmp_path / "IN" / "notes.pdf"
    notes.write_text("this is no PDF")
    update_until_stable(watched)
    with task_runner(service) as runner:
        run_waiting_jobs(runner)
        update_until_stable(watched)
        (tmp_path / "IN/failed/notes.pdf").rename(notes)
        update_until_stable(watched)
        assert service.view.counts() == {"queued": 1}
        run_waiting_jobs(runner)
    update_until_stable(watched)
    assert "failed/notes.pdf" in files_in(tmp_path / "IN")


def test_a_file_that_was_put_back_when_its_original_was_deleted_says_what_to_do(service, watched, tmp_path):
    notes = tmp_path / "IN" / "notes.pdf"
    notes.write_text("this is no PDF")
    update_until_stable(watched)
    with task_runner(service) as runner:
        run_waiting_jobs(runner)
    update_until_stable(watched)
    (job,) = service.view.all(JobFilter())
    set_columns(service.database, job, purged=job.ended)
    (tmp_path / "IN/failed/notes.pdf").rename(notes)
    update_until_stable(watched)
    assert "(touch)" in (tmp_path / "IN/failed/notes.pdf.reason.txt").read_text()


def test_a_watched_file_whose_job_was_deleted_gets_a_new_one(service, watched, tmp_path):
    (tmp_path / "IN" / "a.pdf").write_bytes(pdf())
    update_until_stable(watched)
    (job,) = service.view.all(JobFilter())
    delete_job(service, job.id)
    update_until_stable(watched)
    (again,) = service.view.all(JobFilter())
    assert again.id != job.id


def test_a_watched_file_that_is_overwritten_gets_a_job_for_each_content(service, watched, tmp_path):
    (tmp_path / "IN" / "a.pdf").write_bytes(pdf("the first"))
    update_until_stable(watched)
    (tmp_path / "IN" / "a.pdf").write_bytes(pdf("and the second one"))
    update_until_stable(watched)
    assert service.view.counts() == {"queued": 2}
    with task_runner(service) as runner:
        run_waiting_jobs(runner)
    update_until_stable(watched)
    assert files_in(tmp_path / "IN") == {"done/a.pdf"}
    assert {job.document_id for job in service.view.all(JobFilter())} == {
        result.document.id for result in service.store.results()
    }


def test_a_file_that_the_service_refuses_is_moved_with_the_reason(service, tmp_path):
    (tmp_path / "IN" / "large.pdf").write_bytes(pdf())
    small = Service(service.settings.model_copy(update={"max_bytes": 10}), service.queue)
    update_until_stable(restarted_watcher(small, tmp_path))
    small.close()
    assert "more than the 10 allowed" in (tmp_path / "IN/failed/large.pdf.reason.txt").read_text()


def test_watching_into_the_queue_refuses_what_only_reading_here_can_do(settings, capsys):
    assert invoke(["watch", "IN", "--queue", "--password", "geheim"]) == 2
    assert "geheim" not in capsys.readouterr().err


def test_with_worker_and_maintenance_as_processes_a_watched_folder_empties_itself(settings, tmp_path):
    """All of it as an operator starts it."""
    (tmp_path / "IN" / "first.pdf").write_bytes(pdf("the first"))
    variables = environment(
        **{name: getattr(settings, name) for name in ("database_url", "blob_url", "broker_url", "model")}
    )
    connect.migrate(settings.database_url)
    watch = docpipe(variables, tmp_path / "watch.log", "watch", str(tmp_path / "IN"), "--queue", "--poll", "0.2")
    maintenance = docpipe(variables, tmp_path / "maintenance.log", "maintain")
    with running(watch, maintenance, worker(variables, tmp_path / "worker.log")):
        (tmp_path / "IN" / "notes.pdf").write_text("this is no PDF")
        ended = {"done/first.pdf", "failed/notes.pdf", "failed/notes.pdf.reason.txt"}
        wait_until(lambda: files_in(tmp_path / "IN") == ended, "all files are moved")
        assert watch.stop() == 0
    assert "first.pdf: needs_review" in watch.output()
