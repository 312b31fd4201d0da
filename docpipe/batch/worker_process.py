"""A worker process: loads its parts once, then works on the documents that it is handed, one at a time.

In: tasks from the parent. Out: messages. It ends by itself, with its children, when the parent is gone.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from pathlib import Path

from docpipe.batch.messages import (
    BatchWorker,
    Failed,
    FileTask,
    Finished,
    Opened,
    PageRead,
    Ready,
    StartupFailed,
    WorkerSetup,
)
from docpipe.errors import REPORT_HINT, DocpipeError, TooLargeError, describe_bug
from docpipe.kept_work import KeptEntries


def main(setup: WorkerSetup, connection: Connection, shutdown_pipe: Connection, log_file: Path) -> None:
    """A worker, from start to end. `shutdown_pipe` carries nothing: when the parent closes it, the worker stops."""
    _isolate(log_file)
    threading.Thread(target=_exit_with_parent, args=(shutdown_pipe,), daemon=True).start()
    try:
        worker = setup()
    except DocpipeError as error:
        connection.send(StartupFailed(error))
        return
    connection.send(Ready(worker.extractor_name))
    try:
        _serve(worker, connection)
    finally:
        worker.close()


def _serve(worker: BatchWorker, connection: Connection) -> None:
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if task is None:
            return
        connection.send(_process(worker, task, connection))


def _process(worker: BatchWorker, task: FileTask, connection: Connection) -> Finished | Failed:
    """Whatever goes wrong with a document is its own outcome, never the end of the worker."""

    def report(message: Opened | PageRead) -> KeptEntries | None:
        connection.send(message)
        if not isinstance(message, Opened) or not task.is_asked:
            return {}
        reply: KeptEntries | None = connection.recv()
        return reply

    try:
        return worker.process(task, report)
    except DocpipeError as error:
        return Failed(error)
    except MemoryError:
        return Failed(TooLargeError("There was not enough memory for this document."))
    except Exception as error:  # noqa: BLE001 - the worker's border: a bug costs one document and is reported as a bug
        traceback.print_exc()
        return Failed(DocpipeError(describe_bug(error), hint=REPORT_HINT))


def _isolate(log_file: Path) -> None:
    """What C libraries print goes to the log file instead of into the progress bar, and a crash leaves its trace there.

    A process group of its own lets the parent sweep up whatever the worker started, and keeps Ctrl-C to the parent.
    """
    descriptor = os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(descriptor, 2)
    os.dup2(descriptor, 1)
    faulthandler.enable(sys.stderr)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _exit_with_parent(shutdown_pipe: Connection) -> None:
    """Blocks until the parent closes its end, by will or by death. The renderer child sees the end of its own pipe."""
    try:
        shutdown_pipe.recv_bytes()
    except (EOFError, OSError):
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)  # this process too
        os._exit(1)
