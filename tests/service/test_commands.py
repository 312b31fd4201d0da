"""The commands of the service on real parts: a Redis, a database, and task runners, in a thread or as a process."""

from __future__ import annotations

import io
import json
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service.servers import wait_until
from docpipe.cli import invoke, migrate
from docpipe.config import Settings
from docpipe.service.job_actions import delete_job
from docpipe.service.maintenance import LOCK_NAME
from docpipe.service.service import Service
from docpipe.store import connect
from docpipe.store.database import Database
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.store.jobs.job import Job
from docpipe.store.jobs.job_view import JobFilter
from docpipe.store.jobs.leader_lock import LeaderLock
from tests.support.service_env import configure_service, put_documents, worker_thread
from tests.support.serving import NO_BROKER, column_of, database_closed, pdf, set_columns, submit_pdf, task_runner


@pytest.fixture
def settings_without_broker(tmp_path, monkeypatch) -> Settings:
    """Nobody answers at the broker's address."""
    return configure_service(tmp_path, monkeypatch, NO_BROKER)


@pytest.fixture
def settings(tmp_path, monkeypatch, redis_url) -> Settings:
    return configure_service(tmp_path, monkeypatch, redis_url)


@pytest.fixture
def service(settings) -> Iterator[Service]:
    service = Service.of(settings)
    yield service
    service.close()


def json_records(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines()]


def failed_job(service: Service, name: str = "notes.pdf") -> Job:
    job = submit_pdf(service, b"this is no PDF", name)
    with task_runner(service) as runner:
        runner.prepare(job.id)
    return service.jobs.get(job.id)


def test_submit_puts_each_document_into_the_queue_and_goes_on_after_one_that_is_refused(service, capsys):
    put_documents(Path("IN"))
    assert invoke(["submit", "IN", "--schema", "receipt", "--interactive"]) == 3
    captured = capsys.readouterr()
    records = json_records(captured.out)
    assert [(line["name"], line["file"], line["state"]) for line in records] == [
        ("a.pdf", "IN/a.pdf", "queued"), ("notes.pdf", "IN/notes.pdf", "queued"), ("b.pdf", "IN/sub/b.pdf", "queued"),
    ]  # fmt: skip
    jobs = [service.jobs.get(line["id"]) for line in records]
    assert [(job.document_id, job.schema, job.priority, job.owner) for job in jobs] == [
        (line["document_id"], "receipt", 1, "local") for line in records
    ]
    assert service.queue.depth("prepare") == 3
    assert "IN/empty.pdf: the file is empty (0 bytes). Ask the sender for it again." in captured.err
    assert "3 of 4 files are in the queue, 1 refused." in captured.err


def test_submit_waits_and_prints_the_results_of_all_files(settings, capsys):
    put_documents(Path("IN"))
    with worker_thread(settings):
        assert invoke(["submit", "IN", "--wait"]) == 3
    captured = capsys.readouterr()
    records = {line["file"]: line for line in json_records(captured.out)}
    assert {file: line["status"] for file, line in records.items()} == {
        "IN/a.pdf": "needs_review", "IN/sub/b.pdf": "needs_review", "IN/empty.pdf": "failed", "IN/notes.pdf": "failed",
    }  # fmt: skip
    assert records["IN/a.pdf"]["fields"]["invoice_number"]["value"] == "R-2041"
    assert records["IN/notes.pdf"]["error"]["code"] == "unsupported"
    assert "4 of 4 files: 2 to review, 2 failed" in captured.err
    assert "No worker answers. Start one: celery -A docpipe.workers.app worker" in captured.err  # ours has no Celery


def test_submit_with_strict_exits_with_9_when_something_needs_review(settings, capsys):
    Path("IN/a.pdf").write_bytes(pdf())
    with worker_thread(settings):
        assert invoke(["submit", "IN", "--wait", "--strict"]) == 9
    assert invoke(["submit", "IN", "--strict"]) == 2


def test_submit_says_of_a_job_that_was_deleted_while_it_waited(service, capsys):
    Path("IN/a.pdf").write_bytes(pdf())

    def delete() -> None:
        wait_until(lambda: service.view.page(JobFilter())[0] != [], "the job is there")
        delete_job(service, service.view.page(JobFilter())[0][0].id)

    thread = threading.Thread(target=delete)
    thread.start()
    assert invoke(["submit", "IN", "--wait"]) == 7
    thread.join()
    assert json_records(capsys.readouterr().out)[0]["error"]["code"] == "missing"


def test_submit_keeps_what_it_takes_in_while_the_broker_is_away(settings_without_broker, capsys, caplog):
    for number in range(3):
        Path(f"IN/{number}.pdf").write_bytes(pdf(f"R-{number}"))
    assert invoke(["submit", "IN"]) == 0
    records = json_records(capsys.readouterr().out)
    assert caplog.text.count("the broker cannot be reached") == 1
    service = Service.of(settings_without_broker)
    sent = [column_of(service.database, service.jobs.get(line["id"]), "sent") for line in records]
    service.close()
    assert sent == [None, None, None]  # maintenance sends them


def test_a_schema_of_ones_own_is_named_so_that_workers_find_it(service, capsys):
    Path("order.py").write_text(
        "from pydantic import BaseModel\n\nclass Order(BaseModel):\n    number: str | None = None\n"
    )
    Path("IN/a.pdf").write_bytes(pdf())
    assert invoke(["submit", "IN", "--schema", "order.py:Order"]) == 0
    (job,), _ = service.view.page(JobFilter())
    assert job.schema == f"{Path('order.py').absolute()}:Order"


@pytest.mark.parametrize(
    ("arguments", "code", "output"),
    [
        (["IN", "--schema", "menu"], 4, "no schema named 'menu'"),
        (["IN"], 2, "there is no file in IN"),
        (["script.json", "--callback-url", "https://example.com/told"], 2, "DOCPIPE_WEBHOOK_SECRET"),
    ],
)
def test_a_submission_that_cannot_be_granted_takes_nothing_in(settings, tmp_path, capsys, arguments, code, output):
    assert invoke(["submit", *arguments]) == code
    assert output in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "blobs").exists()


def test_a_callback_url_is_kept_with_the_job(service, monkeypatch):
    monkeypatch.setenv("DOCPIPE_WEBHOOK_SECRET", "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
    Path("IN/a.pdf").write_bytes(pdf())
    assert invoke(["submit", "IN", "--callback-url", "https://example.com/told"]) == 0
    assert service.view.page(JobFilter())[0][0].callback == {"url": "https://example.com/told"}


def test_status_shows_the_newest_jobs_and_why_one_failed(service, capsys):
    waiting, broken = submit_pdf(service, name="[bold]a.pdf"), failed_job(service)
    assert invoke(["status"]) == 0
    output = capsys.readouterr().out
    assert [id_ in output for id_ in (waiting.id[:12], broken.id[:12])] == [True, True]
    assert "[bold]a.pdf" in output
    assert "text file, not a PDF" in output
    assert output.splitlines()[-1] == "1 queued, 1 failed"
    assert invoke(["status", "--state", "failed", "--json"]) == 0
    (line,) = json_records(capsys.readouterr().out)
    assert (line["id"], line["state"], line["error"]["code"]) == (broken.id, "failed", "unsupported")


def test_status_finds_a_job_by_the_beginning_of_its_id(service, capsys):
    broken = failed_job(service)
    assert invoke(["status", broken.id[:8].upper()]) == 0
    assert f"{broken.id[:12]}: Convert it to PDF" in capsys.readouterr().out
    assert invoke(["status", "ffff" if broken.id[0] != "f" else "0000"]) == 2
    assert invoke(["status", "no-id"]) == 2
    assert "there is no job no-id" in capsys.readouterr().err


def test_an_id_that_two_jobs_begin_with_is_refused(service, capsys):
    for _ in range(17):  # of sixteen digits
        submit_pdf(service)
    first = [job.id[0] for job in service.view.page(JobFilter())[0]]
    twice = next(digit for digit in first if first.count(digit) > 1)
    assert invoke(["status", twice]) == 2
    assert f"several jobs begin with {twice}" in capsys.readouterr().err


def test_status_follows_until_all_have_ended(settings, service, capsys):
    submit_pdf(service, name="a.pdf")
    with worker_thread(settings):
        assert invoke(["status", "--watch"]) == 0
    assert "a.pdf: needs_review after" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("command", [["status"], ["queue"], ["queue", "retry", "ab"], ["key", "list"]])
def test_a_question_to_a_database_that_is_not_there_makes_none(settings, tmp_path, command):
    assert invoke(command) == 7
    assert not (tmp_path / "docpipe.db").exists()


def test_queue_says_what_waits_who_works_and_what_failed(service, capsys):
    submit_pdf(service, name="oldest.pdf")
    broken = failed_job(service)
    LeaderLock(service.database, LOCK_NAME).acquire("house:17", service.jobs.lease_duration)
    retried = submit_pdf(service, name="late.pdf")
    set_columns(
        service.database, retried, error_code="store", error_message="the disk is full", error_hint="Make room."
    )
    assert invoke(["queue"]) == 0
    output = capsys.readouterr().out
    findings = dict(re.findall(r"^(\w+) +(.+)$", output, re.MULTILINE))
    assert findings["broker"].endswith("3 in docpipe.prepare, 0 in docpipe.understand")
    assert "none answers" in findings["workers"]
    assert findings["maintenance"] == "house:17"
    assert findings["jobs"] == "2 queued, 1 failed"
    assert "oldest.pdf was taken in" in findings["oldest"]
    assert "1 are tried again; the last one for: the disk is full. Make room." in findings["retried"]
    assert broken.id[:12] in output


def test_queue_says_that_the_broker_is_away_and_still_all_that_the_database_knows(settings_without_broker, capsys):
    connect.migrate(settings_without_broker.database_url)
    assert invoke(["queue"]) == 0
    output = capsys.readouterr().out
    assert "the broker cannot be reached" in output
    assert "docpipe maintain` starts one" in output
    assert "no jobs" in output


def test_retry_begins_failed_jobs_again_and_says_which_it_cannot(service, capsys):
    first, other, waiting = failed_job(service, "one.pdf"), failed_job(service, "other.pdf"), submit_pdf(service)
    assert invoke(["queue", "retry", first.id[:10], waiting.id]) == 2
    captured = capsys.readouterr()
    assert captured.out.split() == [first.id]
    assert f"{waiting.id[:12]} bill.pdf: it is queued" in captured.err
    assert invoke(["queue", "retry", "--state", "failed"]) == 0
    assert capsys.readouterr().out.split() == [other.id]
    assert service.view.counts() == {"queued": 3}
    assert invoke(["queue", "retry"]) == 2


def test_purge_asks_first_and_deletes_all_that_belongs_to_a_job(service, tmp_path, monkeypatch, capsys):
    gone, kept = failed_job(service), submit_pdf(service)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert invoke(["queue", "purge", "--state", "failed"]) == 130
    assert invoke(["queue", "purge", "--state", "failed", "--older-than", "1", "--yes"]) == 0
    assert service.view.counts() == {"queued": 1, "failed": 1}
    assert invoke(["queue", "purge", "--state", "failed", "--yes"]) == 0
    assert capsys.readouterr().out.split() == [gone.id]
    assert service.view.counts() == {"queued": 1}
    assert [path.parent.name for path in (tmp_path / "blobs").rglob("original")] == [kept.id]


def test_a_key_is_printed_once_works_and_can_be_revoked(settings_without_broker, capsys):
    assert invoke(["key", "create", "web shop", "--role", "submit", "--role", "read", "--max-bytes", "20MiB"]) == 0
    captured = capsys.readouterr()
    (key,) = captured.out.split()
    database = Database(settings_without_broker.database_url)
    entry = ApiKeyStore(database).check(key)
    assert (entry.name, entry.roles, entry.max_bytes) == ("web shop", ("read", "submit"), 20 * 1024**2)
    assert invoke(["key", "list"]) == 0
    listed = capsys.readouterr().out
    assert entry.id in listed and "web shop" in listed and "20.0 MiB" in listed
    assert key.split("_", 2)[2] not in listed
    assert invoke(["key", "revoke", entry.id]) == 0
    assert ApiKeyStore(database).check(key) is None
    assert invoke(["key", "revoke", entry.id]) == 2
    database.close()


@pytest.mark.parametrize(
    "arguments",
    [["shop"], ["shop", "--role", "king"], ["shop", "--role", "read", "--max-bytes", "many"], [" ", "--role", "read"]],
)
def test_a_key_without_sense_is_refused(settings_without_broker, tmp_path, arguments):
    assert invoke(["key", "create", *arguments]) == 2
    assert not (tmp_path / "docpipe.db").exists()


def test_migrate_says_from_which_version_to_which(settings_without_broker, capsys):
    assert invoke(["migrate"]) == 0
    assert f"from nothing to version {connect.HEAD}" in capsys.readouterr().out
    assert invoke(["migrate"]) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_migrate_waits_for_a_database_that_is_not_there_yet(settings_without_broker, postgres_url, capsys, monkeypatch):
    """It is opened when the command waits for the second time."""
    waits = []
    with database_closed(postgres_url) as open_again:

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 2:
                open_again()

        monkeypatch.setattr(migrate.time, "sleep", sleep)
        assert invoke(["migrate", "--db", postgres_url, "--wait", "60"]) == 0
    assert waits == [migrate.RETRY_SECONDS] * 2
    captured = capsys.readouterr()
    assert captured.err.count("Waiting: ") == 1
    assert "from nothing" in captured.out


def test_migrate_says_why_when_it_has_waited_long_enough(settings_without_broker, capsys):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # and does not listen
        address = f"postgresql://clerk:geheim@127.0.0.1:{silent.getsockname()[1]}/docs"
        assert invoke(["migrate", "--db", address, "--wait", "0.1"]) == 7
    output = capsys.readouterr().err
    assert "refused" in output
    assert "geheim" not in output
