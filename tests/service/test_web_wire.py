"""Bytes on the wire: a server on a port, and clients that send too much, too slowly, half, or no HTTP at all."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import docpipe.web
from benchmarks.service.servers import START_SECONDS, Program, environment, free_port, running, wait_until
from docpipe.cli import invoke, serve
from docpipe.service.service import Service
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.web.api import limits
from tests.support.serving import pdf, settings_in
from tests.support.web import blob_names, count_documents, on_a_port

KIB = 1024
BOUNDARY = "----b"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Also for what servers keep of uploads."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(folder))
        yield folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[tuple[Service, int]]:
    """On a port, and patient."""
    with serving_at(folder) as server:
        yield server


@contextmanager
def serving_at(folder: Path, **more: Any) -> Iterator[tuple[Service, int]]:
    with on_a_port(folder, max_bytes=300 * KIB, **more) as (service, port):
        service.queue.send = lambda *_: None  # type: ignore[method-assign]
        yield service, port


def secret_of(service: Service) -> str:
    return ApiKeyStore(service.database).create("wire", ["submit", "read"])[1]


class Wire:
    """A client that says what it likes."""

    def __init__(self, server: tuple[Service, int], secret: str | None = None) -> None:
        self.secret = secret if secret is not None else secret_of(server[0])
        self.socket = socket.create_connection(("127.0.0.1", server[1]), timeout=START_SECONDS)

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def begin(self, *headers: str, method: str = "POST", path: str = "/v1/documents") -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {self.secret}", *headers, "", ""]
        self.socket.sendall("\r\n".join(lines).encode())

    def upload(self, *headers: str) -> None:
        self.begin(f"Content-Type: multipart/form-data; boundary={BOUNDARY}", *headers)

    def answer(self) -> tuple[int, str, str]:
        """Status, headers, body. Until the server hangs up or all that it promised is there."""
        received = b""
        while True:
            head, _, body = received.partition(b"\r\n\r\n")
            promised = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if promised and len(body) >= int(promised[0].split(b":")[1]):
                break
            piece = self.socket.recv(65536)
            if not piece:
                break
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        return int(head.split()[1]) if head else 0, head.decode("latin-1").lower(), body.decode()

    def hung_up(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True


PART = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'.encode()


def test_ten_gigabytes_that_are_announced_are_refused_at_once(server: tuple[Service, int]):
    with Wire(server) as wire:
        wire.upload(f"Content-Length: {10 * 1024**3}")
        status, head, body = wire.answer()
        assert status == 413 and "connection: close" in head and json.loads(body)["error"]["code"] == "too_large"
    with Wire(server) as wire:  # it is asked before it sends, as curl does
        wire.upload(f"Content-Length: {10 * 1024**3}", "Expect: 100-continue")
        assert wire.answer()[0] == 413


def test_a_body_without_a_length_is_counted(server: tuple[Service, int]):
    before = blob_names(server[0])
    with Wire(server) as wire:
        wire.upload("Transfer-Encoding: chunked")
        for piece in [PART] + [bytes(64 * KIB)] * 20:  # all of it, though it is refused after five
            wire.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        status, _, body = wire.answer()
        assert status == 413 and "bytes" in json.loads(body)["error"]["message"]
    assert blob_names(server[0]) == before


def test_a_wrong_key_is_refused_before_its_body_is_read(server: tuple[Service, int]):
    with Wire(server, "dp_000000000000_" + "x" * 43) as wire:
        wire.upload("Content-Length: 200000")
        status, head, _ = wire.answer()
        assert status == 401 and "connection: close" in head
    reader = ApiKeyStore(server[0].database).create("reader", ["read"])[1]
    with Wire(server, reader) as wire:
        wire.upload("Content-Length: 200000")
        assert wire.answer()[0] == 403


def test_a_client_that_sends_all_before_it_reads_sees_why_it_was_refused(server: tuple[Service, int]):
    with Wire(server, "dp_000000000000_" + "x" * 43) as wire:
        wire.upload("Content-Length: 4000000")
        wire.socket.sendall(PART + bytes(4_000_000 - len(PART)))
        assert wire.answer()[0] == 401


def test_a_body_that_stops_coming_ends_with_a_timeout(server: tuple[Service, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "SILENCE_TIMEOUT", 0.5)
    with Wire(server) as wire:
        wire.upload("Content-Length: 1000")
        wire.socket.sendall(PART)
        status, head, body = wire.answer()
        assert status == 408 and "connection: close" in head and "stopped coming" in body


def test_a_body_that_comes_drop_by_drop_ends_with_a_timeout(folder: Path):
    with serving_at(folder, upload_seconds=1) as server, Wire(server) as wire:
        wire.upload("Content-Length: 100000")
        wire.socket.sendall(PART)
        ended = threading.Event()

        def drip() -> None:
            while not ended.wait(0.1):
                try:
                    wire.socket.sendall(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        status, _, body = wire.answer()
        ended.set()
        dripping.join()
        assert status == 408 and "took too long" in body


def test_headers_that_do_not_come_end_with_the_connection(server: tuple[Service, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(serve, "HEADER_SECONDS", 0.5)
    with Wire(server) as silent:
        assert silent.hung_up()
    wait_until(lambda: _is_hung_up_on_in_the_second_request(server), "a first request came in time")


def _is_hung_up_on_in_the_second_request(server: tuple[Service, int]) -> bool:
    """False: this computer is so busy that the headers of the first one came too late."""
    with Wire(server) as dripping:
        dripping.begin(method="GET", path="/health")
        if dripping.answer()[0] != 200:
            return False
        with suppress(ConnectionError):
            dripping.socket.sendall(b"GET /health HTTP/1.1\r\nHost:")  # it never ends
        assert dripping.hung_up()
        return True


def test_a_client_that_hangs_up_leaves_nothing(server: tuple[Service, int], caplog: pytest.LogCaptureFixture):
    service = server[0]
    before = count_documents(service), blob_names(service)
    caplog.set_level(logging.INFO, logger="docpipe.web")
    for _ in range(3):
        with Wire(server) as wire:
            wire.upload("Content-Length: 250000")
            wire.socket.sendall(PART + bytes(100 * KIB))
    wait_until(lambda: caplog.text.count("POST /v1/documents 499") == 3, "it is seen")
    assert (count_documents(service), blob_names(service)) == before
    assert "a bug" not in caplog.text
    with Wire(server) as wire:
        wire.begin(method="GET", path="/health")
        assert wire.answer()[0] == 200


def test_what_is_no_http_is_refused(server: tuple[Service, int]):
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"a: " + b"b" * 100_000 + b"\r\n\r\n",
        b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /v1/documents HTTP/1.1\r\nHost: [::\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\n",
        b"GET http://[::1/v1/documents HTTP/1.1\r\nHost: a b\r\n\r\n",
    ):  # fmt: skip
        with Wire(server) as wire:
            wire.socket.sendall(sent)
            wire.socket.shutdown(socket.SHUT_WR)
            assert wire.answer()[0] in (0, 400, 401, 404, 413), sent


WAITING = "somebody waits"
SERVE_AND_SAY_WHO_WAITS = f"""
import sys
from docpipe.cli import main
from docpipe.web.api.event_stream import JobWatcher
next_change = JobWatcher.next_change
async def waited_for(self, job, seconds):
    print({WAITING!r}, file=sys.stderr, flush=True)
    return await next_change(self, job, seconds)
JobWatcher.next_change = waited_for
main()
"""


def test_who_waits_is_answered_when_the_service_stops(tmp_path: Path, redis_url: str):
    """And the service says how to begin, and stops with exit code 0."""
    port = free_port()
    chosen = settings_in(tmp_path, broker_url=redis_url)
    settings = environment(
        database_url=chosen.database_url, blob_url=chosen.blob_url, broker_url=redis_url, model=chosen.model
    )
    command = [sys.executable, "-c", SERVE_AND_SAY_WHO_WAITS, "serve", "--port", str(port)]
    program = Program(command, settings, tmp_path / "serve.log")
    with running(program), closing(Service.of(chosen)) as service:
        wait_until(lambda: "running on" in program.output(), "it serves")
        assert "docpipe key create NAME --role submit --role read" in program.output()
        secret = secret_of(service)
        with Wire((service, port), secret) as uploading, Wire((service, port), secret) as waiting:
            body = PART + pdf() + f"\r\n--{BOUNDARY}--\r\n".encode()
            uploading.upload(f"Content-Length: {len(body)}")
            uploading.socket.sendall(body)
            status, _, answer = uploading.answer()
            assert status == 202
            waiting.begin(method="GET", path=f"{json.loads(answer)['status_url']}?wait=60")
            wait_until(lambda: WAITING in program.output(), "the client waits")
            assert program.process is not None
            program.process.terminate()
            assert json.loads(waiting.answer()[2])["state"] == "queued"
        assert program.process.wait(START_SECONDS) == 0
    lines = [line for line in program.output().splitlines() if "POST /v1/documents 202" in line]
    assert len(lines) == 1 and "request=" in lines[0] and "key=" in lines[0] and "seconds=" in lines[0]


def test_a_port_that_is_taken_is_said(tmp_path: Path, redis_url: str):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "docpipe", "serve", "--port", str(listener.getsockname()[1])]
        settings = environment(database_url=tmp_path / "a.db", blob_url=tmp_path / "blobs", broker_url=redis_url)
        ended = subprocess.run(
            command, env=settings, capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
    assert ended.returncode == 2 and "cannot serve on 127.0.0.1" in ended.stderr and "--port" in ended.stderr


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.setattr(docpipe, "web", docpipe.web)  # what the import below puts there goes again
    for name in [name for name in sys.modules if name.startswith("docpipe.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", os.devnull)
    monkeypatch.setattr(serve, "configure_logging", lambda *_: None)
    assert invoke(["serve"]) == 2
    output = capsys.readouterr().err
    assert "fastapi" in output and "pip install '.[serve]'" in output
