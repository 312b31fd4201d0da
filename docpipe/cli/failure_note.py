"""The text beside a file that failed, for whoever finds it there. In: an error. Out: what is wrong and what to do."""

from __future__ import annotations

from datetime import datetime

from docpipe.errors import DocpipeError


def reason_of(error: DocpipeError, *, document: str | None = None, job: str | None = None) -> str:
    message = error.message[:1].upper() + error.message[1:]
    lines = [message if message.endswith((".", "!", "?")) else f"{message}."]
    if error.hint:
        lines += ["What to do: " + error.hint]
    lines += ["Then put the file back into the watched folder: it is tried again.", ""]
    facts = {"time": f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z}", "code": error.code}
    facts |= {"document": document or "", "job": job or ""}
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in facts.items() if value)])
