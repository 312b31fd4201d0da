"""A network for servers alone, whose cable can be cut: packets vanish and nobody says so, as when a switch dies.

In: the right to make one (root on Linux, with `ip`). Out: an address, what to put before a server's command, and the
cut. None where that right is missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TRIES = 25
NOBODY = "02:00:00:00:00:01"  # a hardware address that no card has


@dataclass(frozen=True)
class OwnNetwork:
    """`here` and `there` are the ends of the cable."""

    name: str
    here: str
    there: str
    our_address: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Both ends send to a card that is not there."""
        _run("ip", "neigh", "replace", self.address, "lladdr", NOBODY, "dev", self.here, "nud", "permanent")
        _run(*self.prefix, "ip", "neigh", "replace", self.our_address, "lladdr", NOBODY, "dev", self.there, "nud",
             "permanent")  # fmt: skip
        try:
            yield
        finally:
            _run("ip", "neigh", "del", self.address, "dev", self.here)
            _run(*self.prefix, "ip", "neigh", "del", self.our_address, "dev", self.there)


@contextmanager
def own_network() -> Iterator[OwnNetwork | None]:
    number = os.getpid() % 200 + 1
    made = OwnNetwork(f"docpipe{number}", f"dp{number}a", f"dp{number}b", f"10.231.{number}.1", f"10.231.{number}.2")
    try:
        yield made if _lay(made) else None
    finally:
        if shutil.which("ip"):
            subprocess.run(["ip", "link", "del", made.here], capture_output=True, check=False)
            for _ in range(TRIES):  # it is busy until the last process in it is gone
                if subprocess.run(["ip", "netns", "del", made.name], capture_output=True, check=False).returncode == 0:
                    break
                time.sleep(0.2)


def _lay(made: OwnNetwork) -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("setpriv") is None:
        return False
    try:
        _run("ip", "netns", "add", made.name)
        _run("ip", "link", "add", made.here, "type", "veth", "peer", "name", made.there)
        _run("ip", "link", "set", made.there, "netns", made.name)
        _run("ip", "addr", "add", f"{made.our_address}/30", "dev", made.here)
        _run("ip", "link", "set", made.here, "up")
        _run(*made.prefix, "ip", "addr", "add", f"{made.address}/30", "dev", made.there)
        _run(*made.prefix, "ip", "link", "set", made.there, "up")
    except subprocess.CalledProcessError:
        return False
    return True


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True)
