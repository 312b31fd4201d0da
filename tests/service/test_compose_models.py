"""Larger models in docker-compose.yml: its workers for a graphics card and for models behind an HTTP API read documents
through the real queue, as plain processes (tests/support/compose_env.py). There is no card here: the model is tiny, and
runs on the CPU; the provider is a small server on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from benchmarks.service.servers import wait_until
from docpipe.config import PREFIX, load_settings
from docpipe.service.service import Service
from docpipe.store.jobs.job import ENDED, Job
from tests.support import hosted_server, hub
from tests.support.compose_env import FILE, Composition, read
from tests.support.serving import pdf
from tests.support.tiny_models import save_tiny_model

PASSWORDS = {"POSTGRES_PASSWORD": "a1b2c3", "REDIS_PASSWORD": "d4e5f6"}
NUMBERS = ("RE-2041", "RE-2042", "RE-2043")
SCHEMA = """
from pydantic import BaseModel, Field

class Bill(BaseModel):
    invoice_number: str | None = Field(None, description="number of the invoice")
"""
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "HF_TOKEN")
READERS = {"hosted-worker", "fetch-model"}


Composed = Callable[..., Composition]


@pytest.fixture
def composed(postgres_url: str, tmp_path: Path) -> Iterator[Composed]:
    """The service with this `.env`."""
    compositions: list[Composition] = []

    def start(**env: str) -> Composition:
        variables = {**PASSWORDS, **env}
        compositions.append(Composition(read(FILE, variables)["services"], tmp_path, postgres_url, variables))
        return compositions[-1]

    yield start
    for composition in compositions:
        composition.kill()


@contextmanager
def service_of(composition: Composition) -> Iterator[Service]:
    settings = {name: value for name, value in composition.environment("api").items() if name.startswith(PREFIX)}
    service = Service.of(load_settings(settings))
    try:
        yield service
    finally:
        service.close()


def understood_by(worker: str, composition: Composition, service: Service) -> list[Job]:
    """The jobs of three documents, all of which wait when this worker starts: so it can take them together."""
    folder = composition.folder / "bills"
    folder.mkdir()
    (folder.parent / "bill.py").write_text(SCHEMA)
    for number in NUMBERS:
        (folder / f"{number}.pdf").write_bytes(pdf("Invoice", f"Invoice number: {number}"))
    composition.start("cpu-worker")
    composition.start("maintenance")
    sent = composition.run("api", "docpipe", "submit", str(folder), "--schema", f"{folder.parent}/bill.py:Bill")
    assert sent.returncode == 0, sent.stderr
    ids = [json.loads(line)["id"] for line in sent.stdout.splitlines()]
    wait_until(lambda: {job.state for job in current_jobs(service, ids)} == {"prepared"}, "their pages are read")
    composition.start(worker)
    wait_until(lambda: all(job.state in ENDED for job in current_jobs(service, ids)), "they are understood", seconds=90)
    return current_jobs(service, ids)


def current_jobs(service: Service, ids: list[str]) -> list[Job]:
    return [job for number in ids if (job := service.jobs.get(number)) is not None]


def log_lines(composition: Composition, name: str, message: str) -> list[dict[str, Any]]:
    """The lines of a service's log with this message."""
    lines = [json.loads(line) for line in composition.programs[name].output().splitlines() if line.startswith("{")]
    return [line for line in lines if line["message"] == message]


def test_a_model_that_was_fetched_once_understands_a_batch_without_a_network(composed: Composed, tmp_path: Path):
    name = f"hf:{hub.REPOSITORY}@{hub.COMMIT}"
    composition = composed(DOCPIPE_MODEL=name, UNDERSTAND_WORKERS="0")
    fetch = composition.services["fetch-model"]
    with hub.fake_hub(save_tiny_model("qwen2_5_vl", tmp_path / "made")) as server:
        fetch["environment"]["HF_ENDPOINT"] = server.url
        done = composition.run("fetch-model", *fetch["entrypoint"], hub.REPOSITORY, "--revision", hub.COMMIT)
        assert done.returncode == 0, done.stderr
    with service_of(composition) as service:
        jobs = understood_by("gpu-worker", composition, service)
        output = composition.programs["gpu-worker"].output()
        assert {job.model for job in jobs} == {name}
        assert [job.state for job in jobs] == ["done"] * 3, output
        assert {service.store.find(job.run_key).extraction.extractor.partition("+")[0] for job in jobs} == {name}
    assert [line["batch"] for line in log_lines(composition, "gpu-worker", "understand: done")] == [3] * 3


def test_a_hosted_worker_asks_its_provider_and_counts_what_a_day_costs(composed: Composed, tmp_path: Path):
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps({"openai:some-model": {"in": 2.0, "out": 10.0}}))
    with hosted_server.fake_server(
        "openai", hosted_server.success("openai", '{"invoice_number": "RE-2041"}')
    ) as server:
        composition = composed(
            DOCPIPE_MODEL="openai:some-model", DOCPIPE_OPENAI_URL=server.url, OPENAI_API_KEY=hosted_server.KEY,
            DOCPIPE_DAY_MONEY="5", PRICES=str(prices), UNDERSTAND_WORKERS="0",
        )  # fmt: skip
        with service_of(composition) as service:
            jobs = understood_by("hosted-worker", composition, service)
            assert [job.state for job in jobs] == ["done"] * 3, composition.programs["hosted-worker"].output()
            costs = [service.store.find(job.run_key).extraction.cost for job in jobs]
    assert {request.headers["authorization"] for request in server.received} == {f"Bearer {hosted_server.KEY}"}
    assert all(cost["money"] > 0 for cost in costs)
    spent = json.loads((tmp_path / "spending" / "spending.json").read_text())
    assert spent["tokens"] == 1020 * len(server.received)
    assert spent["money"] == pytest.approx(sum(cost["money"] for cost in costs))
    output = "".join(program.output() for program in composition.programs.values())
    assert hosted_server.KEY not in output


def test_keys_in_the_file_of_settings_reach_no_process_that_opens_files(composed: Composed):
    composition = composed(**dict.fromkeys(KEYS, "secret"))
    has = {name: {key for key in KEYS if composition.environment(name).get(key)} for name in composition.services}
    assert has.pop("fetch-model") == {"HF_TOKEN"}
    assert has.pop("hosted-worker") == set(KEYS) - {"HF_TOKEN"}
    assert not set().union(*has.values())
    assert not [name for name in composition.environment("fetch-model") if name.startswith(PREFIX + "DATABASE")]


def test_weights_are_read_only_for_the_worker_and_every_folder_it_is_given_belongs_to_its_user():
    services = read(FILE, PASSWORDS)["services"]
    where = {name: [volume for volume in service.get("volumes", []) if ":/models" in volume]
             for name, service in services.items()}  # fmt: skip
    assert where["gpu-worker"] == ["models:/models:ro"] and where["fetch-model"] == ["models:/models"]
    assert services["gpu-worker"]["environment"]["HF_HUB_OFFLINE"] == "1"
    assert {services[name]["environment"]["HF_HOME"] for name in ("gpu-worker", "fetch-model")} == {"/models"}
    volumes = read(FILE, PASSWORDS)["volumes"]
    named = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", [])}
    assert {name for name in named if re.fullmatch(r"\w+", name)} == set(volumes)


def test_no_worker_without_the_model_takes_its_documents():
    """One variable in `.env`, so that no later `up` can forget it."""
    assert read(FILE, PASSWORDS)["services"]["understand-worker"]["scale"] == "1"
    assert read(FILE, {**PASSWORDS, "UNDERSTAND_WORKERS": "0"})["services"]["understand-worker"]["scale"] == "0"
