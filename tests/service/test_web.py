"""The HTTP API for those who use it: who may see and do what, how a document goes its way, lists, waiting, deletion."""

from __future__ import annotations

import io
import logging
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from docpipe.service.maintenance import LOCK_DURATION, LOCK_NAME
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.store.jobs.leader_lock import LeaderLock
from docpipe.store.jobs.prepared_pages import MAX_SIDE
from tests.support.serving import ANSWER, add_job, ago, pdf, set_columns
from tests.support.web import ALL_ROLES, Api, api_in, error_code

NEVER = "0" * 32
SECRET = "geheim"


def test_a_document_goes_its_way(api: Api):
    sent = api.upload(name="../../Rechnung März.pdf", priority="interactive")
    assert sent.status_code == 202
    document = sent.json()
    assert sent.headers["location"] == document["status_url"] == f"/v1/documents/{document['id']}"
    assert document["name"] == "Rechnung März.pdf" and document["priority"] == "interactive"
    assert document["state"] == "queued" and document["result_url"] is None
    assert api.get(document["status_url"]).json() == document

    ended = api.process(document)
    assert (ended["state"], ended["status"], ended["error"]) == ("done", "needs_review", None)
    result = api.get(ended["result_url"]).json()
    assert result["fields"]["gross_total"]["value"] == "119.00"
    assert result["fields"]["gross_total"]["evidence"][0]["text"].endswith("119,00")
    assert result["file"] == "Rechnung März.pdf" and result["document_id"] == document["document_id"]

    original = api.get(f"{document['status_url']}/original")
    assert original.content == pdf()
    assert original.headers["content-type"] == "application/octet-stream"
    named = "attachment; filename=\"Rechnung M_rz.pdf\"; filename*=UTF-8''Rechnung%20M%C3%A4rz.pdf"
    assert original.headers["content-disposition"] == named
    assert original.headers["x-content-type-options"] == "nosniff"
    page = api.get(f"{document['status_url']}/pages/1")
    picture = Image.open(io.BytesIO(page.content))
    assert max(picture.size) == MAX_SIDE and page.headers["content-type"] == picture.get_format_mimetype()


def test_a_document_that_failed_says_why_and_what_to_do(api: Api):
    ended = api.process(api.submit(b"%PDF-1.7\n", name="half.pdf"))
    assert ended["state"] == "failed" and ended["error"]["code"] == "corrupt" and ended["error"]["hint"]
    result = api.get(ended["result_url"])
    assert result.status_code == 200
    assert result.json()["status"] == "failed" and result.json()["error"] == ended["error"]


def test_what_is_not_there_yet_or_any_more_is_said_as_such(api: Api):
    document = api.submit()
    url = document["status_url"]
    assert error_code(api.get(f"{url}/result")) == (409, "not_ended")
    assert error_code(api.get(f"{url}/pages/1")) == (404, "not_found")
    api.process(document)
    assert error_code(api.get(f"{url}/pages/2")) == (404, "not_found")
    assert error_code(api.get("/v1/documents/../../etc/passwd")) == (404, "not_found")
    api.service.blobs.delete(f"{document['id'][:2]}/{document['id']}")
    assert error_code(api.get(f"{url}/original")) == (410, "missing")
    set_columns(api.service.database, api.service.jobs.get(document["id"]), purged=ago(1))
    assert api.get(url).json()["kept"] is False
    for part in ("original", "pages/1"):
        assert error_code(api.get(f"{url}/{part}")) == (410, "missing")
    assert error_code(api.request("POST", f"{url}/retry")) == (410, "missing")
    assert api.get(f"{url}/result").status_code == 200


def test_health_and_readiness_need_no_key(api: Api):
    assert api.get("/health", {}).json() == {"status": "ok"}
    ready = api.get("/ready", {})
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "database": "ok", "blobs": "ok", "broker": "ok", "keeper": "nobody"}
    LeaderLock(api.service.database, LOCK_NAME).acquire("a host:1", LOCK_DURATION)
    api.client.app.state.readiness._until = 0.0
    assert api.get("/ready", {}).json()["keeper"] == "ok"


def test_a_store_that_cannot_be_written_is_not_ready(tmp_path: Path, redis_url: str):
    (tmp_path / "file").write_text("no folder")
    with api_in(tmp_path, broker_url=redis_url, blob_url=tmp_path / "file") as api:
        ready = api.get("/ready", {})
        assert (ready.status_code, ready.json()["blobs"], ready.json()["database"]) == (503, "away", "ok")
        assert error_code(api.upload()) == (503, "store")


def test_a_database_that_is_away_is_said_to_the_log_alone(tmp_path: Path, redis_url: str, caplog: Any):
    away = f"postgresql://docpipe:{SECRET}@127.0.0.1:1/docpipe"
    with api_in(tmp_path, broker_url=redis_url, database_url=away) as api:
        assert api.get("/health", {}).status_code == 200
        assert (api.get("/ready", {}).status_code, api.get("/ready", {}).json()["database"]) == (503, "away")
        answer = api.get("/v1/documents", {"authorization": "Bearer dp_000000000000_" + "x" * 43})
    assert error_code(answer) == (503, "store")
    assert int(answer.headers["retry-after"]) > 0
    assert "127.0.0.1" not in answer.text and SECRET not in answer.text
    assert "127.0.0.1" in caplog.text and SECRET not in caplog.text


def test_all_but_health_and_its_own_description_needs_a_key(api: Api):
    paths = api.get("/openapi.json", {}).json()["paths"]
    assert len(paths) > 10
    _, revoked = ApiKeyStore(api.service.database).create("gone", ["admin"])
    ApiKeyStore(api.service.database).revoke(revoked.split("_")[1])
    wrong = (
        "",
        "Bearer",
        f"Bearer {revoked}",
        f"Basic {revoked}",
        "Bearer dp_x",
        "Bearer \xff",
        "Bearer " + "a" * 5000,
    )
    for path, operations in paths.items():
        for method in operations:
            answers = [
                api.client.request(method, path, headers={"authorization": authorization.encode("latin-1")}).status_code
                for authorization in wrong
            ]
            assert set(answers) == ({200} if path in ("/health", "/ready") else {401}), path
    assert api.get("/docs", {}).status_code == 200
    assert error_code(api.get("/nowhere", {})) == (401, "unauthorized")
    assert error_code(api.get("/nowhere")) == (404, "not_found")
    assert error_code(api.request("PUT", "/v1/documents")) == (405, "method_not_allowed")
    assert api.get("/v1/documents", {}).headers["www-authenticate"] == "Bearer"


READERS, SENDERS = {"read", "review", "admin"}, {"submit", "admin"}
ROLES = {
    ("POST", "/v1/documents"): SENDERS,
    ("POST", f"/v1/documents/{NEVER}/retry"): SENDERS,
    ("DELETE", f"/v1/documents/{NEVER}"): SENDERS,
    ("GET", "/v1/documents"): READERS,
    ("GET", f"/v1/documents/{NEVER}"): READERS,
    ("GET", f"/v1/documents/{NEVER}/result"): READERS,
    ("GET", f"/v1/documents/{NEVER}/original"): READERS,
    ("GET", f"/v1/documents/{NEVER}/pages/1"): READERS,
    ("GET", f"/v1/documents/{NEVER}/events"): READERS,
    ("GET", "/v1/schemas"): READERS,
    ("GET", "/v1/schemas/invoice"): READERS,
    ("GET", "/metrics"): READERS - {"read"},
}


def test_a_key_may_do_what_its_role_allows(api: Api):
    for (method, path), roles in ROLES.items():
        answers = {role: api.request(method, path, api.headers_of(role)).status_code for role in ALL_ROLES}
        assert {role for role, status in answers.items() if status != 403} == roles, path
        assert set(answers.values()) <= {200, 404, 403, 415}, path


def test_a_key_sees_only_its_own_documents(api: Api):
    mine = api.process(api.submit())
    theirs = api.new_key("submit", "read")
    responses = [
        ("GET", ""), ("GET", "/result"), ("GET", "/original"), ("GET", "/pages/1"), ("GET", "/events"),
        ("POST", "/retry"), ("DELETE", ""),
    ]  # fmt: skip
    never = mine["status_url"].replace(mine["id"], NEVER)
    for method, part in responses:
        other, unknown = (api.request(method, url + part, theirs) for url in (mine["status_url"], never))
        assert error_code(other) == (404, "not_found")
        assert other.text.replace(mine["id"], NEVER) == unknown.text
    assert api.get("/v1/documents", theirs).json()["documents"] == []
    assert api.get("/v1/documents").json()["documents"] == [mine]


def test_reviewers_see_everybodys_documents_and_admins_change_them(api: Api):
    mine = api.process(api.submit())
    reviewer, admin = api.new_key("review", "submit"), api.new_key("admin")
    assert api.get("/v1/documents", reviewer).json()["documents"] == [mine]
    assert api.get(f"{mine['status_url']}/pages/1", reviewer).status_code == 200
    for method, part in (("POST", "/retry"), ("DELETE", "")):
        assert error_code(api.request(method, mine["status_url"] + part, reviewer)) == (403, "forbidden")
    assert api.request("POST", f"{mine['status_url']}/retry", admin).status_code == 202
    assert api.request("DELETE", mine["status_url"], admin).status_code == 204


def test_a_list_is_filtered_and_comes_page_by_page(api_on_both: Api):
    api = api_on_both
    owner = ApiKeyStore(api.service.database).create("bulk", ["read"])
    headers = {"authorization": f"Bearer {owner[1]}"}
    jobs_added = [add_job(api.service.jobs, f"{number}.pdf", owner=owner[0].id) for number in range(7)]
    same = ago(100)
    for job in jobs_added[:4]:  # at the very same time: the cursor must not lose or repeat one of them
        set_columns(api.service.database, job, created=same)
    set_columns(api.service.database, jobs_added[6], state="done", status="complete", schema="receipt")
    add_job(api.service.jobs, "another.pdf", owner="somebody else")

    def listed(**query: Any) -> list[str]:
        answer = api.get("/v1/documents", headers, params=query)
        assert answer.status_code == 200, answer.text
        return [document["name"] for document in answer.json()["documents"]]

    names_listed, cursor = [], None
    while True:
        page = api.get("/v1/documents", headers, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        assert len(page["documents"]) <= 2
        names_listed += [document["name"] for document in page["documents"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert names_listed[:3] == ["6.pdf", "5.pdf", "4.pdf"] and sorted(names_listed[3:]) == [
        "0.pdf",
        "1.pdf",
        "2.pdf",
        "3.pdf",
    ]
    assert listed(state="done") == listed(status="complete") == listed(schema="receipt") == ["6.pdf"]
    assert listed(state=["queued", "done"]) == names_listed and listed(state="failed") == []
    assert listed(document_id=jobs_added[5].document_id) == ["5.pdf"]
    middle = ago(50)
    assert listed(created_since=middle.isoformat()) == names_listed[:3]
    assert sorted(listed(created_before=middle.replace(tzinfo=None).isoformat())) == sorted(names_listed[3:])


ABSURD = [
    "limit=0", "limit=201", "limit=" + "9" * 5000, "limit=1e3", "limit=NaN", "state=eaten", "status=failed",
    "document_id=abc", "cursor=abc", "cursor=%00", "cursor=%ff", "cursor=%F0%9F%92%A9", "cursor=" + "a" * 5000,
    "cursor=OTk5OTktMDEtMDF8YQ==",  # 99999-01-01|a
    "cursor=MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OXxh",  # 0001-01-01T00:00:00+23:59|a
    "cursor=OTk5OS0xMi0zMVQyMzo1OTo1OS0yMzo1OXxh",  # 9999-12-31T23:59:59-23:59|a
    "cursor=MjAyNi0wMS0wMVQwMDowMDowMFp8AA==",  # 2026-01-01T00:00:00Z| and a NUL
    "created_since=0001-01-01T00:00:00%2B14:00", "created_before=9999-12-31T23:59:59-14:00",
    "created_since=yesterday", "created_since=99999999999999999999", "created_since=NaN", "schema=" + "x" * 201,
]  # fmt: skip
ODD = ["schema=%00", "schema=%ED%A0%80", "schema=%27%20OR%201=1", "created_before=0", "unknown=1"]
NOWHERE = [
    f"{NEVER}/pages/0", f"{NEVER}/pages/-1", f"{NEVER}/pages/{10**30}", f"{NEVER}/pages/1%00", f"{NEVER}/pages/..%2f",
    "%00", "%ff", "..%2f..%2fetc", "' OR 1=1", "😀", "x" * 3000, f"{NEVER}?wait=61", f"{NEVER}?wait=-1", f"{NEVER}/",
    f"{NEVER}?wait=inf", f"{NEVER}?wait=nan", f"{NEVER}?wait=1e400", "f" * 31 + "G", "", "../schemas/..",
]  # fmt: skip


def test_an_absurd_question_is_refused_and_breaks_nothing(api_on_both: Api):
    for query in ABSURD:
        assert error_code(api_on_both.get(f"/v1/documents?{query}")) in ((400, "usage"), (422, "invalid")), query
    for query in ODD:
        assert api_on_both.get(f"/v1/documents?{query}").json() == {"documents": [], "next": None}, query
    for path in NOWHERE:
        assert error_code(api_on_both.get(f"/v1/documents/{path}"))[0] in (404, 422), path


def test_metrics_count_what_has_ended_and_what_waits(api: Api):
    api.process(api.submit())
    api.process(api.submit(b"%PDF-1.7\n"))
    api.submit(pdf("another"))
    families = {
        family.name: {tuple(sorted(sample.labels.items())): sample.value for sample in family.samples}
        for family in text_string_to_metric_families(api.get("/metrics", api.headers_of("review")).text)
    }

    def of(name: str, **labels: str) -> float:
        return sum(
            value for label_values, value in families[name].items() if labels.items() <= dict(label_values).items()
        )

    assert of("docpipe_documents", outcome="needs_review") == of("docpipe_documents", outcome="failed") == 1
    assert of("docpipe_pages", schema="invoice") == 1 and of("docpipe_fields") == len({*ANSWER, "currency"})
    assert of("docpipe_attempts", outcome="failed") == 1
    assert of("docpipe_stage_seconds", stage="read") > 0
    assert of("docpipe_jobs", state="queued") == of("docpipe_jobs", state="failed") == 1
    assert of("docpipe_queue_depth", queue="docpipe.prepare") == 3  # nobody takes them here
    assert of("docpipe_broker_up") == 1 and of("docpipe_keeper_up") == 0
    assert of("docpipe_messages", state="waiting") == 0


def test_the_schemas_are_there_as_json_schema(tmp_path: Path, redis_url: str):
    with api_in(tmp_path, broker_url=redis_url, schemas="docpipe.schemas.receipt:Receipt, nowhere:None") as api:
        listed = api.get("/v1/schemas").json()
        assert [entry["name"] for entry in listed] == [
            "invoice",
            "receipt",
            "form",
            "auto",
            "docpipe.schemas.receipt:Receipt",
        ]
        assert "line_items[].amount" in listed[0]["fields"] and listed[0]["version"]
        for entry in listed:
            schema = api.get(entry["url"]).json()
            assert schema.get("properties") or len(schema["anyOf"]) == 3
        for name in ("passport", "os:path", "/etc/passwd.json", "../x.py:Y", "%00"):
            assert error_code(api.get(f"/v1/schemas/{name}")) == (404, "not_found")
        assert error_code(api.upload(schema="os:path")) == (422, "schema")
        assert api.submit(schema="auto")["schema"] == "auto"


def test_a_key_that_asks_too_often_waits_and_others_do_not(api: Api):
    busy = api.new_key("read", per_minute=3)
    answers = [api.get("/v1/documents", busy) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert error_code(answers[-1]) == (429, "rate") and 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert api.get("/v1/documents").status_code == 200


def test_a_bug_is_an_error_like_others_and_is_found_in_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(api.service.view, "page", fail)
    answer = api.get("/v1/documents")
    assert error_code(answer) == (500, "bug") and SECRET not in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert SECRET in caplog.text


def test_every_request_is_a_line_of_the_log(api: Api, caplog: pytest.LogCaptureFixture):
    own = api.own_headers
    with caplog.at_level(logging.INFO, logger="docpipe.web"):
        answer = api.get("/v1/documents/%0aforged%20line?secret=1", own | {"x-request-id": "mine-1"})
        other = api.get("/health", {"x-request-id": "not\tone of ours" * 9})
    lines = [record for record in caplog.records if record.name == "docpipe.web"]
    assert [line.getMessage() for line in lines] == ["GET /v1/documents/%0aforged%20line 404", "GET /health 200"]
    assert lines[0].context["key"] in own["authorization"] and lines[0].context["seconds"] >= 0
    assert answer.headers["x-request-id"] == "mine-1"
    assert "ours" not in other.headers["x-request-id"]
    for name in ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"):
        assert name in answer.headers


def test_every_operation_is_described_with_an_example_and_its_errors(api: Api):
    described = api.get("/openapi.json", {}).json()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            answers = operation["responses"]
            (good,) = [status for status in answers if status.startswith("2") and status != "204"] or ["204"]
            if good != "204":
                assert all("example" in content for content in answers[good]["content"].values()), where
            if path not in ("/health", "/ready"):
                assert {"401", "403", "429", "503"} <= set(answers), where
                assert operation["security"], where
            for status, answer in answers.items():
                if status.startswith("4"):
                    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Problem"}
    upload = described["paths"]["/v1/documents"]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert set(upload["schema"]["properties"]) == {"file", "schema", "priority", "callback_url", "reference"}
    assert upload["example"]
