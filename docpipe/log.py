"""The log of the service: one line an event, with the job and the document on every line that is about one.

In: standard logging, and `about(...)` around work. Out: lines on standard error, as text or as JSON.
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

_subject: ContextVar[Mapping[str, Any]] = ContextVar("subject", default=MappingProxyType({}))
CHATTY = (
    *("celery.worker.strategy", "celery.app.trace", "multiprocessing", "kombu", "amqp"),
    *("alembic", "botocore", "s3fs", "urllib3"),
    *("httpx2", "httpcore2", "openai", "anthropic", "google_genai"),
)
"""They say per message what our own line says with the document; from a warning on they are heard. At the
level of a debugger the clients of hosted models write down whole pages."""


@contextmanager
def about(**facts: Any) -> Iterator[None]:
    """Every line that is written inside, in this thread or task, has these facts."""
    token = _subject.set({**_subject.get(), **facts})
    try:
        yield
    finally:
        _subject.reset(token)


def write_log(style: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Send the whole process's log to standard error. Once for each process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if style == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(True)
    for name in CHATTY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class JsonLines(logging.Formatter):
    """`{"time", "level", "logger", "message", "job", "document", …, "error"}`; times in UTC."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_subject.get(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class TextLines(logging.Formatter):
    """For a person: the time, the message, then the facts."""

    def format(self, record: logging.LogRecord) -> str:
        facts = {**_subject.get(), **getattr(record, "facts", {})}
        said = " ".join(f"{name}={_short(value)}" for name, value in facts.items())
        time = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        line = f"{time} {record.levelname.lower():7} {record.getMessage()}" + (f"  [{said}]" if said else "")
        # an event is a line, whatever a stranger's file name or another program's error has in it
        line = "".join(letter if letter.isprintable() else " " for letter in line)
        return line + (f"\n{self.formatException(record.exc_info)}" if record.exc_info else "")


def _short(value: Any) -> str:
    """The id of a document has 64 digits, and twelve tell it from others. A job's stays whole: commands ask for it."""
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text[:12] if len(text) == 64 and text.isalnum() else text
