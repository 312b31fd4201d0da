"""Worker processes that are expected to die: one document is lost with one, and another takes its place.

In: a setup that each worker runs once, and tasks. Out: each task's messages, as they come; the last one of a task
is `Finished` or `Failed`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from docpipe.batch import worker_process
from docpipe.batch.messages import Failed, Finished, Message, Opened, Ready, Task, Unfit, WorkerSetup
from docpipe.capacity import Deadlines
from docpipe.errors import CorruptError, DocpipeError, ModelError, TooLargeError

FAREWELL_SECONDS = 1.0
"""Between cutting a worker's lifeline and killing it: its watcher needs milliseconds, unless C code holds the GIL."""
NEVER = float("inf")
Wanted = Callable[[Task, Opened], bool]


@dataclass(slots=True)
class _Worker:
    process: SpawnProcess
    tasks: Connection
    lifeline: Connection
    diary: Path
    deadline: float
    allowance: float
    ready: bool = False
    task: Task | None = None


@dataclass
class Pool:
    """At most `size` workers. Workers start when there is work; `with` ends them all, at once and whatever they do."""

    setup: WorkerSetup
    size: int
    deadlines: Deadlines = field(default_factory=Deadlines)

    def __post_init__(self) -> None:
        self._workers: list[_Worker] = []
        self._folder = tempfile.TemporaryDirectory(prefix="docpipe-")
        self._started = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        _end(self._workers)
        self._workers.clear()
        self._folder.cleanup()

    def begin(self) -> str:
        """Start the first worker and return the name of its extractor. Raises what keeps it from working."""
        self._start()
        worker = self._workers[0]
        self._speaking()
        for message in _heard(worker):
            return self._greet(worker, message)
        raise _could_not_start(worker)

    def process(
        self, tasks: Iterable[Task], wanted: Wanted, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[Task, Message]]:
        """Hand out the tasks in order; yield what the workers say about them. `wanted` is asked of each file that
        was opened whether to go on with it. After `stop` what is in work is ended, and nothing is begun."""
        pending = deque(tasks)
        while pending or any(worker.task for worker in self._workers):
            if stop():
                pending.clear()
                if not any(worker.task for worker in self._workers):
                    return
            self._hand_out(pending)
            for worker in self._speaking():
                yield from self._listen(worker, wanted)
            yield from self._overdue()

    def _hand_out(self, pending: deque[Task]) -> None:
        idle = sum(worker.task is None for worker in self._workers)
        for _ in range(min(self.size - len(self._workers), len(pending) - idle)):
            self._start()
        for worker in self._workers:
            if pending and worker.ready and worker.task is None:
                with contextlib.suppress(OSError):  # it has just died: `_listen` will find that out
                    worker.tasks.send(pending[0])
                    worker.task = pending.popleft()
                    worker.allowance = self.deadlines.for_document()
                    worker.deadline = time.monotonic() + worker.allowance

    def _speaking(self) -> list[_Worker]:
        """Wait for the next word, death or deadline."""
        soonest = min((worker.deadline for worker in self._workers), default=NEVER)
        timeout = None if soonest == NEVER else max(0.0, soonest - time.monotonic())
        ears: list[Connection | int] = [worker.tasks for worker in self._workers]
        heard = wait(ears + [worker.process.sentinel for worker in self._workers], timeout)
        return [worker for worker in self._workers if worker.tasks in heard or worker.process.sentinel in heard]

    def _listen(self, worker: _Worker, wanted: Wanted) -> Iterator[tuple[Task, Message]]:
        for message in _heard(worker):
            if isinstance(message, Ready | Unfit):
                self._greet(worker, message)
                continue
            task = worker.task
            assert task is not None  # noqa: S101 - workers speak about the task they were given
            if isinstance(message, Opened):
                worker.allowance = self.deadlines.for_document(message.document.page_count)
                worker.deadline = time.monotonic() + worker.allowance
                with contextlib.suppress(OSError):  # it has just died: that is its outcome
                    worker.tasks.send(wanted(task, message))
            elif isinstance(message, Finished | Failed):
                worker.task, worker.deadline = None, NEVER
            yield task, message
        if worker.process.exitcode is not None:
            yield from self._bury(worker, _death(worker))

    def _overdue(self) -> Iterator[tuple[Task, Message]]:
        for worker in [worker for worker in self._workers if worker.deadline <= time.monotonic()]:
            yield from self._bury(worker, _too_slow(worker))

    def _bury(self, worker: _Worker, cause: DocpipeError) -> Iterator[tuple[Task, Message]]:
        """The worker's document has failed, the worker is gone; `_hand_out` starts another while there is work."""
        _end([worker])
        self._workers.remove(worker)
        if not worker.ready:
            raise _could_not_start(worker)
        if worker.task is not None:
            yield worker.task, Failed(cause)

    def _greet(self, worker: _Worker, message: Ready | Unfit | Message) -> str:
        if isinstance(message, Unfit):
            raise message.error
        assert isinstance(message, Ready)  # noqa: S101 - the first word of a worker
        worker.ready, worker.deadline = True, NEVER
        return message.extractor

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks and threads in any state
        ours, theirs = context.Pipe()
        end, lifeline = context.Pipe(duplex=False)
        self._started += 1
        diary = Path(self._folder.name) / f"worker-{self._started}.txt"
        process = context.Process(target=worker_process.main, args=(self.setup, theirs, end, diary))
        with _without_interrupt():
            process.start()
        theirs.close()
        end.close()
        start_seconds = self.deadlines.start_seconds
        deadline = time.monotonic() + start_seconds
        self._workers.append(_Worker(process, ours, lifeline, diary, deadline, start_seconds))


def _heard(worker: _Worker) -> Iterator[Ready | Unfit | Message]:
    """All that lies in the pipe, without waiting; a dead worker's pipe ends."""
    try:
        while worker.tasks.poll():
            yield worker.tasks.recv()
    except (EOFError, OSError):
        worker.process.join(FAREWELL_SECONDS)


def _end(workers: list[_Worker]) -> None:
    """Cut the lifelines, give the watchers a moment, kill what is left with all that it started."""
    for worker in workers:
        worker.lifeline.close()
    last = time.monotonic() + FAREWELL_SECONDS
    for worker in workers:
        wait([worker.process.sentinel], max(0.0, last - time.monotonic()))
        if hasattr(os, "killpg") and worker.process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty already
                os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.kill()
        worker.process.join()
        worker.tasks.close()


def _death(worker: _Worker) -> DocpipeError:
    code = worker.process.exitcode or 0
    if code == -signal.SIGKILL:
        return TooLargeError("The process working on this document was killed, most often for want of memory.")
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return CorruptError(f"The process working on this document crashed ({name}). {_last_words(worker)}".strip())


def _too_slow(worker: _Worker) -> DocpipeError:
    return TooLargeError(
        f"This document took longer than {worker.allowance:.0f} s.",
        hint="Split the file, or raise DOCPIPE_DOCUMENT_SECONDS or DOCPIPE_PAGE_SECONDS.",
    )


def _could_not_start(worker: _Worker) -> ModelError:
    return ModelError(f"A worker process could not start. {_last_words(worker)}".strip())


def _last_words(worker: _Worker) -> str:
    """The last line that the worker wrote to standard error."""
    lines = worker.diary.read_text(errors="replace").split("\n") if worker.diary.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]


@contextlib.contextmanager
def _without_interrupt() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; one that is being born would die of it with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
