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
from docpipe.service.service import Service
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.store.jobs.tables import jobs
from docpipe.web.app import app
from docpipe.workers.task_runner import TaskRunner
from tests.support.serving import pdf, rows, settings, task_runner

ALL = ("submit", "read", "review", "admin")


@dataclass
class Api:
    client: TestClient
    service: Service
    runner: TaskRunner
    _keys: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)

    def key(self, *roles: str, **more: Any) -> dict[str, str]:
        """Headers with a new key."""
        _, secret = ApiKeyStore(self.service.database).create("+".join(roles), roles, **more)
        return {"authorization": f"Bearer {secret}"}

    def its(self, *roles: str) -> dict[str, str]:
        """Headers with always the same key of these roles."""
        return self._keys.setdefault(roles, self.key(*roles))

    @property
    def own(self) -> dict[str, str]:
        return self.its("submit", "read")

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        """With the key that may submit and read, or with these headers."""
        return self.client.request(method, path, headers=self.own if headers is None else headers, **more)

    def get(self, path: str, headers: dict[str, str] | None = None, **more: Any) -> Any:
        return self.ask("GET", path, headers, **more)

    def send(self, content: bytes | None = None, name: str = "bill.pdf", **more: Any) -> Any:
        """The answer to an upload; `headers` and form fields may be given."""
        headers = more.pop("headers", None)
        files = {"file": (name, pdf() if content is None else content)}
        return self.ask("POST", "/v1/documents", headers, files=files, data=more)

    def taken_in(self, content: bytes | None = None, **more: Any) -> dict[str, Any]:
        """The document that was sent in."""
        answer = self.send(content, **more)
        assert answer.status_code == 202, answer.text
        return answer.json()

    def worked(self, document: dict[str, Any]) -> dict[str, Any]:
        """What a worker does with it, and how it is then."""
        self.runner.prepare(document["id"])
        self.runner.understand(document["id"])
        return self.get(document["status_url"], self.its(*ALL)).json()


@contextmanager
def api_in(folder: Path, **more: Any) -> Iterator[Api]:
    """The broker is away unless `broker_url` is given."""
    made = app(settings(folder, **more))
    with TestClient(made, raise_server_exceptions=False) as client, task_runner(made.state.service) as runner:
        yield Api(client, made.state.service, runner)


@contextmanager
def on_a_port(folder: Path, **more: Any) -> Iterator[tuple[Service, int]]:
    """As `docpipe serve` runs it, in a thread."""
    made = app(settings(folder, **more))
    server = make_server(made, host="127.0.0.1", port=0)
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
        yield made.state.service, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(180)
        assert not failed and not thread.is_alive(), failed


def error(answer: Any) -> tuple[int, str]:
    """Status and code; every error has the one shape."""
    (said,) = answer.json().values()
    assert set(said) == {"code", "message", "hint"} and said["message"], answer.text
    return answer.status_code, said["code"]


def taken_in(service: Service) -> int:
    """How many documents."""
    return rows(service.database, jobs)


def kept(service: Service) -> list[str]:
    """The names of all blobs."""
    root = Path(service.blobs.url)
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
