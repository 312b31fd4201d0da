"""What another program asks for in a `docpipe.process` message (docs/integration.md).

In: a task's id and its arguments, from a stranger: anything that JSON has. Out: an `Order` that says what is wrong with
it, and where its answer goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docpipe.errors import DocpipeError, UsageError
from docpipe.result import failed_record
from docpipe.service.submit import task_reply
from docpipe.store.jobs.job_store import BULK, INTERACTIVE

ARGUMENTS = ("reference", "schema", "callback", "priority")
PRIORITIES: Mapping[str, int] = {"bulk": BULK, "interactive": INTERACTIVE}
MAX_REFERENCE_LENGTH = 4096  # characters: a path has no more on Linux
DEFAULT_QUEUE = "celery"  # the queue to which Celery's workers listen when nobody says otherwise
HINT = "docs/integration.md says what docpipe.process takes."


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """`fault` is what is wrong with the arguments as a whole."""

    task_id: str
    reference: Any = None
    schema: Any = "invoice"
    callback: Any = None
    priority: Any = "bulk"
    fault: str = ""

    @classmethod
    def from_message(cls, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ProcessRequest:
        """What is null counts as not given."""
        arguments = dict(zip(ARGUMENTS, args, strict=False))
        repeated, unknown = sorted(arguments.keys() & kwargs.keys()), sorted(kwargs.keys() - set(ARGUMENTS))
        fault = ""
        if len(args) > len(ARGUMENTS):
            fault = f"docpipe.process takes {len(ARGUMENTS)} arguments, not {len(args)}"
        elif repeated or unknown:
            fault = (
                f"{', '.join(repeated)} is given twice" if repeated else f"there is no argument {', '.join(unknown)}"
            )
        given = {
            name: value for name, value in (arguments | dict(kwargs)).items() if name in ARGUMENTS and value is not None
        }
        return cls(task_id, fault=fault, **given)

    def check(self) -> None:
        """Raises UsageError."""
        fault = self.fault
        if not fault and not (isinstance(self.reference, str) and 0 < len(self.reference) <= MAX_REFERENCE_LENGTH):
            fault = f"the reference is no path or s3:// URL: {_short(self.reference)}"
        elif not fault and not isinstance(self.schema, str):
            fault = f"the schema is no name: {_short(self.schema)}"
        elif not fault and not _is_callback(self.callback):
            fault = f'the callback is not {{"task": name, "queue": name}}: {_short(self.callback)}'
        elif not fault and (not isinstance(self.priority, str) or self.priority not in PRIORITIES):
            fault = f"the priority is not {' or '.join(PRIORITIES)}: {_short(self.priority)}"
        if fault:
            raise UsageError(fault, hint=HINT)

    @property
    def idempotency_key(self) -> str:
        """A message that comes twice is the same order."""
        return f"task {self.task_id}"

    @property
    def callback_target(self) -> Mapping[str, str]:
        """As a job's callback; one that makes no sense is passed over, so that its sender gets to know why."""
        if self.callback is None or not _is_callback(self.callback):
            return {"answer": self.task_id}
        return {
            "answer": self.task_id,
            "task": self.callback["task"],
            "queue": self.callback.get("queue") or DEFAULT_QUEUE,
        }

    def refusal(self, error: DocpipeError) -> dict[str, Any]:
        """The answer where nothing was taken in."""
        name = self.reference.rpartition("/")[2] if isinstance(self.reference, str) else ""
        return task_reply(failed_record(name, self.schema if isinstance(self.schema, str) else "", error), self.task_id)


def _is_callback(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, Mapping) or not value.get("task") or value.keys() - {"task", "queue"}:
        return False
    return all(isinstance(name, str) for name in value.values() if name is not None)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
