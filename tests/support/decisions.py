"""Candidates on given pages, decided as the pipeline decides them, under no calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from docpipe.confidence import Calibration
from docpipe.data import Answer, Candidate, Field, Page
from docpipe.decide import decide
from docpipe.document_index import DocumentIndex
from docpipe.ground import ground
from docpipe.schema import Schema

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
