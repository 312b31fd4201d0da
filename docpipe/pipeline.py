"""The flow, end to end, and nothing else: prepare a document's pages, understand them, and name the work.

In: a Document that `ingest` took in, a schema, and the parts that a shell has chosen. Out: an Extraction.
The caller stores it. Workers run `prepare` and `understand` as two tasks; the command line and the API call `extract`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from docpipe.acceptance import AcceptancePolicy
from docpipe.cascade import Cascade
from docpipe.data import Document, Extraction, Page, PreparedDocument
from docpipe.errors import CorruptError, DocpipeError
from docpipe.page_images import for_models
from docpipe.ports import Extractor, Rasteriser, Reader, RegionExtractor, WordReader
from docpipe.result import RunIdentity
from docpipe.schema import Schema
from docpipe.understanding import DocumentState, extract_first, extract_second

# Part of the run key. Raise it when a change of the steps changes results.
PIPELINE_VERSION = 7


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """What a shell plugs in. `preparation` names all that changes pages and words: resolution, reader and its version.
    `picture_sides` are the pixels of the longer side of the page pictures that the extractor is given, the smallest
    first; without them it gets pages as they were rasterised. `salt` makes another run key of the same work."""

    rasteriser: Rasteriser
    reader: Reader
    extractor: Extractor
    preparation: str
    picture_sides: tuple[int, ...] = ()
    salt: str = ""

    @property
    def preparation_key(self) -> str:
        """Of the words of a page: what is kept under the same key (docpipe/kept_work.py) can be used again."""
        return f"{PIPELINE_VERSION} {self.preparation}"


def prepare(
    document: Document, rasteriser: Rasteriser, reader: Reader, *, picture_sides: tuple[int, ...] = ()
) -> PreparedDocument:
    """CPU work: the pages and what is written on them. Raises CorruptError when not one page can be read."""
    pages: list[Page] = []
    timings = {"rasterise": 0.0, "read": 0.0}
    started = perf_counter()
    for page in rasteriser.pages(document):
        rasterised = perf_counter()
        pages.append(reader.read(document, page))
        timings["rasterise"] += rasterised - started
        started = perf_counter()
        timings["read"] += started - rasterised
    if not any(page.image is not None or page.words for page in pages):
        reason = next((f": {issue.message}" for page in pages for issue in page.issues), "")
        raise CorruptError(f"none of the {len(pages)} pages could be read{reason}")
    return PreparedDocument(for_models(pages, picture_sides), timings)


def understand(
    prepared: PreparedDocument,
    schema: Schema,
    *,
    extractor: Extractor,
    run: RunIdentity,
    policy: AcceptancePolicy,
    reader: Reader | None = None,
) -> Extraction:
    """GPU work, or the embedded network on the CPU: candidates, then evidence, decision and checks. Of a schema of
    choices, the result is of the one that the extractor chose. A `reader` that can read words again has the last look
    at what would be accepted."""
    (result,) = understand_many([prepared], schema, extractor=extractor, runs=[run], policy=policy, reader=reader)
    if isinstance(result, DocpipeError):
        raise result
    return result


def understand_many(
    batch: Sequence[PreparedDocument],
    schema: Schema,
    *,
    extractor: Extractor,
    runs: Sequence[RunIdentity],
    policy: AcceptancePolicy,
    reader: Reader | None = None,
) -> list[Extraction | DocpipeError]:
    """The same for several documents. Where one has no result, the error that it has instead stands in its place."""
    first, second = (extractor.first, extractor.second) if isinstance(extractor, Cascade) else (extractor, None)
    documents = [DocumentState(prepared, run, policy, schema) for prepared, run in zip(batch, runs, strict=True)]
    extract_first(documents, first)
    if second is not None:
        extract_second(documents, second)
    last = second or first
    if isinstance(last, RegionExtractor):
        for document in (document for document in documents if document.error is None):
            document.extract_regions(last)
    if isinstance(reader, WordReader):
        for document in (document for document in documents if document.error is None):
            document.check_pictures(reader)
    return [document.error or document.extraction() for document in documents]


def extract(document: Document, schema: Schema, parts: PipelineParts, policy: AcceptancePolicy) -> Extraction:
    """One document, from its file to its result."""
    run = identify_run(document, schema, parts, policy)
    prepared = prepare(document, parts.rasteriser, parts.reader, picture_sides=parts.picture_sides)
    return understand(prepared, schema, extractor=parts.extractor, run=run, policy=policy, reader=parts.reader)


def identify_run(document: Document, schema: Schema, parts: PipelineParts, policy: AcceptancePolicy) -> RunIdentity:
    """What the result will be the result of. Known before any work, so that a store can say it is done already."""
    inputs = {
        "pipeline": PIPELINE_VERSION,
        "document": document.id,
        "schema": [schema.name, schema.version],
        "extractor": parts.extractor.name,
        "preparation": f"{parts.preparation} {parts.salt}".strip(),
        "picture_sides": parts.picture_sides,
        "policy": [policy.fingerprint, policy.accept_error],
    }
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return RunIdentity(document.id, parts.extractor.name, key)
