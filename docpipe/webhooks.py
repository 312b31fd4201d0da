"""Telling others over HTTP that a document has ended: signed messages to their URLs, never into our own network.

In: deliveries from the outbox. Out: POST requests in the shape of https://www.standardwebhooks.com, for which receivers
have libraries: `webhook-id` stays the same at every try, so a receiver can drop what it has had; `webhook-signature` is
`v1,` and the base64 HMAC-SHA256 of `ID.TIMESTAMP.BODY`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import ipaddress
import json
import socket
import time
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from docpipe.errors import UsageError
from docpipe.store.outbox import Delivery

SECONDS = 10.0  # to connect, and to answer
LARGEST = 64 * 1024  # bytes of an answer that are read
GONE = 410  # the receiver wants no more
PREFIX = "whsec_"
SECRET_BYTES = range(24, 65)  # what the standard asks for


class Refused(Exception):  # noqa: N818 - not a failure: we do not want to
    """The URL may not be called, or its owner wants no more calls: no further try."""


@dataclass(frozen=True, slots=True)
class Caller:
    """`internal`: allow addresses of our own network (for tests, and for receivers beside us)."""

    secret: bytes
    internal: bool = False

    def post(self, delivery: Delivery) -> None:
        """Raises Refused, or OSError and urllib3's errors when another try may help."""
        import urllib3  # heavy: only who delivers needs it

        url = checked_url(str(delivery.target["url"]))
        address, port = self._address(url)
        body = json.dumps(delivery.body, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
        headers = {"host": url.netloc.rpartition("@")[2], "content-type": "application/json", "user-agent": "docpipe"}
        headers |= signature(self.secret, delivery.id, int(time.time()), body)
        if url.scheme == "https":  # the address is called, the name is checked
            pool: urllib3.HTTPConnectionPool = urllib3.HTTPSConnectionPool(
                address, port, timeout=SECONDS, server_hostname=url.hostname, assert_hostname=url.hostname
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port, timeout=SECONDS)
        with pool:
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            answer = pool.urlopen(
                "POST", path, body=body, headers=headers, retries=False, redirect=False, preload_content=False
            )
            answer.read(LARGEST)
        if answer.status == GONE:
            raise Refused("the receiver answered 410: it wants no more")
        if not 200 <= answer.status < 300:
            raise OSError(f"the receiver answered {answer.status}")

    def _address(self, url: SplitResult) -> tuple[str, int]:
        """The address that is called is the one that was looked at: a name may mean another a moment later."""
        port = url.port or (443 if url.scheme == "https" else 80)
        found = {info[4][0] for info in socket.getaddrinfo(url.hostname, port, type=socket.SOCK_STREAM)}
        for address in sorted(map(str, found)):
            if not self.internal and not _is_public(address):
                raise Refused(f"{url.hostname} is an address of an internal network ({address})")
        return str(sorted(map(str, found))[0]), port


def checked_url(text: str) -> SplitResult:
    """Raises Refused unless it is an http or https URL with a host."""
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError as error:
        raise Refused(f"not a URL: {error}") from error
    if url.scheme not in ("https", "http") or not url.hostname or url.username or url.password:
        raise Refused("a webhook is an http or https URL with a host and without a password")
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
    except binascii.Error:
        secret = b""
    if not setting.startswith(PREFIX) or len(secret) not in SECRET_BYTES:
        raise UsageError(
            "DOCPIPE_WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64",
            hint="Make one: echo whsec_$(head -c 32 /dev/urandom | base64)",
        )
    return secret


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    return found.is_global and not found.is_multicast and (mapped is None or mapped.is_global)
