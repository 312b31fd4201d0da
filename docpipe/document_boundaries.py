"""Where one document ends and the next begins, in a file or on a picture that holds several.

In: a grounded answer, the schema, the document's words. Out: `SeveralDocuments`, or None for the usual file. Nothing is
split: the answer is cut down to the first document, and whoever reads the result is told of the others.

What says so is what makes a document whole: a head (the number that it has, else the name of who made it) and a total,
both surely found. A page that brings another number, or begins to count again (`Page 1 of 2`), or is printed twice,
begins a document when it and the pages after it have a total of their own, and the pages before it have one. A page
that repeats the number, or counts on (`Page 2 of 2`), goes on with the document; so do pages without a head.
On one page the candidates for the total and for another field must lie in two halves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from docpipe.data import Answer, Box, Candidate, Field, Issue
from docpipe.document_index import DocumentIndex
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec
from docpipe.schema_ports import Conventions, group_of
from docpipe.text_normalisation import lookalike_key, squeeze

SURE = 0.5  # a page has a value when its best candidate there is more likely right than wrong
COPY_SHARE = (
    0.9  # of the words: `Original` and `Copy`, a stamp and a misread word differ between prints of one document
)
# Of a second document on one page a pointer network says little: it has one answer for a field. On drawn sheets with
# two receipts the second total had .06 to .19; what is next to it (date, time, name) a few hundredths.
MIN_SECOND_TOTAL = 0.04
MIN_SECOND_VALUE = 0.01
MONEY = "money"
_PAGE_WORDS = (
    "page|pg|seite|blatt|página|pagina|pág|pag|hoja|folha|foglio|feuille|blz|bladzijde|strona|str|strana|stránka|stranica"
    "|sida|side|sivu|oldal|sayfa|σελίδα|σελ|lehekülg|lapa|puslapis"
)
_PAGE_NUMBER = re.compile(
    rf"(?<!\w)(?:{_PAGE_WORDS})\.?\s*:?\s*(?P<number>\d{{1,4}})\s*"
    r"(?:/|\(|of|von|de|di|van|sur|av|af|z|ze|iz|din|od|a)\s*(?P<count>\d{1,4})(?!\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class SeveralDocuments:
    """`first_pages`: the page on which each document begins; the same page twice where one page holds several."""

    first_pages: tuple[int, ...]
    last_page: int
    repeats: bool = False

    @property
    def is_one_page(self) -> bool:
        return len(set(self.first_pages)) < len(self.first_pages)

    @property
    def issue(self) -> Issue:
        if self.is_one_page:
            page = self.first_pages[0]
            message = f"page {page} seems to hold several documents; values of one may stand beside those of another"
            return Issue("several_documents", message, page=page)
        ends = [*(number - 1 for number in self.first_pages[1:]), self.last_page]
        spans = [
            f"{first}" if first == end else f"{first}-{end}" for first, end in zip(self.first_pages, ends, strict=True)
        ]
        again = ", one of them printed again" if self.repeats else ""
        pages = ", ".join(spans) + again
        message = f"the file holds {len(spans)} documents, on pages {pages}; the values are those of the first"
        return Issue("several_documents", message, page=self.first_pages[1])

    def first(self, answer: Answer) -> Answer:
        """What the answer says of the first document."""
        if self.is_one_page:
            return answer
        end = self.first_pages[1]
        kept = tuple(c for c in answer.candidates if all(quote.page < end for quote in c.evidence))
        paths = {candidate.path for candidate in kept}
        return replace(answer, candidates=kept, absent={p: a for p, a in answer.absent.items() if p in paths})

    def first_index(self, index: DocumentIndex) -> DocumentIndex:
        if self.is_one_page:
            return index
        return DocumentIndex([page.page for number, page in index.pages.items() if number < self.first_pages[1]])

    def veto(self, fields: Iterable[Field]) -> tuple[Field, ...]:
        """Nobody looked at the other documents: nothing is accepted unseen. What was sure enough says what it waits
        for."""
        message = "not accepted, whatever its confidence: there are several documents"
        return tuple(
            replace(each, accepted=False, issues=(*each.issues, Issue("several_documents", message, field=each.path)))
            if each.accepted
            else each
            for each in fields
        )


@dataclass(frozen=True, slots=True)
class _PageFacts:
    """What a page says of itself. `values`: path -> the surely found value; `printed`: its number as printed on it."""

    number: int
    printed: int | None
    words: Counter[str]
    values: Mapping[str, object]


@dataclass
class _Pages:
    """The pages of one document. `repeats`: they are the ones before once more."""

    pages: list[_PageFacts]
    repeats: bool = False

    def value(self, path: str) -> object:
        """The first that a page has."""
        return next((page.values[path] for page in self.pages if path in page.values), None)


@dataclass
class _BoundaryFields:
    """What the schema has to tell documents apart: `keys` name a document, `totals` close it, `others` are more that
    differ from one to the next."""

    schema: Schema
    keys: tuple[FieldSpec, ...] = ()
    totals: tuple[FieldSpec, ...] = ()
    others: tuple[FieldSpec, ...] = ()
    are_numbers: bool = False  # the keys: else they are names

    @classmethod
    def of(cls, schema: Schema) -> _BoundaryFields:
        """Of the fields that make a document complete; of all single ones where the schema does not say which do."""
        single = [spec for spec in schema.fields if spec.list_path is None]
        expected = [spec for spec in single if spec.required] or single
        numbers = tuple(spec for spec in expected if group_of(spec.kind) == "identifier")
        names = tuple(spec for spec in expected if group_of(spec.kind) == "name")
        totals = tuple(spec for spec in expected if spec.kind.name == MONEY)
        others = tuple(spec for spec in expected if group_of(spec.kind) == "date")
        return cls(schema, numbers or names, totals, others, bool(numbers))

    def same(self, spec: FieldSpec, left: object, right: object) -> bool:
        """Two readings of one print are the same."""
        are_texts = isinstance(left, str) and isinstance(right, str)
        lookalike = are_texts and lookalike_key(squeeze(str(left))) == lookalike_key(squeeze(str(right)))
        return lookalike or spec.kind.same(left, right)

    def differ(self, specs: Iterable[FieldSpec], left: _Pages, right: _PageFacts) -> bool | None:
        """Whether a value that both have differs; None where they have none in common."""
        common = [
            self.same(spec, left.value(spec.path), right.values[spec.path])
            for spec in specs
            if spec.path in right.values and left.value(spec.path) is not None
        ]
        return not all(common) if common else None

    def has(self, specs: Iterable[FieldSpec], page: _PageFacts) -> bool:
        return any(spec.path in page.values for spec in specs)


def several_documents(answer: Answer, schema: Schema, index: DocumentIndex) -> SeveralDocuments | None:
    """None when the pages are one document, or nothing tells them apart."""
    boundary_fields = _BoundaryFields.of(schema)
    if not boundary_fields.keys or not boundary_fields.totals:
        return None
    by_page = _candidates_by_page(answer, index)
    if len(by_page) > 1:
        facts = list(_page_facts(by_page, boundary_fields, index))
        documents = _documents(facts, boundary_fields)
        if len(documents) > 1:
            first_pages = tuple(document.pages[0].number for document in documents)
            repeats = any(document.repeats for document in documents)
            return SeveralDocuments(first_pages, max(index.pages), repeats)
    conventions = schema.conventions(index.lines)
    for number, candidates in by_page.items():
        if _has_two_halves(candidates, boundary_fields, conventions):
            return SeveralDocuments((number, number), number)
    return None


# -- pages ------------------------------------------------------------------------------------------------------------


def _candidates_by_page(answer: Answer, index: DocumentIndex) -> dict[int, list[Candidate]]:
    """Those of single fields that stand on one page, best first."""
    by_page: dict[int, list[Candidate]] = {number: [] for number, page in index.pages.items() if page.words}
    for candidate in answer.candidates:
        pages = {quote.page for quote in candidate.evidence}
        if len(pages) == 1 and "[" not in candidate.path and (number := pages.pop()) in by_page:
            by_page[number].append(candidate)
    return {n: sorted(found, key=lambda candidate: -candidate.score) for n, found in by_page.items()}


def _page_facts(
    by_page: Mapping[int, Sequence[Candidate]], boundary_fields: _BoundaryFields, index: DocumentIndex
) -> Iterator[_PageFacts]:
    specs = {spec.path: spec for spec in (*boundary_fields.keys, *boundary_fields.totals, *boundary_fields.others)}
    conventions = boundary_fields.schema.conventions(index.lines)
    for number, candidates in by_page.items():
        values: dict[str, object] = {}
        for candidate in candidates:
            if candidate.path in specs and candidate.path not in values and candidate.score >= SURE:
                value = specs[candidate.path].kind.parse(candidate.text, conventions).value
                if value is not None:
                    values[candidate.path] = value
        page = index.pages[number]
        yield _PageFacts(number, _printed_number(page.page.lines), Counter(w.text for w in page.words), values)


def _printed_number(lines: Iterable[str]) -> int | None:
    """1 of `Page 1 of 2`; None where the page says nothing, or several things."""
    numbers = {
        int(found["number"])
        for line in lines
        for found in _PAGE_NUMBER.finditer(line)
        if int(found["number"]) <= int(found["count"])
    }
    return numbers.pop() if len(numbers) == 1 else None


def _documents(facts: Sequence[_PageFacts], boundary_fields: _BoundaryFields) -> list[_Pages]:
    """The pages of each document: those that begin one and have no total of their own are of the one before."""
    groups = [_Pages([facts[0]])]
    for page in facts[1:]:
        current = groups[-1]
        repeats = _is_copy(page, current, boundary_fields)
        if not _continues(page, current) and (repeats or _begins(page, current, boundary_fields)):
            groups.append(_Pages([page], repeats))
        else:
            current.pages.append(page)
    documents: list[_Pages] = []
    for group in groups:
        is_whole = any(boundary_fields.has(boundary_fields.totals, page) for page in group.pages)
        if documents and not (
            is_whole and any(boundary_fields.has(boundary_fields.totals, page) for page in documents[-1].pages)
        ):
            documents[-1].pages += group.pages
        else:
            documents.append(group)
    return documents


def _continues(page: _PageFacts, current: _Pages) -> bool:
    """It counts on from the page before."""
    before = current.pages[-1].printed
    return page.printed is not None and page.printed > 1 and before is not None and page.printed == before + 1


def _begins(page: _PageFacts, current: _Pages, boundary_fields: _BoundaryFields) -> bool:
    """It has a head of its own."""
    differs = boundary_fields.differ(boundary_fields.keys, current, page)
    if differs is None:
        return False
    restarts = page.printed == 1 and any(before.printed == 1 for before in current.pages)
    if differs or restarts:
        return True
    # who made it says less than a number: two receipts of one shop
    return not boundary_fields.are_numbers and bool(
        boundary_fields.differ((*boundary_fields.totals, *boundary_fields.others), current, page)
    )


def _is_copy(page: _PageFacts, current: _Pages, boundary_fields: _BoundaryFields) -> bool:
    """A page with head and total that is printed twice."""
    if not boundary_fields.has(boundary_fields.keys, page) or not boundary_fields.has(boundary_fields.totals, page):
        return False
    return any(
        sum((page.words & before.words).values()) >= COPY_SHARE * max(page.words.total(), before.words.total())
        for before in current.pages
    )


# -- one page ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _TwoValues:
    """Two different values of one field on a page, and where they stand."""

    first: Box
    second: Box

    def is_split(self, other: _TwoValues) -> bool:
        """Whether a straight line over the page has one value of each field on either side."""
        for left, right in ((other.first, other.second), (other.second, other.first)):
            mine, its = _union(self.first, left), _union(self.second, right)
            if mine.right <= its.left or its.right <= mine.left or mine.bottom <= its.top or its.bottom <= mine.top:
                return True
        return False


def _has_two_halves(
    candidates: Sequence[Candidate], boundary_fields: _BoundaryFields, conventions: Conventions
) -> bool:
    totals = [
        pair for spec in boundary_fields.totals for pair in _two_values(spec, candidates, MIN_SECOND_TOTAL, conventions)
    ]
    others = [
        pair
        for spec in (*boundary_fields.keys, *boundary_fields.others)
        for pair in _two_values(spec, candidates, MIN_SECOND_VALUE, conventions)
    ]
    return any(total.is_split(other) for total in totals for other in others)


def _two_values(
    spec: FieldSpec, candidates: Sequence[Candidate], min_score: float, conventions: Conventions
) -> Iterator[_TwoValues]:
    """Pairs of candidates for a field whose values differ."""
    values = []
    for candidate in candidates:
        if candidate.path == spec.path and candidate.score >= min_score:
            value = spec.kind.parse(candidate.text, conventions).value
            if value is not None:
                values.append((value, _union(*(quote.box for quote in candidate.evidence))))
    for (one, first), (other, second) in combinations(values, 2):
        if not spec.kind.same(one, other):
            yield _TwoValues(first, second)


def _union(first: Box, *others: Box) -> Box:
    for other in others:
        first = first.union(other)
    return first
