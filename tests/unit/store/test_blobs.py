"""Blobs, in a folder and on a real S3 server: whole or not there, gone when deleted, and no way out of their place."""

from __future__ import annotations

import hashlib
import io
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from docpipe.errors import InputError, MissingError, StoreError, TooLargeError
from docpipe.own_files import BLOBS_MARK
from docpipe.store.blobs import CHUNK, Blobs, job_prefix, open_reference, original_key
from tests.support.repository import ROOT

JOB = "ab" + "1" * 30
OTHER = "ab" + "1" * 29  # the beginning of JOB: its prefix is not JOB's
CONTENT = bytes(range(256)) * 1_000
BUCKET = "docpipe-test"
ACCESS = {"key": "test", "secret": "test"}


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(endpoint: str) -> Iterator[Any]:
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1"
    )
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@dataclass
class BlobStorage:
    """Blobs, what lies in their place, and how another machine writes there."""

    blobs: Blobs
    keys: Callable[[], list[str]]
    write: Callable[[str, bytes], object]


def folder_storage(folder: Path) -> BlobStorage:
    def write(key: str, content: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)

    def keys() -> list[str]:
        return sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and path.name != BLOBS_MARK
        )

    return BlobStorage(Blobs(str(folder)), keys, write)


def s3_storage(client: Any, endpoint: str) -> BlobStorage:
    prefix = f"{uuid.uuid4().hex}/blobs"

    def keys() -> list[str]:
        objects = client.list_objects_v2(Bucket=BUCKET, Prefix=prefix + "/").get("Contents", [])
        return sorted(object_["Key"].removeprefix(prefix + "/") for object_ in objects)

    def write(key: str, content: bytes) -> None:
        client.put_object(Bucket=BUCKET, Key=f"{prefix}/{key}", Body=content)

    return BlobStorage(Blobs(f"s3://{BUCKET}/{prefix}", endpoint_url=endpoint, **ACCESS), keys, write)


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStorage:
    if request.param == "folder":
        return folder_storage(tmp_path / "blobs")
    return s3_storage(request.getfixturevalue("s3"), request.getfixturevalue("endpoint"))


class Source(io.BytesIO):
    """An upload; `meanwhile` is called before each piece of it is read."""

    def __init__(self, content: bytes, meanwhile: Callable[[int], object]) -> None:
        super().__init__(content)
        self.meanwhile = meanwhile

    def read(self, size: int | None = -1) -> bytes:
        self.meanwhile(self.tell())
        return super().read(size)


def break_off(at: int) -> None:
    if at >= CHUNK:
        raise OSError("the upload broke off")


def test_an_original_comes_back_as_it_was_with_its_sha256_and_size(storage):
    assert storage.blobs.add_original(JOB, io.BytesIO(CONTENT), max_bytes=len(CONTENT)) == (
        hashlib.sha256(CONTENT).hexdigest(), len(CONTENT)
    )  # fmt: skip
    assert storage.blobs.get(original_key(JOB)) == CONTENT
    with storage.blobs.open(original_key(JOB)) as opened_blob:
        assert opened_blob.read() == CONTENT
    with storage.blobs.local(original_key(JOB)) as path:
        assert path.read_bytes() == CONTENT
    assert storage.blobs.has(original_key(JOB))
    assert storage.keys() == [original_key(JOB)]


def test_an_upload_of_many_pieces_comes_back_whole(storage):
    content = os.urandom(3 * CHUNK + 17)
    sha256, _ = storage.blobs.add_original(JOB, io.BytesIO(content), max_bytes=len(content))
    assert sha256 == hashlib.sha256(content).hexdigest()
    assert storage.blobs.get(original_key(JOB)) == content


def test_a_document_is_read_from_its_beginning_wherever_its_reader_stood(storage):
    source = io.BytesIO(CONTENT)
    source.seek(100)
    storage.blobs.add_original(JOB, source, max_bytes=len(CONTENT))
    assert storage.blobs.get(original_key(JOB)) == CONTENT


def test_a_document_that_is_too_large_or_empty_is_refused_and_not_kept(storage):
    with pytest.raises(TooLargeError, match="256,000 bytes, more than the 1,000"):
        storage.blobs.add_original(JOB, io.BytesIO(CONTENT), max_bytes=1_000)
    with pytest.raises(InputError, match="empty"):
        storage.blobs.add_original(JOB, io.BytesIO(), max_bytes=1_000)
    assert storage.keys() == []


def test_nobody_sees_a_blob_before_it_is_whole(storage):
    keys_seen = []
    source = Source(bytes(3 * CHUNK), lambda _: keys_seen.append(storage.blobs.has(original_key(JOB))))
    storage.blobs.add_original(JOB, source, max_bytes=3 * CHUNK)
    assert len(keys_seen) > 3 and not any(keys_seen)
    assert storage.blobs.has(original_key(JOB))


def test_an_upload_that_breaks_off_leaves_nothing(storage):
    with pytest.raises(StoreError, match="broke off"):
        storage.blobs.add_original(JOB, Source(bytes(3 * CHUNK), break_off), max_bytes=3 * CHUNK)
    assert storage.keys() == []
    assert not storage.blobs.has(original_key(JOB))


def test_a_blob_that_is_written_anew_is_the_old_one_until_it_is_the_new_one(storage):
    key = original_key(JOB)
    storage.blobs.put(key, b"old")
    with pytest.raises(StoreError):
        storage.blobs.put(key, Source(bytes(3 * CHUNK), break_off))
    assert storage.blobs.get(key) == b"old"
    storage.blobs.put(key, b"new")
    assert storage.blobs.get(key) == b"new"
    assert storage.keys() == [key]


def test_what_is_not_there_is_missing_and_no_retry_helps(storage):
    for ask in (storage.blobs.get, storage.blobs.open, lambda key: storage.blobs.local(key).__enter__()):
        with pytest.raises(MissingError) as caught:
            ask(original_key(JOB))
        assert not caught.value.retryable
        assert original_key(JOB) in str(caught.value)
    assert not storage.blobs.has(original_key(JOB))


def test_deletion_takes_all_blobs_of_a_job_and_no_other(storage):
    storage.blobs.put(f"{job_prefix(JOB)}/original", b"1")
    storage.blobs.put(f"{job_prefix(JOB)}/pages.json", b"2")
    storage.blobs.put(f"{job_prefix(JOB)}/1.jpg", b"3")
    storage.blobs.put(f"{job_prefix(OTHER)}/original", b"4")
    storage.blobs.delete(job_prefix(JOB))
    assert storage.keys() == [f"{job_prefix(OTHER)}/original"]
    storage.blobs.put(f"{job_prefix(JOB)}/original", b"1")
    storage.blobs.delete(job_prefix(OTHER))
    assert storage.keys() == [f"{job_prefix(JOB)}/original"]


def test_deletion_of_one_blob_leaves_those_beside_it_and_nothing_is_no_error(storage):
    storage.blobs.put(f"{job_prefix(JOB)}/1.jpg", b"1")
    storage.blobs.put(f"{job_prefix(JOB)}/2.jpg", b"2")
    storage.blobs.delete(f"{job_prefix(JOB)}/1.jpg")
    assert storage.keys() == [f"{job_prefix(JOB)}/2.jpg"]
    storage.blobs.delete(f"{job_prefix(JOB)}/1.jpg")
    storage.blobs.delete(job_prefix(OTHER))


def test_what_another_machine_wrote_is_seen_and_deleted(storage):
    storage.blobs.delete(job_prefix(JOB))
    assert not storage.blobs.has(original_key(JOB))
    storage.write(original_key(JOB), CONTENT)
    assert storage.blobs.has(original_key(JOB))
    assert storage.blobs.get(original_key(JOB)) == CONTENT
    storage.write(f"{job_prefix(JOB)}/pages.json", b"{}")
    storage.blobs.delete(job_prefix(JOB))
    assert storage.keys() == []


KEYS = ("../x", "/etc/x", "ab//x", "ab/../x", "ab/./x", "Ab/x", "ab/", "", "ab/x\n", "ab/\0", "a*")


@pytest.mark.parametrize("key", KEYS)
def test_no_key_leads_out_of_the_place(storage, key):
    for ask in (storage.blobs.get, storage.blobs.open, storage.blobs.has, storage.blobs.delete):
        with pytest.raises(StoreError, match="no key of a blob"):
            ask(key)
    with pytest.raises(StoreError, match="no key of a blob"):
        storage.blobs.put(key, b"x")


def test_a_copy_of_a_remote_blob_is_gone_after_its_use(s3, endpoint):
    storage = s3_storage(s3, endpoint)
    storage.blobs.put(original_key(JOB), CONTENT)
    with storage.blobs.local(original_key(JOB)) as path:
        assert path.read_bytes() == CONTENT
    assert not path.parent.exists()


def test_the_endpoint_of_s3_may_come_from_the_environment(s3, endpoint, monkeypatch):
    for name, value in (("ENDPOINT_URL", endpoint), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(f"AWS_{name}", value)
    blobs = Blobs(f"s3://{BUCKET}/{uuid.uuid4().hex}")
    blobs.put(original_key(JOB), CONTENT)
    assert blobs.get(original_key(JOB)) == CONTENT


def test_an_s3_that_is_away_is_a_store_error_so_that_another_try_is_made():
    settings = {"retries": {"max_attempts": 1}, "connect_timeout": 1}
    blobs = Blobs("s3://bucket", endpoint_url="http://127.0.0.1:1", config_kwargs=settings, **ACCESS)
    for source in (None, b"1", io.BytesIO(b"1")):
        with pytest.raises(StoreError) as caught:
            blobs.get("ab/x") if source is None else blobs.put("ab/x", source)
        assert caught.value.retryable


def test_a_place_of_a_kind_that_there_is_not_is_an_error_that_says_so():
    with pytest.raises(StoreError, match="nosuch") as caught:
        Blobs("nosuch://x")
    assert "s3" in caught.value.hint


FULL = """
import io, resource, signal, sys
from docpipe.errors import StoreError
from docpipe.store.blobs import Blobs
blobs = Blobs(sys.argv[1])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    blobs.add_original("ab" + "1" * 30, io.BytesIO(bytes(1_000_000)), max_bytes=2_000_000)
except StoreError as error:
    print(error.hint)
"""


def test_a_disk_that_takes_no_more_is_a_store_error_with_a_hint_and_leaves_no_part(tmp_path):
    """A limit on the size of files stands for the full disk: the kernel refuses to write in both."""
    completed = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "blobs")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "is it full?" in completed.stdout
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path.name != BLOBS_MARK] == []


def test_a_folder_that_may_not_be_written_is_a_store_error(tmp_path):
    (tmp_path / "blobs").write_text("a file where the folder should be")
    with pytest.raises(StoreError):
        Blobs(str(tmp_path / "blobs")).put(original_key(JOB), b"x")


# Documents that are named instead of sent.


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    inbox = tmp_path / "inbox"
    (inbox / "march").mkdir(parents=True)
    (inbox / "march" / "bill.pdf").write_bytes(CONTENT)
    (tmp_path / "secret.pdf").write_bytes(b"secret")
    (tmp_path / "inbox2").mkdir()
    (tmp_path / "inbox2" / "secret.pdf").write_bytes(b"secret")
    return inbox


def read(reference: str, allowed: str) -> tuple[bytes, str]:
    with open_reference(reference, allowed) as (source, name):
        return source.read(), name


def test_a_document_in_an_allowed_folder_is_read_under_its_name(inbox, tmp_path):
    allowed = f"/elsewhere, {inbox} ,s3://bucket/in"
    assert read(str(inbox / "march" / "bill.pdf"), allowed) == (CONTENT, "bill.pdf")
    assert read(f"file://{inbox}/march/bill.pdf", allowed) == (CONTENT, "bill.pdf")
    (tmp_path / "link").symlink_to(inbox)
    assert read(str(tmp_path / "link" / "march" / "bill.pdf"), str(tmp_path / "link")) == (CONTENT, "bill.pdf")


def test_nothing_outside_the_allowed_folders_is_read(inbox, tmp_path):
    (inbox / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (inbox / "up").symlink_to(tmp_path)
    outside = (
        tmp_path / "secret.pdf", tmp_path / "inbox2" / "secret.pdf", inbox / ".." / "secret.pdf", inbox / "link.pdf",
        inbox / "up" / "secret.pdf", inbox / "march" / ".." / ".." / "secret.pdf", inbox, "/etc/passwd", "", ".",
        f"file://{inbox}/../secret.pdf", f"file://{tmp_path}/secret.pdf", f"simplecache::{tmp_path}/secret.pdf",
        f"simplecache::{inbox}/../secret.pdf", f"local://{tmp_path}/secret.pdf", "data:text/plain,hello",
        f"{inbox}/march/bill.pdf\0", "memory://inbox/x",
    )  # fmt: skip
    for reference in map(str, outside):
        with pytest.raises(InputError) as caught:
            read(reference, str(inbox))
        assert caught.value.hint, reference


def test_where_nothing_is_allowed_nothing_is_read(inbox):
    for allowed in ("", " , ", ","):
        with pytest.raises(InputError, match="not in a place"):
            read(str(inbox / "march" / "bill.pdf"), allowed)


def test_what_is_no_file_is_refused_and_not_waited_for(inbox):
    os.mkfifo(inbox / "pipe.pdf")
    for name in ("pipe.pdf", "march", "nowhere.pdf"):
        with pytest.raises(InputError):
            read(str(inbox / name), str(inbox))


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port, and who has called there."""
    callers: list[object] = []

    def accept() -> None:
        while True:
            try:
                line, caller = server.accept()
            except OSError:
                return
            callers.append(caller)
            line.close()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield server.getsockname()[1], callers
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_reference_to_another_scheme_connects_to_nobody(inbox, monkeypatch):
    with listening() as (port, callers):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        for scheme in ("http", "https", "ftp", "sftp", "ssh", "smb", "webhdfs", "s3", "gs", "git", "github", "hdfs"):
            for reference in (f"{scheme}://127.0.0.1:{port}/x.pdf", f"simplecache::{scheme}://127.0.0.1:{port}/x.pdf"):
                with pytest.raises(InputError, match="not in a place"):
                    read(reference, f"{inbox},s3a://bucket")
        assert callers == []


def test_a_document_in_an_allowed_bucket_is_read_and_none_beside_its_prefix(s3, endpoint, monkeypatch):
    for name, value in (("ENDPOINT_URL", endpoint), ("ACCESS_KEY_ID", "test"), ("SECRET_ACCESS_KEY", "test")):
        monkeypatch.setenv(f"AWS_{name}", value)
    for key in ("in/bill.pdf", "in2/secret.pdf", "secret.pdf"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=CONTENT)
    assert read(f"s3://{BUCKET}/in/bill.pdf", f"s3://{BUCKET}/in") == (CONTENT, "bill.pdf")
    assert read(f"s3://{BUCKET}/in/bill.pdf", f"s3://{BUCKET}") == (CONTENT, "bill.pdf")
    for name in ("secret.pdf", "in2/secret.pdf", "in/../secret.pdf", "in/none.pdf", "in"):
        with pytest.raises(InputError):
            read(f"s3://{BUCKET}/{name}", f"s3://{BUCKET}/in")
    with pytest.raises(InputError):
        read(f"s3://{BUCKET}2/in/bill.pdf", f"s3://{BUCKET}")
