"""Several processes on one database, and processes that die: nothing twice, nothing half, nothing lost."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys

from sqlalchemy import text

from docpipe.schema import load_schema
from docpipe.store import SqlStore
from tests.support.repository import ROOT
from tests.support.stored import document, extraction, field

PROCESSES, DOCUMENTS = 3, 12

WRITER = """
import sys
from docpipe.schema import load_schema
from docpipe.store import SqlStore
from tests.support.stored import document, extraction, field
invoice = load_schema("invoice")
lines = tuple(field(f"line_items[{i}].description", "x" * 200) for i in range(200))
with SqlStore(sys.argv[1]) as store:
    for number in range(10_000):
        one = document(f"{number}.pdf")
        store.add(one)
        store.claim(one.id, f"key of {one.name}")
        store.save(extraction(one, invoice, lines), invoice)
        print(one.id, flush=True)
"""


def save_all(url: str, number: int) -> int:
    """Opens a database that may not exist yet and saves the same work as the other processes, in its own order."""
    receipt = load_schema("receipt")
    saved = 0
    with SqlStore(url) as store:
        for index in range(DOCUMENTS):
            one = document(f"{(index * (number + 1)) % DOCUMENTS}.pdf")
            store.add(one)
            store.claim(one.id, f"key of {one.name}")
            saved += store.save(extraction(one, receipt, (field("total", number),)), receipt)
            own = extraction(one, receipt, (), run_key=f"{number} {one.name} {index}")
            assert store.save(own, receipt)
    return saved


def test_processes_that_do_the_same_work_at_once_store_it_once(database_url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        counts = pool.starmap(save_all, [(database_url, number) for number in range(PROCESSES)])
        pool.close()
        pool.join()
    names = {f"{(index * (number + 1)) % DOCUMENTS}.pdf" for number in range(PROCESSES) for index in range(DOCUMENTS)}
    assert sum(counts) == len(names)
    with SqlStore(database_url) as store:
        results = list(store.results())
        assert {stored.document.name for stored in results} == names
        assert len(results) == len(names), "one current result per document"
        with store._engine.connect() as connection:
            kept = connection.scalar(text("SELECT COUNT(*) FROM extractions"))
            shown = connection.scalar(text("SELECT COUNT(*) FROM receipt"))
            claimed = connection.scalar(text("SELECT COUNT(*) FROM attempts WHERE run_key LIKE 'key of %'"))
    assert kept == len(names) + PROCESSES * DOCUMENTS
    assert shown == len(names)
    assert claimed == PROCESSES * DOCUMENTS, "each claim has a number of its own"


def test_a_killed_writer_loses_nothing_that_it_reported(database_url: str) -> None:
    command = [sys.executable, "-c", WRITER, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        reported = [writer.stdout.readline().strip() for _ in range(8)]
        os.kill(writer.pid, signal.SIGKILL)
        reported += [line.strip() for line in writer.stdout if line.endswith("\n")]
    with SqlStore(database_url) as store:
        results = list(store.results())
        assert {stored.document.id for stored in results} >= set(reported)
        assert {len(stored.extraction.fields) for stored in results if stored.extraction} == {200}
        with store._engine.connect() as connection:
            assert connection.scalar(text("SELECT COUNT(*) FROM invoice")) == len(results)
            assert connection.scalar(text("SELECT COUNT(*) FROM invoice_line_items")) == 200 * len(results)
        invoice, last = load_schema("invoice"), document("10000.pdf")
        store.add(last)
        assert store.save(extraction(last, invoice), invoice)
