"""Uploads, as friends and strangers send them: twice, too large, too slow, half, under odd names, from elsewhere."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.service.servers import ROOT
from docpipe.service.webhooks import parse_secret as secret_bytes
from docpipe.service.webhooks import signature
from tests.support.serving import NOBODY, column, pdf
from tests.support.web import Api, api_in, error, kept, taken_in

KIB = 1024
BOUNDARY = "----b"
SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"


@pytest.fixture
def api(tmp_path: Path, redis_url: str) -> Iterator[Api]:
    with api_in(tmp_path, broker_url=redis_url) as api:
        yield api


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


def test_the_check_of_a_signature_in_the_docs_is_right():
    [program] = re.findall(r"```python\n(.*?)```", (ROOT / "docs/api.md").read_text("utf-8"), re.DOTALL)
    named: dict[str, Any] = {}
    exec(program, named)
    body, now = '{"name": "März.pdf"}'.encode(), int(time.time())
    headers = signature(secret_bytes(SECRET), "evt_1", now, body)
    assert named["is_genuine"](headers, body, SECRET)
    assert not named["is_genuine"](headers, body + b" ", SECRET)
    assert not named["is_genuine"](headers | {"webhook-id": "evt_2"}, body, SECRET)
    assert not named["is_genuine"](signature(secret_bytes(SECRET), "evt_1", now - 301, body), body, SECRET)
    other = signature(b"x" * 32, "evt_1", now, body)["webhook-signature"]
    assert named["is_genuine"](headers | {"webhook-signature": f"{other} {headers['webhook-signature']}"}, body, SECRET)
    assert not named["is_genuine"](headers | {"webhook-signature": other}, body, SECRET)
