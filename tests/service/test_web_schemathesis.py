"""What the OpenAPI document promises, tried with generated requests by Schemathesis: valid ones and broken ones. No
answer may be a failure of ours, and each must have a status, a type and a shape that the document names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from hypothesis.internal.cache import LRUCache
from hypothesis.internal.conjecture import providers
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.service.servers import START_SECONDS
from docpipe.store.jobs.api_keys import ApiKeyStore
from docpipe.web.api import event_stream
from tests.support.serving import pdf, submit_pdf, task_runner
from tests.support.web import on_a_port

EXAMPLES = 15  # of each operation
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str], list[str]]]:
    """Where it is, headers with an admin's key, and ids of documents: one done, one failed, one that waits."""
    folder = tmp_path_factory.mktemp("tried")
    with pytest.MonkeyPatch.context() as patched, on_a_port(folder, max_bytes=300 * 1024) as (service, port):
        patched.setattr(event_stream, "MAX_STREAM_SECONDS", 0.2)
        patched.setattr(event_stream, "POLL_SECONDS", 0.02)
        _forget_local_constants(patched)
        service.queue.send = lambda *_: None  # type: ignore[method-assign]
        _, secret = ApiKeyStore(service.database).create("tried", ["admin"], per_minute=1_000_000)
        ids = [submit_pdf(service, content).id for content in (pdf(), b"%PDF-1.7\n", pdf("waits"))]
        with task_runner(service) as runner:
            for number in ids[:2]:
                runner.prepare(number)
                runner.understand(number)
        yield f"http://127.0.0.1:{port}", {"authorization": f"Bearer {secret}"}, ids


def _forget_local_constants(patched: pytest.MonkeyPatch) -> None:
    """Hypothesis mixes in constants from all modules of ours that happen to be imported: whole, in parts and in another
    order the suite would try other requests."""
    patched.setattr(providers, "_get_local_constants", providers.Constants)
    patched.setattr(providers, "CONSTANTS_CACHE", LRUCache(1024))


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_generated_requests_get_the_answers_that_are_promised(
    served: tuple[str, dict[str, str], list[str]], mode: GenerationMode
):
    url, headers, ids = served
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    call = {"base_url": url, "headers": headers, "checks": CHECKS, "timeout": START_SECONDS}
    tried = []
    operations = [found.ok() for found in schema.get_all_operations()]
    for operation in sorted(operations, key=lambda operation: operation.label.endswith("/retry")):
        try:
            cases = operation.as_strategy(generation_mode=mode)
            _try(cases, lambda case: case.call_and_validate(**call), ids)
        except hypothesis.errors.Unsatisfiable:
            continue  # nothing about it can be wrong
        tried.append(operation.label)
    assert len(tried) >= 8, tried


def _try(cases: Any, call: Any, ids: list[str]) -> None:
    quick = hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @quick
    @hypothesis.given(case=cases, number=hypothesis.strategies.integers(0, len(ids)))
    def run(case: Any, number: int) -> None:
        if number < len(ids) and case.operation.method != "delete":
            known = {"id": ids[number], "name": "receipt", "number": number + 1}
            case.path_parameters |= {name: known[name] for name in case.path_parameters}
        if case.query and "wait" in case.query and isinstance(case.query["wait"], int | float):
            case.query["wait"] = min(case.query["wait"], 0.1)
        call(case)

    run()
