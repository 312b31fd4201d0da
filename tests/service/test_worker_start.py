"""The folder `workers/`: what starts the workers of an installation and of a checkout, started as it stands. There is
no systemd where these tests run, so the units' commands are started as plain processes (tests/support/systemd_units.py)
and what only systemd can do is checked in their text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.service.servers import START_SECONDS, Program, environment, running, wait_until
from docpipe.service.queue import QUEUES
from tests.support.repository import ROOT
from tests.support.serving import pdf, scripted_model
from tests.support.systemd_units import FOLDER, INSTALLED, Machine, Unit, units

WORKER = ROOT / "workers" / "docpipe-worker"
LASTING = ("docpipe-prepare", "docpipe-understand", "docpipe-maintenance", "docpipe-serve")
READS_FILES = ("docpipe-prepare", "docpipe-understand")
UNITS = units()


@pytest.fixture
def machine(redis_url: str, tmp_path: Path) -> Iterator[Machine]:
    settings = {
        "DOCPIPE_DATABASE_URL": f"sqlite:///{tmp_path / 'docpipe.db'}", "DOCPIPE_BROKER_URL": redis_url,
        "DOCPIPE_MODEL": scripted_model(tmp_path), "PREPARE_CHILDREN": "1",
    }  # fmt: skip
    made = Machine(tmp_path, settings)
    try:
        yield made
    finally:
        made.kill()


def test_what_the_units_start_reads_a_document_and_stops_in_order(machine: Machine):
    migration = machine.start(UNITS["docpipe-migrate"])
    assert migration.process.wait(START_SECONDS) == 0, migration.output()
    lasting = {name: machine.start(UNITS[name]) for name in LASTING}
    wait_until(lambda: _is_ready(machine.port), "the API is ready")
    (machine.folder / "bill.pdf").write_bytes(pdf())

    done = machine.run(UNITS["docpipe-prepare"], f"{INSTALLED}docpipe", "submit", "bill.pdf", "--wait")
    assert done.returncode == 0, done.stderr + "".join(program.output() for program in lasting.values())
    assert json.loads(done.stdout)["fields"]["invoice_number"]["value"] == "R-2041"
    assert list((machine.folder / "blobs").iterdir()), "not in the folder of the units"
    checked = machine.run(UNITS["docpipe-maintenance"], f"{INSTALLED}docpipe", "maintain", "--check")
    assert checked.returncode == 0, checked.stderr

    for name, program in lasting.items():
        program.process.terminate()  # KillMode=mixed: the main process alone
        assert program.process.wait(START_SECONDS) in (0, -15), name
        assert "Traceback" not in program.output()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_each_unit_waits_for_the_tables_is_started_again_and_given_time_to_stop():
    assert set(UNITS) == {*LASTING, "docpipe-migrate"}
    for name in LASTING:
        unit = UNITS[name]
        assert "docpipe-migrate.service" in unit.values("Unit", "After"), name
        assert unit.value("Restart") == "always" and unit.values("Unit", "StartLimitIntervalSec") == ["0"], name
        assert unit.value("KillMode") == "mixed", f"children of {name} would drop their documents"
        assert unit.value("TimeoutStopSec") == ("5min" if name in READS_FILES else "1min")
        assert unit.values("Install", "WantedBy") == ["multi-user.target"]
    assert UNITS["docpipe-migrate"].value("Type") == "oneshot"


@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS)
def test_no_process_has_more_rights_than_it_needs(unit: Unit):
    assert (unit.value("User"), unit.value("NoNewPrivileges")) == ("docpipe", "yes")
    assert (unit.value("ProtectSystem"), unit.value("CapabilityBoundingSet")) == ("strict", "")
    assert unit.value("WorkingDirectory") == f"/var/lib/{unit.value('StateDirectory')}", "it may write nowhere else"
    has_no_way_out = unit.values("Service", "IPAddressDeny") == ["any"]
    assert has_no_way_out == (unit.name in READS_FILES), "who opens files of strangers has no way out"
    assert bool(unit.values("Service", "MemoryMax")) == has_no_way_out


def test_the_readme_names_every_unit_and_the_settings_that_they_read():
    text = (ROOT / "workers" / "README.md").read_text("utf-8")
    (enabled,) = re.findall(r"systemctl enable --now (.+)", text)
    assert sorted(enabled.split()) == sorted(UNITS)
    asked = {name for path in FOLDER.glob("*.service") for name in re.findall(r"\$\{(\w+)\}", path.read_text("utf-8"))}
    assert asked == {"PREPARE_CHILDREN", "UNDERSTAND_CHILDREN"} <= set(re.findall(r"^(\w+)=", text, re.MULTILINE))


def run_worker(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """With a `celery` that says how it was called."""
    celery = tmp_path / "celery"
    celery.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    celery.chmod(0o755)
    path = f"{tmp_path}:{os.defpath}"
    return subprocess.run([WORKER, *arguments], env={"PATH": path}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("stage", "queue"), QUEUES.items())
def test_a_worker_of_a_stage_takes_from_its_queue_and_own_options_count_last(tmp_path: Path, stage: str, queue: str):
    done = run_worker(tmp_path, stage, "--hostname", "gpu@%h")
    words = done.stdout.splitlines()
    assert words[:4] == ["--quiet", "-A", "docpipe.workers.app", "worker"]
    assert words[words.index("--queues") + 1] == queue
    assert words.index(f"{stage}@%h") < words.index("gpu@%h") == len(words) - 1


@pytest.mark.parametrize("arguments", [(), ("reading",), ("--concurrency", "2")])
def test_a_stage_that_there_is_not_starts_nothing(tmp_path: Path, arguments: tuple[str, ...]):
    done = run_worker(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage: docpipe-worker prepare|understand" in done.stderr


def test_in_a_checkout_celery_finds_the_application_in_this_folder(redis_url: str, tmp_path: Path):
    given = environment(
        broker_url=redis_url, database_url=f"sqlite:///{tmp_path / 'a.db'}", blob_url=tmp_path / "blobs"
    )
    command = [sys.executable, "-m", "celery", "-A", "workers.app"]
    program = Program([*command, "worker", "-c", "1", "-n", "checkout@%h"], given, tmp_path / "worker.log")
    with running(program):

        def answers() -> bool:
            asked = subprocess.run(
                [*command, "inspect", "registered", "--json"], cwd=ROOT, env=given, capture_output=True, check=False
            )
            return b"docpipe.understand" in asked.stdout

        wait_until(answers, "the worker names its tasks")
        assert program.stop() == 0
