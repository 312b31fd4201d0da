"""A program that waits for webhooks: a real HTTP server on this machine, with TLS if asked. It remembers its calls."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class ReceivedCall:
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """`statuses` are given in turn, the last one again and again; `location` goes with them."""

    port: int
    scheme: str
    statuses: list[int] = field(default_factory=lambda: [200])
    location: str | None = None
    calls: list[ReceivedCall] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"


@contextmanager
def webhook_receiver(certificate: Path | None = None) -> Iterator[Receiver]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.handle_error = lambda *_: None  # a caller that does not trust us hangs up
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_address[1], "https" if certificate else "http")
    server.receiver = receiver
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        receiver.calls.append(ReceivedCall(self.path, headers, body))
        self.send_response(receiver.statuses[min(len(receiver.calls), len(receiver.statuses)) - 1])
        if receiver.location is not None:
            self.send_header("location", receiver.location)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


def certificates(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate for this name with its key in one file, and the authority that issued it in another."""
    issuer_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test Authority")])
    now = datetime.datetime.now(datetime.UTC)

    def issued(subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - DAY).not_valid_after(now + DAY).add_extension(extension, critical=True)
        return builder.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = folder / "authority.pem", folder / "own.pem"
    authority.write_bytes(issued(issuer, issuer_key, x509.BasicConstraints(ca=True, path_length=None)))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    private = own_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    own.write_bytes(issued(subject, own_key, x509.SubjectAlternativeName([x509.DNSName(name)])) + private)
    return own, authority
