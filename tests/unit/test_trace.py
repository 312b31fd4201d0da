"""Traces: one document is one trace, from its submission through every worker, whatever the broker forgets."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from benchmarks.service.servers import START_SECONDS, environment, running, wait_until, worker
from docpipe import trace
from docpipe.service.maintenance import Maintenance
from docpipe.store.jobs import job_sweeper
from docpipe.store.jobs.job_sweeper import JobSweeper
from tests.support.serving import column_of, service_in, set_columns, submit_pdf

PROGRAM = """
import io, sys
from docpipe.config import load_settings
from docpipe.service.service import Service
from docpipe.service.submit import SubmitOptions, submit_document
service = Service.of(load_settings())
submit_document(service, io.BytesIO(b"%PDF-1.7"), "a.pdf", SubmitOptions(), enqueue=False)
service.close()
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


@dataclass
class Collector:
    """What an OpenTelemetry collector does, as far as docpipe needs one: takes spans over HTTP."""

    url: str
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def named(self, name: str) -> list[Any]:
        return [span for span in self.spans if span.name == name]

    def take(self, body: bytes) -> None:
        for group in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {item.key: item.value.string_value for item in group.resource.attributes}
            self.services.add(attributes["service.name"])
            self.spans += [span for scope in group.scope_spans for span in scope.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield collector
        server.shutdown()
        thread.join()


@pytest.fixture
def traced(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """The spans of this process go to the collector, too."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "the-tests")
    trace._provider.cache_clear()
    yield collector
    trace._provider().shutdown()
    trace._provider.cache_clear()


def test_a_submission_and_its_workers_share_one_trace(traced: Collector, redis_url: str, tmp_path: Path):
    """Also when the broker has forgotten the message, and maintenance sends it again. The worker's last spans go out
    when it is stopped."""
    with service_in(tmp_path, broker_url=redis_url) as service:
        first, second = submit_pdf(service, name="first.pdf"), submit_pdf(service, name="second.pdf")
        service.queue._app.control.purge()
        for job in (first, second):
            set_columns(service.database, job, sent=None)
        chosen = service.settings.model_dump(include={"database_url", "blob_url", "broker_url", "model"})
        settings = environment(**chosen) | {"OTEL_SERVICE_NAME": "the-worker"}
        process = worker(settings, tmp_path / "worker.log", "--without-gossip", "--without-mingle")
        with running(process):
            Maintenance(service).sweep()
            jobs = service.jobs
            wait_until(lambda: {jobs.get(job.id).state for job in (first, second)} == {"done"}, "both are done")
            assert process.stop(START_SECONDS) == 0
    trace.flush_spans()

    assert traced.services == {"the-tests", "the-worker"}
    assert {span.name for span in traced.spans} >= {"submit", "prepare", "understand"}
    for job in (first, second):
        spans = {span.name: span for span in traced.spans if _job(span) == job.id}
        assert {span.trace_id for span in spans.values()} == {spans["submit"].trace_id}
        assert {spans[name].parent_span_id for name in ("prepare", "understand")} == {spans["submit"].span_id}
    assert len({span.trace_id for span in traced.named("submit")}) == 2


def _job(span: Any) -> str:
    return next((item.value.string_value for item in span.attributes if item.key == "docpipe.job"), "")


def test_what_is_sent_again_keeps_the_trace_that_it_came_with(
    traced: Collector, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is in SQL, not in the message."""
    monkeypatch.setattr(job_sweeper, "LOST_AFTER", timedelta(days=1))  # no message counts as lost for its age
    with service_in(tmp_path, broker_url=redis_url) as service:
        job = submit_pdf(service)
        parent = column_of(service.database, job, "trace")
        (again,) = JobSweeper(service.database).take_unsent("prepare", queue_is_empty=True, limit=9) or [None]
        assert again is None, "it was sent only just now"
        set_columns(service.database, job, sent=None)
        (again,) = JobSweeper(service.database).take_unsent("prepare", queue_is_empty=True, limit=9)
    with trace.span("prepare", again.trace):
        inside = trace.traceparent()
    assert inside.split("-")[1] == parent.split("-")[1]
    assert inside != parent


def test_without_an_endpoint_nothing_is_loaded_and_nothing_noted(tmp_path: Path):
    settings = environment(database_url=f"sqlite:///{tmp_path / 'a.db'}", blob_url=tmp_path / "blobs")
    done = _run(PROGRAM, {name: value for name, value in settings.items() if not name.startswith("OTEL_")})
    assert done.returncode == 0, done.stderr
    assert {"docpipe", "sqlalchemy"} <= set(done.stdout.split())
    assert "opentelemetry" not in done.stdout.split()


def test_without_the_extra_documents_go_on_and_the_log_says_what_is_missing(tmp_path: Path):
    settings = environment(database_url=f"sqlite:///{tmp_path / 'a.db'}", blob_url=tmp_path / "blobs")
    done = _run(
        "import sys; sys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n" + PROGRAM,
        {**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"},
    )
    assert done.returncode == 0, done.stderr
    assert "pip install '.[traces]'" in done.stderr


def test_a_collector_that_is_away_stops_no_document(tmp_path: Path):
    settings = environment(database_url=f"sqlite:///{tmp_path / 'a.db'}", blob_url=tmp_path / "blobs")
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    done = _run(PROGRAM, settings | endpoint)
    assert done.returncode == 0, done.stderr


def _run(program: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        env=settings, capture_output=True, text=True, check=False, timeout=START_SECONDS,
    )  # fmt: skip
