"""The flow, end to end, and nothing else: pages, candidates, evidence, decision, result.

In: a Document that `ingest` took in, a schema, and the parts that a shell has chosen. Out: an Extraction.
The caller stores it. Workers run `prepare` and `understand` as two tasks; the command line and the API call `extract`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from time import perf_counter

from docpipe.cascade import added, doubtful_regions, merge_answers, uncertain_paths, with_cost
from docpipe.confidence import Calibration
from docpipe.data import Answer, Document, Extraction, Field, Issue, Page
from docpipe.decide import decide
from docpipe.errors import AnswerError, CorruptError, DocpipeError, TooLargeError
from docpipe.ground import ground
from docpipe.paths import FieldPath
from docpipe.ports import Extractor, Rasteriser, Reader, RegionExtractor
from docpipe.result import RunIdentity
from docpipe.schema import Schema
from docpipe.text_search import DocumentIndex
from docpipe.validate import validate

# Part of the run key. Raise it when a change of the steps changes results.
PIPELINE_VERSION = 4
ACCEPT_ERROR = 0.01  # of the accepted values, the share that may be wrong, unless the user says otherwise


@dataclass(frozen=True, slots=True)
class PipelineParts:
    """What a shell plugs in. `settings` names all that changes pages and words: resolution, reader and its version."""

    rasteriser: Rasteriser
    reader: Reader
    extractor: Extractor
    settings: str


@dataclass(frozen=True, slots=True)
class Cascade:
    """Two extractors, of which the second is asked about the fields that the first is not sure of."""

    first: Extractor
    second: Extractor

    @property
    def name(self) -> str:
        return f"{self.first.name},{self.second.name}"

    @property
    def batch(self) -> int:
        return max(batch_of(self.first), batch_of(self.second))

    def extract(self, pages: Sequence[Page], schema: Schema) -> Answer:
        """The first one's answer: what is sure is known when the values are decided, so `understand_many` asks on."""
        return self.first.extract(pages, schema)

    def extract_many(self, batch: Sequence[Sequence[Page]], schema: Schema) -> Sequence[Answer | DocpipeError]:
        return self.first.extract_many(batch, schema)


@dataclass(frozen=True, slots=True)
class AcceptancePolicy:
    """How sure is sure enough: a calibration and the error that is allowed among the accepted values."""

    calibration: Calibration
    accept_error: float = ACCEPT_ERROR
    second_calibration: Calibration | None = None  # of a cascade's second model

    @classmethod
    def for_extractor(
        cls, extractor: Extractor, accept_error: float = ACCEPT_ERROR, *folders: Path
    ) -> AcceptancePolicy:
        """With the calibration that was fitted for this extractor, in one of the folders or in the package. Of a
        cascade: the first model's own, and for what the second was asked one that was fitted for the cascade."""
        if isinstance(extractor, Cascade):
            first, whole = extractor.first.name, extractor.name
            return cls(Calibration.found(first, *folders), accept_error, Calibration.found(whole, *folders))
        return cls(Calibration.found(extractor.name, *folders), accept_error)

    @property
    def fingerprint(self) -> str:
        return self.calibration.fingerprint + (
            f"+{self.second_calibration.fingerprint}" if self.second_calibration else ""
        )


@dataclass(frozen=True, slots=True)
class PreparedDocument:
    """Pages with their words (their images are handles, drawn when opened), and what the stages took in seconds."""

    pages: list[Page]
    timings: Mapping[str, float] = field(default_factory=dict)


def prepare(document: Document, *, rasteriser: Rasteriser, reader: Reader) -> PreparedDocument:
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
    return PreparedDocument(pages, timings)


def understand(
    prepared: PreparedDocument, schema: Schema, *, extractor: Extractor, run: RunIdentity, policy: AcceptancePolicy
) -> Extraction:
    """GPU work, or the embedded network on the CPU: candidates, then evidence, decision and checks. Of a schema of
    choices, the result is of the one that the extractor chose."""
    (found,) = understand_many([prepared], schema, extractor=extractor, runs=[run], policy=policy)
    if isinstance(found, DocpipeError):
        raise found
    return found


def understand_many(
    batch: Sequence[PreparedDocument],
    schema: Schema,
    *,
    extractor: Extractor,
    runs: Sequence[RunIdentity],
    policy: AcceptancePolicy,
) -> list[Extraction | DocpipeError]:
    """The same for several documents. Where one has no result, the error that it has instead stands in its place."""
    first, second = (extractor.first, extractor.second) if isinstance(extractor, Cascade) else (extractor, None)
    works = [_Work(prepared, run, policy, schema) for prepared, run in zip(batch, runs, strict=True)]
    _ask(works, first)
    if second is not None:
        _ask_again(works, second)
    last = second or first
    for work in works:
        if isinstance(last, RegionExtractor) and work.error is None:
            work.extract_regions(last)
    return [work.error or work.result() for work in works]


def batch_of(extractor: Extractor) -> int:
    """How many documents at once pay off."""
    return int(getattr(extractor, "batch", 1))


@dataclass
class _Work:
    """One document on its way: what was answered, and what was decided from it."""

    prepared: PreparedDocument
    run: RunIdentity
    policy: AcceptancePolicy
    schema: Schema
    answer: Answer = field(default_factory=lambda: Answer(()))
    fields: tuple[Field, ...] = ()
    unsure: tuple[str, ...] = ()  # what the second model is asked about
    error: DocpipeError | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"extract": 0.0, "decide": 0.0})

    @cached_property
    def index(self) -> DocumentIndex:
        return DocumentIndex(self.prepared.pages)

    def take(self, answer: Answer) -> None:
        self.answer, self.schema = answer, self.schema.chosen(answer.schema)
        self.fields = self._decided(self.policy.calibration)

    def take_second(self, answer: Answer) -> None:
        """What the first model was sure of stays as it was; the rest is decided anew, together with it."""
        asked, sure = self.unsure, self.fields
        self.answer = merge_answers(self.answer, answer, asked)
        kept = {one.path: one for one in sure if (FieldPath.parse(one.path).list_path or one.path) not in asked}
        decided = self._decided(self.policy.second_calibration or self.policy.calibration)
        self.fields = tuple(kept.get(one.path) or _of_second(one) for one in decided)

    def extract_regions(self, extractor: RegionExtractor) -> None:
        """Once: the doubtful single fields, each from its crop."""
        asked = doubtful_regions(self.fields, self.prepared.pages)
        if self.unsure:  # the first model's sure values are not the second's to doubt
            asked = {path: crop for path, crop in asked.items() if path in self.unsure}
        if not asked:
            return
        started = perf_counter()
        try:
            again = extractor.extract_regions(asked, self.schema)
        except DocpipeError as error:  # the first look was paid for, and stands
            said = Issue("not_reread", f"doubtful values were not read again: {error.message}")
            self.answer = replace(with_cost(self.answer, error.cost), issues=(*self.answer.issues, said))
            return
        finally:
            self.seconds["extract"] += perf_counter() - started
        self.unsure = self.unsure or tuple(asked)
        if self.policy.second_calibration is not None:
            self.take_second(again)
        else:
            self.answer = merge_answers(self.answer, again, tuple(asked))
            self.fields = self._decided(self.policy.calibration)

    def result(self) -> Extraction:
        started = perf_counter()
        issues = [*_said(self.answer), *_unproven(self.policy, asked_second=bool(self.unsure))]
        extraction = validate(self.fields, self.schema, self.prepared.pages, run=self.run, issues=issues)
        self.seconds["decide"] += perf_counter() - started
        return replace(extraction, timings={**self.prepared.timings, **self.seconds}, cost=self.answer.cost)

    def _decided(self, calibration: Calibration) -> tuple[Field, ...]:
        started = perf_counter()
        threshold = calibration.threshold(self.policy.accept_error)
        grounded = ground(self.answer, self.index)
        decided = decide(grounded, self.schema, self.index, calibration=calibration, threshold=threshold)
        self.seconds["decide"] += perf_counter() - started
        return decided


def _of_second(one: Field) -> Field:
    """Marked, so that a calibration can be fitted on what the second model was asked about alone."""
    return replace(one, signals={**one.signals, "second": 1.0}) if one.signals else one


def _ask(works: Sequence[_Work], extractor: Extractor) -> None:
    for work, answer in zip(works, _answers(works, extractor, works[0].schema), strict=True) if works else ():
        if isinstance(answer, DocpipeError):
            work.error = answer
        else:
            work.take(answer)


def _ask_again(works: Sequence[_Work], extractor: Extractor) -> None:
    """Documents that are unsure of the same fields go together."""
    groups: dict[tuple[str, tuple[str, ...]], list[_Work]] = {}
    for work in works:
        work.unsure = uncertain_paths(work.fields, work.schema) if work.error is None else ()
        if work.unsure:
            groups.setdefault((work.schema.name, work.unsure), []).append(work)
    for (_, asked), members in groups.items():
        answers = _answers(members, extractor, members[0].schema.only(asked))
        for work, answer in zip(members, answers, strict=True):
            if isinstance(answer, AnswerError | TooLargeError):  # no retry helps, and there is the first one's answer
                said = Issue("second_unusable", f"the second model was of no help: {answer.message}")
                work.answer = replace(with_cost(work.answer, answer.cost), issues=(*work.answer.issues, said))
            elif isinstance(answer, DocpipeError):
                answer.cost = added(answer.cost, work.answer.cost)
                work.error = answer
            else:
                work.take_second(answer)


def _answers(works: Sequence[_Work], extractor: Extractor, schema: Schema) -> Sequence[Answer | DocpipeError]:
    """All at once; when that fails as a whole, one by one."""
    started = perf_counter()
    pages = [work.prepared.pages for work in works]
    try:
        answers = extractor.extract_many(pages, schema)
    except DocpipeError as error:
        answers = [error] if len(works) == 1 else [_alone(extractor, one, schema) for one in pages]
    each = (perf_counter() - started) / len(works)
    for work, answer in zip(works, answers, strict=True):
        work.seconds["extract"] += each
        if isinstance(answer, DocpipeError):
            answer.cost = added(answer.cost, {"seconds": each})
    return answers


def _alone(extractor: Extractor, pages: Sequence[Page], schema: Schema) -> Answer | DocpipeError:
    try:
        return extractor.extract(pages, schema)
    except DocpipeError as error:
        return error


def extract(document: Document, schema: Schema, parts: PipelineParts, policy: AcceptancePolicy) -> Extraction:
    """One document, from its file to its result."""
    run = plan(document, schema, parts, policy)
    prepared = prepare(document, rasteriser=parts.rasteriser, reader=parts.reader)
    return understand(prepared, schema, extractor=parts.extractor, run=run, policy=policy)


def plan(document: Document, schema: Schema, parts: PipelineParts, policy: AcceptancePolicy) -> RunIdentity:
    """What the result will be the result of. Known before any work, so that a store can say it is done already."""
    recipe = {
        "pipeline": PIPELINE_VERSION,
        "document": document.id,
        "schema": [schema.name, schema.version],
        "extractor": parts.extractor.name,
        "settings": parts.settings,
        "policy": [policy.fingerprint, policy.accept_error],
    }
    key = hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()
    return RunIdentity(document.id, parts.extractor.name, key)


def _said(answer: Answer) -> Iterator[Issue]:
    yield from answer.issues
    if answer.finish != "complete":
        yield Issue("answer_cut_off", f"the extractor's answer was cut off ({answer.finish}); fields may be missing")


def _unproven(policy: AcceptancePolicy, *, asked_second: bool) -> Iterator[Issue]:
    calibrations = [(policy.calibration, "no value")]
    if asked_second and policy.second_calibration is not None:
        calibrations.append((policy.second_calibration, "no value of the second model"))
    for calibration, what in calibrations:
        if calibration.threshold(policy.accept_error) is None:
            message = (
                f"{what} is accepted: {len(calibration.held_out)} checked examples of this extractor do not prove"
                f" an error of at most {policy.accept_error:.2%} at any confidence"
            )
            yield Issue("not_calibrated", message)
