"""The seams: what a step needs from the part that is plugged in. All structural, four methods at most.

In: the nouns. Out: protocols that the flow takes as arguments and that shells choose implementations for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from docpipe.data import Answer, Document, Extraction, Page, Severity
from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from docpipe.schema import Schema

ColumnType = Literal["text", "decimal", "date", "time", "integer", "boolean", "float"]


class Rasteriser(Protocol):
    def pages(self, document: Document) -> Iterator[Page]:
        """The document's pages in order, drawn lazily. A page that cannot be drawn is yielded with
        `image=None` and an issue, never skipped."""
        ...


class Reader(Protocol):
    def read(self, document: Document, page: Page) -> Page:
        """The page with its words in reading order, upright. No words is an honest answer."""
        ...


class Extractor(Protocol):
    @property
    def name(self) -> str:
        """`kind:weights@revision`, part of the run key."""
        ...

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """Candidates for each field of the schema.

        Raises ModelError when the model cannot run and AnswerError when its answer is unusable.
        """
        ...

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        """The same for several documents; batching is the extractor's business. Where one has no answer, the error
        stands in its place."""
        ...


@runtime_checkable
class RegionExtractor(Protocol):
    """An extractor that can look again, and closer, at the place where a value is thought to stand."""

    def extract_regions(self, regions: Mapping[str, Page], schema: Schema) -> Answer:
        """Candidates for the fields that the crops are named after (concrete paths of single fields), each from its
        crop alone: a page whose picture is a part of one."""
        ...


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What the store knows of a document under a schema.

    `extraction` is the current one, None when no attempt succeeded. `error` (code, message, hint) is that of the last
    attempt if it failed; beside an extraction it says that a later attempt, with other settings, failed.
    `files` are all paths that hold these bytes; a file that could not even be read has a document without an id.
    """

    document: Document
    schema: str
    extraction: Extraction | None
    error: Mapping[str, str] | None
    attempts: int
    files: tuple[Path, ...] = ()
    created: datetime | None = None


class Store(Protocol):
    def add(self, document: Document) -> None:
        """Remember a document; adding the same bytes again changes nothing."""
        ...

    def claim(self, document_id: str, run_key: str) -> int:
        """Count an attempt at this work and return its number, from 1."""
        ...

    def save(self, extraction: Extraction, schema: Schema) -> bool:
        """Save whole or not at all. False when this run key is already stored (nothing is written)."""
        ...

    def get(self, document_id: str, schema: str | None = None) -> StoredResult | None:
        """The latest result for a document."""
        ...


@dataclass(frozen=True, slots=True)
class Conventions:
    """How this document writes dates and numbers, read from the document itself. None: it does not say.

    `day_first` comes from a date that can be read only one way, or from language and country, and
    `why` says which (`"25/12/2018 on page 1"`), or is empty when nothing decided.
    """

    day_first: bool | None = None
    decimal_mark: Literal[".", ","] | None = None
    language: str | None = None
    country: str | None = None
    currency: str | None = None
    why: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a kind made of a printed text. `issue` is a code from docs/errors.md when the value
    is doubtful (`date_order_unknown`, `check_digit`); value None with an issue means not parsable."""

    value: object
    issue: str | None = None
    message: str = ""
    severity: Severity = "warning"


class Kind(Protocol):
    """The type of a field: how its printed text becomes a value. Lives in docpipe/schemas/kinds.py, hangs on a
    field's annotation, and is called by the steps through the schema."""

    @property
    def name(self) -> str:
        """text, identifier, name, address, date, time, money, quantity, rate, currency, iban, vat_id, ..."""
        ...

    @property
    def column(self) -> ColumnType: ...

    def parse(self, text: str, conventions: Conventions) -> Parsed:
        """Never raises on a printed text; what cannot be parsed comes back with an issue."""
        ...

    def same(self, left: object, right: object) -> bool:
        """Whether two values are equal for a user (amounts as numbers, identifiers without blanks and case,
        names and addresses at similarity >= 0.9 of letters and digits)."""
        ...


@runtime_checkable
class Ambiguous(Protocol):
    """A kind whose texts may mean something else than they seem to."""

    def otherwise(self, text: str, conventions: Conventions) -> Parsed | None:
        """The other meaning of a text; None where there is none. It is only taken where a rule speaks for it."""
        ...


class Rule(Protocol):
    """A rule that the values of one document must satisfy together. Lives in docpipe/schemas/rules.py.

    `paths` are the templates it reads (`line_items[].amount`, `net_total`).
    """

    @property
    def code(self) -> str: ...

    @property
    def severity(self) -> Severity: ...

    @property
    def paths(self) -> tuple[str, ...]: ...

    def check(self, values: Mapping[str, object]) -> bool | None:
        """`values` maps concrete paths (`line_items[0].amount`) to typed values. None: cannot be judged
        because a value it needs is missing."""
        ...

    def explain(self, values: Mapping[str, object]) -> str:
        """One sentence with the figures, for the issue's message."""
        ...


Texts = Iterable[str]
