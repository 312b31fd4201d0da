"""The images and docker-compose.yml. There is no Docker engine where these tests run, so what the files say is done by
plain processes (tests/support/compose_env.py), and what only an engine can do is checked in the files' text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.exposition import generate_latest

from benchmarks.service.servers import ROOT, wait_until
from docpipe.config import PREFIX, Settings, load_settings
from docpipe.service.queue import QUEUES
from docpipe.store.blobs import Blobs, original_key
from docpipe.web.api.metrics import registry
from tests.support.compose_env import FILE, Composition, Dockerfile, names_in, read, strings
from tests.support.serving import pdf, service_in

PASSWORDS = {"POSTGRES_PASSWORD": "a1b2c3", "REDIS_PASSWORD": "d4e5f6"}
SECONDS = re.compile(r"(\d+)(s|m)")
UNITS = {"s": 1, "m": 60}
BY_HAND = "fetch-model"  # it does one thing and ends
WORKER = "docpipe-worker"  # workers/docpipe-worker; the word after it is the stage
LINES = ("Invoice", "Invoice number: RE-2041", "Date: 14.03.2026", "Musterhandel GmbH", "Total EUR 119,00")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    services: dict[str, Any] = read(FILE, PASSWORDS)["services"]
    return services


@pytest.fixture(scope="module")
def own_services(services: dict[str, Any]) -> dict[str, Any]:
    """Those of our own images."""
    return {name: service for name, service in services.items() if "build" in service}


@pytest.fixture
def composition(services: dict[str, Any], postgres_url: str, tmp_path: Path) -> Iterator[Composition]:
    composition = Composition(services, tmp_path, postgres_url)
    try:
        yield composition
    finally:
        composition.kill()


def test_what_the_file_starts_reads_a_document_and_stops_in_order(
    composition: Composition, own_services: dict[str, Any]
):
    """All services, those of larger models too: with the embedded network they do the same work."""
    for name in composition.services:
        if name != BY_HAND:
            composition.start(name)
    lasting = [name for name in own_services if "test" in own_services[name]["healthcheck"]]
    assert {"api", "maintenance"} < set(lasting)

    created = composition.run("api", "docpipe", "key", "create", "tests", "--role", "submit", "--role", "read")
    assert created.returncode == 0, created.stderr
    wait_until(lambda: composition.is_healthy("api"), "the API is healthy")
    headers = {"authorization": f"Bearer {created.stdout.strip()}"}
    url = f"http://127.0.0.1:{composition.ports['api']}"
    with httpx2.Client(base_url=url, headers=headers, timeout=90) as client:
        sent = client.post("/v1/documents", files={"file": ("bill.pdf", pdf(*LINES))}, data={"schema": "invoice"})
        assert sent.status_code == 202, sent.text
        ended = client.get(sent.json()["status_url"], params={"wait": 60}).json()
        assert ended["state"] == "done", {name: program.output() for name, program in composition.programs.items()}
        result = client.get(ended["result_url"]).json()
    assert "RE-2041" in str(result)
    places = [evidence for field in _fields_with_evidence(result) for evidence in field["evidence"]]
    assert places and all(len(place["box"]) == 4 and place["page"] == 1 for place in places)
    assert Blobs(str(composition.folder / "data")).has(original_key(sent.json()["id"])), "not in the volume"

    assert [name for name in lasting if not composition.is_healthy(name)] == []
    ends = composition.stop()
    assert set(ends) >= set(lasting)
    assert {name: code for name, code in ends.items() if code not in (0, 143)} == {}
    assert not [name for name in lasting if "Traceback" in composition.programs[name].output()]


def _fields_with_evidence(node: Any) -> Iterator[dict[str, Any]]:
    """Everything in a result that has evidence."""
    if isinstance(node, dict):
        if node.get("evidence"):
            yield node
        node = list(node.values())
    for child in node if isinstance(node, list) else ():
        yield from _fields_with_evidence(child)


def test_a_service_that_is_away_is_not_healthy(services: dict[str, Any], postgres_url: str, tmp_path: Path):
    """A health check that always passes would be found by nobody."""
    empty = Composition(services, tmp_path, postgres_url)
    assert not empty.is_healthy("api")
    assert not empty.is_healthy("maintenance")


def test_nothing_starts_without_passwords():
    for name in PASSWORDS:
        with pytest.raises(KeyError, match=name):
            read(FILE, {other: value for other, value in PASSWORDS.items() if other != name})


def test_only_the_api_can_be_reached_and_only_from_this_machine(services: dict[str, Any]):
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert list(ports) == ["api"]
    assert all(port.startswith("127.0.0.1:") for port in ports["api"])
    networks = read(FILE, PASSWORDS)["networks"]
    internal = {name for name, network in networks.items() if network.get("internal")}
    reach_out = {name for name, service in services.items() if set(service["networks"]) - internal}
    assert reach_out == {"api", "maintenance", "hosted-worker", BY_HAND}, "who opens files of strangers has no way out"


def test_no_process_has_more_rights_than_it_needs(services: dict[str, Any], own_services: dict[str, Any]):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"] and "cap_add" not in service, name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert int(service["user"].partition(":")[0]) > 0, name
        assert not service.get("privileged"), name
    for name, service in own_services.items():
        assert service["read_only"], name
        assert service["user"] == Dockerfile.read().user(service["build"]["target"]), name
        places = [*service["tmpfs"], *service["volumes"]]
        assert [place for place in places if "/tmp" in place], f"{name} has nowhere to write"


def test_what_should_run_is_watched_started_again_and_given_time_to_stop(services: dict[str, Any]):
    once = {
        other for service in services.values() for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }  # fmt: skip
    assert once == {"migrate"}
    once |= {BY_HAND}
    for name, service in services.items():
        assert service["restart"] == ("no" if name in once else "unless-stopped"), name
        assert ("test" in service["healthcheck"]) == (name not in once), name
        assert service["logging"]["options"]["max-size"], f"the log of {name} would fill the disk"
        assert _seconds(service["stop_grace_period"]) >= 30, name
    waiting = {name for name, service in services.items() if "migrate" in service.get("depends_on", {})}
    assert waiting == {name for name, service in services.items() if "build" in service} - once
    assert all(_seconds(services[name]["stop_grace_period"]) >= 300 for name in services if name.endswith("-worker"))


def _seconds(duration: str) -> int:
    return sum(int(number) * UNITS[unit] for number, unit in SECONDS.findall(duration))


def test_the_queues_are_served_by_default_and_larger_models_are_asked_for_by_their_profiles(services: dict[str, Any]):
    serving = {name: service for name, service in services.items() if service.get("command", [""])[0] == WORKER}
    queues = {name: QUEUES[service["command"][1]] for name, service in serving.items()}
    by_default = {name for name in serving if "profiles" not in serving[name]}
    assert {queues[name] for name in by_default} == {"docpipe.prepare", "docpipe.understand"}
    larger = {name: (*serving[name]["profiles"], queues[name]) for name in set(serving) - by_default}
    assert larger == {name: (name.removesuffix("-worker"), "docpipe.understand") for name in larger}
    assert set(larger) == {"gpu-worker", "hosted-worker"}
    (device,) = serving["gpu-worker"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["capabilities"], device["device_ids"]) == (["gpu"], ["0"])
    assert serving["gpu-worker"]["build"]["target"] == "gpu"
    assert Dockerfile.read().environment("gpu")["NVIDIA_VISIBLE_DEVICES"]


def test_how_much_works_at_once_is_a_variable():
    children_of = {"PREPARE_CHILDREN": "7", "UNDERSTAND_CHILDREN": "5", "GPU_CHILDREN": "3", "HOSTED_CHILDREN": "9"}
    services = read(FILE, {**PASSWORDS, **children_of})["services"]
    children = [service["command"] for service in services.values() if "--concurrency" in service.get("command", [])]
    assert sorted(command[command.index("--concurrency") + 1] for command in children) == ["3", "5", "7", "9"]


def test_servers_and_clients_agree_on_names_and_passwords(services: dict[str, Any], own_services: dict[str, Any]):
    own_services = {name: service for name, service in own_services.items() if name != BY_HAND}
    database = services["postgres"]["environment"]
    database_urls = {f"postgresql://{database['POSTGRES_USER']}:{PASSWORDS['POSTGRES_PASSWORD']}@postgres:5432/docpipe"}
    assert {service["environment"]["DOCPIPE_DATABASE_URL"] for service in own_services.values()} == database_urls
    assert database["POSTGRES_PASSWORD"] == PASSWORDS["POSTGRES_PASSWORD"] and database["POSTGRES_DB"] == "docpipe"
    brokers = {service["environment"]["DOCPIPE_BROKER_URL"] for service in own_services.values()}
    assert brokers == {f"redis://:{PASSWORDS['REDIS_PASSWORD']}@redis:6379/0"}
    assert PASSWORDS["REDIS_PASSWORD"] in services["redis"]["command"]
    for name, service in own_services.items():
        places = [volume.partition(":")[2] for volume in service["volumes"]]
        assert service["environment"]["DOCPIPE_BLOB_URL"] in places, name
        load_settings({key: str(value) for key, value in service["environment"].items() if key.startswith(PREFIX)})


def test_the_example_of_the_settings_names_what_there_is():
    example = (ROOT / "deploy/env.example").read_text("utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    assert {name for name in named if name.startswith(PREFIX)} <= known
    asked = names_in(FILE.read_text("utf-8"))
    assert set(PASSWORDS) <= named & asked
    others = {name for name in named if not name.startswith((PREFIX, "AWS_", "OTEL_", "COMPOSE_"))}
    assert others <= asked, "the example has what the file does not read"
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").splitlines()


def test_what_can_be_laid_over_the_file_fits_it(services: dict[str, Any]):
    override = yaml.safe_load((ROOT / "deploy/outside.yml").read_text("utf-8"))["services"]
    assert set(override) <= set(services)
    assert {network for service in override.values() for network in service["networks"]} <= set(
        read(FILE, PASSWORDS)["networks"]
    )


def test_the_alerts_name_metrics_that_there_are(redis_url: str, tmp_path: Path):
    groups = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text("utf-8"))["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    with service_in(tmp_path, broker_url=redis_url) as service:
        text = generate_latest(registry(service)).decode()
    there = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    named = {name for rule in rules for name in re.findall(r"\bdocpipe_\w+", rule["expr"])}
    assert {"docpipe_queue_depth", "docpipe_keeper_up", "docpipe_jobs", "docpipe_messages"} <= named <= there
    labels = {label for rule in rules for label in re.findall(r'\b\w+=~?"[^"]*"', rule["expr"])}
    states = {state for label in labels if label.startswith("state") for state in re.findall(r"[a-z_]+", label)[1:]}
    assert states <= set(re.findall(r'state="(\w+)"', text))


def test_versions_are_pinned(services: dict[str, Any]):
    """Servers to a line whose later versions are repairs, Python's packages to one version each."""
    dockerfile = Dockerfile.read()
    images = {parent for parent in dockerfile.parents.values() if parent not in dockerfile.parents}
    images |= {service["image"] for service in services.values() if "build" not in service}
    assert images and all(re.fullmatch(r"[\w/]+:\d+(\.\d+)*-[\w-]+", image) for image in images), images
    installing = [stage for stage in dockerfile.stages if any("pip" in rest and "install" in rest and word == "RUN"
                  for word, rest in dockerfile.stages[stage])]  # fmt: skip
    assert installing
    for stage in {*installing, "wheel"} - {"service"}:
        constraints = dockerfile.environment(stage)["PIP_CONSTRAINT"]
        copied = " ".join(rest for word, rest in dockerfile.line_of(stage) if word == "COPY")
        assert Path(constraints).name in copied, stage


def test_what_the_image_copies_is_there_and_is_let_through():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert "*" in ignored
    copies = [rest.split() for words in Dockerfile.read().stages.values() for word, rest in words if word == "COPY"]
    sources = {source for words in copies if not words[0].startswith("--from") for source in words[:-1]}
    assert sources >= {"pyproject.toml", "constraints.txt", "docpipe", f"workers/{WORKER}"}
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert [source for source in sources if f"!{source}" not in ignored] == []
    stages = {words[0].partition("=")[2] for words in copies if words[0].startswith("--from")}
    assert stages <= set(Dockerfile.read().stages)


def test_the_image_has_what_the_service_needs_and_nothing_to_build_with():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    dockerfile = Dockerfile.read()
    asked = {stage: {extra for _, rest in dockerfile.line_of(stage) for extras in re.findall(r"\.\[([\w,]+)\]", rest)
             for extra in extras.split(",")} for stage in dockerfile.stages}  # fmt: skip
    assert asked["installed"] == {"postgres", "serve", "s3", "traces", "hosted"}
    assert asked["installed-gpu"] - asked["installed"] == {"gpu"}
    assert set().union(*asked.values()) <= set(project)
    for target in ("cpu", "gpu"):
        instructions = dockerfile.line_of(target)
        assert any("pip uninstall" in rest for word, rest in instructions if word == "RUN"), target
        assert int(dockerfile.user(target).partition(":")[0]) > 0
        assert {"HEALTHCHECK", "CMD"} <= {word for word, _ in instructions}
    assert list(dockerfile.stages)[-1] == "cpu", "`docker build .` makes the small one"


def test_the_image_starts_as_the_file_starts_it(own_services: dict[str, Any]):
    """`docker run docpipe:cpu` is the API."""
    (command,) = [rest for word, rest in Dockerfile.read().line_of("cpu") if word == "CMD"]
    assert strings(command) == own_services["api"]["command"]
