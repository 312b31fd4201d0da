"""Whether this process can have workers. In: nothing. Out: nothing, or the UsageError that says what to do.

Workers are started anew (spawn), and import the script of their parent first: a schema class may be in it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from pathlib import Path

from docpipe.errors import SchemaError, UsageError
from docpipe.schema import Schema

EXIT_UNGUARDED = 66  # of a worker that was told to start workers by the script that it imports
MAIN_HINT = 'Put the call under `if __name__ == "__main__":`, as worker processes import the script for its classes.'
POOL_HINT = "Call docpipe.extract for each file there, or start the Celery worker with --pool solo or threads."


def check_may_start_workers(schema: Schema) -> None:
    """Raises UsageError where this process may have no children, SchemaError for a class that they cannot find. In a
    worker that imports a script without a guard it ends the worker, and the parent raises `unguarded_error`."""
    process = multiprocessing.current_process()
    if getattr(process, "_inheriting", False):  # as multiprocessing itself tells that a script is being imported
        os._exit(EXIT_UNGUARDED)
    if process.daemon:
        raise UsageError("this process may not start others: it is one of a pool itself", hint=POOL_HINT)
    script = getattr(sys.modules["__main__"], "__file__", None)
    if script is not None and not Path(script).is_file():
        raise UsageError(
            "a program that is read from standard input cannot start worker processes, which import it",
            hint="Write it into a file.",
        )
    if schema.reference.startswith("__main__:") and script is None:
        name = schema.reference.partition(":")[2]
        raise SchemaError(
            f"worker processes cannot find the class {name}, which was typed into a notebook or a console",
            hint=f"Write it into a file, such as bills.py, and give it as `bills.{name}` or bills.py:{name}.",
        )


def unguarded_error() -> UsageError:
    return UsageError("the script starts worker processes when it is imported", hint=MAIN_HINT)
