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

from docpipe.batch.messages import BatchWorker, Failed, Finished, Opened, PageRead, Ready, Task, Unfit, WorkerSetup
from docpipe.errors import DocpipeError, TooLargeError

REPORT = "This is a bug in docpipe. Please report it, with the document if you may share it."


def main(setup: WorkerSetup, tasks: Connection, lifeline: Connection, diary: Path) -> None:
    """The life of a worker. `lifeline` carries nothing: its end is the sign to stop at once."""
    _stand_alone(diary)
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
    try:
        station = setup()
    except DocpipeError as error:
        tasks.send(Unfit(error))
        return
    tasks.send(Ready(station.name))
    try:
        _serve(station, tasks)
    finally:
        station.close()


def _serve(station: BatchWorker, tasks: Connection) -> None:
    while True:
        try:
            task = tasks.recv()
        except (EOFError, OSError):  # the parent is gone
            return
        if task is None:
            return
        tasks.send(_outcome(station, task, tasks))


def _outcome(station: BatchWorker, task: Task, tasks: Connection) -> Finished | Failed:
    """Whatever goes wrong with a document is its own outcome, never the end of the worker."""

    def tell(message: Opened | PageRead) -> bool:
        tasks.send(message)
        return bool(tasks.recv()) if isinstance(message, Opened) else True

    try:
        return Finished(station.process(task, tell))
    except DocpipeError as error:
        return Failed(error)
    except MemoryError:
        return Failed(TooLargeError("There was not enough memory for this document."))
    except Exception as error:  # noqa: BLE001 - the worker's border: a bug costs one document and is reported as a bug
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        traceback.print_exc()
        return Failed(DocpipeError(f"{type(error).__name__} at {where}: {error}", hint=REPORT))


def _stand_alone(diary: Path) -> None:
    """What C libraries print goes to the diary instead of into the progress bar, and a crash leaves its trace there.

    A process group of its own lets the parent sweep up whatever the worker started, and keeps Ctrl-C to the parent.
    """
    page = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(page, 2)
    os.dup2(page, 1)
    faulthandler.enable(sys.stderr)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _end_with(lifeline: Connection) -> None:
    """Blocks until the parent closes its end, by will or by death. The renderer child sees the end of its own pipe."""
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)  # this process too
        os._exit(1)
