"""The lines of a document around what is doubtful: all that a second model has to read.

In: pages, the first answer with its evidence, the part of the schema that is asked again. Out: the pages with the words
of these lines alone. For a single field they are those around its candidates and around the words that describe it; for
a list those from its first row to its last. A field of which neither is on the pages may stand anywhere: then nothing
less than the document will do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

from docpipe.data import Answer, Page, Word
from docpipe.paths import FieldPath
from docpipe.schema import Schema
from docpipe.schema_fields import FieldSpec

AROUND = 2.5  # heights of a line above and below a place: a caption above a value, the second line of an address
AROUND_LIST = 4.0  # of a list: its headings, and a row that was not found at its end
MIN_PATH_LETTERS, MIN_TERM_LETTERS = 3, 4  # of words of a field's path (`tax_total`) and of its description
SMALL_WORDS = frozenset({"with", "this", "that", "from", "what", "which", "each", "other", "until", "without"})
MAX_SHARE = 0.7  # of the words: from there on the whole document is hardly more


class Band(NamedTuple):
    """A stretch of a page, as fractions of its height from the top."""

    page: int
    top: float
    bottom: float


def doubtful_places(pages: Sequence[Page], first: Answer, asked: Schema) -> Sequence[Page]:
    """All pages, unchanged, where less would not do or would hardly be less."""
    heights = {page.number: _line_height(page.words) for page in pages}
    bands: list[Band] = []
    for path in dict.fromkeys(spec.list_path or spec.path for spec in asked.fields):
        specs = [spec for spec in asked.fields if path in (spec.list_path, spec.path)]
        own = list(_bands(path, specs, first, pages))
        if not own:
            return pages
        margin = AROUND_LIST if specs[0].list_path else AROUND
        bands += [
            Band(band.page, band.top - margin * heights[band.page], band.bottom + margin * heights[band.page])
            for band in own
        ]
    parts = [replace(page, words=tuple(_words_in(page, bands))) for page in pages]
    kept, total = (sum(len(page.words) for page in each) for each in (parts, pages))
    return pages if kept >= MAX_SHARE * total else [page for page in parts if page.words]


def _bands(path: str, specs: Sequence[FieldSpec], first: Answer, pages: Sequence[Page]) -> Iterator[Band]:
    is_list = specs[0].list_path is not None
    quotes = [
        quote
        for candidate in first.candidates
        if path in (candidate.path, FieldPath.parse(candidate.path).list_path)
        for quote in candidate.evidence
    ]
    if is_list:
        for number in sorted({quote.page for quote in quotes}):
            boxes = [quote.box for quote in quotes if quote.page == number]
            yield Band(number, min(box.top for box in boxes), max(box.bottom for box in boxes))
        return
    yield from (Band(quote.page, quote.box.top, quote.box.bottom) for quote in quotes)
    terms = frozenset(term for spec in specs for term in _terms(spec))
    for page in pages:
        for word in page.words:
            if not terms.isdisjoint(_letters(word.text)):
                yield Band(page.number, word.box.top, word.box.bottom)


def _terms(spec: FieldSpec) -> Iterator[str]:
    """The words by which a field is known on a page, in small letters."""
    captions = " ".join(spec.captioned.captions) if spec.captioned is not None else ""
    yield from (word for word in _letters(spec.path.replace("_", " ")) if len(word) >= MIN_PATH_LETTERS)
    described = (word for word in _letters(f"{spec.prompt} {captions}") if len(word) >= MIN_TERM_LETTERS)
    yield from (word for word in described if word not in SMALL_WORDS)


def _letters(text: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[^\W\d_]+", text)]


def _words_in(page: Page, bands: Iterable[Band]) -> Iterator[Word]:
    own = [band for band in bands if band.page == page.number]
    for word in page.words:
        middle = (word.box.top + word.box.bottom) / 2
        if any(band.top <= middle <= band.bottom for band in own):
            yield word


def _line_height(words: Sequence[Word]) -> float:
    return median(word.box.bottom - word.box.top for word in words) if words else 0.0
