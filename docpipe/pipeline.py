"""The flow, end to end, and nothing else: pages, candidates, evidence, decision, result.

In: a Document that `ingest` took in, a schema, and the parts that a shell has chosen. Out: an Extraction.
The caller stores it. Workers run `prepare` and `understand` as two tasks; the command line and the API call `extract`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

from docpipe.confidence import Calibration
from docpipe.data import Answer, Document, Extraction, Issue, Page
from docpipe.decide import decide
from docpipe.errors import CorruptError
from docpipe.ground import ground
from docpipe.protocols import Extractor, Rasteriser, Reader
from docpipe.result import Run
from docpipe.schema import Schema
from docpipe.validate import validate

# Part of the run key. Raise it when a change of the steps changes results.
PIPELINE_VERSION = 4
ACCEPT_ERROR = 0.01  # of the accepted values, the share that may be wrong, unless the user says otherwise


@dataclass(frozen=True, slots=True)
class Parts:
    """What a shell plugs in. `settings` names all that changes pages and words: resolution, reader and its version."""

    rasteriser: Rasteriser
    reader: Reader
    extractor: Extractor
    settings: str


@dataclass(frozen=True, slots=True)
class Judge:
    """How sure is sure enough: a calibration and the error that is allowed among the accepted values."""

    calibration: Calibration
    accept_error: float = ACCEPT_ERROR

    @classmethod
    def found(cls, extractor: Extractor, accept_error: float = ACCEPT_ERROR, beside: Path | None = None) -> Judge:
        """With the calibration that was fitted for this extractor: in the folder of its weights, or in the package."""
        return cls(Calibration.found(extractor.name, beside), accept_error)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Pages with their words (their images are handles, drawn when opened), and what the stages took in seconds."""

    pages: list[Page]
    timings: Mapping[str, float] = field(default_factory=dict)


def prepare(document: Document, *, rasteriser: Rasteriser, reader: Reader) -> Prepared:
    """CPU work: the pages and what is written on them. Raises CorruptError when not one page can be read."""
    pages: list[Page] = []
    timings = {"rasterise": 0.0, "read": 0.0}
    started = perf_counter()
    for page in rasteriser.pages(document):
        drawn = perf_counter()
        pages.append(reader.read(document, page))
        timings["rasterise"] += drawn - started
        started = perf_counter()
        timings["read"] += started - drawn
    if not any(page.image is not None or page.words for page in pages):
        reason = next((f": {issue.message}" for page in pages for issue in page.issues), "")
        raise CorruptError(f"none of the {len(pages)} pages could be read{reason}")
    return Prepared(pages, timings)


def understand(prepared: Prepared, schema: Schema, *, extractor: Extractor, run: Run, judge: Judge) -> Extraction:
    """GPU work, or the embedded network on the CPU: candidates, then evidence, decision and checks. Of a schema of
    choices, the result is of the one that the extractor chose."""
    pages = prepared.pages
    started = perf_counter()
    answer = extractor.extract(pages, schema)
    schema = schema.chosen(answer.schema)
    answered = perf_counter()
    threshold = judge.calibration.threshold(judge.accept_error)
    fields = decide(ground(answer, pages), schema, pages, calibration=judge.calibration, threshold=threshold)
    issues = [*_said(answer), *_unproven(threshold, judge)]
    extraction = validate(fields, schema, pages, run=run, issues=issues)
    timings = {**prepared.timings, "extract": answered - started, "decide": perf_counter() - answered}
    cost = {"tokens_in": float(answer.tokens_in), "tokens_out": float(answer.tokens_out)} if answer.tokens_in else {}
    return replace(extraction, timings=timings, cost=cost)


def extract(document: Document, schema: Schema, parts: Parts, judge: Judge) -> Extraction:
    """One document, from its file to its result."""
    run = plan(document, schema, parts, judge)
    prepared = prepare(document, rasteriser=parts.rasteriser, reader=parts.reader)
    return understand(prepared, schema, extractor=parts.extractor, run=run, judge=judge)


def plan(document: Document, schema: Schema, parts: Parts, judge: Judge) -> Run:
    """What the result will be the result of. Known before any work, so that a store can say it is done already."""
    recipe = {
        "pipeline": PIPELINE_VERSION,
        "document": document.id,
        "schema": [schema.name, schema.version],
        "extractor": parts.extractor.name,
        "settings": parts.settings,
        "judge": [judge.calibration.fingerprint, judge.accept_error],
    }
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    return Run(document.id, parts.extractor.name, key)


def _said(answer: Answer) -> Iterator[Issue]:
    yield from answer.issues
    if answer.finish != "complete":
        yield Issue("answer_cut_off", f"the extractor's answer was cut off ({answer.finish}); fields may be missing")


def _unproven(threshold: float | None, judge: Judge) -> Sequence[Issue]:
    if threshold is not None:
        return ()
    message = (
        f"no value is accepted: {len(judge.calibration.held_out)} checked examples of this extractor do not prove"
        f" an error of at most {judge.accept_error:.2%} at any confidence"
    )
    return (Issue("not_calibrated", message),)
