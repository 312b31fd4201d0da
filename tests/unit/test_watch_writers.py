"""A watched file is taken when its writer is done with it, however slow, and one that never ends says so."""

from __future__ import annotations

import fcntl
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from docpipe.cli.wording import failure_note
from docpipe.errors import CorruptError
from docpipe.watch import STABLE_POLLS, WatchedFile, WatchedFolder
from docpipe.writers import writer_of
from tests.support.command_line import draw_invoice


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def folder(tmp_path: Path) -> WatchedFolder:
    (tmp_path / "IN").mkdir()
    watched = WatchedFolder(tmp_path / "IN", clock=Clock())
    watched.prepare()
    return watched


def poll_until_stable(watched: WatchedFolder) -> list[WatchedFile]:
    for _ in range(STABLE_POLLS):
        watched.poll()
    return watched.poll()


def half_a_pdf(watched: WatchedFolder) -> tuple[Path, bytes]:
    """The first half of a document in the folder, and the rest of it."""
    whole = watched.folder.parent / "whole.pdf"
    draw_invoice(whole, pages=3)
    content = whole.read_bytes()
    path = watched.folder / "scan.pdf"
    path.write_bytes(content[: len(content) // 2])
    return path, content[len(content) // 2 :]


def test_a_scanner_that_pauses_between_pages_is_waited_for(folder, caplog):
    caplog.set_level(logging.INFO)
    path, rest = half_a_pdf(folder)
    assert poll_until_stable(folder) == []
    folder.clock.now += folder.unfinished_seconds - 1
    assert folder.poll() == []
    waiting = [record.message for record in caplog.records if "waited for" in record.message]
    assert waiting == ["scan.pdf is waited for: the PDF has no end (%%EOF) yet"]
    with path.open("ab") as file:
        file.write(rest)
    assert folder.poll() == []
    (taken,) = poll_until_stable(folder)
    assert (taken.name, taken.unfinished) == ("scan.pdf", "")


def test_a_file_whose_end_never_comes_is_taken_after_a_while_and_says_so(folder):
    half_a_pdf(folder)
    assert poll_until_stable(folder) == []
    folder.clock.now += folder.unfinished_seconds
    (taken,) = folder.poll()
    assert taken.unfinished == "the PDF has no end (%%EOF) yet"
    note = failure_note(CorruptError("it is damaged"), unfinished=taken.unfinished)
    assert "no end (%%EOF)" in note
    assert "docpipe watch --wait SECONDS" in note


def test_a_file_that_another_process_has_open_for_writing_is_waited_for(folder):
    """However long it says nothing."""
    path = folder.folder / "scan.txt"
    path.write_text("some text")
    program = "import sys; file = open(sys.argv[1], 'a'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        assert poll_until_stable(folder) == []
        folder.clock.now += 10 * folder.unfinished_seconds
        assert folder.poll() == []
        writer.communicate("")
    assert [file.name for file in folder.poll()] == ["scan.txt"]


@pytest.mark.parametrize("lock", [fcntl.flock, fcntl.lockf])
def test_a_file_that_its_writer_has_locked_is_waited_for(folder, lock):
    path = folder.folder / "scan.txt"
    path.write_text("some text")
    program = (
        f"import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.{lock.__name__}(file, fcntl.LOCK_EX);"
        " print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        assert writer_of(path) == "it is locked by its writer"
        writer.communicate("")
    assert writer_of(path) is None
