"""Servers that go wrong: away, hung, cut off.

In: a failure site. Out: what was observed, in its report.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from benchmarks.service.failure_site import FailureReport, FailureSite
from benchmarks.service.servers import PostgresServer, RedisServer
from docpipe.errors import DocpipeError


def broker(site: FailureSite, report: FailureReport) -> None:
    """Redis is away, with what it knew."""
    site.start_workers(2)
    site.submit(4)
    site.await_done()
    slowest = 0.0
    with _away(site.harness.redis):
        end = time.monotonic() + site.outage_seconds
        while time.monotonic() < end:
            started = time.monotonic()
            site.submit()
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(1)
    count = site.submitted - 4
    report.note(f"{count} documents were taken in meanwhile, the slowest in {slowest:.2f} s")
    report.note(f"all were done {site.await_done():.0f} s after it came back")


def database(site: FailureSite, report: FailureReport) -> None:
    """PostgreSQL is away."""
    site.start_workers(2)
    site.submit(4)
    site.await_done()
    site.submit(20)
    refused: list[str] = []
    tries = 0
    with _away(site.harness.postgres):
        end = time.monotonic() + site.outage_seconds
        while time.monotonic() < end:
            tries += 1
            try:
                site.submit()
            except DocpipeError as error:
                refused.append(f"`{error.code}`: {str(error).partition(': ')[2].partition(' Is the')[0]}")
            time.sleep(1)
    report.expect(f"{len(refused)} of {tries} submissions were refused: {refused[-1][:120]}", len(refused) == tries)
    seconds = site.await_done()
    report.note(f"the 20 in progress were done {seconds:.0f} s after it came back")
    lost = site.service.view.counts()
    report.expect(f"in the end: {lost}", set(lost) == {"done"})


def hung(site: FailureSite, report: FailureReport) -> None:
    """Both servers accept connections and answer nothing, as when their machine hangs; one after the other."""
    site.start_workers(2)
    site.submit(4)
    site.await_done()
    for name, server in (("Redis", site.harness.redis), ("PostgreSQL", site.harness.postgres)):
        site.submit(20)
        with _stopped(server):
            if name == "Redis":
                started = time.monotonic()
                site.submit()
                report.note(f"while Redis hung, a document was taken in in {time.monotonic() - started:.1f} s")
            time.sleep(site.outage_seconds)
        report.note(f"{name}: all were done {site.await_done():.0f} s after it went on")
    counts = site.service.view.counts()
    report.expect(f"in the end: {counts}", set(counts) == {"done"})


def network(site: FailureSite, report: FailureReport) -> None:
    """The machine of both servers is cut off: packets vanish, and nobody says so."""
    assert site.network is not None
    site.start_workers(2)
    site.submit(4)
    site.await_done()
    site.submit(20)
    with site.network.cut():
        started = time.monotonic()
        try:
            site.submit()
            report.expect("a submission was taken in", False)
        except DocpipeError as error:
            report.note(f"a submission was refused after {time.monotonic() - started:.0f} s: `{error.code}`")
        time.sleep(max(0.0, site.outage_seconds - (time.monotonic() - started)))
    report.note(f"all were done {site.await_done():.0f} s after the cable was mended")
    counts = site.service.view.counts()
    report.expect(f"in the end: {counts}", counts == {"done": 24})


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
