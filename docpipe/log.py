"""The log of the service: one line an event, with the job and the document on every line that is about one.

In: standard logging, and `log_context(...)` around work. Out: lines on standard error, as text or as JSON.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Literal

_context: ContextVar[Mapping[str, Any]] = ContextVar("log_context", default=MappingProxyType({}))
VERBOSE_LOGGERS = (
    *("celery.worker.strategy", "celery.app.trace", "multiprocessing", "kombu", "amqp"),
    *("alembic", "botocore", "s3fs", "urllib3"),
    *("httpx2", "httpcore2", "openai", "anthropic", "google_genai"),
)
"""They log for each message what our own line says with the document, so only their warnings are kept. At the level
of a debugger the clients of hosted models write down whole pages."""


@contextmanager
def log_context(**fields: Any) -> Iterator[None]:
    """Every line that is logged inside, in this thread or task, has these fields: `job`, `document`, …"""
    token = _context.set({**_context.get(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def configure_logging(style: Literal["text", "json"], level: int = logging.INFO) -> None:
    """The whole process's log goes to standard error. Once for each process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in VERBOSE_LOGGERS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", "job", "document", …, "error"}`; times in UTC. A call adds fields of its
    own with `extra={"context": {…}}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_context.get(),
            **getattr(record, "context", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """For a person: the time, the message, then the fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {**_context.get(), **getattr(record, "context", {})}
        field_text = " ".join(f"{name}={_shortened(value)}" for name, value in fields.items())
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {record.getMessage()}"
        line += f"  [{field_text}]" if field_text else ""
        # an event is a line, whatever a stranger's file name or another program's error has in it
        line = "".join(character if character.isprintable() else " " for character in line)
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


def _shortened(value: Any) -> str:
    """The id of a document has 64 digits, and twelve tell it from others. A job's stays whole: commands ask for it."""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text
