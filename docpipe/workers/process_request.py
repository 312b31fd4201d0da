"""What another program asks for in a `docpipe.process` message (docs/integration.md).

In: a task's id and its arguments, from a stranger: anything that JSON has. Out: a `ProcessRequest`, which says what is
wrong with it and where its answer goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from docpipe.errors import DocpipeError, UsageError
from docpipe.result import failed_record
from docpipe.service.job_actions import task_reply
from docpipe.store.jobs.job import BULK, INTERACTIVE

ARGUMENTS = ("reference", "schema", "callback", "priority")
PRIORITIES: Mapping[str, int] = {"bulk": BULK, "interactive": INTERACTIVE}
MAX_REFERENCE_LENGTH = 4096  # characters: a path has no more on Linux
DEFAULT_QUEUE = "celery"  # to which Celery's workers listen when nobody says otherwise
HINT = "docs/integration.md says what docpipe.process takes."


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """The arguments as they came, unchecked. `fault` is what is wrong with them as a whole."""

    task_id: str
    reference: Any = None
    schema: Any = "invoice"
    callback: Any = None
    priority: Any = "bulk"
    fault: str = ""

    @classmethod
    def from_message(cls, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> ProcessRequest:
        """What is null counts as not given."""
        by_name = dict(zip(ARGUMENTS, args, strict=False))
        repeated, unknown = sorted(by_name.keys() & kwargs.keys()), sorted(kwargs.keys() - set(ARGUMENTS))
        fault = ""
        if len(args) > len(ARGUMENTS):
            fault = f"docpipe.process takes {len(ARGUMENTS)} arguments, not {len(args)}"
        elif repeated:
            fault = f"{', '.join(repeated)} is given twice"
        elif unknown:
            fault = f"there is no argument {', '.join(unknown)}"
        by_name |= kwargs
        return cls(task_id, fault=fault, **{name: by_name[name] for name in ARGUMENTS if by_name.get(name) is not None})

    def check(self) -> None:
        """Raises UsageError."""
        fault = self.fault
        if not fault and not (isinstance(self.reference, str) and 0 < len(self.reference) <= MAX_REFERENCE_LENGTH):
            fault = f"the reference is no path or s3:// URL: {_shortened(self.reference)}"
        elif not fault and not isinstance(self.schema, str):
            fault = f"the schema is no name: {_shortened(self.schema)}"
        elif not fault and not _is_callback(self.callback):
            fault = f'the callback is not {{"task": name, "queue": name}}: {_shortened(self.callback)}'
        elif not fault and (not isinstance(self.priority, str) or self.priority not in PRIORITIES):
            fault = f"the priority is not {' or '.join(PRIORITIES)}: {_shortened(self.priority)}"
        if fault:
            raise UsageError(fault, hint=HINT)

    @property
    def idempotency_key(self) -> str:
        """A message that comes twice is the same request."""
        return f"task {self.task_id}"

    @property
    def callback_target(self) -> Mapping[str, str]:
        """The callback of the job. One that makes no sense is left out, so that its sender gets to know why."""
        if self.callback is None or not _is_callback(self.callback):
            return {"answer": self.task_id}
        queue = self.callback.get("queue") or DEFAULT_QUEUE
        return {"answer": self.task_id, "task": self.callback["task"], "queue": queue}

    def refusal(self, error: DocpipeError) -> dict[str, Any]:
        """The answer where nothing was taken in."""
        name = self.reference.rpartition("/")[2] if isinstance(self.reference, str) else ""
        schema = self.schema if isinstance(self.schema, str) else ""
        return task_reply(failed_record(name, schema, error), self.task_id)


def _is_callback(value: Any) -> bool:
    if value is None:
        return True
    if not isinstance(value, Mapping) or not value.get("task") or value.keys() - {"task", "queue"}:
        return False
    return all(isinstance(name, str) for name in value.values() if name is not None)


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}…"
