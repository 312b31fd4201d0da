"""Webhooks, to a real HTTP server: signed as the standard says, tried again where that helps, never sent inward."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from docpipe.errors import UsageError
from docpipe.service import webhooks
from docpipe.service.webhooks import DeliveryRefused, WebhookClient, parse_secret, parse_webhook_url
from docpipe.store.jobs.outbox import Delivery
from tests.support.receiver import Receiver, certificates, webhook_receiver

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
INSIDE = WebhookClient(parse_secret(SECRET), allow_internal=True)
OUTSIDE = WebhookClient(parse_secret(SECRET))
BODY = {"type": "document.done", "timestamp": "2026-03-14T12:00:00+00:00", "data": {"id": "1", "name": "Müller.pdf"}}


def message(url: str, **fields) -> Delivery:
    return Delivery(**{"id": "evt_1", "job_id": "1", "target": {"url": url}, "body": BODY, "attempts": 1, **fields})


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> bool:
    """As the receivers' libraries do it (https://www.standardwebhooks.com, Verifying webhooks)."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    if abs(time.time() - int(headers["webhook-timestamp"])) > 5 * 60:
        return False
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    offered = [part.partition(",") for part in headers["webhook-signature"].split(" ")]
    return any(
        version == "v1" and hmac.compare_digest(signature_given, expected) for version, _, signature_given in offered
    )


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with webhook_receiver() as receiver:
        yield receiver


def test_a_receiver_can_verify_the_signature_and_read_the_message(receiver):
    INSIDE.post(message(f"{receiver.url}/hook/a%20b?key=1&more=ü"))
    (call,) = receiver.calls
    assert verified(SECRET, call.headers, call.body)
    assert json.loads(call.body) == BODY
    assert call.path == "/hook/a%20b?key=1&more=%C3%BC"
    assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert call.headers["content-type"] == "application/json"


def test_a_changed_message_another_secret_or_an_old_time_do_not_verify(receiver, monkeypatch):
    INSIDE.post(message(receiver.url))
    (call,) = receiver.calls
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    assert not verified(SECRET, call.headers, call.body.replace(b"done", b"dine"))
    assert not verified(SECRET, {**call.headers, "webhook-id": "evt_2"}, call.body)
    assert not verified(other, call.headers, call.body)
    monkeypatch.setattr(time, "time", lambda: int(call.headers["webhook-timestamp"]) + 301)
    assert not verified(SECRET, call.headers, call.body)


def test_every_try_is_the_same_message_with_the_same_id(receiver):
    receiver.statuses = [500, 503, 204]
    for attempt in (1, 2):
        with pytest.raises(OSError, match=r"answered 50[03]"):
            INSIDE.post(message(receiver.url, attempts=attempt))
    INSIDE.post(message(receiver.url, attempts=3))
    assert [call.headers["webhook-id"] for call in receiver.calls] == ["evt_1"] * 3
    assert len({call.body for call in receiver.calls}) == 1


def test_a_receiver_that_is_gone_gets_no_more(receiver):
    receiver.statuses = [410]
    with pytest.raises(DeliveryRefused, match="410"):
        INSIDE.post(message(receiver.url))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(receiver, status):
    receiver.statuses, receiver.location = [status, 200], f"{receiver.url}/elsewhere"
    with pytest.raises(OSError, match=str(status)):
        INSIDE.post(message(f"{receiver.url}/hook"))
    assert [call.path for call in receiver.calls] == ["/hook"]


def test_a_receiver_that_nobody_reaches_is_tried_again():
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        with pytest.raises(OSError):
            INSIDE.post(message(f"http://127.0.0.1:{closed.getsockname()[1]}/"))


def test_a_receiver_that_answers_byte_by_byte_without_end_is_cut_off(monkeypatch):
    monkeypatch.setattr(webhooks, "TOTAL_TIMEOUT", 0.5)
    with _dripping() as port, pytest.raises(OSError):
        INSIDE.post(message(f"http://127.0.0.1:{port}/"))


def test_a_receiver_that_says_nothing_is_given_up_for_now(monkeypatch):
    monkeypatch.setattr(webhooks, "IO_TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TimeoutError):
        INSIDE.post(message(f"http://127.0.0.1:{silent.getsockname()[1]}/"))


@contextmanager
def _dripping() -> Iterator[int]:
    def drip() -> None:
        with suppress(OSError), server.accept()[0] as line:
            line.sendall(b"HTTP/1.1 ")
            while not over.wait(0.05):
                line.sendall(b"2")

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # where nobody has called
            thread.join()


LOOPBACK = (
    "127.0.0.1", "127.8.8.8", "127.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]",
)  # fmt: skip


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine_is_not_called_however_it_is_spelled(receiver, host):
    with pytest.raises(DeliveryRefused, match="internal"):
        OUTSIDE.post(message(f"http://{host}:{receiver.port}/"))
    assert receiver.calls == []


NETWORK = (
    "10.0.0.8", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1",
    "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "167772161", "0xa9.0xfe.0xa9.0xfe",
    "[fe80::1]", "[fd00:ec2::254]", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[::10.0.0.1]",
    "[64:ff9b::a00:1]", "[64:ff9b:1::808:808]", "[2002:a00:1::1]", "[ff02::1]", "[2001:db8::1]",
)  # fmt: skip


@pytest.mark.parametrize("host", NETWORK)
def test_our_own_network_is_not_called(monkeypatch, host):
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was called"))
    for scheme in ("http", "https"):
        with pytest.raises(DeliveryRefused, match="internal"):
            OUTSIDE.post(message(f"{scheme}://{host}/"))


def names(monkeypatch, *answers: list[str]) -> list[str]:
    """What the name server says, each time it is asked; the names that it was asked for."""
    hosts_asked: list[str] = []

    def look_up(host, port, *_, **__):
        if host[0].isdigit() or ":" in host:
            addresses = [host]
        else:
            hosts_asked.append(host)
            addresses = answers[min(len(hosts_asked), len(answers)) - 1]
        families = {address: socket.AF_INET6 if ":" in address else socket.AF_INET for address in addresses}
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for address, family in families.items()]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return hosts_asked


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::1", "93.184.215.14"]])
def test_a_name_that_means_one_of_our_addresses_is_not_called(monkeypatch, addresses):
    names(monkeypatch, addresses)
    monkeypatch.setattr(socket, "create_connection", lambda *_: pytest.fail("it was called"))
    with pytest.raises(DeliveryRefused, match=r"receiver\.example is an address of an internal network"):
        OUTSIDE.post(message("http://receiver.example/"))


def test_the_address_that_was_looked_at_is_the_one_that_is_called(monkeypatch):
    """A name server may answer differently a moment later."""
    hosts_asked = names(monkeypatch, ["93.184.215.14"], ["127.0.0.1"])
    called = []

    def call(address, seconds):
        called.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", call)
    with pytest.raises(OSError):
        OUTSIDE.post(message("http://receiver.example:8080/"))
    assert (hosts_asked, called) == (["receiver.example"], [("93.184.215.14", 8080)])


def test_a_receiver_is_reached_over_the_family_that_works_here(monkeypatch, receiver):
    names(monkeypatch, ["::1", "127.0.0.1", "127.0.0.2"])
    INSIDE.post(message(f"http://receiver.example:{receiver.port}/"))
    assert receiver.calls[0].headers["host"] == f"receiver.example:{receiver.port}"


@pytest.fixture(scope="module")
def issued(tmp_path_factory) -> tuple[Path, Path]:
    """A certificate for receiver.example with its key, and the authority that issued it."""
    return certificates(tmp_path_factory.mktemp("certificates"), "receiver.example")


def test_over_tls_the_name_is_checked_though_the_address_is_called(monkeypatch, issued):
    own, authority = issued
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    names(monkeypatch, ["127.0.0.1"])
    with webhook_receiver(own) as receiver:
        INSIDE.post(message(f"https://receiver.example:{receiver.port}/hook"))
        assert verified(SECRET, receiver.calls[0].headers, receiver.calls[0].body)
        with pytest.raises(ssl.SSLCertVerificationError, match=r"other\.example"):
            INSIDE.post(message(f"https://other.example:{receiver.port}/hook"))
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(ssl.SSLCertVerificationError):
            INSIDE.post(message(f"https://receiver.example:{receiver.port}/hook"))
        assert len(receiver.calls) == 1, "nothing was sent before the name was checked"


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/", "file:///etc/passwd", "example.com/hook", "https://", "https:///hook", "", "javascript:1",
        "https://user:word@example.com/", "https://user@example.com/", "https://example.com:99999/", "https://[::1/",
        "https://exämple.com/",
    ],
)  # fmt: skip
def test_what_is_no_url_of_a_receiver_is_refused(url):
    with pytest.raises(DeliveryRefused):
        parse_webhook_url(url)


BAD_SECRETS = ("", "whsec_", "whsec_c2hvcnQ=", SECRET.removeprefix("whsec_"), SECRET + "!", "whsec_ä")


@pytest.mark.parametrize("secret", BAD_SECRETS)
def test_a_secret_that_the_standard_would_not_take_is_refused_with_a_way_to_make_one(secret):
    with pytest.raises(UsageError) as caught:
        parse_secret(secret)
    assert "urandom" in caught.value.hint
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value), "it is a secret"


def test_a_message_goes_to_the_url_it_was_taken_in_with_and_no_other(receiver):
    with webhook_receiver() as other:
        INSIDE.post(message(receiver.url))
        INSIDE.post(replace(message(other.url), id="evt_2"))
        assert [call.headers["webhook-id"] for call in other.calls] == ["evt_2"]
