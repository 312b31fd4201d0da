"""Temporary files go with their process; what a killed process left goes with the next."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from docpipe.temporary import LOCK_NAME
from tests.support.command_line import command, command_environment, draw_invoice, workplace

PROGRAM = """
import sys, tempfile, time
from pathlib import Path
from docpipe.temporary import keep_temporary_files_together, temporary_folder

if sys.argv[1] == "kept":
    keep_temporary_files_together()
    Path(tempfile.mkdtemp(prefix="pymp-"), "left").touch()
    print(tempfile.gettempdir(), flush=True)
    sys.stdin.read()
else:
    with temporary_folder() as folder:
        (folder / "document").touch()
        print(folder, flush=True)
        sys.stdin.read()
"""


def started(temporary: Path, way: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, way],
        env={**os.environ, "TMPDIR": str(temporary)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("way", ["kept", "with"])
def test_nothing_stays_after_a_normal_end(tmp_path, way):
    with started(tmp_path, way) as program:
        folder = Path(program.stdout.readline().strip())
        assert folder.parent == tmp_path
        assert folder.stat().st_mode & 0o777 == 0o700
        program.communicate("")
    assert program.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", ["kept", "with"])
def test_what_a_killed_process_left_goes_with_the_next_and_what_a_living_one_uses_stays(tmp_path, way):
    with started(tmp_path, way) as killed, started(tmp_path, way) as living:
        left, used = (Path(each.stdout.readline().strip()) for each in (killed, living))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        assert left.exists()
        with started(tmp_path, way) as following:
            own = Path(following.stdout.readline().strip())
            assert not left.exists()
            assert used.exists()
            following.communicate("")
        assert not own.exists()
        assert used.exists()
        living.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_folders_of_others_are_left_alone(tmp_path):
    """A name alone says nothing: another program's may begin like ours."""
    (tmp_path / "docpipe-backup").mkdir()
    (tmp_path / "docpipe-backup" / "file").touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / LOCK_NAME).touch()
    with started(tmp_path, "with") as program:
        program.stdout.readline()
        program.communicate("")
    assert {path.name for path in tmp_path.iterdir()} == {"docpipe-backup", "other"}


def test_a_run_leaves_no_temporary_files(tmp_path):
    (tmp_path / "tmp").mkdir()
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    environment = command_environment() | {"TMPDIR": str(tmp_path / "tmp")}
    done = subprocess.run(command(tmp_path, "docs"), env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "tmp").iterdir()) == []
