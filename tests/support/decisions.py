"""Candidates on given pages, decided as the pipeline decides them, under no calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from docpipe.confidence import Calibration
from docpipe.data import Answer, Candidate, Field, Page
from docpipe.decide import decide
from docpipe.document_index import DocumentIndex
from docpipe.ground import ground
from docpipe.schema import Schema
from tests.support.pages import page_of

UNCALIBRATED = Calibration.for_extractor("scripted:none")


def decided_fields(
    schema: Schema,
    pages: Sequence[Page],
    candidates: Iterable[Candidate],
    absent: Mapping[str, float] | None = None,
    threshold: float | None = None,
) -> dict[str, Field]:
    """The fields by their paths."""
    document = DocumentIndex(pages)
    grounded = ground(Answer(tuple(candidates), absent or {}), document)
    fields = decide(grounded, schema, document, calibration=UNCALIBRATED, threshold=threshold)
    return {field.path: field for field in fields}


def decided(
    schema: Schema,
    lines: Sequence[str],
    *candidates: tuple[str, str, float],
    absent: Mapping[str, float] | None = None,
    threshold: float | None = None,
) -> dict[str, Field]:
    """The same for one page of lines and candidates as (path, text, score)."""
    proposed = [Candidate(path, text, score) for path, text, score in candidates]
    return decided_fields(schema, [page_of(lines)], proposed, absent, threshold)
