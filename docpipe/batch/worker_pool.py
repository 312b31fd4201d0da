"""Worker processes that are expected to die: one document is lost with one, and another takes its place.

In: a setup that each worker runs once, and tasks. Out: each task's messages, as they come; the last one of a task
is `Finished` or `Failed`.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
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
from docpipe.batch.messages import Failed, FileTask, Finished, Opened, Ready, StartupFailed, TaskMessage, WorkerSetup
from docpipe.batch.parent_process import EXIT_UNGUARDED, unguarded_error
from docpipe.capacity import Deadlines
from docpipe.errors import CorruptError, DocpipeError, ModelError, TooLargeError
from docpipe.kept_work import KeptEntries
from docpipe.temporary import temporary_folder

SHUTDOWN_SECONDS = 1.0
"""Between closing a worker's shutdown pipe and killing it: it ends itself within milliseconds, unless C code holds the
GIL."""
NEVER = float("inf")
ReplyToOpened = Callable[[FileTask, Opened], KeptEntries | None]
"""What is kept of earlier work on the document; None: it is not to be processed."""


@dataclass(slots=True)
class _Worker:
    """`shutdown_pipe` carries nothing: the worker ends when it is closed. `deadline` is in seconds of the pool's
    clock, `seconds_allowed` how long it was set for."""

    process: SpawnProcess
    connection: Connection
    shutdown_pipe: Connection
    log_file: Path
    deadline: float
    seconds_allowed: float
    ready: bool = False
    task: FileTask | None = None


class _Pending:
    """Tasks that nobody has yet: no more of them are taken from the iterable than workers can be given."""

    def __init__(self, tasks: Iterable[FileTask]) -> None:
        self._tasks = iter(tasks)
        self._taken: deque[FileTask] = deque()

    def known(self, most: int) -> int:
        """How many there are, up to `most`."""
        self._taken.extend(itertools.islice(self._tasks, max(0, most - len(self._taken))))
        return len(self._taken)

    def has_next(self) -> bool:
        return self.known(1) > 0

    @property
    def first(self) -> FileTask:
        return self._taken[0]

    def take(self) -> FileTask:
        return self._taken.popleft()

    def clear(self) -> None:
        self._taken.clear()
        self._tasks = iter(())


@dataclass
class WorkerPool:
    """At most `size` workers, started when there is work. `with` ends them all, at once and whatever they do. `clock`
    is the one that deadlines are seconds of."""

    setup: WorkerSetup
    size: int
    deadlines: Deadlines = field(default_factory=Deadlines)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._workers: list[_Worker] = []
        self._aborted = False
        self._stack = contextlib.ExitStack()
        self._log_folder = self._stack.enter_context(temporary_folder())
        self._started_count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _terminate(self._workers)
        self._workers.clear()
        self._stack.close()

    def start(self) -> str:
        """Start the first worker and return the name of its extractor. Raises what keeps it from working."""
        self._start_worker()
        worker = self._workers[0]
        self._workers_with_messages()
        for message in _messages(worker):
            return self._mark_ready(worker, message)
        raise _startup_error(worker)

    def process(
        self, tasks: Iterable[FileTask], reply_to_opened: ReplyToOpened, stop: Callable[[], bool] = lambda: False
    ) -> Iterator[tuple[FileTask, TaskMessage]]:
        """Hand out the tasks in order; yield the workers' messages about them. `reply_to_opened` decides about each
        file that was opened. After `stop` documents in progress are ended, and none is begun."""
        pending = _Pending(tasks)
        while not self._aborted and (pending.has_next() or any(worker.task for worker in self._workers)):
            if stop():
                pending.clear()
                if not any(worker.task for worker in self._workers):
                    return
            self._assign(pending)
            for worker in self._workers_with_messages():
                yield from self._receive(worker, reply_to_opened)
            yield from self._end_overdue()

    def abort(self) -> None:
        """From another thread: end the workers at once. `process` ends then, and no file is begun."""
        self._aborted = True
        for worker in list(self._workers):
            worker.process.kill()

    def _assign(self, pending: _Pending) -> None:
        idle = sum(worker.task is None for worker in self._workers)
        for _ in range(min(self.size - len(self._workers), pending.known(self.size) - idle)):
            self._start_worker()
        for worker in self._workers:
            if pending.has_next() and worker.ready and worker.task is None:
                with contextlib.suppress(OSError):  # it has just died: `_receive` finds that out
                    worker.connection.send(pending.first)
                    worker.task = pending.take()
                    worker.seconds_allowed = self.deadlines.for_document()
                    worker.deadline = self.clock() + worker.seconds_allowed

    def _workers_with_messages(self) -> list[_Worker]:
        """Wait for the next message, death or deadline."""
        next_deadline = min((worker.deadline for worker in self._workers), default=NEVER)
        timeout = None if next_deadline == NEVER else max(0.0, next_deadline - self.clock())
        connections: list[Connection | int] = [worker.connection for worker in self._workers]
        readable = set(wait(connections + [worker.process.sentinel for worker in self._workers], timeout))
        return [worker for worker in self._workers if readable & {worker.connection, worker.process.sentinel}]

    def _receive(self, worker: _Worker, reply_to_opened: ReplyToOpened) -> Iterator[tuple[FileTask, TaskMessage]]:
        for message in _messages(worker):
            if isinstance(message, Ready | StartupFailed):
                self._mark_ready(worker, message)
                continue
            task = worker.task
            assert task is not None  # noqa: S101 - a worker's messages are about its task
            if isinstance(message, Opened):
                worker.seconds_allowed = self.deadlines.for_document(message.document.page_count)
                worker.deadline = self.clock() + worker.seconds_allowed
                reply = reply_to_opened(task, message)
                if task.is_asked:
                    with contextlib.suppress(OSError):  # it has just died: that is its outcome
                        worker.connection.send(reply)
            elif isinstance(message, Finished | Failed):
                worker.task, worker.deadline = None, NEVER
            yield task, message
        if worker.process.exitcode is not None:
            yield from self._remove(worker, _crash_error(worker))

    def _end_overdue(self) -> Iterator[tuple[FileTask, TaskMessage]]:
        for worker in [worker for worker in self._workers if worker.deadline <= self.clock()]:
            yield from self._remove(worker, _timeout_error(worker))

    def _remove(self, worker: _Worker, cause: DocpipeError) -> Iterator[tuple[FileTask, TaskMessage]]:
        """The worker's document has failed, the worker is gone; `_assign` starts another while there is work."""
        _terminate([worker])
        self._workers.remove(worker)
        if not worker.ready:
            raise _startup_error(worker)
        if worker.task is not None:
            yield worker.task, Failed(cause)

    def _mark_ready(self, worker: _Worker, message: Ready | StartupFailed | TaskMessage) -> str:
        if isinstance(message, StartupFailed):
            raise message.error
        assert isinstance(message, Ready)  # noqa: S101 - the first message of a worker
        worker.ready, worker.deadline = True, NEVER
        return message.extractor

    def _start_worker(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks and threads in any state
        connection, workers_end = context.Pipe()
        workers_shutdown_end, shutdown_pipe = context.Pipe(duplex=False)
        self._started_count += 1
        log_file = self._log_folder / f"worker-{self._started_count}.txt"
        arguments = (self.setup, workers_end, workers_shutdown_end, log_file)
        process = context.Process(target=worker_process.main, args=arguments)
        with _interrupt_blocked():
            process.start()
        workers_end.close()
        workers_shutdown_end.close()
        start_seconds = self.deadlines.start_seconds
        deadline = self.clock() + start_seconds
        self._workers.append(_Worker(process, connection, shutdown_pipe, log_file, deadline, start_seconds))


def _messages(worker: _Worker) -> Iterator[Ready | StartupFailed | TaskMessage]:
    """All that lies in the pipe, without waiting; a dead worker's pipe ends."""
    try:
        while worker.connection.poll():
            yield worker.connection.recv()
    except (EOFError, OSError):
        worker.process.join(SHUTDOWN_SECONDS)


def _terminate(workers: list[_Worker]) -> None:
    """Close the shutdown pipes, wait a moment, kill what is left with all that it started."""
    for worker in workers:
        worker.shutdown_pipe.close()
    last = time.monotonic() + SHUTDOWN_SECONDS
    for worker in workers:
        wait([worker.process.sentinel], max(0.0, last - time.monotonic()))
        if hasattr(os, "killpg") and worker.process.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty already
                os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.kill()
        worker.process.join()
        worker.connection.close()


def _crash_error(worker: _Worker) -> DocpipeError:
    code = worker.process.exitcode or 0
    if code == -signal.SIGKILL:
        return TooLargeError("The process working on this document was killed, most often for want of memory.")
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return CorruptError(f"The process working on this document crashed ({name}). {_last_log_line(worker)}".strip())


def _timeout_error(worker: _Worker) -> DocpipeError:
    return TooLargeError(
        f"This document took longer than {worker.seconds_allowed:.0f} s.",
        hint="Split the file, or raise DOCPIPE_DOCUMENT_SECONDS or DOCPIPE_PAGE_SECONDS.",
    )


def _startup_error(worker: _Worker) -> DocpipeError:
    if worker.process.exitcode == EXIT_UNGUARDED:
        return unguarded_error()
    return ModelError(f"A worker process could not start. {_last_log_line(worker)}".strip())


def _last_log_line(worker: _Worker) -> str:
    """The last line that the worker wrote to standard error."""
    lines = worker.log_file.read_text(errors="replace").split("\n") if worker.log_file.exists() else []
    return next((line.strip() for line in reversed(lines) if line.strip()), "")[:300]


@contextlib.contextmanager
def _interrupt_blocked() -> Iterator[None]:
    """Ctrl-C reaches every process of the terminal; one that is just being started would die of it with a traceback."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
