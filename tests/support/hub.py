"""A hub on loopback, for tests: it has one repository at one commit, and notes which paths were requested.

In: the folder with the repository's files. Out: a server that the real client of the Hugging Face hub talks to.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from huggingface_hub import constants

REPOSITORY, COMMIT = "acme/reader", "0123456789abcdef" * 2 + "01234567"


class Refusal(NamedTuple):
    """An HTTP status, and the hub's own code for it."""

    status: int
    code: str


class HubResponse(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Hub:
    """`sizes` lie about the size of a file; `refusal` stands for the response to every request."""

    folder: Path
    url: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    refusal: Refusal | None = None
    requested_paths: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{REPOSITORY}@{COMMIT}"

    def files(self) -> list[dict[str, Any]]:
        return [
            {
                "type": "file",
                "path": file.name,
                "rfilename": file.name,
                "size": self.sizes.get(file.name, file.stat().st_size),
                "oid": hashlib.sha1(file.read_bytes()).hexdigest(),
            }
            for file in sorted(self.folder.iterdir())
        ]

    def respond(self, path: str) -> HubResponse:
        self.requested_paths.append(path)
        if self.refusal:
            headers = {"X-Error-Code": self.refusal.code, "X-Error-Message": "no"}
            return HubResponse(self.refusal.status, headers, b"{}")
        if path == f"/api/models/{REPOSITORY}/revision/{COMMIT}":
            info = {"id": REPOSITORY, "sha": COMMIT, "siblings": self.files()}
            return HubResponse(200, {}, json.dumps(info).encode())
        if path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            return HubResponse(200, {}, json.dumps(self.files()).encode())
        file = self.folder / path.rpartition("/")[2]
        if path.startswith(f"/{REPOSITORY}/resolve/{COMMIT}/") and file.exists():
            tag = hashlib.sha1(file.read_bytes()).hexdigest()
            return HubResponse(200, {"X-Repo-Commit": COMMIT, "ETag": f'"{tag}"'}, file.read_bytes())
        return HubResponse(404, {"X-Error-Code": "EntryNotFound"}, b"{}")


@contextmanager
def fake_hub(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            response = hub.respond(self.path.partition("?")[0])
            self.send_response(response.status)
            common = {"Content-Type": "application/json", "Content-Length": str(len(response.body))}
            for key, value in {**response.headers, **common}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(response.body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def use_hub(url: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these once, from HF_ENDPOINT and HF_HOME."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
