"""Another program beside docpipe: examples/other_program in processes that do not have docpipe, a real Redis between
them, and a real worker and real maintenance on the other side.

In: a folder. Out: `ShopAndService`, which sends messages and returns the answers.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import sysconfig
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.service.servers import Program, RedisServer, docpipe, environment, worker
from tests.support.repository import ROOT

SHOP = ROOT / "examples/other_program"
ASK_SCRIPT = """
import json, sys
from importlib.util import find_spec
assert find_spec("docpipe") is None, "this process must not have docpipe"
from shop import TO_DOCPIPE, app
messages = json.load(sys.stdin)
for one in messages:
    app.AsyncResult(one["id"]).forget()  # what an earlier message of this id was answered
for one in messages:
    options = {"priority": one["priority"]} if "priority" in one else {}
    app.send_task("docpipe.process", one["args"], one["kwargs"], task_id=one["id"], queue=TO_DOCPIPE, **options)
print(json.dumps({one["id"]: app.AsyncResult(one["id"]).get(timeout=180) for one in messages if one["wait"]}))
"""


@dataclass
class ShopAndService:
    """docpipe's service, and the shop beside it. `inbox` is the folder from which documents may be named."""

    folder: Path
    broker: str
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def inbox(self) -> Path:
        return self.folder / "inbox"

    def put_document(self, name: str, content: bytes) -> str:
        (self.inbox / name).write_bytes(content)
        return str(self.inbox / name)

    def programs(self) -> tuple[Program, Program]:
        inside = environment(
            broker_url=self.broker, blob_url=self.folder / "blobs", references=f"{self.inbox}, s3://nobody/",
            **{"database_url": f"sqlite:///{self.folder / 'docpipe.db'}", **self.settings},
        )  # fmt: skip
        inside["PYTHONPATH"] += os.pathsep + str(self.folder)  # where a schema of the operator's lies
        return worker(inside, self.folder / "worker.log"), docpipe(inside, self.folder / "maintenance.log", "maintain")

    def shop_worker(self) -> Program:
        celery = ("-m", "celery", "-A", "shop", "worker", "-Q", "shop", "-c", "1", "-n", "shop@%h")
        return Program([sys.executable, "-S", *celery], self.shop_environment(), self.folder / "shop.log", folder=SHOP)

    def shop_environment(self) -> dict[str, str]:
        """Of a process that has Celery and does not have docpipe: without `site` (-S) an editable installation is not
        found, and nothing else leads to the repository."""
        libraries = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
        return {
            "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(libraries), "SHOP_BROKER": self.broker,
            "SHOP_DATABASE": str(self.folder / "shop.db"), "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip

    def run_in_shop(self, *arguments: str, stdin: Any = None) -> str:
        """What a process of the shop printed."""
        completed = subprocess.run(
            [sys.executable, "-S", *arguments], input=json.dumps(stdin), text=True, capture_output=True, cwd=SHOP,
            env=self.shop_environment(), timeout=300, check=False,
        )  # fmt: skip
        assert completed.returncode == 0, completed.stderr + (self.folder / "worker.log").read_text()[-3000:]
        return completed.stdout

    def ask(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        answers = json.loads(self.run_in_shop("-c", ASK_SCRIPT, stdin=messages))
        return [answers[sent["id"]] for sent in messages if sent["wait"]]

    def bills(self) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(self.folder / "shop.db")) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute("SELECT * FROM bills ORDER BY rowid").fetchall()

    def jobs(self, question: str = "SELECT * FROM jobs") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "docpipe.db")) as connection:
            return connection.execute(question).fetchall()


def message(
    *args: Any, wait: bool = True, task_id: str = "", message_priority: int | None = None, **kwargs: Any
) -> dict[str, Any]:
    """`message_priority` is the message's own, as Celery has it; `priority` is an argument of the task."""
    chosen = {} if message_priority is None else {"priority": message_priority}
    return {"id": task_id or str(uuid.uuid4()), "args": args, "kwargs": kwargs, "wait": wait, **chosen}


@contextmanager
def redis_in(folder: Path) -> Iterator[RedisServer]:
    server = RedisServer(folder, save=False).start()
    try:
        yield server
    finally:
        server.stop()
