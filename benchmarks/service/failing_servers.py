"""Servers that go wrong: away, hung, cut off.

In: a site. Out: what was seen, in its outcome.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.service.failure_site import Outcome, Site
from benchmarks.service.servers import PostgresServer, RedisServer
from docpipe.errors import DocpipeError


def broker(site: Site, outcome: Outcome) -> None:
    """Redis is away, with what it knew."""
    site.workers(2)
    site.submit(4)
    site.await_done()
    slowest = 0.0
    with _away(site.stand.redis):
        end = time.monotonic() + site.away
        while time.monotonic() < end:
            started = time.monotonic()
            site.submit()
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(1)
    count = site.taken_in - 4
    outcome.see(f"{count} documents were taken in meanwhile, the slowest in {slowest:.2f} s")
    outcome.see(f"all were done {site.await_done():.0f} s after it came back")


def database(site: Site, outcome: Outcome) -> None:
    """PostgreSQL is away."""
    site.workers(2)
    site.submit(4)
    site.await_done()
    site.submit(20)
    refused: list[str] = []
    tries = 0
    with _away(site.stand.postgres):
        end = time.monotonic() + site.away
        while time.monotonic() < end:
            tries += 1
            try:
                site.submit()
            except DocpipeError as error:
                refused.append(f"`{error.code}`: {str(error).partition(': ')[2].partition(' Is the')[0]}")
            time.sleep(1)
    outcome.expect(f"{len(refused)} of {tries} submissions were refused: {refused[-1][:120]}", len(refused) == tries)
    seconds = site.await_done()
    outcome.see(f"the 20 in work were done {seconds:.0f} s after it came back")
    lost = site.service.view.counts()
    outcome.expect(f"in the end: {lost}", set(lost) == {"done"})


def numb(site: Site, outcome: Outcome) -> None:
    """Both servers accept connections and answer nothing, as when their machine hangs; one after the other."""
    site.workers(2)
    site.submit(4)
    site.await_done()
    for name, server in (("Redis", site.stand.redis), ("PostgreSQL", site.stand.postgres)):
        site.submit(20)
        with _stopped(server):
            if name == "Redis":
                started = time.monotonic()
                site.submit()
                outcome.see(f"while Redis hung, a document was taken in in {time.monotonic() - started:.1f} s")
            time.sleep(site.away)
        outcome.see(f"{name}: all were done {site.await_done():.0f} s after it went on")
    counts = site.service.view.counts()
    outcome.expect(f"in the end: {counts}", set(counts) == {"done"})


def network(site: Site, outcome: Outcome) -> None:
    """The machine of both servers is cut off: packets vanish, and nobody says so."""
    assert site.network is not None
    site.workers(2)
    site.submit(4)
    site.await_done()
    site.submit(20)
    with site.network.cut():
        started = time.monotonic()
        try:
            site.submit()
            outcome.expect("a submission was taken in", False)
        except DocpipeError as error:
            outcome.see(f"a submission was refused after {time.monotonic() - started:.0f} s: `{error.code}`")
        time.sleep(max(0.0, site.away - (time.monotonic() - started)))
    outcome.see(f"all were done {site.await_done():.0f} s after the cable was mended")
    counts = site.service.view.counts()
    outcome.expect(f"in the end: {counts}", counts == {"done": 24})


@contextmanager
def _away(server: RedisServer | PostgresServer) -> Iterator[None]:
    server.stop(signal.SIGKILL)
    try:
        yield
    finally:
        server.start()


@contextmanager
def _stopped(server: RedisServer | PostgresServer) -> Iterator[None]:
    assert server.process is not None
    root = psutil.Process(server.process.pid)
    family = [root, *root.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()
