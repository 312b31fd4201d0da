"""What docpipe writes is its owner's, and nothing leaves the machine that nobody asked for: watched from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe.cli import invoke
from docpipe.private_files import allow_access
from docpipe.watch import REASON_SUFFIX, WatchedFolder
from tests.support.command_line import command_environment, docpipe_run, draw_invoice, workplace
from tests.support.service_env import configure_service
from tests.support.serving import NO_BROKER, service_in, submit_pdf, task_runner

OTHERS = 0o077
CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "GITLAB_CI", "ORT_DISABLE_TELEMETRY")  # with these nobody sends
READ_ONE = """
import sys, time
from docpipe import extract
print(extract(sys.argv[1], schema="receipt").status)
time.sleep(3)  # a sender would begin by now
"""


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    """Of a user who never thought of it."""
    umask = os.umask(0)
    yield
    os.umask(umask)
    allow_access("owner")


def made_in(folder: Path, before: set[Path]) -> dict[str, int]:
    """What is new below a folder, and the rights of others to it."""
    new = set(folder.rglob("*")) - before
    return {path.relative_to(folder).as_posix(): path.lstat().st_mode & OTHERS for path in new}


def test_what_the_commands_write_is_for_its_owner_alone(tmp_path, monkeypatch):
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.rglob("*"))
    database = ["--db", f"sqlite:///{tmp_path / 'test.db'}"]
    for name in ("out.jsonl", "out.csv", "out.xlsx"):
        assert docpipe_run(tmp_path, "docs", "--output", name).code == 0
    assert invoke(["show", "a.pdf", *database]) == 0
    assert invoke(["show", "a.pdf", "--output", "pictures/new/a.png", *database]) == 0
    assert invoke(["export", "again.csv", *database]) == 0
    made = made_in(tmp_path, before)
    assert made == dict.fromkeys(made, 0)
    expected = {"test.db", "out.jsonl", "out.csv", "out.xlsx", "a-page-1.png", "pictures/new/a.png", "again.csv"}
    assert expected <= set(made)


def test_whoever_asks_for_it_shares_with_the_group(tmp_path):
    workplace(tmp_path)
    draw_invoice(tmp_path / "docs" / "a.pdf")
    os.umask(OTHERS)
    assert docpipe_run(tmp_path, "docs", "--output", "out.csv", DOCPIPE_FILE_ACCESS="group").code == 0
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in ("test.db", "out.csv")} == {0o640}


def test_what_the_service_keeps_is_for_its_owner_alone(tmp_path, monkeypatch):
    settings = configure_service(tmp_path, monkeypatch, NO_BROKER)
    before = set(tmp_path.rglob("*"))
    with service_in(tmp_path, database_url=settings.database_url, blob_url=settings.blob_url) as service:
        job = submit_pdf(service)
        with task_runner(service) as runner:
            runner.prepare(job.id)
        made = made_in(tmp_path, before)
    assert made == dict.fromkeys(made, 0)
    assert any(name.endswith("/original") for name in made)
    assert any(name.endswith("pages.json") for name in made)
    assert {name for name in made if name.startswith("docpipe.db")} >= {"docpipe.db", "docpipe.db-wal"}


@pytest.mark.parametrize("shared", [0o775, 0o700])
def test_documents_of_a_watched_folder_stay_with_those_who_put_them_in(tmp_path, shared):
    (tmp_path / "IN").mkdir()
    (tmp_path / "IN").chmod(shared)
    (tmp_path / "IN" / "a.pdf").write_bytes(b"x")
    (tmp_path / "IN" / "a.pdf").chmod(0o664)
    folder = WatchedFolder(tmp_path / "IN")
    folder.prepare()
    folder.poll()
    folder.poll()
    (file,) = folder.poll()
    target = folder.move_away(file, "it is damaged")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "IN").iterdir()} == {shared}
    assert {path.name: path.stat().st_mode & 0o777 for path in target.parent.iterdir()} == {
        target.name: 0o664, target.name + REASON_SUFFIX: 0o664
    }  # fmt: skip


def test_doctor_tells_of_a_database_that_others_can_read(tmp_path, monkeypatch, capsys):
    configure_service(tmp_path, monkeypatch, NO_BROKER)
    assert invoke(["migrate"]) == 0
    assert invoke(["doctor"]) == 0
    assert "other users of this machine can read it" not in capsys.readouterr().out
    (tmp_path / "docpipe.db").chmod(0o644)
    assert invoke(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "other users of this machine can read it" in printed
    assert f"chmod 600 {tmp_path / 'docpipe.db'}" in printed


def test_reading_a_document_asks_nobody_and_leaves_nothing_at_home(tmp_path):
    """The network, OCR and all else that a first extraction loads."""
    from docpipe.samples.folder import write_many

    write_many(tmp_path / "docs", "receipt", 1, 7, degraded=True)
    (document,) = (path for path in (tmp_path / "docs").rglob("*") if path.suffix in (".pdf", ".png", ".jpg"))
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {name: text for name, text in command_environment().items() if name not in CI_VARIABLES}
    environment |= {"HOME": str(home), "TMPDIR": str(temporary)}
    program = [sys.executable, "-c", READ_ONE, str(document)]
    strace = shutil.which("strace")
    if strace is not None:
        watched = ["-f", "-e", "trace=connect,sendto,sendmmsg", "-o", str(tmp_path / "calls")]
        program = [strace, *watched, *program]
    done = subprocess.run(program, env=environment, cwd=home, capture_output=True, text=True, check=False)
    if strace is not None and "ptrace" in done.stderr:
        pytest.skip("strace may not look into other processes here")
    assert done.returncode == 0, done.stderr
    assert list(home.rglob("*")) == []
    assert list(temporary.rglob("*")) == []
    if strace is not None:
        calls = (tmp_path / "calls").read_text("utf-8", "replace").splitlines()
        assert [call for call in calls if "AF_INET" in call] == []
