"""docpipe: scanned documents become rows that people can trust.

    from docpipe import extract
    result = extract("a.pdf", schema="invoice")

In: nothing; each name is imported when it is first used, so that `import docpipe` costs nothing. Out: the public names.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docpipe.api import Result, extract
    from docpipe.data import Box, Document, Evidence, Extraction, Field, Issue, Page, Word
    from docpipe.errors import (
        AnswerError,
        CorruptError,
        DocpipeError,
        EncryptedError,
        InputError,
        ModelError,
        QueueError,
        SchemaError,
        StoreError,
        TooLargeError,
        UnsupportedError,
        UsageError,
    )
    from docpipe.many import FileResult, extract_async, extract_many, extract_many_async
    from docpipe.schema import Schema, load_schema

__all__ = [
    "AnswerError",
    "Box",
    "CorruptError",
    "DocpipeError",
    "Document",
    "EncryptedError",
    "Evidence",
    "Extraction",
    "Field",
    "FileResult",
    "InputError",
    "Issue",
    "ModelError",
    "Page",
    "QueueError",
    "Result",
    "Schema",
    "SchemaError",
    "StoreError",
    "TooLargeError",
    "UnsupportedError",
    "UsageError",
    "Word",
    "extract",
    "extract_async",
    "extract_many",
    "extract_many_async",
    "load_schema",
]

_MODULE_NAMES = {
    "docpipe.api": ("Result", "extract"),
    "docpipe.many": ("FileResult", "extract_async", "extract_many", "extract_many_async"),
    "docpipe.data": ("Box", "Document", "Evidence", "Extraction", "Field", "Issue", "Page", "Word"),
    "docpipe.schema": ("Schema", "load_schema"),
}
_MODULE_OF = {name: module for module, names in _MODULE_NAMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'docpipe' has no attribute {name!r}")
    module = importlib.import_module(_MODULE_OF.get(name, "docpipe.errors"))
    return getattr(module, name)


def __dir__() -> list[str]:
    return __all__
