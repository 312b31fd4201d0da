"""A page's words as text that keeps its layout: for models without eyes, and beside the picture for those with.

In: pages with words. Out: for each page its rows from top to bottom, columns kept apart by blanks, as `pdftotext
-layout` writes them; within a budget of tokens the rows that matter to the fields.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from docpipe.data import Page, Word

MAX_COLUMNS = 140  # characters of a row: a page of small print has about as many; wider ones are pressed together
ROW_OVERLAP = 0.5  # of a word's height: its middle is no further from the row's, else it begins a new one
BLANK_ROW = 1.2  # heights of a row between two of them that a blank row stands for
LEFT_OUT = "[…]"
# SmolLM2's tokenizer, which takes each digit as a token of its own, comes to 1.9 for laid out invoices, runs of blanks
# counted as two (`python -m benchmarks.accuracy.prompt_tokens`); larger models' take more at once.
BYTES_PER_TOKEN = 1.9
TYPED = re.compile(r"\d[.,]\d{2}\b|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}|\d{4,}")  # amounts, dates, numbers of documents
HEAD_ROWS = 12  # of the first page: who writes to whom
TERM_SCORE, TYPED_SCORE, HEAD_SCORE, NEAR_SCORE = 3, 2, 2, 1


@dataclass(frozen=True, slots=True)
class TextRow:
    """What stands side by side on a page. `top` and `bottom` are fractions of the page's height."""

    text: str
    top: float
    bottom: float


def rows_of(page: Page) -> list[TextRow]:
    """From top to bottom."""
    if not page.words:
        return []
    width = _character_width(page.words)
    rows: list[TextRow] = []
    for words in _rows_of_words(page.words):
        line = ""
        for word in sorted(words, key=lambda word: word.box.left):
            column = round(word.box.left / width)
            line += " " * max(column - len(line), 1 if line else 0) + word.text
        top, bottom = min(word.box.top for word in words), max(word.box.bottom for word in words)
        rows.append(TextRow(line, top, bottom))
    margin = min(len(row.text) - len(row.text.lstrip()) for row in rows)
    return [TextRow(row.text[margin:], row.top, row.bottom) for row in rows]


def page_text(rows: Sequence[TextRow]) -> str:
    """Rows as one text; a gap between two of them is a blank row."""
    if not rows:
        return ""
    height = median(row.bottom - row.top for row in rows)
    lines = [rows[0].text]
    for above, row in pairwise(rows):
        if row.top - above.bottom > BLANK_ROW * height:
            lines.append("")
        lines.append(row.text)
    return "\n".join(lines)


def within_budget(pages: Sequence[Sequence[TextRow]], tokens: int, terms: frozenset[str]) -> list[list[TextRow]]:
    """The rows of each page, of which those that matter least are left out until the rest fits: rows with the words by
    which the schema describes its fields come first, then those with amounts, dates and numbers, the head of the first
    page, and what stands beside such rows. Where rows are left out, one row says so."""
    sizes = [[token_count(row.text) for row in rows] for rows in pages]
    if sum(map(sum, sizes)) <= tokens:
        return [list(rows) for rows in pages]
    scores = [_scores(rows, terms, is_first=number == 0) for number, rows in enumerate(pages)]
    places = [(page, row) for page, rows in enumerate(pages) for row in range(len(rows))]
    kept: set[tuple[int, int]] = set()
    for page, row in sorted(places, key=lambda place: (-scores[place[0]][place[1]], place)):
        if sizes[page][row] <= tokens:
            tokens -= sizes[page][row]
            kept.add((page, row))
    return [_with_gaps(rows, {row for number, row in kept if number == page}) for page, rows in enumerate(pages)]


def _with_gaps(rows: Sequence[TextRow], kept: set[int]) -> list[TextRow]:
    """The rows that are kept, and one for each stretch of those that are not."""
    shown: list[TextRow] = []
    for number, row in enumerate(rows):
        if number in kept:
            shown.append(row)
        elif not shown or shown[-1].text != LEFT_OUT:
            shown.append(TextRow(LEFT_OUT, row.top, row.bottom))
    return shown


def _scores(rows: Sequence[TextRow], terms: frozenset[str], *, is_first: bool) -> list[int]:
    own = []
    for number, row in enumerate(rows):
        words = {word.lower() for word in re.findall(r"[^\W\d_]+", row.text)}
        score = TERM_SCORE if words & terms else 0
        score += TYPED_SCORE if TYPED.search(row.text) else 0
        own.append(score + (HEAD_SCORE if is_first and number < HEAD_ROWS else 0))
    near = [max(own[max(0, number - 1) : number + 2]) for number in range(len(own))]
    return [max(score, NEAR_SCORE if beside >= TERM_SCORE else 0) for score, beside in zip(own, near, strict=True)]


def token_count(text: str) -> int:
    """Roughly, and more rather than less."""
    return 1 + round(len(re.sub(r" {2,}", "  ", text).encode()) / BYTES_PER_TOKEN)


def _character_width(words: Sequence[Word]) -> float:
    """Of one column, as a fraction of the page's width."""
    widths = [(word.box.right - word.box.left) / len(word.text) for word in words if len(word.text) > 2]
    return max(median(widths) if widths else 0.0, 1 / MAX_COLUMNS)


def _rows_of_words(words: Sequence[Word]) -> list[list[Word]]:
    """Words whose middles are at one height. Columns of a page stand side by side in a row, as they do in print."""
    rows: list[list[Word]] = []
    middle, height = 0.0, 0.0
    for word in sorted(words, key=lambda word: word.box.top + word.box.bottom):
        own_middle, own_height = (word.box.top + word.box.bottom) / 2, word.box.bottom - word.box.top
        if rows and own_middle - middle <= ROW_OVERLAP * min(height, own_height):
            rows[-1].append(word)
            continue
        rows.append([word])
        middle, height = own_middle, own_height
    return rows
