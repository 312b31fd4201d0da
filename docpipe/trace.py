"""Traces across the queue (OpenTelemetry), with the extra `traces` and OTEL_EXPORTER_OTLP_ENDPOINT set.

In: names of stages, and the submission's traceparent from SQL, where it survives a broker that forgets. Out: spans;
none without an endpoint.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from docpipe.errors import install_hint

log = logging.getLogger("docpipe.trace")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_MILLISECONDS = 5_000


@contextmanager
def span(name: str, parent: str | None = None, **attributes: Any) -> Iterator[None]:
    """What is done inside, as a span; `parent` is a W3C traceparent."""
    tracer = _tracer()
    if tracer is None:
        yield
        return
    from opentelemetry.propagate import extract  # heavy: only who traces

    context = extract({"traceparent": parent}) if parent else None
    named = {f"docpipe.{name}": value for name, value in attributes.items() if value is not None}
    with tracer.start_as_current_span(name, context=context, attributes=named):
        yield


def traceparent() -> str | None:
    """Of the span that we are in, to go on from elsewhere."""
    if _tracer() is None:
        return None
    from opentelemetry.propagate import inject  # heavy: only who traces

    carrier: dict[str, str] = {}
    inject(carrier)
    return carrier.get("traceparent")


def flush_spans() -> None:
    """Send what has ended now: a worker's child exits without the hooks of the interpreter that would send it."""
    if _provider.cache_info().currsize and _provider() is not None:
        _provider().force_flush(FLUSH_MILLISECONDS)


def _tracer() -> Any:
    provider = _provider()
    return None if provider is None else provider.get_tracer("docpipe")


@cache
def _provider() -> Any:
    """One a process, made when it is first asked for: in a worker that is its child, as no thread survives a fork."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # heavy: only who traces
        from opentelemetry.sdk.resources import Resource  # heavy: as above
        from opentelemetry.sdk.trace import TracerProvider  # heavy: as above
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # heavy: as above
    except ImportError as error:
        log.warning("no traces: %s. %s", error, install_hint("traces"))
        return None
    resource = Resource.create({"service.name": os.environ.get("OTEL_SERVICE_NAME", "docpipe")})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider
