"""Webhooks: others get a signed POST when a document has ended, never inside our own network.

In: deliveries from the outbox. Out: POST requests in the shape of https://www.standardwebhooks.com, for which receivers
have libraries: `webhook-id` stays the same at every try, so a receiver can drop what it has had; `webhook-signature` is
`v1,` and the base64 HMAC-SHA256 of `ID.TIMESTAMP.BODY`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, quote, urlsplit

from docpipe.errors import UsageError
from docpipe.store.jobs.outbox import Delivery

IO_TIMEOUT = 10.0  # seconds to connect, and for each piece of an answer
TOTAL_TIMEOUT = 30.0  # seconds for all of it: a receiver that sends a byte now and then holds up nobody
HTTP_GONE = 410  # the receiver wants no more
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that every secret has
SECRET_LENGTHS = range(24, 65)  # what the standard asks for
URL_SAFE = "%/:=&?~#+!$,;'@()*[]"  # that stay as they are in a path and a query
IPV4_IN_IPV6 = (ipaddress.ip_network("::/96"), ipaddress.ip_network("64:ff9b::/96"))
"""IPv6 whose last 32 bits are an IPv4 address: IPv4-compatible, and NAT64."""
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")


class DeliveryRefused(Exception):  # noqa: N818 - not a failure: it is not done
    """The URL may not be called, or its owner wants no more calls: no further try."""


@dataclass(frozen=True, slots=True)
class WebhookClient:
    """`allow_internal`: also addresses of our own network (for tests, and for receivers beside us)."""

    secret: bytes
    allow_internal: bool = False

    def post(self, delivery: Delivery) -> None:
        """Raises DeliveryRefused, or OSError when another try may help. Redirects are not followed."""
        url = parse_webhook_url(str(delivery.target["url"]))
        body = json.dumps(delivery.body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        headers = {"host": url.netloc, "content-type": "application/json", "user-agent": "docpipe"}
        headers |= signature(self.secret, delivery.id, int(time.time()), body)
        path = quote(f"{url.path or '/'}{'?' * bool(url.query)}{url.query}", safe=URL_SAFE)
        with closing(self._connect(url)) as sock, _closed_after(TOTAL_TIMEOUT, sock):
            if isinstance(sock, ssl.SSLSocket):
                sock.do_handshake()
            connection = HTTPConnection(str(url.hostname))
            connection.sock = sock
            try:
                connection.request("POST", path, body=body, headers=headers)
                status = connection.getresponse().status
            except HTTPException as error:
                raise OSError(f"the receiver does not answer in HTTP: {error!r:.200}") from error
        if status == HTTP_GONE:
            raise DeliveryRefused("the receiver answered 410: it wants no more")
        if not 200 <= status < 300:
            raise OSError(f"the receiver answered {status}")

    def _connect(self, url: SplitResult) -> socket.socket:
        """With TLS the handshake, which checks the name, is still to come."""
        addresses, port = self._addresses(url)
        for address in addresses:
            try:
                sock = socket.create_connection((address, port), IO_TIMEOUT)
            except OSError:
                if address == addresses[-1]:
                    raise
            else:
                break
        if url.scheme == "http":
            return sock
        try:
            context = ssl.create_default_context()
            return context.wrap_socket(sock, server_hostname=url.hostname, do_handshake_on_connect=False)
        except BaseException:
            sock.close()
            raise

    def _addresses(self, url: SplitResult) -> tuple[list[str], int]:
        """The addresses that were checked, and the port: a name may resolve to others a moment later. One of each
        family, in the system's order: many machines have IPv4 alone."""
        port = url.port or (443 if url.scheme == "https" else 80)
        infos = socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
        for info in infos:
            if not self.allow_internal and not _is_public(str(info[4][0])):
                raise DeliveryRefused(f"{url.hostname} is an address of an internal network ({info[4][0]})")
        by_family = {info[0]: str(info[4][0]) for info in reversed(infos)}
        return [by_family.pop(info[0]) for info in infos if info[0] in by_family], port


def parse_webhook_url(text: str) -> SplitResult:
    """Raises DeliveryRefused unless it is an http or https URL with a host."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise DeliveryRefused(f"not a URL: {error}") from error
    if url.scheme not in ("https", "http") or not url.hostname or url.username or url.password:
        raise DeliveryRefused("a webhook is an http or https URL with a host and without a password")
    if not url.netloc.isascii():
        raise DeliveryRefused("the host of a webhook is written in ASCII: xn--… for others")
    return url


def signature(secret: bytes, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of the standard."""
    content = f"{message_id}.{seconds}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{digest}"}


def parse_secret(setting: str) -> bytes:
    """The bytes behind `whsec_…`. Raises UsageError."""
    try:
        secret = base64.b64decode(setting.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not setting.startswith(SECRET_PREFIX) or len(secret) not in SECRET_LENGTHS:
        raise UsageError(
            "DOCPIPE_WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64",
            hint="Make one: echo whsec_$(head -c 32 /dev/urandom | base64)",
        )
    return secret


def _is_public(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        embedded = ip.ipv4_mapped or ip.sixtofour
        if any(ip in network for network in IPV4_IN_IPV6):
            embedded = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if (embedded is not None and not _is_public(str(embedded))) or ip in LOCAL_NAT64:
            return False
    return ip.is_global and not ip.is_multicast


@contextmanager
def _closed_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """The socket's own timeout begins anew with every byte."""

    def shut_down() -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # SSLSocket's own would take away what the reader uses

    timer = threading.Timer(seconds, shut_down)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
