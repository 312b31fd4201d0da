"""A hub on loopback, for tests: it has one repository at one commit, and notes what it was asked for.

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
from typing import Any

import pytest
from huggingface_hub import constants

REPOSITORY, COMMIT = "acme/reader", "0123456789abcdef" * 2 + "01234567"


@dataclass
class Hub:
    """`sizes` lie about the size of a file; `refusal` is a status and the hub's word for it, for all that is asked."""

    folder: Path
    url: str = ""
    sizes: dict[str, int] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    asked: list[str] = field(default_factory=list)

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

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        self.asked.append(path)
        if self.refusal:
            return self.refusal[0], {"X-Error-Code": self.refusal[1], "X-Error-Message": "no"}, b"{}"
        if path == f"/api/models/{REPOSITORY}/revision/{COMMIT}":
            return 200, {}, json.dumps({"id": REPOSITORY, "sha": COMMIT, "siblings": self.files()}).encode()
        if path == f"/api/models/{REPOSITORY}/tree/{COMMIT}":
            return 200, {}, json.dumps(self.files()).encode()
        file = self.folder / path.rpartition("/")[2]
        if path.startswith(f"/{REPOSITORY}/resolve/{COMMIT}/") and file.exists():
            tag = hashlib.sha1(file.read_bytes()).hexdigest()
            return 200, {"X-Repo-Commit": COMMIT, "ETag": f'"{tag}"'}, file.read_bytes()
        return 404, {"X-Error-Code": "EntryNotFound"}, b"{}"


@contextmanager
def serving(folder: Path) -> Iterator[Hub]:
    hub = Hub(folder)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, headers, body = hub.answer(self.path.partition("?")[0])
            self.send_response(status)
            for key, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


def point_at(url: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these once, from HF_ENDPOINT and HF_HOME."""
    monkeypatch.setattr(constants, "ENDPOINT", url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
