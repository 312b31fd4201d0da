"""The units of workers/systemd without systemd: read as it reads them, and their commands started as plain processes.

What an installation would give is replaced, and nothing else: the folders /opt/docpipe and /var/lib/docpipe, the file
of the settings, the port of the API.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.service.servers import Program, free_port
from tests.support.repository import ROOT

FOLDER = ROOT / "workers" / "systemd"
SHARED = FOLDER / "docpipe-.service.d" / "common.conf"
INSTALLED = "/opt/docpipe/bin/"
STATE = "/var/lib/docpipe"
PORT = "8000"

Sections = dict[str, dict[str, list[str]]]
"""Section -> key -> its values, in the order of the file; an empty one takes back those before it."""


@dataclass(frozen=True)
class Unit:
    name: str
    sections: Sections

    def values(self, section: str, key: str) -> list[str]:
        return self.sections.get(section, {}).get(key, [])

    def value(self, key: str) -> str:
        """The one that counts, of the service."""
        return self.values("Service", key)[-1]

    @property
    def environment(self) -> dict[str, str]:
        pairs = [pair for line in self.values("Service", "Environment") for pair in shlex.split(line)]
        return dict(pair.split("=", 1) for pair in pairs)


def units() -> dict[str, Unit]:
    """Each with the file that all of them share."""
    return {path.stem: Unit(path.stem, _parsed([path, SHARED])) for path in sorted(FOLDER.glob("*.service"))}


def _parsed(paths: list[Path]) -> Sections:
    sections: Sections = defaultdict(lambda: defaultdict(list))
    for path in paths:
        section = ""
        for line in map(str.strip, path.read_text("utf-8").replace("\\\n", " ").splitlines()):
            if line.startswith("["):
                section = line.strip("[]")
            elif line and not line.startswith(("#", ";")):
                key, _, value = line.partition("=")
                if value or key == "CapabilityBoundingSet":  # for that one, empty means none at all
                    sections[section][key].append(value)
                else:
                    sections[section][key].clear()
    return sections


@dataclass
class Machine:
    """A machine on which the units are installed. `settings` stands for /etc/docpipe/docpipe.env."""

    folder: Path
    settings: Mapping[str, str]
    port: int = field(default_factory=free_port)
    programs: dict[str, Program] = field(default_factory=dict)

    def start(self, unit: Unit) -> Program:
        command = self.command(unit)
        program = Program(command, self.environment(unit), self.folder / f"{unit.name}.log", folder=self.folder)
        self.programs[unit.name] = program
        return program.start()

    def run(self, unit: Unit, *command: str) -> subprocess.CompletedProcess[str]:
        """As `systemd-run` does it with the settings of that unit."""
        return subprocess.run(
            [self._here(word) for word in command], env=self.environment(unit), cwd=self.folder, capture_output=True,
            text=True, check=False, timeout=180,
        )  # fmt: skip

    def command(self, unit: Unit) -> list[str]:
        variables = self._variables(unit)
        words = shlex.split(unit.value("ExecStart"))
        filled = [re.sub(r"\$\{(\w+)\}", lambda name: variables[name[1]], word) for word in words]
        return [self._here(word) for word in filled]

    def environment(self, unit: Unit) -> dict[str, str]:
        """Nothing of this process's own."""
        given = {name: self._here(value) for name, value in self._variables(unit).items()}
        programs = [Path(sys.executable).parent, ROOT / "workers", given["PATH"].partition(":")[2]]
        machine = {"LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "HOME": str(self.folder)}
        return given | machine | {"PATH": ":".join(map(str, programs))}

    def _variables(self, unit: Unit) -> dict[str, str]:
        """The file of the settings counts before what the unit says."""
        return unit.environment | dict(self.settings)

    def _here(self, word: str) -> str:
        if word.startswith(INSTALLED):
            name = word.removeprefix(INSTALLED)
            own = ROOT / "workers" / name
            return str(own if own.exists() else Path(sys.executable).parent / name)
        return str(self.port) if word == PORT else word.replace(STATE, str(self.folder))

    def kill(self) -> None:
        for program in self.programs.values():
            program.kill()
