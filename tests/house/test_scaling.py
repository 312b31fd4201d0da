"""docs/scaling.md: its SQL works, its figures are those that the command prints, and the model adds up."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from sqlalchemy import text

from docpipe.schema import load_schema
from docpipe.store.database import Database
from docpipe.store.results.result_store import SqlStore
from tests.support.repository import ROOT
from tests.support.stored import document, extraction

PAGE = ROOT / "docs" / "scaling.md"
SQL = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def capacity(*options: str) -> str:
    command = [sys.executable, "-m", "benchmarks.service.capacity", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def number(table: str, row: str) -> float:
    (found,) = [line for line in table.splitlines() if line.startswith(f"| {row}")]
    return float(found.split("|")[2].replace(",", ""))


def test_every_line_of_the_model_in_the_docs_is_what_the_command_prints():
    printed = [line for line in capacity("--pages-per-day", "10000000").splitlines() if line.startswith("| ")]
    page = PAGE.read_text("utf-8").splitlines()
    assert len(printed) > 25
    assert [line for line in printed if line not in page] == []


def test_twice_the_pages_take_twice_the_cores_and_other_assumptions_change_what_they_should():
    once, twice = capacity("--pages-per-day", "40e6"), capacity("--pages-per-day", "80e6")
    for row in ("cores of workers, 70% busy", "PostgreSQL: growth", "Redis: memory"):
        assert number(twice, row) == pytest.approx(2 * number(once, row), rel=0.02), row
    layered = capacity("--pages-per-day", "40e6", "--scanned", "0")
    assert number(layered, "cores of workers, 70% busy") < number(once, "cores of workers, 70% busy") / 3
    assert number(layered, "PostgreSQL: growth") == number(once, "PostgreSQL: growth")


def test_results_are_stored_in_fields_parted_as_the_docs_say(postgres_url: str):
    (statements,) = SQL.findall(PAGE.read_text("utf-8"))
    database = Database(postgres_url)
    try:
        with database.writing() as connection:
            for statement in statements.split(";\n"):
                connection.execute(text(statement))
    finally:
        database.close()
    with SqlStore(postgres_url) as store:
        of, schema = document(), load_schema("invoice")
        made = extraction(of, schema)
        store.add(of)
        assert store.save(made, schema)
        found = store.find(made.run_key)
        assert found is not None and found.extraction == made
