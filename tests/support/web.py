"""The API to test: the application in this process, keys with roles, and a task runner that ends documents without
a queue. On a port only where the bytes on the wire matter."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from docpipe.cli.serve import make_server
from docpipe.own_files import BLOBS_MARK
from docpipe.service.service import Service
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.store.jobs.tables import jobs
from docpipe.web.app import app
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import count_rows, pdf, settings_in, task_runner

ALL_ROLES = ("submit", "read", "review", "admin")


@dataclass
class Api:
    client: TestClient
    service: Service
    runner: TaskRunner
    _keys: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def new_key(self, *roles: str, **options: Any) -> dict[str, str]:
        """Headers with a new key."""
        _, secret = ApiKeyStore(self.service.database).create("+".join(roles), roles, **options)
        return {"authorization": f"Bearer {secret}"}

    def headers_of(self, *roles: str) -> dict[str, str]:
        """Headers with always the same key of these roles."""
        return self._keys.setdefault(roles, self.new_key(*roles))

    @property
    def own_headers(self) -> dict[str, str]:
        return self.headers_of("submit", "read")

    def request(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        """With the key that may submit and read, or with these headers."""
        return self.client.request(method, path, headers=self.own_headers if headers is None else headers, **options)

    def get(self, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return self.request("GET", path, headers, **options)

    def upload(self, content: bytes | None = None, name: str = "bill.pdf", **fields: Any) -> Any:
        """The answer to an upload; `headers` and form fields may be given."""
        headers = fields.pop("headers", None)
        files = {"file": (name, pdf() if content is None else content)}
        return self.request("POST", "/v1/documents", headers, files=files, data=fields)

    def submit(self, content: bytes | None = None, **fields: Any) -> dict[str, Any]:
        """The document that was sent in."""
        answer = self.upload(content, **fields)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def process(self, document: dict[str, Any]) -> dict[str, Any]:
        """What a worker does with it, and how it is then."""
        self.runner.prepare(document["id"])
        self.runner.understand(document["id"])
        return self.get(document["status_url"], self.headers_of(*ALL_ROLES)).json()


@contextmanager
def api_in(folder: Path, **changes: Any) -> Iterator[Api]:
    """The broker is away unless `broker_url` is given."""
    application = app(settings_in(folder, **changes))
    with (
        TestClient(application, raise_server_exceptions=False) as client,
        task_runner(application.state.service) as runner,
    ):
        yield Api(client, application.state.service, runner)


@contextmanager
def on_a_port(folder: Path, **changes: Any) -> Iterator[tuple[Service, int]]:
    """As `docpipe serve` runs it, in a thread."""
    application = app(settings_in(folder, **changes))
    server = make_server(application, host="127.0.0.1", port=0)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(server.serve())
        except BaseException as error:  # noqa: BLE001 - also SystemExit
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.02)
    try:
        assert not failed, failed
        yield application.state.service, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(180)
        assert not failed and not thread.is_alive(), failed


def error_code(response: Any) -> tuple[int, str]:
    """Status and code; every error has the one shape."""
    (error,) = response.json().values()
    assert set(error) == {"code", "message", "hint"} and error["message"], response.text
    return response.status_code, error["code"]


def count_documents(service: Service) -> int:
    """How many documents."""
    return count_rows(service.database, jobs)


def blob_names(service: Service) -> list[str]:
    """The names of all blobs, without the mark of their folder."""
    root = Path(service.blobs.url)
    blobs = (path for path in root.rglob("*") if path.is_file() and path.name != BLOBS_MARK)
    return sorted(str(path.relative_to(root)) for path in blobs)
