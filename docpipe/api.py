"""The Python API.

In: a file and a schema. Out: the schema's own object with the evidence for each value.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, overload

from pydantic import BaseModel

from docpipe import pipeline
from docpipe.components import ModelName
from docpipe.config import load_settings
from docpipe.data import Document, Evidence, Extraction, Field, Issue, Status
from docpipe.errors import UsageError
from docpipe.loaded_components import borrowed_components
from docpipe.private_files import open_file
from docpipe.result import record
from docpipe.schema import Schema, load_schema
from docpipe.temporary import temporary_folder
from docpipe.validate import to_model

T = TypeVar("T", bound=BaseModel)
DocumentSource = str | os.PathLike[str] | bytes | BinaryIO


@dataclass(frozen=True)
class Result(Generic[T]):
    """What a document says: `value` is the schema's object, and each value has its evidence.

    `status` is `complete` or `needs_review`; `issues` say why. A required value that was not found is None.
    """

    document: Document
    extraction: Extraction
    schema: Schema

    @cached_property
    def value(self) -> T:
        return to_model(self.extraction, self.schema)  # type: ignore[return-value]

    @property
    def status(self) -> Status:
        return self.extraction.status

    @cached_property
    def fields(self) -> dict[str, Field]:
        """By path: `gross_total`, `line_items[2].amount`. With raw text, confidence, evidence and issues."""
        return {field.path: field for field in self.extraction.fields}

    @cached_property
    def issues(self) -> tuple[Issue, ...]:
        """Those of the document, then those of its fields."""
        return (*self.extraction.issues, *(issue for field in self.extraction.fields for issue in field.issues))

    def evidence(self, path: str) -> tuple[Evidence, ...]:
        """Where a value is printed: page, box (0-1 of the page), words. Empty: it is not on the document.

        Raises SchemaError when the schema has no such field.
        """
        self.schema.spec(path)
        return self.fields[path].evidence if path in self.fields else ()

    def to_dict(self) -> dict[str, Any]:
        """The same as a line of the result file of `docpipe run`: dates in ISO form, amounts as decimal strings."""
        return record(self.extraction, self.document.name, self.schema)

    def to_json(self, *, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)

    def save(self, session: Any) -> bool:
        """Write it into docpipe's tables through a session or connection of SQLAlchemy, on SQLite or PostgreSQL, in the
        transaction that this has: nothing is there until the caller commits. Tables that are missing are made. False
        when this very result is there already.

        Raises UsageError for anything else, and SQLAlchemy's own errors.
        """
        from docpipe.store.results.result_store import save_in  # heavy: SQLAlchemy

        return save_in(session, self.document, self.extraction, self.schema)


@overload
def extract(
    source: DocumentSource,
    schema: type[T],
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[T]: ...
@overload
def extract(
    source: DocumentSource,
    schema: str | Mapping[str, Any] = "invoice",
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[Any]: ...
def extract(
    source: DocumentSource,
    schema: str | type[BaseModel] | Mapping[str, Any] = "invoice",
    *,
    model: str | None = None,
    password: str | None = None,
    accept_error: float | None = None,
) -> Result[Any]:
    """Read one document. `source` is a path, its bytes or a binary file; `schema` a Pydantic class, the name of a
    shipped schema, `auto`, `FILE.py:Class`, a JSON Schema file or a JSON Schema as a dict. What is not given comes from
    DOCPIPE_* (docpipe/config.py).

    The models stay loaded for the next call; threads that call it at the same time load their own, as many as fit into
    memory. `extract_many` is for many files. Raises DocpipeError when the document cannot be processed.
    """
    requested = load_schema(schema)
    settings = load_settings()
    rate = checked_accept_error(settings.accept_error if accept_error is None else accept_error)
    name = ModelName.parse(model or settings.model)
    with borrowed_components(name, settings) as components, _as_file(source) as (path, file_name):
        policy = replace(components.policy, accept_error=rate)
        document = replace(components.open(path, [password] if password else []), name=file_name)
        extraction = pipeline.extract(document, requested, components.parts, policy)
    return Result(document, extraction, requested.chosen(extraction.schema))


def checked_accept_error(rate: float) -> float:
    """Raises UsageError for one that makes no sense."""
    if not 0.0 < rate <= 0.5:
        raise UsageError(f"accept_error is {rate}", hint="It is the share of wrong values among the accepted: 0.01.")
    return rate


@contextlib.contextmanager
def _as_file(source: DocumentSource) -> Iterator[tuple[Path, str]]:
    """The source as a file that other processes can open, and its name."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        yield path, path.name
        return
    content = source if isinstance(source, bytes) else source.read()
    with temporary_folder() as folder:
        path = folder / "document"
        with open_file(path, "wb") as file:
            file.write(content)
        name = getattr(source, "name", None)
        yield path, Path(name).name if isinstance(name, str) else "document"
