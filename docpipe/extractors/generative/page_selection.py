"""Which pages a model sees, and how large: what it costs is the number of their pixels.

In: the pages of a document with their words, a schema. Out: indexes of pages, and an image's longer side in pixels.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from docpipe.data import Page
from docpipe.schema import Schema

PAGES_PER_PROMPT = 4  # what models of 2 to 8 billion parameters keep apart
MAX_LIST_PAGES = 40  # pages whose rows are asked for; the others are named in an issue
# Pixels that a line of small print gets. Docpipe's OCR finds as many of a page's values at 10 as at any larger size,
# and fewer at 8 (`python -m benchmarks.accuracy.print_height`, decision 14). No vision-language model was measured: OCR
# stands in for one, and it enlarges small lines before it reads them, so this is a step above what it needs.
PRINT_HEIGHT = 12
SMALL_PRINT_SHARE = 0.1  # the share of the words that may be smaller than what the height is taken from
MIN_SIDE = 640  # pixels: below it, layout is lost too
AMOUNT = re.compile(r"\d[.,]\d{2}\b|\d[.,'’]\d{3}\b|\d[.,][-–—]")  # 12,00 1.250.000 1'250 25.-
MIN_AMOUNT_LINES = 2  # lines with an amount from which a page may hold rows
MIN_TERM_LETTERS = 4  # shorter words of a description stand on every page


def image_side(page: Page, max_side: int) -> int:
    """The longer side in pixels at which the page's print can be read, at most `most`, and never enlarged."""
    longer = max(page.width, page.height)
    if not page.words:
        return min(longer, max_side)
    readable = round(longer * PRINT_HEIGHT / small_print_height(page))
    return min(longer, max_side, max(MIN_SIDE, readable))


def small_print_height(page: Page) -> float:
    """Pixels that a line of the page's small print is high; of a page without words 1."""
    heights = sorted((word.box.bottom - word.box.top) * page.height for word in page.words)
    return max(1.0, heights[int(SMALL_PRINT_SHARE * (len(heights) - 1))]) if heights else 1.0


def pages_for_fields(pages: Sequence[Page], schema: Schema) -> list[int]:
    """Indexes of at most AT_ONCE pages where single fields stand: the first, the last, and those that use most of the
    words by which the schema describes them."""
    if len(pages) <= PAGES_PER_PROMPT:
        return list(range(len(pages)))
    terms = description_terms(schema)
    last = len(pages) - 1
    inner = sorted(range(1, last), key=lambda i: (-_term_count(pages[i], terms), i))
    return sorted([0, last, *inner[: PAGES_PER_PROMPT - 2]])


def pages_for_lists(pages: Sequence[Page]) -> list[int]:
    """Indexes of the pages that may hold rows, at most LIST_PAGES_MOST; all of a short document, and all of one without
    amounts: its rows are names, or prices in yen."""
    if len(pages) <= PAGES_PER_PROMPT:
        return list(range(len(pages)))
    with_rows = [i for i, page in enumerate(pages) if page.image is not None and _may_hold_rows(page)]
    return (with_rows or list(range(len(pages))))[:MAX_LIST_PAGES]


def description_terms(schema: Schema) -> frozenset[str]:
    """The words by which the schema describes its fields, in small letters."""
    words = (word for spec in schema.fields for word in re.findall(r"[^\W\d_]+", f"{spec.path} {spec.prompt}"))
    return frozenset(word.lower() for word in words if len(word) >= MIN_TERM_LETTERS)


def _term_count(page: Page, terms: frozenset[str]) -> int:
    printed = {term.lower() for word in page.words for term in re.findall(r"[^\W\d_]+", word.text)}
    return len(terms & printed)


def _may_hold_rows(page: Page) -> bool:
    """A page without words may: a reader that saw nothing says nothing about it."""
    lines = {word.line for word in page.words if AMOUNT.search(word.text)}
    return len(lines) >= MIN_AMOUNT_LINES or not page.words
