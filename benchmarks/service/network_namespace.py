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
UNUSED_ADDRESS = "02:00:00:00:00:01"  # a hardware address that no card has


@dataclass(frozen=True)
class NetworkNamespace:
    """`here` and `there` are the ends of the cable."""

    name: str
    host_end: str
    namespace_end: str
    host_address: str
    address: str

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Both ends send to a card that is not there."""
        _run("ip", "neigh", "replace", self.address, "lladdr", UNUSED_ADDRESS, "dev", self.host_end, "nud", "permanent")
        inside = ("lladdr", UNUSED_ADDRESS, "dev", self.namespace_end, "nud", "permanent")
        _run(*self.prefix, "ip", "neigh", "replace", self.host_address, *inside)
        try:
            yield
        finally:
            _run("ip", "neigh", "del", self.address, "dev", self.host_end)
            _run(*self.prefix, "ip", "neigh", "del", self.host_address, "dev", self.namespace_end)


@contextmanager
def network_namespace() -> Iterator[NetworkNamespace | None]:
    number = os.getpid() % 200 + 1
    namespace = NetworkNamespace(
        f"docpipe{number}", f"dp{number}a", f"dp{number}b", f"10.231.{number}.1", f"10.231.{number}.2"
    )
    try:
        yield namespace if _set_up(namespace) else None
    finally:
        if shutil.which("ip"):
            subprocess.run(["ip", "link", "del", namespace.host_end], capture_output=True, check=False)
            for _ in range(TRIES):  # it is busy until the last process in it is gone
                if (
                    subprocess.run(["ip", "netns", "del", namespace.name], capture_output=True, check=False).returncode
                    == 0
                ):
                    break
                time.sleep(0.2)


def _set_up(namespace: NetworkNamespace) -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None or shutil.which("setpriv") is None:
        return False
    try:
        _run("ip", "netns", "add", namespace.name)
        _run("ip", "link", "add", namespace.host_end, "type", "veth", "peer", "name", namespace.namespace_end)
        _run("ip", "link", "set", namespace.namespace_end, "netns", namespace.name)
        _run("ip", "addr", "add", f"{namespace.host_address}/30", "dev", namespace.host_end)
        _run("ip", "link", "set", namespace.host_end, "up")
        _run(*namespace.prefix, "ip", "addr", "add", f"{namespace.address}/30", "dev", namespace.namespace_end)
        _run(*namespace.prefix, "ip", "link", "set", namespace.namespace_end, "up")
    except subprocess.CalledProcessError:
        return False
    return True


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True)
