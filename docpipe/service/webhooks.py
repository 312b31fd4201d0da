"""Telling others over HTTP that a document has ended: signed messages to their URLs, never into our own network.

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

SECONDS = 10.0  # to connect, and for each piece of an answer
LONGEST = 30.0  # seconds for all of it: a receiver that sends a byte now and then holds up nobody
GONE = 410  # the receiver wants no more
PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)  # what the standard asks for
URL_LETTERS = "%/:=&?~#+!$,;'@()*[]"  # that stay as they are in a path and a query
HIDE_IPV4 = (ipaddress.ip_network("::/96"), ipaddress.ip_network("64:ff9b::/96"))
"""IPv6 whose last 32 bits are an IPv4 address: IPv4-compatible, and NAT64."""
LOCAL_NAT64 = ipaddress.ip_network("64:ff9b:1::/48")


class Refused(Exception):  # noqa: N818 - not a failure: we do not want to
    """The URL may not be called, or its owner wants no more calls: no further try."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`internal`: allow addresses of our own network (for tests, and for receivers beside us)."""

    secret: bytes
    internal: bool = False

    def post(self, delivery: Delivery) -> None:
        """Raises Refused, or OSError when another try may help. Redirects are not followed."""
        url = checked_url(str(delivery.target["url"]))
        body = json.dumps(delivery.body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        headers = {"host": url.netloc, "content-type": "application/json", "user-agent": "docpipe"}
        headers |= signature(self.secret, delivery.id, int(time.time()), body)
        path = quote(f"{url.path or '/'}{'?' * bool(url.query)}{url.query}", safe=URL_LETTERS)
        with closing(self._connected(url)) as line, _cut_off_after(LONGEST, line):
            if isinstance(line, ssl.SSLSocket):
                line.do_handshake()
            connection = HTTPConnection(str(url.hostname))
            connection.sock = line
            try:
                connection.request("POST", path, body=body, headers=headers)
                status = connection.getresponse().status
            except HTTPException as error:
                raise OSError(f"the receiver does not answer in HTTP: {error!r:.200}") from error
        if status == GONE:
            raise Refused("the receiver answered 410: it wants no more")
        if not 200 <= status < 300:
            raise OSError(f"the receiver answered {status}")

    def _connected(self, url: SplitResult) -> socket.socket:
        """With TLS the address is called, and the name is checked in the handshake that follows."""
        addresses, port = self._addresses(url)
        for address in addresses:
            try:
                line = socket.create_connection((address, port), SECONDS)
            except OSError:
                if address == addresses[-1]:
                    raise
            else:
                break
        if url.scheme == "http":
            return line
        try:
            context = ssl.create_default_context()
            return context.wrap_socket(line, server_hostname=url.hostname, do_handshake_on_connect=False)
        except BaseException:
            line.close()
            raise

    def _addresses(self, url: SplitResult) -> tuple[list[str], int]:
        """Those that are called are those that were looked at: a name may mean others a moment later. One of each
        family, in the system's order: many machines have IPv4 alone."""
        port = url.port or (443 if url.scheme == "https" else 80)
        found = socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)
        for info in found:
            if not self.internal and not _is_public(str(info[4][0])):
                raise Refused(f"{url.hostname} is an address of an internal network ({info[4][0]})")
        first = {info[0]: str(info[4][0]) for info in reversed(found)}
        return [first.pop(info[0]) for info in found if info[0] in first], port


def checked_url(text: str) -> SplitResult:
    """Raises Refused unless it is an http or https URL with a host."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise Refused(f"not a URL: {error}") from error
    if url.scheme not in ("https", "http") or not url.hostname or url.username or url.password:
        raise Refused("a webhook is an http or https URL with a host and without a password")
    if not url.netloc.isascii():
        raise Refused("the host of a webhook is written in ASCII: xn--… for others")
    return url


def signature(secret: bytes, message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of the standard."""
    signed = f"{message_id}.{seconds}.".encode() + body
    digest = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": f"v1,{digest}"}


def secret_of(setting: str) -> bytes:
    """The bytes behind `whsec_…`. Raises UsageError."""
    try:
        secret = base64.b64decode(setting.removeprefix(PREFIX), validate=True)
    except ValueError:
        secret = b""
    if not setting.startswith(PREFIX) or len(secret) not in SECRET_BYTES:
        raise UsageError(
            "DOCPIPE_WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64",
            hint="Make one: echo whsec_$(head -c 32 /dev/urandom | base64)",
        )
    return secret


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        hidden = found.ipv4_mapped or found.sixtofour
        if any(found in network for network in HIDE_IPV4):
            hidden = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if (hidden is not None and not _is_public(str(hidden))) or found in LOCAL_NAT64:
            return False
    return found.is_global and not found.is_multicast


@contextmanager
def _cut_off_after(seconds: float, line: socket.socket) -> Iterator[None]:
    """The socket's own timeout begins anew with every byte."""

    def cut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(line, socket.SHUT_RDWR)  # SSLSocket's own would take away what the reader uses

    over = threading.Timer(seconds, cut)
    over.daemon = True
    over.start()
    try:
        yield
    finally:
        over.cancel()
