"""The error tree: an exception means that this document (or command) cannot go on.

In: nothing. Out: exceptions that know their exit code, whether a retry can help, and what the user can do.

DocpipeError                 1
├── UsageError               2   a setting or an argument is wrong
├── InputError               3   the file cannot be processed
│   ├── UnsupportedError         not a format we read
│   ├── EncryptedError           needs a password, or the password is wrong
│   ├── CorruptError             damaged, or no page in it
│   └── TooLargeError            beyond a limit on bytes, pages, pixels, time or memory
├── SchemaError              4   the schema cannot be loaded or used
├── ModelError          (*)  5   the extractor cannot be loaded or run
│   └── BudgetError              the day's tokens or money for hosted models are used up: tomorrow it works
├── AnswerError              6   its answer is cut off, malformed or off schema
│   └── ExtractionError          the extractor broke off over this document; others go on
├── ConflictError            2   the same idempotency key for something else
├── StoreError          (*)  7   the database or the blob store
│   └── MissingError             what should be there is gone or damaged: no retry helps
└── QueueError          (*)  8   the broker                        (*) may be retried
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar


class DocpipeError(Exception):
    """Root of all errors that docpipe raises on purpose.

    `code` names the error in results and in docs/errors.md; `hint` tells the user what to do. `cost` is what the work
    took until it failed, with the names of `Extraction.cost`; who knows it sets it.
    """

    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    code: ClassVar[str] = "error"
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.cost: Mapping[str, float] = {}

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process borders with their hint and their cost."""
        return (_rebuild, (type(self), self.message, self.hint, dict(self.cost)))


def _rebuild(kind: type[DocpipeError], message: str, hint: str, cost: Mapping[str, float]) -> DocpipeError:
    error = kind(message, hint=hint)
    error.cost = cost
    return error


class UsageError(DocpipeError):
    exit_code = 2
    code = "usage"
    default_hint = "`docpipe doctor` shows the settings in force."


class InputError(DocpipeError):
    exit_code = 3
    code = "input"
    default_hint = "Open the file in a viewer; if it shows, please report it."


class UnsupportedError(InputError):
    code = "unsupported"
    default_hint = "Convert it to PDF, TIFF, PNG, JPEG, WebP or HEIC."


class EncryptedError(InputError):
    code = "encrypted"
    default_hint = "Give the password with --password, or save a copy without one."


class CorruptError(InputError):
    code = "corrupt"
    default_hint = "The file is damaged: ask the sender for it again, or print it to a new PDF."


class TooLargeError(InputError):
    code = "too_large"
    default_hint = "Split the file, or raise the limit (see `docpipe doctor` for the settings in force)."


class SchemaError(DocpipeError):
    exit_code = 4
    code = "schema"
    default_hint = "`docpipe schema list` shows the schemas that ship with docpipe."


class ModelError(DocpipeError):
    exit_code = 5
    retryable = True
    code = "model"
    default_hint = "`docpipe doctor` says which models can run here."


class BudgetError(ModelError):
    code = "budget"
    default_hint = "The day ends at midnight UTC; DOCPIPE_DAY_TOKENS and DOCPIPE_DAY_MONEY set what a day may cost."


class AnswerError(DocpipeError):
    exit_code = 6
    code = "answer"
    default_hint = "Try another model, or a schema with fewer fields."


class ExtractionError(AnswerError):
    """Unlike a ModelError it is the document's own: tried again it would come again."""

    code = "extraction"
    default_hint = "Other documents go on. Please report it, with the document if you may share it."


class StoreError(DocpipeError):
    exit_code = 7
    retryable = True
    code = "store"
    default_hint = "Check --db and that the database can be reached and written."


class MissingError(StoreError):
    retryable = False
    code = "missing"
    default_hint = "It was deleted or damaged, or this machine looks in another store: check DOCPIPE_BLOB_URL."


class ConflictError(DocpipeError):
    exit_code = 2
    code = "conflict"
    default_hint = "Use a new idempotency key for each submission; the same one only to repeat the same submission."


class QueueError(DocpipeError):
    exit_code = 8
    retryable = True
    code = "queue"
    default_hint = "Check that the broker is running and that its URL is right."


def describe_bug(error: Exception) -> str:
    """`KeyError at parse.py:120: 'total'`: an error that nobody foresaw, with the line that raised it."""
    raised = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(raised.filename).name}:{raised.lineno}: {error}"


REPORT_HINT = "This is a bug in docpipe. Please report it, with the document if you may share it."


def install_hint(extra: str = "") -> str:
    """How docpipe, or an extra of it, is installed: no package index has it under our name."""
    if not extra:
        return "Install docpipe: pip install . in a checkout, or pip install FILE.whl from a wheel."
    return f"Install the extra {extra}: pip install '.[{extra}]' in a checkout, or pip install 'FILE.whl[{extra}]'."


EXIT_USAGE = 2
EXIT_NEEDS_REVIEW = 9
EXIT_INTERRUPTED = 130
