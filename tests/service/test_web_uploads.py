"""Uploads, as friends and strangers send them: twice, too large, too slow, half, under odd names, from elsewhere."""

from __future__ import annotations

import base64
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.service.servers import ROOT
from docpipe.service.webhooks import parse_secret as secret_bytes
from docpipe.service.webhooks import signature
from tests.support.serving import NO_BROKER, column_of, pdf
from tests.support.web import Api, api_in, blob_names, count_documents, error_code

KIB = 1024
BOUNDARY = "----b"
SECRET = f"whsec_{base64.b64encode(bytes(32)).decode()}"


def test_the_same_submission_again_is_the_same_document(api: Api):
    headers = api.own_headers | {"idempotency-key": "order 17"}
    first, again = (api.submit(headers=headers) for _ in range(2))
    assert again == first and count_documents(api.service) == 1 and len(blob_names(api.service)) == 1
    assert error_code(api.upload(pdf("another"), headers=headers)) == (409, "conflict")
    assert error_code(api.upload(headers=headers, schema="receipt")) == (409, "conflict")
    assert len(blob_names(api.service)) == 1, "what was refused is not kept"
    other = api.new_key("submit") | {"idempotency-key": "order 17"}
    assert api.submit(headers=other)["id"] != first["id"], "each client has its own keys"
    assert error_code(api.upload(headers=api.own_headers | {"idempotency-key": "k" * 201})) == (422, "invalid")
    assert error_code(api.upload(headers=api.own_headers | {"idempotency-key": ""})) == (422, "invalid")


def test_two_submissions_at_the_same_time_are_one_document(tmp_path: Path, redis_url: str, database_url: str):
    with api_in(tmp_path, broker_url=redis_url, database_url=database_url) as api:
        headers = api.own_headers | {"idempotency-key": "once"}
        with ThreadPoolExecutor(6) as clients:
            answers = list(clients.map(lambda _: api.upload(headers=headers), range(6)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert count_documents(api.service) == 1 and len(blob_names(api.service)) == 1


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
    headers = api.own_headers | {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    for file_name, name in NAMES.items():
        escaped = file_name.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        part = b'Content-Disposition: form-data; name="file"; filename="' + escaped + b'"\r\n\r\n'
        body = f"--{BOUNDARY}\r\n".encode() + part + pdf() + f"\r\n--{BOUNDARY}--\r\n".encode()
        document = api.request("POST", "/v1/documents", headers, content=body).json()
        assert document["name"] == name
        assert f"{document['id'][:2]}/{document['id']}/original" in blob_names(api.service)
        disposition = api.get(f"{document['status_url']}/original").headers["content-disposition"]
        assert disposition.isascii() and disposition.isprintable() and disposition.count('"') == 2
    assert len(blob_names(api.service)) == len(NAMES)


def test_a_document_is_taken_from_where_the_operator_allows(tmp_path: Path, redis_url: str):
    allowed, secret = tmp_path / "scans", tmp_path / "secret.pdf"
    allowed.mkdir()
    (allowed / "bill.pdf").write_bytes(pdf())
    secret.write_bytes(pdf("secret"))
    (allowed / "link.pdf").symlink_to(secret)
    with api_in(tmp_path, broker_url=redis_url, references=f"{allowed}, s3://bucket/in") as api:

        def named(reference: str, **more: str) -> Any:
            return api.request("POST", "/v1/documents", files={"reference": (None, reference)}, data=more)

        response = named(str(allowed / "bill.pdf"), schema="receipt")
        assert response.status_code == 202
        assert (response.json()["name"], response.json()["schema"]) == ("bill.pdf", "receipt")
        assert named((allowed / "bill.pdf").as_uri()).status_code == 202
        outside = (
            str(secret), secret.as_uri(), f"{allowed}/../secret.pdf", f"{allowed}/link.pdf", f"{allowed}x/bill.pdf",
            f"simplecache::{allowed}/link.pdf", f"filecache::{allowed}/link.pdf", f"zip::{allowed}/link.pdf",
            "/etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "/proc/self/environ", str(allowed), f"{allowed}/none",
            "http://127.0.0.1/", "s3://other/x", "memory://x", "ftp://127.0.0.1/x", "gopher://x", "data:,x", "::", "/",
        )  # fmt: skip
        for reference in outside:
            answer = named(reference)
            assert error_code(answer) == (422, "input"), reference
            assert "secret.pdf:" not in answer.text
        assert error_code(named(f"{allowed}/bill.pdf\x00")) == (422, "invalid")
        assert error_code(named("x" * 2001)) == (422, "invalid")
        assert count_documents(api.service) == 2


def test_a_reference_counts_against_the_limits_of_the_key(tmp_path: Path, redis_url: str):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "large.pdf").write_bytes(bytes(20 * KIB))
    with api_in(tmp_path, broker_url=redis_url, references=tmp_path / "in") as api:
        small = api.new_key("submit", max_bytes=10 * KIB)
        files = {"reference": (None, str(tmp_path / "in" / "large.pdf"))}
        assert error_code(api.request("POST", "/v1/documents", small, files=files)) == (413, "too_large")


def test_a_form_that_is_wrong_is_refused_with_a_word_why(api: Api):
    file_part = ("file", ("a.pdf", pdf()))

    def refusal(**more: Any) -> tuple[int, str]:
        return error_code(api.request("POST", "/v1/documents", **more))

    assert refusal(files=[file_part], data={"schema": "passport"}) == (422, "schema")
    assert refusal(files=[file_part], data={"schema": "/tmp/x.py:X"}) == (422, "schema")
    assert refusal(files=[file_part], data={"shema": "invoice"}) == (422, "invalid")
    assert refusal(files=[file_part], data={"priority": "now"}) == (422, "invalid")
    assert refusal(files=[file_part], data={"schema": ["invoice", "receipt"]}) == (422, "invalid")
    assert refusal(files=[file_part], data={"reference": "/x"}) == (422, "invalid")
    assert refusal(files=[("fiel", file_part[1])]) == (422, "invalid")
    assert refusal(files=[("file", (None, "no name"))]) == (422, "invalid")
    assert refusal(files=[("schema", (None, "invoice"))]) == (422, "invalid")
    assert refusal(files=[file_part], data={"callback_url": "x" * 2001}) == (422, "invalid")
    assert refusal(files=[file_part, file_part]) == (400, "bad_request")
    assert refusal(files=[file_part], data={f"f{number}": "x" for number in range(20)}) == (400, "bad_request")
    assert refusal(files=[file_part], data={"schema": "x" * 20 * KIB}) == (400, "bad_request")
    assert refusal(data={"schema": "invoice"}) == (415, "unsupported_media_type")
    assert refusal(json={"schema": "invoice"}) == (415, "unsupported_media_type")
    assert refusal() == (415, "unsupported_media_type")
    assert refusal(files=[("file", ("a.pdf", b""))]) == (422, "corrupt")
    assert count_documents(api.service) == 0 and blob_names(api.service) == []


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
    own = [(name.encode(), value.encode()) for name, value in api.own_headers.items()]
    for rest, body in BROKEN:
        kind = (b"content-type", f"multipart/form-data{rest}".encode("latin-1"))
        answer = api.client.post("/v1/documents", headers=[*own, kind], content=body)
        assert error_code(answer) in ((400, "bad_request"), (422, "invalid")), (rest, body)
    assert blob_names(api.service) == []


def test_what_is_no_document_is_taken_in_and_ends_with_a_reason(api: Api):
    ended = {
        name: api.process(api.submit(content, name=name))["error"]["code"]
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
        assert api.upload(bytes(300 * KIB)).status_code == 202
        assert error_code(api.upload(bytes(300 * KIB + 1))) == (413, "too_large")
        assert error_code(api.upload(bytes(500 * KIB))) == (413, "too_large")
        small = api.new_key("submit", max_bytes=10 * KIB)
        assert api.upload(bytes(10 * KIB), headers=small).status_code == 202
        assert error_code(api.upload(bytes(10 * KIB + 1), headers=small)) == (413, "too_large")
        generous = api.new_key("submit", max_bytes=10 * KIB * KIB)
        assert error_code(api.upload(bytes(301 * KIB), headers=generous)) == (413, "too_large")
        assert len(blob_names(api.service)) == 2
        retry = api.request("POST", f"/v1/documents/{'0' * 32}/retry", content=bytes(100 * KIB))
        assert error_code(retry) == (413, "too_large")


def test_webhooks_need_a_secret_and_an_address(tmp_path: Path, redis_url: str):
    with api_in(tmp_path, broker_url=redis_url) as api:
        assert error_code(api.upload(callback_url="https://example.com/done")) == (400, "usage")
    with api_in(tmp_path, broker_url=redis_url, webhook_secret=SECRET) as api:
        for wrong in ("ftp://example.com", "https://", "javascript:alert(1)", "https://u:p@example.com", "http://[::1"):
            assert error_code(api.upload(callback_url=wrong)) == (400, "usage"), wrong
        assert count_documents(api.service) == 0
        document = api.submit(callback_url="https://example.com/done?a=1")
        assert document["callback_url"] == "https://example.com/done?a=1"


def test_a_document_is_taken_in_while_the_broker_is_away(tmp_path: Path):
    with api_in(tmp_path, broker_url=NO_BROKER) as api:
        first, second = api.submit(), api.submit(pdf("another"), priority="interactive")
        for document in (first, second):
            job = api.service.jobs.get(document["id"])
            assert column_of(api.service.database, job, "sent") is None, "the maintenance sends it"
        assert second["priority"] == "interactive"
        ready = api.get("/ready", {})
        assert (ready.status_code, ready.json()["broker"]) == (200, "away")
        assert "docpipe_broker_up 0.0" in api.get("/metrics", api.headers_of("admin")).text


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
