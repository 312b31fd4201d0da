"""RabbitMQ as the broker, where it is installed (Debian: `apt-get install rabbitmq-server`); skipped elsewhere."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from benchmarks.service.servers import docpipe, environment, free_port, running, wait_until, worker
from docpipe.errors import QueueError
from docpipe.store.jobs.job import INTERACTIVE
from tests.support.serving import pdf, service_in, submit_pdf

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's wrapper in the PATH changes the user
pytestmark = pytest.mark.skipif(not SERVER.exists() or not shutil.which("epmd"), reason="RabbitMQ is not installed")


@dataclass
class RabbitServer:
    folder: Path
    port: int = field(default_factory=free_port)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"

    def start(self) -> None:
        """Empty, whatever was there. Erlang's list of nodes is one of its own, so that none of it stays."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        (self.folder / "plugins").write_text("[].")
        names = str(free_port())
        own = {
            "NODENAME": f"docpipe{self.port}@localhost", "NODE_PORT": self.port, "NODE_IP_ADDRESS": "127.0.0.1",
            "DIST_PORT": free_port(), "MNESIA_BASE": self.folder, "LOG_BASE": self.folder,
            "ENABLED_PLUGINS_FILE": self.folder / "plugins", "PID_FILE": self.folder / "pid",
            "CONFIG_FILE": self.folder / "none",
        }  # fmt: skip
        settings = {**os.environ, **{f"RABBITMQ_{name}": str(value) for name, value in own.items()}}
        settings |= {"HOME": str(self.folder), "ERL_EPMD_PORT": names, "ERL_EPMD_ADDRESS": "127.0.0.1"}
        with (self.folder / "log").open("wb") as log:
            for command in (["epmd", "-port", names, "-address", "127.0.0.1"], [str(SERVER)]):
                self.processes.append(
                    subprocess.Popen(command, env=settings, stdout=log, stderr=log, start_new_session=True)
                )
        wait_until(self._answers, "RabbitMQ answers")

    def kill(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.processes.clear()

    def _answers(self) -> bool:
        """With a greeting: it listens before it is ready."""
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(connection.recv(1))
        return False


@pytest.fixture
def rabbit(tmp_path: Path) -> Iterator[RabbitServer]:
    server = RabbitServer(tmp_path / "rabbit")
    try:
        server.start()
        yield server
    finally:
        server.kill()


def test_documents_are_read_over_rabbitmq_the_urgent_first_also_after_it_lost_everything(
    rabbit: RabbitServer, tmp_path: Path
):
    with service_in(tmp_path, broker_url=rabbit.url) as service:
        bulk = [submit_pdf(service, pdf(f"Rechnung {number}"), f"{number}.pdf") for number in range(4)]
        urgent = submit_pdf(service, name="urgent.pdf", priority=INTERACTIVE)
        assert (service.queue.depth("prepare"), service.queue.depth("understand")) == (5, 0)

        chosen = service.settings.model_dump(include={"database_url", "blob_url", "broker_url", "model"})
        process = worker(environment(**chosen), tmp_path / "worker.log", "--without-gossip", "--without-mingle")
        ended = lambda job: service.jobs.get(job.id).ended  # noqa: E731
        with running(process, docpipe(environment(**chosen), tmp_path / "maintenance.log", "maintain")):
            wait_until(lambda: all(ended(job) for job in (*bulk, urgent)), "all are read")
            assert min((*bulk, urgent), key=ended) == urgent
            assert [name.partition("@")[0] for name in service.queue.workers()] == ["worker"]

            rabbit.kill()
            with pytest.raises(QueueError):
                service.queue.depth("prepare")
            meanwhile = submit_pdf(service, pdf("Rechnung 9"), "meanwhile.pdf")
            rabbit.start()
            wait_until(lambda: ended(meanwhile) is not None, "what came meanwhile is read, too")
            assert service.jobs.get(meanwhile.id).state == "done"
            assert process.stop() == 0
        service.queue._app.pool.force_close_all()
