"""What docpipe makes is for its owner, whatever the umask, and for others where somebody asks for it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from docpipe.private_files import (
    FileAccess,
    allow_access,
    create_file,
    create_folder,
    open_file,
    readable_by_others,
    replacing,
    write_text,
)


@pytest.fixture(autouse=True)
def owner_again() -> Iterator[None]:
    umask = os.umask(0o022)
    yield
    os.umask(umask)
    allow_access("owner")


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
@pytest.mark.parametrize(
    ("access", "file", "folder"), [("owner", 0o600, 0o700), ("group", 0o640, 0o750), ("all", 0o644, 0o755)]
)
def test_files_and_folders_have_the_rights_that_were_asked_for(tmp_path, umask, access: FileAccess, file, folder):
    os.umask(umask)
    allow_access(access)
    create_folder(tmp_path / "a" / "b")
    write_text(tmp_path / "a" / "b" / "text", "x")
    create_file(tmp_path / "empty")
    with open_file(tmp_path / "bytes", "wb", buffering=0) as binary:
        binary.write(b"x")
    with replacing(tmp_path / "new") as partial:
        partial.write_text("x")
    assert [rights(tmp_path / name) for name in ("a", "a/b")] == [folder, folder]
    assert [rights(tmp_path / name) for name in ("a/b/text", "empty", "bytes", "new")] == [file] * 4


def test_what_was_there_keeps_its_rights_and_is_written_anew(tmp_path):
    shared = tmp_path / "shared"
    shared.write_text("old and long")
    shared.chmod(0o664)
    write_text(shared, "new")
    assert (shared.read_text(), rights(shared)) == ("new", 0o664)
    with replacing(shared) as partial:
        assert rights(partial) == 0o600, "nobody else looks while it is written"
        partial.write_text("newer")
    assert (shared.read_text(), rights(shared)) == ("newer", 0o664)
    folder_rights = rights(tmp_path)
    create_folder(tmp_path)
    assert rights(tmp_path) == folder_rights


def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path):
    old = tmp_path / "old"
    old.write_text("old")
    with pytest.raises(RuntimeError), replacing(old) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert (old.read_text(), list(tmp_path.iterdir())) == ("old", [old])


def test_who_can_read_a_file_is_told(tmp_path):
    create_file(tmp_path / "mine")
    assert not readable_by_others(tmp_path / "mine")
    (tmp_path / "mine").chmod(0o640)
    assert readable_by_others(tmp_path / "mine")
    assert not readable_by_others(tmp_path / "none")
