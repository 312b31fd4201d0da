"""The blob store: originals, and what one worker passes to the next. A folder, or s3:// for several machines.

In: a URL as fsspec takes it. Out: bytes under keys; what is written is whole or not there. All that belongs to a job is
under one prefix, so that nothing is shared and deletion is simple. Keys are ours, never a user's file name.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO

from docpipe.errors import CorruptError, InputError, MissingError, StoreError, TooLargeError
from docpipe.own_files import BLOBS_MARK
from docpipe.private_files import create_file, create_folder, open_file
from docpipe.temporary import temporary_folder

CHUNK = 1024 * 1024
CHAIN_SEPARATOR = "::"
S3_LIBRARIES = ("botocore", "aiobotocore", "aiohttp")
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9][a-z0-9._-]*)*")


class Blobs:
    """One per process. `url`: a folder, `file:///…`, `s3://bucket/prefix`, `memory://` in tests."""

    def __init__(self, url: str, **options: Any) -> None:
        """`options` go to fsspec; credentials and endpoints come from the environment (AWS_*). Raises StoreError."""
        self.url = url
        self._files, self._root = _file_system(url, options)
        self._is_local = _is_local(self._files)
        self._is_marked = False

    def add_original(self, job_id: str, source: BinaryIO, *, max_bytes: int) -> tuple[str, int]:
        """Store a document's bytes, never in memory as a whole. Returns its sha256 and its size. Raises TooLargeError
        for more than `max_bytes`, CorruptError for none, and StoreError; then nothing is stored."""
        size = source.seek(0, os.SEEK_END)
        if size > max_bytes:
            raise TooLargeError(f"the file has {size:,} bytes, more than the {max_bytes:,} allowed")
        if size == 0:
            raise CorruptError("the file is empty (0 bytes)", hint="Ask the sender for it again.")
        source.seek(0)
        digest = hashlib.sha256()
        self.put(original_key(job_id), source, digest=digest)
        return digest.hexdigest(), size

    def put(self, key: str, source: IO[bytes] | bytes, *, digest: Any = None) -> None:
        """Whole or not there: a reader never sees half of it, also when the source breaks off. `digest`, a hashlib
        object, is updated with what was written."""
        path, chunks = self._path(key), _chunks(source, digest)
        with self._store_errors(key):
            if self._is_local:
                self._mark_folder()
                _write_file(Path(path), chunks)
            elif isinstance(source, bytes):
                self._files.pipe_file(path, b"".join(chunks))
            else:
                target = self._files.open(path, "wb", autocommit=False)
                try:
                    with target:
                        for chunk in chunks:
                            target.write(chunk)
                except BaseException:
                    target.discard()
                    raise
                target.commit()

    def get(self, key: str) -> bytes:
        with self._store_errors(key):
            content: bytes = self._files.cat_file(self._path(key))
            return content

    def open(self, key: str) -> BinaryIO:
        """For reading, chunk by chunk. Raises MissingError."""
        with self._store_errors(key):
            stream: BinaryIO = self._files.open(self._path(key), "rb")
            return stream

    def has(self, key: str) -> bool:
        with self._store_errors(key):
            return bool(self._files.exists(self._path(key)))

    @contextmanager
    def local(self, key: str) -> Iterator[Path]:
        """The blob as a file on this machine: itself where it lies here, otherwise a copy for as long as it is used."""
        if self._is_local:
            path = Path(self._path(key))
            if not path.is_file():
                raise self._missing(key)
            yield path
            return
        with temporary_folder() as folder:
            path = folder / "document"
            with self._store_errors(key):
                self._files.get_file(self._path(key), str(path))
            yield path

    def delete(self, prefix: str) -> None:
        """The blob, or all blobs below it. Nothing there is no error."""
        with self._store_errors(prefix):
            try:
                if self._is_local:
                    path = Path(self._path(prefix))
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
                else:
                    self._files.rm(self._path(prefix), recursive=True)
            except FileNotFoundError:
                return

    def _mark_folder(self) -> None:
        """So that a run over the folder above does not take the originals for documents once more."""
        mark = Path(self._root) / BLOBS_MARK
        if not self._is_marked and not mark.exists():
            create_folder(mark.parent)
            create_file(mark)
        self._is_marked = True

    def _path(self, key: str) -> str:
        if not _KEY.fullmatch(key):
            raise StoreError(f"{key!r} is no key of a blob", hint="This is a bug in docpipe: please report it.")
        return f"{self._root.rstrip('/')}/{key}"

    @contextmanager
    def _store_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError as error:
            raise self._missing(key) from error
        except Exception as error:
            if not _is_storage_error(error):
                raise
            hint = "Check the disk (is it full?), the bucket and the rights."
            raise StoreError(f"{self.url}: {key}: {_reason(error)}", hint=hint) from error

    def _missing(self, key: str) -> MissingError:
        return MissingError(f"{self.url} has no {key}")


def job_prefix(job_id: str) -> str:
    """Two digits first: folders of a million entries are slow."""
    return f"{job_id[:2]}/{job_id}"


def original_key(job_id: str) -> str:
    return f"{job_prefix(job_id)}/original"


@contextmanager
def open_reference(reference: str, allowed: str) -> Iterator[tuple[BinaryIO, str]]:
    """A document that is named instead of sent, opened, and its file name. `allowed` are folders and prefixes with
    commas between. Raises InputError when it is not below one of them or not there, StoreError when S3 is away."""
    prefixes = [prefix.strip() for prefix in allowed.split(",") if _scheme(prefix.strip()) == _scheme(reference)]
    # "::" chains file systems of fsspec, and chained ones do not resolve links: it is no part of a name here
    is_candidate = bool(prefixes) and CHAIN_SEPARATOR not in reference and "\x00" not in reference
    # no file system is made for a scheme that nobody allowed: some of them connect at once
    files, path = _file_system(reference, {}) if is_candidate else (None, "")
    path = os.path.realpath(path) if _is_local(files) else path
    if files is None or not any(_is_below(files, path, prefix) for prefix in prefixes if prefix):
        raise InputError(
            f"{reference} is not in a place from which documents may be named",
            hint="Send the document itself, or have its folder or prefix added to DOCPIPE_REFERENCES.",
        )
    try:
        if _is_local(files) and not stat.S_ISREG(Path(path).stat().st_mode):
            raise OSError("it is a folder, a device or a pipe")
        source = files.open(path, "rb")
    except Exception as error:
        if not _is_storage_error(error):
            raise
        if isinstance(error, OSError):
            raise InputError(f"{reference} cannot be read: {_reason(error)}", hint="Check the reference.") from error
        raise StoreError(f"{reference} cannot be reached: {_reason(error)}", hint="Check the network.") from error
    with source:
        yield source, path.rsplit("/", 1)[-1]


def _scheme(url: str) -> str:
    head, separator, _ = url.partition("://")
    return head if separator and head != "file" else ""


def _is_below(files: Any, path: str, prefix: str) -> bool:
    """After links and dots are resolved."""
    root = _file_system(prefix, {})[1]
    root = os.path.realpath(root) if _is_local(files) else root
    return ".." not in path.split("/") and path.startswith(root.rstrip("/") + "/")


def _file_system(url: str, options: dict[str, Any]) -> tuple[Any, str]:
    import fsspec  # heavy: 0.1 s, and only the service has blobs

    try:
        files, root = fsspec.url_to_fs(url, **options)
    except (ImportError, ValueError) as error:
        raise StoreError(f"{url}: {error}", hint="Use a folder, or s3:// with the extra `s3`.") from error
    return files, str(root)


def _is_local(files: Any) -> bool:
    return files is not None and "file" in files.protocol


def _is_storage_error(error: Exception) -> bool:
    """s3fs turns answers of S3 into OSErrors, and lets through what its libraries raise when there is no answer."""
    return isinstance(error, OSError) or type(error).__module__.partition(".")[0] in S3_LIBRARIES


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _chunks(source: IO[bytes] | bytes, digest: Any) -> Iterator[bytes]:
    chunks = iter([source]) if isinstance(source, bytes) else iter(lambda: source.read(CHUNK), b"")
    for chunk in chunks:
        if digest is not None:
            digest.update(chunk)
        yield chunk


def _write_file(path: Path, chunks: Iterable[bytes]) -> None:
    """Written beside its place and renamed; both the file and its name survive a power cut."""
    create_folder(path.parent)
    partial = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with open_file(partial, "wb") as target:
            for chunk in chunks:
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    for folder in path.parents[:3]:  # the job's, that of two digits, and the one of all blobs: each may be new
        with suppress(OSError):  # not every file system on a network can do it
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
