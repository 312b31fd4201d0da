"""Whether broken, exploding and wrongly named files end through the HTTP API as they do through `docpipe run`.

    python -m benchmarks.service.hostile --data FOLDER [--schema invoice]

In: FOLDER with `hostile/files` in it, or a folder of any files. Out: a table with a line for each file: how it ended
here and there, and whether that is the same (state and error code, or the same values). The API runs in this process,
with a task runner instead of a queue; the embedded network answers in both.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.service.servers import ROOT, environment

NO_BROKER = "redis://127.0.0.1:1/0"  # no message is to be sent
COMPARED = ("status", "pages", "fields", "issues")


@dataclass(frozen=True)
class HostileOutcome:
    """How a file ended: `done` with values, or `failed` with a code."""

    state: str
    code: str
    message: str
    values: str

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> HostileOutcome:
        if result["error"]:
            return cls("failed", result["error"]["code"], result["error"]["message"], "")
        return cls("done", result["status"], "", json.dumps([result[name] for name in COMPARED], sort_keys=True))

    def __str__(self) -> str:
        return f"{self.state}: {self.code}"


def through_the_api(files: Sequence[Path], schema: str, folder: Path) -> Iterator[HostileOutcome]:
    from starlette.testclient import TestClient

    from docpipe.config import load_settings
    from docpipe.store.jobs.api_keys import ApiKeyStore
    from docpipe.web.app import app
    from docpipe.workers.task_runner import TaskRunner

    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'api.db'}",
        "BLOB_URL": str(folder / "blobs"),
        "BROKER_URL": NO_BROKER,
    }
    application = app(load_settings({f"DOCPIPE_{name}": value for name, value in settings.items()}))
    with TestClient(application) as client:
        service = application.state.service
        runner = TaskRunner(service)
        _, secret = ApiKeyStore(service.database).create("benchmark", ["submit", "read"], per_minute=1_000_000)
        client.headers["authorization"] = f"Bearer {secret}"
        for file in files:
            yield _sent(client, runner, file, schema)
        runner.close()


def _sent(client: Any, runner: Any, file: Path, schema: str) -> HostileOutcome:
    with file.open("rb") as content:
        answer = client.post("/v1/documents", files={"file": (file.name, content)}, data={"schema": schema})
    if answer.status_code != 202:  # refused at the door
        return HostileOutcome.of(answer.json())
    document = answer.json()
    runner.prepare(document["id"])
    runner.understand(document["id"])
    ended = client.get(document["status_url"]).json()
    if ended["result_url"] is None:
        return HostileOutcome(ended["state"], (ended["error"] or {}).get("code", ""), "", "")
    return HostileOutcome.of(client.get(ended["result_url"]).json())


def through_the_command(files: Sequence[Path], schema: str, folder: Path) -> list[HostileOutcome]:
    output = folder / "run.jsonl"
    command = [sys.executable, "-m", "docpipe", "run", *map(str, files), "--schema", schema, "--jobs", "1"]
    command += ["--db", str(folder / "run.db"), "--output", str(output)]
    subprocess.run(
        command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    lines = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    ended = {Path(line["file"]).name: HostileOutcome.of(line) for line in lines}
    return [ended[file.name] for file in files]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--schema", default="invoice")
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    inside = options.data / "hostile" / "files"
    files = sorted(path.resolve() for path in (inside if inside.is_dir() else options.data).iterdir() if path.is_file())
    with tempfile.TemporaryDirectory(prefix="docpipe-hostile-") as folder:
        of_command = through_the_command(files, options.schema, Path(folder))
        of_api = list(through_the_api(files, options.schema, Path(folder)))
    width = max(len(file.name) for file in files)
    print(f"{'file':{width}}  {'HTTP API':22}  {'docpipe run':22}  same")
    for file, api, run in zip(files, of_api, of_command, strict=True):
        difference = f"  {api.message!r}, {run.message!r}" if api.message != run.message else ""
        print(f"{file.name:{width}}  {api!s:22}  {run!s:22}  {'yes' if same(api, run) else 'NO'}{difference}")
    counts = Counter(str(end) for end in of_api)
    print(f"\n{sum(map(same, of_api, of_command))} of {len(files)} end the same way.", dict(counts.most_common()))
    sys.exit(0 if all(map(same, of_api, of_command)) else 1)


def same(api: HostileOutcome, run: HostileOutcome) -> bool:
    return (api.state, api.code, api.values) == (run.state, run.code, run.values)


if __name__ == "__main__":
    main()
