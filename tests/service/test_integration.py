"""Another program and docpipe, over a real queue: the program of examples/other_program runs in processes that do not
have docpipe, beside a real worker and real maintenance. What docs/integration.md promises is what it gets."""

from __future__ import annotations

import base64
import hmac
import http.client
import importlib.util
import json
import os
import re
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from benchmarks.service.servers import Program, free_port, running, wait_until
from docpipe.service.webhooks import WebhookClient
from docpipe.store.jobs.outbox import Delivery
from tests.support.external_app import ROOT, SHOP, ShopAndService, message, redis_in
from tests.support.serving import pdf, scripted_model

CONTRACT = ROOT / "docs/integration.md"
SAID = {
    "invoice_number": "R-2041", "issue_date": "14.03.2026", "seller_name": "Muster GmbH", "currency": "EUR",
    "net_total": "100,00", "tax_total": "19,00", "gross_total": "119,00", "due_date": None,
    "line_items": [{"description": "Papier", "amount": "100,00"}],
}  # fmt: skip
LINES = (
    "Rechnung R-2041",
    "Datum 14.03.2026",
    "Muster GmbH",
    "Papier 100,00",
    "Netto 100,00",
    "Steuer 19,00",
    "Summe EUR 119,00",
)
WARES = "from pydantic import BaseModel\n\nclass Ware(BaseModel):\n    seller_name: str | None = None\n"


def bill(note: str = "") -> bytes:
    return pdf(*LINES, note)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopAndService]:
    folder = tmp_path_factory.mktemp("integration")
    (folder / "inbox").mkdir()
    (folder / "wares.py").write_text(WARES)
    with redis_in(folder) as redis:
        settings = {"model": scripted_model(folder, SAID), "schemas": "wares:Ware"}
        service = ShopAndService(folder, redis.url, settings)
        with running(*service.programs(), service.shop_worker()):
            yield service


@pytest.fixture(scope="module")
def good(both: ShopAndService) -> dict[str, Any]:
    """The answer for an invoice that can be read."""
    return both.ask(message(both.put_document("good.pdf", bill("good"))))[0]


def promised() -> dict[str, Any]:
    """The example in the docs."""
    return json.loads(re.search(r"```json answer\n(.+?)```", CONTRACT.read_text("utf-8"), re.DOTALL)[1])


def shape(value: Any) -> Any:
    """Its keys and its kinds of values; of a list its first item."""
    if isinstance(value, Mapping):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def test_the_answer_has_the_keys_that_the_docs_promise(good):
    example = promised()
    assert good.keys() == example.keys()
    found = shape(good)
    for name in ("invoice_number", "gross_total"):
        assert {**found["fields"][name], "issues": [], "signals": {}} == {
            **shape(example["fields"][name]), "issues": [], "signals": {},
        }  # fmt: skip
    assert found["issues"] == shape(example["issues"])
    assert found["timings"] == shape(example["timings"])
    apart = {"fields": 0, "issues": 0, "timings": 0, "cost": 0}
    assert {**found, **apart} == {**shape(example), **apart}


def test_an_amount_is_a_decimal_string_and_a_date_is_iso(good):
    total, issued = good["fields"]["gross_total"], good["fields"]["issue_date"]
    assert total["value"] == "119.00"
    assert total["raw"] == "119,00"
    assert Decimal(total["value"]) == Decimal(119)
    assert issued["value"] == "2026-03-14"
    assert good["fields"]["line_items"][0]["amount"]["value"] == "100.00"


def test_a_value_says_where_it_is_printed(good):
    (evidence,) = good["fields"]["gross_total"]["evidence"]
    left, top, right, bottom = evidence["box"]
    assert evidence["page"] == 1
    assert evidence["text"] == "119,00"
    assert evidence["match"] == "exact"
    assert 0 < left < right < 1
    assert 0 < top < bottom < 1


def test_a_field_that_is_not_on_the_document_is_null(good):
    assert good["fields"]["due_date"] is None
    assert good["fields"]["buyer_name"] is None


def test_a_document_that_cannot_be_read_has_an_answer_that_says_so(both):
    locked = both.inbox / "locked.pdf"
    with pikepdf.new() as document:
        document.add_blank_page()
        document.save(locked, encryption=pikepdf.Encryption(user="a", owner="b"))
    answers = both.ask(
        message(str(locked)),
        message(both.put_document("note.pdf", b"a text, whatever its name says")),
        message(both.put_document("empty.pdf", b"")),
    )
    assert [answer["error"]["code"] for answer in answers] == ["encrypted", "unsupported", "corrupt"]
    for answer in answers:
        assert answer["status"] == "failed"
        assert answer["fields"] == {}
        assert answer["error"]["message"]
        assert answer["error"]["hint"]
    assert [answer["file"] for answer in answers] == ["locked.pdf", "note.pdf", "empty.pdf"]
    assert answers[0].keys() <= promised().keys()


def test_only_documents_in_the_folders_that_the_operator_named_are_read(both):
    outside = both.folder / "outside.pdf"
    outside.write_bytes(bill("outside"))
    (both.inbox / "link.pdf").symlink_to(outside)
    pipe = both.inbox / "pipe.pdf"
    os.mkfifo(pipe)
    answers = both.ask(
        message(str(outside)),
        message(f"{both.inbox}/../outside.pdf"),
        message(str(both.inbox / "link.pdf")),
        message(f"simplecache::{both.inbox}/link.pdf"),
        message(f"http://127.0.0.1:{free_port()}/a.pdf"),
        message(str(both.inbox)),
        message(str(both.inbox / "nothing.pdf")),
        message(str(pipe)),
        message("\x00"),
        message(both.put_document("plain name.pdf", bill("name")), schema="receipt"),
        message((both.inbox / "plain name.pdf").as_uri().replace("%20", " ")),
    )
    refused, taken = answers[:-2], answers[-2:]
    assert [answer["error"]["code"] for answer in refused] == ["input"] * 9
    assert all(answer["job_id"] is None for answer in refused)
    assert [answer["file"] for answer in taken] == ["plain name.pdf"] * 2
    assert [answer["schema"] for answer in taken] == ["receipt", "invoice"]
    assert [answer["error"] for answer in taken] == [None, None]


def test_only_schemas_that_the_operator_allows_are_run(both):
    reference = both.put_document("schema.pdf", bill("schema"))
    trap = both.inbox / "trap.py"
    trap.write_text(f"open({str(both.folder / 'sprung')!r}, 'w')\n" + WARES)
    answers = both.ask(
        message(reference, "no such schema"), message(reference, f"{trap}:Ware"), message(reference, "wares:Ware")
    )
    assert [answer["error"] and answer["error"]["code"] for answer in answers] == ["schema", "schema", None]
    assert "invoice" in answers[0]["error"]["hint"]
    assert not (both.folder / "sprung").exists()
    assert answers[2]["schema"] == "ware"
    assert answers[2]["fields"]["seller_name"]["value"] == "Muster GmbH"


def test_a_message_that_makes_no_sense_is_answered_with_what_is_wrong_with_it(both):
    reference = both.put_document("sense.pdf", bill("sense"))
    senseless = [
        message(), message(17), message(""), message({"path": reference}), message(reference, ["invoice"]),
        message(reference, callback="shop.invoice_read"), message(reference, callback={"queue": "shop"}),
        message(reference, callback={"task": "t", "url": "http://a"}), message(reference, priority="at once"),
        message(reference, "invoice", None, "bulk", "more"), message(reference, pages=2),
        message(reference, reference=reference),
    ]  # fmt: skip
    answers = both.ask(*senseless)
    assert [answer["error"]["code"] for answer in answers] == ["usage"] * len(senseless)
    assert all("integration.md" in answer["error"]["hint"] for answer in answers)
    assert [answer["task_id"] for answer in answers] == [one["id"] for one in senseless]
    assert "pages" in answers[10]["error"]["message"]


def test_a_message_of_any_priority_is_answered(both):
    """Redis has a list for some of them: one to which nobody listens would keep its messages for ever."""
    reference = both.put_document("priority.pdf", bill("priority"))
    messages = [message(reference, message_priority=priority) for priority in (0, 3, 5, 7, 9)]
    messages.append(message(reference, priority="interactive"))
    assert [answer["error"] for answer in both.ask(*messages)] == [None] * 6
    assert both.jobs(f"SELECT priority FROM jobs WHERE idempotency_key = 'task {messages[-1]['id']}'") == [(1,)]


def test_a_callback_gets_each_answer_once_in_the_other_programs_own_worker(both):
    files = [both.put_document(f"callback-{number}.pdf", bill(f"callback {number}")) for number in range(3)]
    both.run_in_shop("read_invoices.py", *files, str(both.folder / "forbidden.pdf"))

    def all_told() -> bool:
        return len(both.bills()) == 4 and all(row["answers"] for row in both.bills())

    wait_until(all_told, "the shop has all answers")
    wait_until(lambda: both.jobs("SELECT id FROM deliveries WHERE delivered IS NULL") == [], "all is delivered")
    rows = both.bills()
    assert [row["answers"] for row in rows] == [1, 1, 1, 1]
    assert [row["status"] for row in rows] == ["needs_review"] * 3 + ["failed"]
    assert [row["number"] for row in rows] == ["R-2041"] * 3 + [None]
    assert "gross_total: '119,00' on page 1" in rows[0]["look_at"]
    assert "DOCPIPE_REFERENCES" in rows[3]["look_at"]


def test_the_same_task_sent_again_is_the_same_job_and_has_the_same_answer(both):
    """As after a worker died with the message, or when a program asks again since it got no answer."""
    reference = both.put_document("twice.pdf", bill("twice"))
    asked = message(reference, task_id=f"bill {uuid.uuid4()}")
    first = both.ask(asked, {**asked, "wait": False})[0]
    Path(reference).unlink()  # its owner has it answered, and clears up
    again = both.ask(asked)[0]
    assert again == first
    assert first["error"] is None
    assert both.jobs(f"SELECT COUNT(*) FROM jobs WHERE idempotency_key = 'task {asked['id']}'") == [(1,)]


def test_a_document_sent_while_the_database_is_away_is_read_by_the_network_when_it_is_back(tmp_path):
    (tmp_path / "inbox").mkdir()
    away = tmp_path / "away"
    with redis_in(tmp_path) as redis:
        settings = {"model": "embedded", "database_url": f"sqlite:///{away / 'docpipe.db'}"}
        service = ShopAndService(tmp_path, redis.url, settings)
        worker_program, maintenance_program = service.programs()
        reference = service.put_document("late.pdf", bill())
        asked = message(reference, wait=False)
        service.ask(asked)
        with running(worker_program, maintenance_program):
            wait_until(lambda: "the message is tried again" in worker_program.output(), "the worker found no database")
            away.mkdir()
            (answer,) = service.ask({**asked, "wait": True})
    assert answer["error"] is None
    assert answer["extractor"].startswith("embedded")
    assert answer["fields"]["gross_total"]["value"] == "119.00"


def test_the_shop_books_only_what_docpipe_is_sure_of(both, good, tmp_path):
    loaded = importlib.util.spec_from_file_location("bills", SHOP / "bills.py")
    bills = importlib.util.module_from_spec(loaded)
    loaded.loader.exec_module(bills)
    accepted = {name: {**good["fields"][name], "accepted": True} for name in ("currency", "gross_total")}
    sure = {**good, "task_id": "sure", "fields": {**good["fields"], **accepted}}
    with bills.Bills(str(tmp_path / "shop.db")) as table:
        for answer in (sure, {**good, "task_id": "unsure"}):
            table.add(answer["task_id"], answer["file"])
            table.store(answer)
            table.store(answer)
        assert [(row["task_id"], row["cents"], row["answers"]) for row in table.all()] == [
            ("sure", 11900, 2),
            ("unsure", None, 2),
        ]


def test_the_webhook_receiver_acts_once_and_believes_only_what_is_signed_now(tmp_path):
    secret, port = b"s" * 32, free_port()
    settings = {
        "PATH": os.environ["PATH"], "WEBHOOK_SECRET": "whsec_" + base64.b64encode(secret).decode(),
        "WEBHOOK_EVENTS": str(tmp_path / "events.db"),
    }  # fmt: skip
    command = [sys.executable, "-I", str(ROOT / "examples/webhook_receiver.py"), str(port)]
    receiver = Program(command, settings, tmp_path / "receiver.log", folder=tmp_path)
    data = {"id": "ab12", "name": "bill.pdf", "status": "complete", "error": None}
    url = {"url": f"http://127.0.0.1:{port}/hook"}
    event = Delivery("evt_1", "ab12", url, {"type": "document.done", "data": data}, 1)
    with running(receiver):
        wait_until(lambda: _listens(port), "the receiver listens")
        WebhookClient(secret, allow_internal=True).post(event)
        WebhookClient(secret, allow_internal=True).post(event)
        with pytest.raises(OSError, match="401"):
            WebhookClient(b"another secret of other people!!", allow_internal=True).post(event)
        assert _posted(port, secret, int(time.time()) - 3600) == 401
        assert _posted(port, secret, int(time.time())) == 204
        said = receiver.output()
    assert said.count("document.done  ab12  bill.pdf  complete") == 1
    assert said.count("refused: the signature is wrong") == 1
    assert said.count("refused: the time stamp") == 1


def _listens(port: int) -> bool:
    try:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            connection.connect()
    except OSError:
        return False
    return True


def _posted(port: int, secret: bytes, seconds: int) -> int:
    """The answer to an event that was signed at that time."""
    body = json.dumps({"type": "document.done", "data": dict.fromkeys(("id", "name", "status", "error"))}).encode()
    digest = hmac.digest(secret, f"evt_2.{seconds}.".encode() + body, "sha256")
    signed = {"webhook-id": "evt_2", "webhook-timestamp": str(seconds)}
    signed["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("POST", "/hook", body, signed)
        return connection.getresponse().status
