"""The watched folder: when a file is taken, where it goes, and `docpipe watch` as a process that may be killed."""

from __future__ import annotations

import logging
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from benchmarks.service.servers import START_SECONDS, Program, wait_until
from docpipe.batch.batch_worker import BatchPlan
from docpipe.capacity import Deadlines, WorkerLimits
from docpipe.cli import invoke, watch_local
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.errors import UsageError
from docpipe.schema import load_schema
from docpipe.watch import STABLE_POLLS, WatchedFile, WatchedFolder
from tests.support.command_line import command_environment, draw_invoice, files_in, workplace
from tests.support.processes import WAITS, Gate
from tests.support.serving import database_closed


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path) -> WatchedFolder:
    (tmp_path / "IN").mkdir()
    watched = WatchedFolder(tmp_path / "IN", clock=Clock())
    watched.prepare()
    return watched


def write_file(watched: WatchedFolder, name: str, text: str = "some text") -> Path:
    path = watched.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def poll_until_stable(watched: WatchedFolder) -> list[WatchedFile]:
    for _ in range(STABLE_POLLS):
        watched.poll()
    return watched.poll()


def names(files: list[WatchedFile]) -> list[str]:
    return [file.name for file in files]


def test_a_file_is_taken_when_it_has_stopped_growing(folder):
    path = write_file(folder, "scan.pdf")
    for _ in range(4):
        assert folder.poll() == []
        with path.open("a") as file:
            file.write("more")
    assert names(poll_until_stable(folder)) == ["scan.pdf"]


def test_a_file_of_its_full_size_that_is_still_written_to_is_not_taken(folder):
    """Some programs claim the whole space first."""
    path = write_file(folder, "scan.pdf")
    for second in range(5):
        os.utime(path, (1000 + second, 1000 + second))
        assert folder.poll() == []
    assert names(poll_until_stable(folder)) == ["scan.pdf"]


def test_an_empty_file_is_waited_for_and_taken_when_it_stays_empty(folder):
    path = write_file(folder, "scan.pdf", "")
    assert poll_until_stable(folder) == []
    folder.clock.now += folder.unfinished_seconds
    assert names(folder.poll()) == ["scan.pdf"]
    path.write_text("at last")
    assert folder.poll() == []
    assert names(poll_until_stable(folder)) == ["scan.pdf"]


@pytest.mark.parametrize("name", ["a.pdf.part", "a.TMP", "b.crdownload", "~$brief.docx", ".a.pdf", "Thumbs.db"])
def test_what_is_not_whole_yet_or_no_document_is_left_where_it_is(folder, name):
    path = write_file(folder, name)
    assert poll_until_stable(folder) == []
    path.rename(folder.folder / "whole.pdf")
    assert names(poll_until_stable(folder)) == ["whole.pdf"]


def test_files_come_in_the_order_in_which_they_were_written(folder):
    for age, name in enumerate(["c.pdf", "a.pdf", "sub/b.pdf"]):
        os.utime(write_file(folder, name), (1000 + age, 1000 + age))
    assert names(poll_until_stable(folder)) == ["c.pdf", "a.pdf", "sub/b.pdf"]


def test_a_file_that_has_ended_keeps_its_place_below_done_and_does_not_come_again(folder):
    write_file(folder, "march/scan.pdf")
    (file,) = poll_until_stable(folder)
    assert folder.move_away(file) == folder.folder / "done/march/scan.pdf"
    assert poll_until_stable(folder) == []


def test_a_failed_file_has_its_reason_beside_it(folder):
    write_file(folder, "scan.pdf")
    (file,) = poll_until_stable(folder)
    folder.move_away(file, "It is damaged.")
    assert files_in(folder.folder) == {"failed/scan.pdf", "failed/scan.pdf.reason.txt"}
    assert (folder.folder / "failed/scan.pdf.reason.txt").read_text() == "It is damaged.\n"


def test_an_older_file_of_the_same_name_stays_and_each_failure_has_its_own_reason(folder):
    for text in ("first", "second", "third"):
        write_file(folder, "scan.pdf", text)
        (file,) = poll_until_stable(folder)
        folder.move_away(file, f"why {text}")
    failed = folder.folder / "failed"
    assert [(failed / f"scan{number}.pdf").read_text() for number in ("", " (2)", " (3)")] == [
        "first",
        "second",
        "third",
    ]
    assert (failed / "scan (2).pdf.reason.txt").read_text() == "why second\n"


def test_a_file_that_was_written_anew_while_it_was_read_is_read_again(folder):
    write_file(folder, "scan.pdf", "the first text")
    (file,) = poll_until_stable(folder)
    write_file(folder, "scan.pdf", "another one")
    assert folder.move_away(file) is None
    assert files_in(folder.folder) == {"scan.pdf"}
    assert names(poll_until_stable(folder)) == ["scan.pdf"]


def test_a_file_that_was_taken_away_meanwhile_is_no_error(folder):
    path = write_file(folder, "scan.pdf")
    (file,) = poll_until_stable(folder)
    path.unlink()
    assert folder.move_away(file, "whatever") is None
    assert files_in(folder.folder) == set()


def test_a_file_that_cannot_be_moved_is_said_once_and_moved_when_it_can_be(folder, caplog):
    write_file(folder, "scan.pdf")
    (file,) = poll_until_stable(folder)
    (folder.folder / "failed").rmdir()
    obstacle = write_file(folder, "failed")  # a file where the folder should be
    assert folder.move_away(file, "It is damaged.") is None
    assert "scan.pdf" not in names([*poll_until_stable(folder), *poll_until_stable(folder)])
    assert [record.message for record in caplog.records if "cannot be moved" in record.message] == [
        "scan.pdf cannot be moved away: File exists. It is not read again; make room or give rights"
    ]
    obstacle.unlink()
    folder.poll()
    assert files_in(folder.folder) == {"failed/scan.pdf", "failed/scan.pdf.reason.txt"}


def test_done_may_lie_on_another_disk(folder):
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == folder.folder.stat().st_dev:
        pytest.skip("there is one file system only")
    with tempfile.TemporaryDirectory(dir=memory) as other:
        (folder.folder / "done").rmdir()
        (folder.folder / "done").symlink_to(other)
        write_file(folder, "scan.pdf")
        (file,) = poll_until_stable(folder)
        folder.move_away(file)
        assert [path.read_text() for path in Path(other).iterdir()] == ["some text"]
        assert not file.path.exists()


def test_a_name_of_full_length_has_room_for_a_number_and_a_reason(folder):
    name = "ü" * 125 + ".pdf"
    for text in ("first", "second"):
        write_file(folder, name, text)
        (file,) = poll_until_stable(folder)
        assert folder.move_away(file, f"why {text}") is not None
    failed = sorted((folder.folder / "failed").iterdir())
    assert {path.read_text() for path in failed} == {"first", "second", "why first\n", "why second\n"}


@contextmanager
def as_unprivileged_user() -> Iterator[None]:
    """Root may read and write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_cannot_be_listed_is_said_once_and_the_others_go_on(caplog):
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o777)
        with as_unprivileged_user():
            watched = WatchedFolder(Path(parent))
            write_file(watched, "scan.pdf")
            write_file(watched, "secret/other.pdf")
            (watched.folder / "secret").chmod(0)
            assert names(poll_until_stable(watched)) == ["scan.pdf"]
            (watched.folder / "secret").chmod(0o700)
            assert names(poll_until_stable(watched)) == ["scan.pdf", "secret/other.pdf"]
    assert [record.message for record in caplog.records] == [
        f"{parent}/secret is passed over: it cannot be listed: Permission denied"
    ]


def test_links_to_folders_and_what_is_no_file_are_said(folder, caplog, tmp_path):
    (folder.folder / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(folder.folder / "pipe")
    assert poll_until_stable(folder) == []
    assert sorted(record.message.rpartition("/")[2] for record in caplog.records) == [
        "elsewhere is passed over: it is a link to a folder, which is not followed; watch that folder itself",
        "pipe is passed over: it is neither a file nor a folder",
    ]


def test_a_folder_from_which_nothing_can_be_moved_is_refused(tmp_path):
    write_file(WatchedFolder(tmp_path), "done")
    with pytest.raises(UsageError, match="done cannot be made"):
        WatchedFolder(tmp_path).prepare()


@contextmanager
def watching(folder: Path, *more: str) -> Iterator[Program]:
    """`docpipe watch` as a process, until the block ends."""
    command = [sys.executable, "-m", "docpipe", "watch", str(folder / "docs"), "--poll", "0.1"]
    command += ["--db", f"sqlite:///{folder / 'test.db'}", "--model", f"scripted:{folder / 'script.json'}"]
    program = Program([*command, *more], command_environment(), folder / "watch.log").start()
    try:
        yield program
    finally:
        program.kill()


def query(folder: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "test.db", timeout=START_SECONDS)) as connection:
        return connection.execute(sql).fetchall()


def test_documents_are_read_as_they_come_and_failures_say_why(tmp_path):
    folder = workplace(tmp_path)
    docs = folder / "docs"
    draw_invoice(docs / "known.pdf")
    subprocess.run(  # as if the watcher had been killed between storing and moving
        [sys.executable, "-m", "docpipe", "run", str(docs), "--db", f"sqlite:///{folder / 'test.db'}",
         "--model", f"scripted:{folder / 'script.json'}", "--jobs", "1"], env=command_environment(), check=True,
        capture_output=True,
    )  # fmt: skip
    with watching(folder, "--jobs", "2") as program:
        (docs / "notes.pdf").write_text("this is no PDF")
        wait_until(lambda: {"done/known.pdf", "failed/notes.pdf"} <= files_in(docs), "the first files are moved")
        draw_invoice(docs / "later.pdf", note="later")
        wait_until(lambda: "done/later.pdf" in files_in(docs), "a file that came later is moved")
        assert program.stop(START_SECONDS) == 0
        assert "known.pdf: needs_review, unchanged" in program.output()
    assert files_in(docs) == {"done/known.pdf", "done/later.pdf", "failed/notes.pdf", "failed/notes.pdf.reason.txt"}
    reason = (docs / "failed/notes.pdf.reason.txt").read_text()
    assert "text file, not a PDF" in reason
    assert "What to do: Convert it" in reason
    assert query(folder, "SELECT file, gross_total FROM invoice ORDER BY file") == [
        ("known.pdf", 119.0), ("later.pdf", 119.0),
    ]  # fmt: skip
    assert query(folder, "SELECT count(*) FROM extractions") == [(2,)]
    moved = query(folder, "SELECT path FROM document_files WHERE path LIKE '%done%'")  # where `show` finds them
    assert {Path(path).name for (path,) in moved} == {"known.pdf", "later.pdf"}


def test_after_kill_9_a_document_is_read_again_and_after_sigterm_to_its_end(tmp_path):
    folder = workplace(tmp_path)
    docs, gate = folder / "docs", Gate(folder)
    draw_invoice(docs / "long.pdf", note=WAITS)
    draw_invoice(docs / "short.pdf")
    with watching(folder, "--jobs", "1", "--schema", gate.schema) as program:
        gate.await_document()
        assert "long.pdf came" in program.output()
        os.kill(program.process.pid, signal.SIGKILL)
    assert files_in(docs) == {"long.pdf", "short.pdf"}
    gate.close()
    with watching(folder, "--jobs", "1", "--schema", gate.schema) as program:
        gate.await_document()
        program.process.terminate()
        wait_until(lambda: "ending after the documents in progress" in program.output(), "it has seen the signal")
        gate.open()
        assert program.process.wait(START_SECONDS) == 0
    assert files_in(docs) == {"done/long.pdf", "short.pdf"}
    assert query(folder, "SELECT count(*) FROM extractions") == [(1,)]
    assert query(folder, "SELECT outcome FROM attempts ORDER BY number") == [("lost",), ("done",)]


@pytest.fixture
def watching_here(tmp_path, monkeypatch, caplog) -> Callable[[str], AbstractContextManager[Path]]:
    """The watcher of `docs` in a thread; it tries again soon, and its log is in caplog."""
    folder = workplace(tmp_path)
    monkeypatch.setattr(watch_local, "RETRY_SECONDS", 0.2)
    caplog.set_level(logging.INFO, "docpipe")

    @contextmanager
    def run(database: str) -> Iterator[Path]:
        watched = WatchedFolder(folder / "docs")
        watched.prepare()
        plan = BatchPlan(load_schema("invoice"), ModelName("scripted", f"{folder / 'script.json'}"), load_settings({}))
        watch = watch_local.LocalWatcher(watched, plan, database, WorkerLimits(1, 1, Deadlines()), 0.1)
        stop = threading.Event()
        thread = threading.Thread(target=watch.run, args=(stop,))
        thread.start()
        try:
            wait_until(lambda: "reading with" in caplog.text, "it has begun")
            yield folder / "docs"
        finally:
            stop.set()
            thread.join()

    return run


def test_a_database_that_goes_away_is_waited_for(watching_here, postgres_url, caplog):
    """What cannot be stored stays in the folder."""
    with watching_here(postgres_url) as docs:
        with database_closed(postgres_url):
            draw_invoice(docs / "a.pdf")
            wait_until(lambda: "Trying again" in caplog.text, "the failure is logged")
            assert files_in(docs) == {"a.pdf"}
        wait_until(lambda: "done/a.pdf" in files_in(docs), "it goes on")


def test_a_document_that_the_database_refuses_holds_up_no_other(watching_here, tmp_path):
    with watching_here(f"sqlite:///{tmp_path / 'test.db'}") as docs:
        query(
            tmp_path,
            "CREATE TRIGGER picky BEFORE INSERT ON documents WHEN NEW.name = 'bad.pdf' "
            "BEGIN SELECT RAISE(ABORT, 'not this one'); END",
        )
        draw_invoice(docs / "bad.pdf", pages=2)  # the larger one comes first
        draw_invoice(docs / "good.pdf")
        wait_until(lambda: "done/good.pdf" in files_in(docs), "the other one is read")
        assert files_in(docs) == {"bad.pdf", "done/good.pdf"}


def test_a_watcher_that_cannot_begin_says_why_and_ends(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("docpipe.cli.watch.configure_logging", lambda *_: None)  # the log is pytest's
    assert invoke(["watch", str(tmp_path), "--model", "psychic"]) == 5
    assert invoke(["watch", str(tmp_path), "--schema", "menu"]) == 4
    assert invoke(["watch", str(tmp_path), "--db", f"sqlite:///{tmp_path}/nowhere/a.db"]) == 7
    assert "no kind of model 'psychic'" in capsys.readouterr().err
