"""Real documents with truth become examples: the truth as text is found among the words that were read.

In: labelled documents and their pages as the pipeline reads them. Out: one `Example` per page. A value that is not
found on any page is left unknown, never absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docpipe.data import Page, Word
from docpipe.schema import load_schema
from docpipe.schema_ports import Conventions, Kind
from docpipe.vlm.encode import blank_picture, canvas_picture
from docpipe.vlm.training.data.align_labels import (
    adjacent_spans,
    exact_spans,
    keep_flight_periods,
    match_key,
    similar_spans,
)
from docpipe.vlm.training.data.align_tables import TABLES, TruthRow, align_table, without_line_items
from docpipe.vlm.training.data.examples import Example, PicturedExample, Span
from docpipe.vlm.training.data.from_samples import PICTURE_SIDE, PageLabels, group_by_name
from docpipe.vlm.training.data.split import Part

MAX_TYPED_WORDS = 4  # of a date or an amount: "13. November 2017", "RM 1 234,50"
MAX_AMOUNT_LETTERS = 4  # currency signs and codes
MIN_DATE_DIGITS, MAX_DATE_LENGTH = 2, 24
SIGNER = ("signer_first", "signer_last")
MAX_MIDDLE_NAMES = 2  # words between a first and a last name
TITLE_SHARE = 0.8  # of the largest print's height
_KINDS: Mapping[str, Kind] = {
    "date": load_schema("receipt").spec("date").kind, "number": load_schema("receipt").spec("total").kind,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingDocument:
    """A real document: its file (or its transcribed words), and its values by our paths, as printed or typed."""

    origin: str
    group: str  # the seller, or another issuer of the document
    part: Part
    schema: str
    values: Mapping[str, object]
    path: Path | None = None
    words: tuple[Word, ...] = ()
    aspect: float = 1.0  # height over width, of a transcript
    day_first: bool | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Sequence[TruthRow]] = field(default_factory=dict)  # list path -> rows, down the document
    max_places: int | None = None  # a value printed more often on a page is also something else there: left unknown
    from_picture: bool = False  # to be read from a picture of the pages, without their text layer


def labelled_examples(document: TrainingDocument, pages: Sequence[Page]) -> Iterator[PicturedExample]:
    if document.path is None:
        labels = _labels(document, document.words)
        example = _example(document, document.words, document.aspect, PageLabels(labels, {}))
        yield PicturedExample(example, blank_picture())
        return
    readable_pages = [page for page in pages if page.image is not None and page.words]
    labels_of_pages = [_labels(document, page.words) for page in readable_pages]
    if document.origin == "ad_orders":
        labels_of_pages = keep_flight_periods(labels_of_pages, [page.words for page in readable_pages])
    known_paths = dict.fromkeys(path for labels in labels_of_pages for path in labels)
    for page, labels, cells in zip(
        readable_pages, labels_of_pages, _table_labels(document, readable_pages), strict=True
    ):
        spans_by_path = without_line_items({path: labels.get(path, []) for path in known_paths}, cells.labels)
        if document.max_places is not None:
            spans_by_path = {path: spans for path, spans in spans_by_path.items() if len(spans) <= document.max_places}
        assert page.image is not None  # noqa: S101 - filtered above
        page_labels = PageLabels({**spans_by_path, **cells.labels}, cells.rows)
        example = _example(document, page.words, page.height / page.width, page_labels)
        yield PicturedExample(example, canvas_picture(page.image.open(max_side=PICTURE_SIDE)))


def _example(document: TrainingDocument, words: tuple[Word, ...], aspect: float, labels: PageLabels) -> Example:
    return Example(
        origin=document.origin,
        group=document.group,
        schema=document.schema,
        aspect=aspect,
        words=words,
        labels=labels.labels,
        prompts=document.prompts,
        kinds={path: group_by_name(path) for path in labels.labels},
        rows=labels.rows,
    )


def _table_labels(document: TrainingDocument, pages: Sequence[Page]) -> list[PageLabels]:
    """For each page the cells that are known."""
    labels: list[dict[str, list[Span]]] = [{} for _ in pages]
    rows: list[dict[str, tuple[int, ...]]] = [{} for _ in pages]
    words = [page.words for page in pages]
    conventions = _conventions(document, words)
    for list_path, truth in document.tables.items():
        for page, columns in enumerate(align_table(TABLES[list_path], truth, words, conventions)):
            for column, cells in columns.items():
                path = f"{list_path}[].{column}"
                labels[page][path] = [cell.span for cell in cells]
                rows[page][path] = tuple(cell.row for cell in cells)
    return [PageLabels(*of_page) for of_page in zip(labels, rows, strict=True)]


def _conventions(document: TrainingDocument, pages: Sequence[Sequence[Word]]) -> Conventions:
    lines: dict[tuple[int, int], list[str]] = {}
    for number, words in enumerate(pages):
        for word in words:
            lines.setdefault((number, word.line), []).append(word.text)
    schema = load_schema("invoice" if document.schema != "receipt" else "receipt")
    conventions = schema.conventions([" ".join(line) for line in lines.values()])
    if document.day_first is None:
        return conventions
    return Conventions(document.day_first, conventions.decimal_mark, conventions.language)


def _labels(document: TrainingDocument, words: Sequence[Word]) -> dict[str, list[Span]]:
    """Template path -> spans, for the values that are found on these words."""
    conventions = _conventions(document, [words])
    labels = {path: spans_of(words, value, path, conventions) for path, value in document.values.items()}
    if set(SIGNER) & set(labels):
        labels |= _full_names(words, *(labels.get(path, []) for path in SIGNER))
    if "form_type" in labels:
        labels["form_type"] = _titles(words, labels["form_type"])
    return {path: spans for path, spans in labels.items() if spans}


def _titles(words: Sequence[Word], spans: Sequence[Span]) -> list[Span]:
    """Of all places that name the type of a form those that are its title: with a capital, and the largest."""
    capital = [span for span in spans if words[span[0]].text[:1].isupper()]
    heights = [max(words[i].box.bottom - words[i].box.top for i in span) for span in capital]
    return [span for span, height in zip(capital, heights, strict=True) if height >= TITLE_SHARE * max(heights)]


def _full_names(words: Sequence[Word], first: Sequence[Span], last: Sequence[Span]) -> dict[str, list[Span]]:
    """First and last names that stand together: alone, either may be anybody's."""
    pairs = adjacent_spans(first, last, words, 1 + MAX_MIDDLE_NAMES)
    return {SIGNER[0]: [a for a, _ in pairs], SIGNER[1]: [b for _, b in pairs]}


def spans_of(words: Sequence[Word], value: object, path: str, conventions: Conventions) -> list[Span]:
    """Every place that prints the value. Dates and amounts are compared as values, names by similarity."""
    group = group_by_name(path)
    kind = _KINDS.get(group)
    if kind is None:
        if group == "identifier":
            return exact_spans(words, lambda text: match_key(text) == match_key(str(value)), MAX_TYPED_WORDS)
        return similar_spans(words, str(value))
    truth = kind.parse(value, conventions).value if isinstance(value, str) else value
    if truth is None:
        return []

    def is_equal(text: str) -> bool:
        return _could_be(text, group) and kind.parse(text, conventions).value == truth

    spans = exact_spans(words, is_equal, MAX_TYPED_WORDS)
    if not spans and isinstance(value, str):
        spans = exact_spans(words, lambda text: match_key(value) in match_key(text), 1)
    return spans


def _could_be(text: str, group: str) -> bool:
    """Cheap test before parsing: digits for numbers, digits and not too long for dates."""
    digits = sum(c.isdigit() for c in text)
    if group == "number":
        return digits >= 1 and len(re.sub(r"[^A-Za-z]", "", text)) <= MAX_AMOUNT_LETTERS
    return digits >= MIN_DATE_DIGITS and len(text) <= MAX_DATE_LENGTH
