"""Texts for people that several commands need: sentences, counts, times, and the note beside a file that failed.

In: messages, errors, numbers. Out: plain text.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from docpipe.errors import DocpipeError

ID_DIGITS = 12
"""Hex digits of a document's or a job's id as they are printed: unique among millions."""

START_WORKER = "celery -A docpipe.workers.app worker"
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))
_PASSWORD = re.compile(r"(://[^:/@]*:).*(@)")  # of a URL: redis://user:password@host


def sentence(text: str) -> str:
    """A message with its full stop."""
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def explained(message: str, hint: str) -> str:
    """`The broker cannot be reached. Start it.`"""
    return " ".join(filter(None, (sentence(message), hint)))


UNFINISHED_HINT = (
    "If a scanner or a copy was still busy with it, `docpipe watch --wait SECONDS` waits longer."
    " Put back the whole file."
)


def counted(number: int, noun: str) -> str:
    """`1 page`, `2 pages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def duration(span: timedelta) -> str:
    """`14 s`, `3 min`, `2 h`."""
    seconds = max(0.0, span.total_seconds())
    for length, unit in UNITS:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def without_password(text: str) -> str:
    """A setting as it may be printed: a URL keeps the user and loses the password."""
    return _PASSWORD.sub(r"\1***\2", text)


def printable_url(database_url: str) -> str:
    """A database's URL as users write it, without the password."""
    from docpipe.store.connect import parse_url  # heavy: SQLAlchemy

    url = parse_url(database_url)
    return url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)


def failure_note(
    error: DocpipeError, *, document: str | None = None, job: str | None = None, unfinished: str = ""
) -> str:
    """For whoever finds a file in the folder of failures: what is wrong, and what to do. `unfinished`: what its end
    lacked when it was taken after a while."""
    lines = [sentence(error.message[:1].upper() + error.message[1:])]
    if unfinished:
        lines += [f"It was taken without its end ({unfinished}), as it had not changed for a while.", UNFINISHED_HINT]
    if error.hint:
        lines += ["What to do: " + error.hint]
    lines += ["Then put the file back into the watched folder: it is tried again.", ""]
    details = {"time": f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}", "code": error.code}
    details |= {"document": document or "", "job": job or ""}
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in details.items() if value)])
