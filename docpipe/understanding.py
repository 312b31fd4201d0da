"""Documents while extractors are asked about them: the answer to each so far, and the fields decided from it.

In: prepared documents, extractors, the acceptance policy. Out: an Extraction for each document, or the error that it
has instead. What goes wrong with one document is its own, and costs no other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from time import perf_counter
from typing import TypeVar

from docpipe.acceptance import AcceptancePolicy, veto_broken_rules
from docpipe.cascade import doubtful_regions, uncertain_paths
from docpipe.confidence import Calibration
from docpipe.copied_values import without_copies
from docpipe.cost import add_costs, with_cost
from docpipe.data import Answer, Extraction, Field, Issue, Page, PreparedDocument
from docpipe.decide import decide
from docpipe.document_boundaries import SeveralDocuments, several_documents
from docpipe.document_index import DocumentIndex
from docpipe.doubtful_places import doubtful_places
from docpipe.errors import AnswerError, DocpipeError, ExtractionError, TooLargeError, describe_bug
from docpipe.form_fields import answer_from_form
from docpipe.ground import ground
from docpipe.missing_decimals import veto_missing_decimals
from docpipe.mixture import Mixture
from docpipe.paths import FieldPath
from docpipe.picture_check import veto_other_digits
from docpipe.ports import Extractor, PartExtractor, RegionExtractor, WordReader
from docpipe.result import RunIdentity
from docpipe.rule_check import RuleCounts, rule_counts
from docpipe.schema import Schema
from docpipe.unused_row_words import unused_row_words
from docpipe.validate import validate

T = TypeVar("T")
log = logging.getLogger(__name__)

# What breaks off an extraction because of the document: values and shapes that nobody foresaw, no memory for it. Not
# Exception: the time limit of a task queue is one, too, and is for whoever set it.
UNFORESEEN_ERRORS = (
    ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError,
)  # fmt: skip


@dataclass
class DocumentState:
    """One document: the grounded answer so far, and what was decided from it. `second_paths` are the templates of
    single fields and the paths of lists that the second extractor, or the second reading, was asked about."""

    prepared: PreparedDocument
    run: RunIdentity
    policy: AcceptancePolicy
    schema: Schema
    answer: Answer = field(default_factory=lambda: Answer(()))
    fields: tuple[Field, ...] = ()
    second_paths: tuple[str, ...] = ()
    several: SeveralDocuments | None = None
    error: DocpipeError | None = None
    seconds: dict[str, float] = field(default_factory=lambda: {"extract": 0.0, "decide": 0.0})

    @cached_property
    def index(self) -> DocumentIndex:
        """Where what is written on the pages stands; made once."""
        return DocumentIndex(self.prepared.pages)

    def add_first(self, answer: Answer) -> None:
        self.schema = self.schema.chosen(answer.schema)
        self.answer = self._grounded(answer)
        self.fields = self._decide(self.policy.calibration)

    def add_second(self, answer: Answer) -> None:
        """What the first model was sure of stays as it was; the rest is decided anew, together with it."""
        certain = {value.path: value for value in self.fields if _requested_path(value.path) not in self.second_paths}
        calibration = self.policy.second_calibration or self.policy.calibration
        is_known = self.policy.second_calibration is not None and bool(calibration.held_out)
        self.answer = self._mixed(answer, self.second_paths, is_known=is_known)
        decided = self._decide(calibration)
        merged = [certain.get(value.path) or _mark_second(value) for value in decided]
        self.fields = veto_broken_rules(merged, self.schema)

    def extract_regions(self, extractor: RegionExtractor) -> None:
        """The doubtful single fields once more, each from its region of a page."""
        regions = doubtful_regions(self.fields, self.prepared.pages)
        if self.second_paths:  # the first model's sure values are not the second's to doubt
            regions = {path: region for path, region in regions.items() if path in self.second_paths}
        if not regions:
            return
        started = perf_counter()
        try:
            region_answer = _guarded(lambda: extractor.extract_regions(regions, self.schema))
        except DocpipeError as error:  # the first answer was paid for, and stands
            self._add_issue(Issue("not_reread", f"doubtful values were not read again: {error.message}"), error)
            return
        finally:
            self.seconds["extract"] += perf_counter() - started
        self.second_paths = self.second_paths or tuple(regions)
        if self.policy.second_calibration is not None:
            self.add_second(region_answer)
        else:
            self.answer = self._mixed(region_answer, tuple(regions), is_known=True)
            self.fields = self._decide(self.policy.calibration)

    def check_pictures(self, reader: WordReader) -> None:
        """The last look at what would be accepted: the words of a text layer are read from the picture."""
        started = perf_counter()
        try:
            self.fields = veto_other_digits(self.fields, self.prepared.pages, self.index, reader)
        except DocpipeError as error:
            self.error = error
        finally:
            self.seconds["decide"] += perf_counter() - started

    def keep_first_answer(self, error: DocpipeError) -> None:
        """The second model has no answer, and no retry would help."""
        self._add_issue(Issue("second_unusable", f"the second model was of no help: {error.message}"), error)

    def extraction(self) -> Extraction:
        started = perf_counter()
        several = [] if self.several is None else [self.several.issue]
        unused = unused_row_words(self.fields, self.schema, self.index)
        issues = [*several, *_issues(self.answer), *unused, *self.policy.issues(used_second=bool(self.second_paths))]
        extraction = validate(self.fields, self.schema, self.prepared.pages, run=self.run, issues=issues)
        self.seconds["decide"] += perf_counter() - started
        return replace(extraction, timings={**self.prepared.timings, **self.seconds}, cost=self.answer.cost)

    def _grounded(self, answer: Answer) -> Answer:
        return without_copies(ground(answer, self.index), self.schema)

    def _add_issue(self, issue: Issue, error: DocpipeError) -> None:
        self.answer = replace(with_cost(self.answer, error.cost), issues=(*self.answer.issues, issue))

    def _mixed(self, answer: Answer, paths: Sequence[str], *, is_known: bool) -> Answer:
        """The answer so far and another one. The other's rows take the place of the first's where they are printed and
        fit the sums better, or there are no others."""
        valued = {value.path for value in self.fields if value.raw is not None}
        mixture = Mixture(self.answer, self._grounded(answer), paths, valued, is_known)
        lists_of_second: list[str] = []
        for list_path in (path for path in self.schema.lists() if path in paths and mixture.may_replace_rows(path)):
            with_rows = [*lists_of_second, list_path]
            if not mixture.rows_of_first(list_path) or self._fits_better(mixture, lists_of_second, with_rows):
                lists_of_second = with_rows
        return mixture.answer(lists_of_second)

    def _fits_better(self, mixture: Mixture, before: Sequence[str], after: Sequence[str]) -> bool:
        """Whether with the rows of `after` more rules hold and none more is broken: of those over the whole document,
        or, with no fewer rows, of those within one. Rows without amounts break nothing, and prove nothing."""
        old, new = (self._rule_counts(mixture.answer(lists)) for lists in (before, after))
        if (new.broken, new.held) != (old.broken, old.held):
            return new.broken <= old.broken and new.held > old.held
        has_as_many = mixture.rows_of_second(after[-1]) >= mixture.rows_of_first(after[-1])
        return has_as_many and new.broken_in_rows < old.broken_in_rows and new.held_in_rows > old.held_in_rows

    def _rule_counts(self, answer: Answer) -> RuleCounts:
        return rule_counts(self._decided(answer, self.policy.calibration), self.schema)

    def _decide(self, calibration: Calibration) -> tuple[Field, ...]:
        return self._decided(self.answer, calibration)

    def _decided(self, answer: Answer, calibration: Calibration) -> tuple[Field, ...]:
        started = perf_counter()
        threshold = self.policy.threshold(calibration)
        grounded = answer_from_form(answer, self.schema, self.index)
        index = self.index
        self.several = several_documents(grounded, self.schema, index)
        if self.several is not None:
            grounded, index = self.several.first(grounded), self.several.first_index(index)
        decided = decide(grounded, self.schema, index, calibration=calibration, threshold=threshold)
        if self.several is not None:
            decided = self.several.veto(decided)
        self.seconds["decide"] += perf_counter() - started
        return veto_broken_rules(veto_missing_decimals(decided, self.schema, index), self.schema)


def extract_first(documents: Sequence[DocumentState], extractor: Extractor) -> None:
    """All of them, which have one schema."""
    if not documents:
        return
    for document, answer in zip(documents, _answers(documents, extractor, documents[0].schema), strict=True):
        if isinstance(answer, DocpipeError):
            document.error = answer
        else:
            document.add_first(answer)


def extract_second(documents: Sequence[DocumentState], extractor: Extractor) -> None:
    """A second extractor, about the fields that are not sure. Documents that are unsure of the same go together."""
    groups: dict[tuple[str, tuple[str, ...]], list[DocumentState]] = {}
    for document in documents:
        document.second_paths = () if document.error else uncertain_paths(document.fields, document.schema)
        if document.second_paths:
            groups.setdefault((document.schema.name, document.second_paths), []).append(document)
    for (_, paths), members in groups.items():
        asked = members[0].schema.only(paths)
        parts = None
        if isinstance(extractor, PartExtractor) and extractor.reads_parts:
            parts = [doubtful_places(document.prepared.pages, document.answer, asked) for document in members]
        answers = _answers(members, extractor, asked, parts)
        for document, answer in zip(members, answers, strict=True):
            if isinstance(answer, AnswerError | TooLargeError):
                document.keep_first_answer(answer)
            elif isinstance(answer, DocpipeError):
                answer.cost = add_costs(answer.cost, document.answer.cost)
                document.error = answer
            else:
                document.add_second(answer)


def _answers(
    documents: Sequence[DocumentState],
    extractor: Extractor,
    schema: Schema,
    parts: Sequence[Sequence[Page]] | None = None,
) -> Sequence[Answer | DocpipeError]:
    """All at once; when that fails as a whole, one by one. `parts`: of each document's pages, if not all of them."""
    started = perf_counter()
    batch = parts or [document.prepared.pages for document in documents]
    answers: Sequence[Answer | DocpipeError]
    try:
        answers = _guarded(lambda: extractor.extract_many(batch, schema))
    except DocpipeError as error:
        answers = [error] if len(documents) == 1 else [_answer_alone(extractor, pages, schema) for pages in batch]
    each = (perf_counter() - started) / len(documents)
    for document, answer in zip(documents, answers, strict=True):
        document.seconds["extract"] += each
        if isinstance(answer, DocpipeError):
            answer.cost = add_costs(answer.cost, {"seconds": each})
    return answers


def _answer_alone(extractor: Extractor, pages: Sequence[Page], schema: Schema) -> Answer | DocpipeError:
    try:
        return _guarded(lambda: extractor.extract(pages, schema))
    except DocpipeError as error:
        return error


def _guarded(extract: Callable[[], T]) -> T:
    """A failure that the extractor does not explain is the document's: tried again it would break off in the same way.
    A model that is away, or cannot run at all, is for the extractor to say, with a ModelError."""
    try:
        return extract()
    except MemoryError as error:
        log.error("an extractor had no memory for a document", exc_info=error)
        raise TooLargeError("there is not enough memory to extract from this document") from error
    except UNFORESEEN_ERRORS as error:
        log.error("an extractor failed on a document", exc_info=error)
        message = f"the extractor failed on this document: {describe_bug(error)}"
        raise ExtractionError(message) from error


def _requested_path(path: str) -> str:
    """What an extractor is asked about for a field: a cell's whole list, or the single field."""
    return FieldPath.parse(path).list_path or path


def _mark_second(value: Field) -> Field:
    """So that a calibration can be fitted on what the second model was asked about alone."""
    return replace(value, signals={**value.signals, "second": 1.0}) if value.signals else value


def _issues(answer: Answer) -> Iterator[Issue]:
    yield from answer.issues
    if answer.finish != "complete":
        yield Issue("answer_cut_off", f"the extractor's answer was cut off ({answer.finish}); fields may be missing")
