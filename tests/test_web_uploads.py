"""Uploads, as friends and strangers send them: twice, too large, too slow, half, under odd names, from elsewhere.

Where the bytes on the wire matter the server listens on a port and the client is a socket.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.servers import docpipe, environment, free_port, running, wait_until
from docpipe.cli import invoke, serve
from docpipe.service import Service
from docpipe.store.keys import KeyStore
from docpipe.store.service_tables import jobs
from docpipe.web import limits
from tests.serving import NOBODY, column, pdf, rows, settings
from tests.test_web import error
from tests.web import Api, api_in, on_a_port

KIB = 1024
BOUNDARY = "----b"
SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"


@pytest.fixture
def api(tmp_path: Path, redis_url: str) -> Iterator[Api]:
    with api_in(tmp_path, broker_url=redis_url) as api:
        yield api


def taken_in(service: Service) -> int:
    return rows(service.database, jobs)


def kept(service: Service) -> list[str]:
    root = Path(service.blobs.url)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_the_same_submission_again_is_the_same_document(api: Api):
    headers = api.own | {"idempotency-key": "order 17"}
    first, again = (api.taken_in(headers=headers) for _ in range(2))
    assert again == first and taken_in(api.service) == 1 and len(kept(api.service)) == 1
    assert error(api.send(pdf("another"), headers=headers)) == (409, "conflict")
    assert error(api.send(headers=headers, schema="receipt")) == (409, "conflict")
    assert len(kept(api.service)) == 1, "what was refused is not kept"
    other = api.key("submit") | {"idempotency-key": "order 17"}
    assert api.taken_in(headers=other)["id"] != first["id"], "each client has its own keys"
    assert error(api.send(headers=api.own | {"idempotency-key": "k" * 201})) == (422, "invalid")
    assert error(api.send(headers=api.own | {"idempotency-key": ""})) == (422, "invalid")


def test_two_submissions_at_the_same_time_are_one_document(tmp_path: Path, redis_url: str, database_url: str):
    with api_in(tmp_path, broker_url=redis_url, database_url=database_url) as api:
        headers = api.own | {"idempotency-key": "once"}
        with ThreadPoolExecutor(6) as clients:
            answers = list(clients.map(lambda _: api.send(headers=headers), range(6)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert taken_in(api.service) == 1 and len(kept(api.service)) == 1


NAMES = {
    "../../../etc/passwd": "passwd",
    "..\\..\\windows\\win.ini": "win.ini",
    "C:\\Scans\\März.pdf": "März.pdf",
    "a/b/..": "..",
    "\u202egpj.exe": "gpj.exe",
    "new\x0bline\x7f.pdf": "newline.pdf",
    "😀" * 300: "😀" * 200,
    "/": "document",
    "<script>.pdf": "<script>.pdf",
    'quote".pdf': 'quote".pdf',
}


def test_a_file_name_from_a_stranger_is_a_name_and_nothing_else(api: Api):
    headers = api.own | {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    for given, name in NAMES.items():
        escaped = given.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        part = b'Content-Disposition: form-data; name="file"; filename="' + escaped + b'"\r\n\r\n'
        body = f"--{BOUNDARY}\r\n".encode() + part + pdf() + f"\r\n--{BOUNDARY}--\r\n".encode()
        document = api.ask("POST", "/v1/documents", headers, content=body).json()
        assert document["name"] == name
        assert f"{document['id'][:2]}/{document['id']}/original" in kept(api.service)
        disposition = api.get(f"{document['status_url']}/original").headers["content-disposition"]
        assert disposition.isascii() and disposition.isprintable() and disposition.count('"') == 2
    assert len(kept(api.service)) == len(NAMES)


def test_a_document_is_taken_from_where_the_operator_allows(tmp_path: Path, redis_url: str):
    allowed, secret = tmp_path / "scans", tmp_path / "secret.pdf"
    allowed.mkdir()
    (allowed / "bill.pdf").write_bytes(pdf())
    secret.write_bytes(pdf("secret"))
    (allowed / "link.pdf").symlink_to(secret)
    with api_in(tmp_path, broker_url=redis_url, references=f"{allowed}, s3://bucket/in") as api:

        def named(reference: str, **more: str) -> Any:
            return api.ask("POST", "/v1/documents", files={"reference": (None, reference)}, data=more)

        taken = named(str(allowed / "bill.pdf"), schema="receipt")
        assert taken.status_code == 202
        assert (taken.json()["name"], taken.json()["schema"]) == ("bill.pdf", "receipt")
        assert named((allowed / "bill.pdf").as_uri()).status_code == 202
        outside = (
            str(secret), secret.as_uri(), f"{allowed}/../secret.pdf", f"{allowed}/link.pdf", f"{allowed}x/bill.pdf",
            f"simplecache::{allowed}/link.pdf", f"filecache::{allowed}/link.pdf", f"zip::{allowed}/link.pdf",
            "/etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "/proc/self/environ", str(allowed), f"{allowed}/none",
            "http://127.0.0.1/", "s3://other/x", "memory://x", "ftp://127.0.0.1/x", "gopher://x", "data:,x", "::", "/",
        )  # fmt: skip
        for reference in outside:
            answer = named(reference)
            assert error(answer) == (422, "input"), reference
            assert "secret.pdf:" not in answer.text
        assert error(named(f"{allowed}/bill.pdf\x00")) == (422, "invalid")
        assert error(named("x" * 2001)) == (422, "invalid")
        assert taken_in(api.service) == 2


def test_a_reference_counts_against_the_limits_of_the_key(tmp_path: Path, redis_url: str):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.pdf").write_bytes(bytes(20 * KIB))
    with api_in(tmp_path, broker_url=redis_url, references=tmp_path / "in") as api:
        small = api.key("submit", max_bytes=10 * KIB)
        files = {"reference": (None, str(tmp_path / "in" / "large.pdf"))}
        assert error(api.ask("POST", "/v1/documents", small, files=files)) == (413, "too_large")


def test_a_form_that_is_wrong_is_refused_with_a_word_why(api: Api):
    one = ("file", ("a.pdf", pdf()))

    def said(**more: Any) -> tuple[int, str]:
        return error(api.ask("POST", "/v1/documents", **more))

    assert said(files=[one], data={"schema": "passport"}) == (422, "schema")
    assert said(files=[one], data={"schema": "/tmp/x.py:X"}) == (422, "schema")
    assert said(files=[one], data={"shema": "invoice"}) == (422, "invalid")
    assert said(files=[one], data={"priority": "now"}) == (422, "invalid")
    assert said(files=[one], data={"schema": ["invoice", "receipt"]}) == (422, "invalid")
    assert said(files=[one], data={"reference": "/x"}) == (422, "invalid")
    assert said(files=[("fiel", one[1])]) == (422, "invalid")
    assert said(files=[("file", (None, "no name"))]) == (422, "invalid")
    assert said(files=[("schema", (None, "invoice"))]) == (422, "invalid")
    assert said(files=[one], data={"callback_url": "x" * 2001}) == (422, "invalid")
    assert said(files=[one, one]) == (400, "bad_request")
    assert said(files=[one], data={f"f{number}": "x" for number in range(20)}) == (400, "bad_request")
    assert said(files=[one], data={"schema": "x" * 20 * KIB}) == (400, "bad_request")
    assert said(data={"schema": "invoice"}) == (415, "unsupported_media_type")
    assert said(json={"schema": "invoice"}) == (415, "unsupported_media_type")
    assert said() == (415, "unsupported_media_type")
    assert said(files=[("file", ("a.pdf", b""))]) == (422, "corrupt")
    assert taken_in(api.service) == 0 and kept(api.service) == []


NAMED = b"--b\r\nContent-Disposition: form-data; name="
BROKEN = [
    ("", b""),
    ("; boundary=", b"--\r\n"),
    ("; boundary=" + "b" * 5000, b"x"),
    ("; boundary=b; charset=utf-7", NAMED + b'"a"\r\n\r\n\xff'),
    ("; boundary=b; charset=\xff", NAMED + b'"\xed\xa0\x80"\r\n\r\n\r\n--b--'),
    ("; boundary=b", b"no form at all"),
    ("; boundary=b", b"--b\r\n\r\n\r\n--b--"),
    ("; boundary=b", NAMED + b'"file"; filename="a"\r\n\r\nonly the first half'),
    ("; boundary=b", NAMED + b'"file"; filename="a"\r\n' + b"a: b\r\n" * 1000 + b"\r\n\r\n--b--"),
    ("; boundary=b", NAMED + b"\xff\xfe\r\n\r\nx\r\n--b--"),
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the parser leaves half a file to us
def test_a_broken_form_is_refused(api: Api):
    own = [(name.encode(), value.encode()) for name, value in api.own.items()]
    for rest, body in BROKEN:
        kind = (b"content-type", f"multipart/form-data{rest}".encode("latin-1"))
        answer = api.client.post("/v1/documents", headers=[*own, kind], content=body)
        assert error(answer) in ((400, "bad_request"), (422, "invalid")), (rest, body)
    assert kept(api.service) == []


def test_what_is_no_document_is_taken_in_and_ends_with_a_reason(api: Api):
    ended = {
        name: api.worked(api.taken_in(content, name=name))["error"]["code"]
        for name, content in (
            ("text.pdf", b"Dear Sir or Madam"),
            ("page.png", b"<html></html>"),
            ("archive.pdf", b"PK\x03\x04" + bytes(100)),
            ("program.pdf", b"\x7fELF" + bytes(100)),
        )
    }
    assert set(ended.values()) == {"unsupported"}, ended


def test_a_file_larger_than_allowed_is_refused_and_not_kept(tmp_path: Path, redis_url: str):
    with api_in(tmp_path, broker_url=redis_url, max_bytes=300 * KIB) as api:
        assert api.send(bytes(300 * KIB)).status_code == 202
        assert error(api.send(bytes(300 * KIB + 1))) == (413, "too_large")
        assert error(api.send(bytes(500 * KIB))) == (413, "too_large")
        small = api.key("submit", max_bytes=10 * KIB)
        assert api.send(bytes(10 * KIB), headers=small).status_code == 202
        assert error(api.send(bytes(10 * KIB + 1), headers=small)) == (413, "too_large")
        generous = api.key("submit", max_bytes=10 * KIB * KIB)
        assert error(api.send(bytes(301 * KIB), headers=generous)) == (413, "too_large")
        assert len(kept(api.service)) == 2
        retry = api.ask("POST", f"/v1/documents/{'0' * 32}/retry", content=bytes(100 * KIB))
        assert error(retry) == (413, "too_large")


def test_webhooks_need_a_secret_and_an_address(tmp_path: Path, redis_url: str):
    with api_in(tmp_path, broker_url=redis_url) as api:
        assert error(api.send(callback_url="https://example.com/done")) == (400, "usage")
    with api_in(tmp_path, broker_url=redis_url, webhook_secret=SECRET) as api:
        for wrong in ("ftp://example.com", "https://", "javascript:alert(1)", "https://u:p@example.com", "http://[::1"):
            assert error(api.send(callback_url=wrong)) == (400, "usage"), wrong
        assert taken_in(api.service) == 0
        document = api.taken_in(callback_url="https://example.com/done?a=1")
        assert document["callback_url"] == "https://example.com/done?a=1"


def test_a_document_is_taken_in_while_the_broker_is_away(tmp_path: Path):
    with api_in(tmp_path, broker_url=NOBODY) as api:
        first, second = api.taken_in(), api.taken_in(pdf("another"), priority="interactive")
        for document in (first, second):
            job = api.service.jobs.get(document["id"])
            assert column(api.service.database, job, "sent") is None, "the keeper sends it"
        assert second["priority"] == "interactive"
        ready = api.get("/ready", {})
        assert (ready.status_code, ready.json()["broker"]) == (200, "away")
        assert "docpipe_broker_up 0.0" in api.get("/metrics", api.its("admin")).text


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, int]]:
    """On a port, patient for half a second."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(limits, "SILENT_SECONDS", 0.5)
        patched.setattr(serve, "HEADER_SECONDS", 0.5)
        patched.setattr(tempfile, "tempdir", str(folder))
        with on_a_port(folder, max_bytes=300 * KIB, upload_seconds=2) as (service, port):
            service.sender.send = lambda *_: None  # type: ignore[method-assign]
            yield service, port


def secret_of(service: Service) -> str:
    return KeyStore(service.database).create("wire", ["submit", "read"])[1]


class Wire:
    """A client that says what it likes."""

    def __init__(self, server: tuple[Service, int], secret: str | None = None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server[1]), timeout=30)
        self.secret = secret if secret is not None else secret_of(server[0])

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
    before = kept(server[0])
    with Wire(server) as wire:
        wire.upload("Transfer-Encoding: chunked")
        for piece in [PART] + [bytes(64 * KIB)] * 20:  # all of it, though it is refused after five
            wire.socket.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        status, _, body = wire.answer()
        assert status == 413 and "bytes" in json.loads(body)["error"]["message"]
    assert kept(server[0]) == before


def test_a_wrong_key_is_refused_before_its_body_is_read(server: tuple[Service, int]):
    with Wire(server, "dp_000000000000_" + "x" * 43) as wire:
        wire.upload("Content-Length: 200000")
        status, head, _ = wire.answer()
        assert status == 401 and "connection: close" in head
    reader = KeyStore(server[0].database).create("reader", ["read"])[1]
    with Wire(server, reader) as wire:
        wire.upload("Content-Length: 200000")
        assert wire.answer()[0] == 403


def test_a_client_that_sends_all_before_it_reads_sees_why_it_was_refused(server: tuple[Service, int]):
    with Wire(server, "dp_000000000000_" + "x" * 43) as wire:
        wire.upload("Content-Length: 4000000")
        wire.socket.sendall(PART + bytes(4_000_000 - len(PART)))
        assert wire.answer()[0] == 401


def test_a_body_that_stops_coming_ends_with_a_timeout(server: tuple[Service, int]):
    with Wire(server) as wire:
        wire.upload("Content-Length: 1000")
        wire.socket.sendall(PART)
        status, head, body = wire.answer()
        assert status == 408 and "connection: close" in head and "stopped coming" in body


def test_a_body_that_comes_drop_by_drop_ends_with_a_timeout(server: tuple[Service, int]):
    with Wire(server) as wire:
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


def test_headers_that_do_not_come_end_with_the_connection(server: tuple[Service, int]):
    with Wire(server) as silent, Wire(server) as dripping:
        dripping.begin(method="GET", path="/health")
        assert dripping.answer()[0] == 200
        dripping.socket.sendall(b"GET /health HTTP/1.1\r\nHost:")  # the second request never ends
        assert silent.hung_up() and dripping.hung_up()


def test_a_client_that_hangs_up_leaves_nothing(server: tuple[Service, int], caplog: pytest.LogCaptureFixture):
    service = server[0]
    before = taken_in(service), kept(service)
    caplog.set_level(logging.INFO, logger="docpipe.web")
    for _ in range(3):
        with Wire(server) as wire:
            wire.upload("Content-Length: 250000")
            wire.socket.sendall(PART + bytes(100 * KIB))
    wait_until(lambda: caplog.text.count("POST /v1/documents 499") == 3, "it is seen")
    assert (taken_in(service), kept(service)) == before
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


def test_who_waits_is_answered_when_the_service_stops(tmp_path: Path, redis_url: str):
    """And the service says how to begin, and stops with exit code 0."""
    port = free_port()
    chosen = settings(tmp_path, broker_url=redis_url)
    given = environment(
        database_url=chosen.database_url, blob_url=chosen.blob_url, broker_url=redis_url, model=chosen.model
    )
    program = docpipe(given, tmp_path / "serve.log", "serve", "--port", str(port))
    with running(program), closing(Service.of(chosen)) as service:
        wait_until(lambda: "running on" in program.said(), "it serves")
        assert "docpipe key create NAME --role submit --role read" in program.said()
        secret = secret_of(service)
        with Wire((service, port), secret) as uploading, Wire((service, port), secret) as waiting:
            body = PART + pdf() + f"\r\n--{BOUNDARY}--\r\n".encode()
            uploading.upload(f"Content-Length: {len(body)}")
            uploading.socket.sendall(body)
            status, _, answer = uploading.answer()
            assert status == 202
            waiting.begin(method="GET", path=f"{json.loads(answer)['status_url']}?wait=60")
            time.sleep(0.5)
            assert program.process is not None
            program.process.terminate()
            assert json.loads(waiting.answer()[2])["state"] == "queued"
        assert program.process.wait(30) == 0
    lines = [line for line in program.said().splitlines() if "POST /v1/documents 202" in line]
    assert len(lines) == 1 and "request=" in lines[0] and "key=" in lines[0] and "seconds=" in lines[0]


def test_a_port_that_is_taken_is_said(tmp_path: Path, redis_url: str):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "docpipe", "serve", "--port", str(taken.getsockname()[1])]
        given = environment(database_url=tmp_path / "a.db", blob_url=tmp_path / "blobs", broker_url=redis_url)
        ended = subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2 and "cannot serve on 127.0.0.1" in ended.stderr and "--port" in ended.stderr


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, "fastapi", None)
    for name in [name for name in sys.modules if name.startswith("docpipe.web")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setenv("DOCPIPE_DATABASE_URL", os.devnull)
    monkeypatch.setattr(serve, "write_log", lambda *_: None)
    assert invoke(["serve"]) == 2
    said = capsys.readouterr().err
    assert "fastapi" in said and "pip install 'docpipe-extract[serve]'" in said
