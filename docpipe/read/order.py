"""The order in which the words of a page are read.

In: text runs (words that OCR or the text layer knows to stand in one line). Out: words, line by line.

The rule: the page's slope is taken out; what overlaps by half of its height stands in one row; rows are read from top
to bottom, each from left to right and as one line, so that a table is read row by row and a label with its value.
Blocks of text side by side are read one after the other (columns.py). Text that runs up or down the margin comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from docpipe.data import Box, Word
from docpipe.read.columns import Phrase, PhraseRow, column_order

SAME_ROW = 0.5  # of the lower one's height: neighbours in a row overlap by at least this much
MAX_OVERLAP = 0.3  # of the narrower one's width: phrases above each other are not in one row, whatever their height
PHRASE_GAP = 1.2  # heights of the line: a wider gap begins a new phrase
RECENT_ROWS = 12  # rows above that a phrase may still belong to; rows are found from top to bottom
VERTICAL = 3.0  # usual heights: a run higher than this and than it is wide runs up or down the page


@dataclass(frozen=True, slots=True)
class TextRun:
    """Words that follow each other in one line. `box` has the full height of the line, also where
    the words' own boxes are tighter.
    """

    words: tuple[Word, ...]
    box: Box


def in_reading_order(runs: Sequence[TextRun], *, aspect: float, slope: float = 0.0) -> tuple[Word, ...]:
    """`aspect` is the page's width / height; `slope` how far a line falls per unit to the right."""
    phrases = [phrase for run in runs for phrase in _phrases(run, aspect, slope)]
    if not phrases:
        return ()
    height = sorted(phrase.bottom - phrase.top for phrase in phrases)[len(phrases) // 2]
    vertical = [phrase for phrase in phrases if _is_vertical(phrase, height)]
    rows = [_merge_neighbours(row) for row in _rows([phrase for phrase in phrases if not _is_vertical(phrase, height)])]
    lines = column_order(rows, height) + [[phrase] for phrase in vertical]
    return tuple(
        replace(word, line=number) for number, line in enumerate(lines) for phrase in line for word in phrase.words
    )


def _phrases(run: TextRun, aspect: float, slope: float) -> Iterable[Phrase]:
    """A run split at its wide gaps, without slope, in units of the page's height."""
    vertical_shift = slope * (run.box.left + run.box.right) / 2 * aspect
    top, bottom = run.box.top - vertical_shift, run.box.bottom - vertical_shift
    groups: list[list[Word]] = []
    for word in run.words:
        if groups and (word.box.left - groups[-1][-1].box.right) * aspect <= PHRASE_GAP * (bottom - top):
            groups[-1].append(word)
        else:
            groups.append([word])
    for group in groups:
        left, right = min(word.box.left for word in group), max(word.box.right for word in group)
        yield Phrase(tuple(group), left * aspect, right * aspect, top, bottom)


def _is_vertical(phrase: Phrase, height: float) -> bool:
    phrase_height = phrase.bottom - phrase.top
    return phrase_height > VERTICAL * height and phrase_height > phrase.right - phrase.left


def _rows(phrases: list[Phrase]) -> list[PhraseRow]:
    """Rows from top to bottom, each from left to right."""
    rows: list[PhraseRow] = []
    for phrase in sorted(phrases, key=lambda item: item.top + item.bottom):
        overlaps = [_row_overlap(row, phrase) for row in rows[-RECENT_ROWS:]]
        best = max(overlaps, default=0.0)
        if best >= SAME_ROW:
            rows[overlaps.index(best) - len(overlaps)].append(phrase)
        else:
            rows.append([phrase])
    for row in rows:
        row.sort(key=lambda item: item.left)
    return sorted(rows, key=lambda row: sum(item.top + item.bottom for item in row) / len(row))


def _row_overlap(row: PhraseRow, phrase: Phrase) -> float:
    """How well a phrase fits into a row: the vertical overlap with its nearest neighbour there, as a part of the lower
    one's height; 0 if the phrase would cover one."""
    nearest, distance = row[0], float("inf")
    for other in row:
        gap = max(other.left - phrase.right, phrase.left - other.right)
        if -gap > MAX_OVERLAP * min(other.right - other.left, phrase.right - phrase.left):
            return 0.0
        if gap < distance:
            nearest, distance = other, gap
    overlap = min(nearest.bottom, phrase.bottom) - max(nearest.top, phrase.top)
    return overlap / max(1e-9, min(nearest.bottom - nearest.top, phrase.bottom - phrase.top))


def _merge_neighbours(row: PhraseRow) -> PhraseRow:
    """Neighbours without a wide gap become one phrase: a text layer gives every word alone."""
    merged = row[:1]
    for phrase in row[1:]:
        last = merged[-1]
        top, bottom = min(last.top, phrase.top), max(last.bottom, phrase.bottom)
        if phrase.left - last.right <= PHRASE_GAP * min(last.bottom - last.top, phrase.bottom - phrase.top):
            merged[-1] = Phrase(last.words + phrase.words, last.left, max(last.right, phrase.right), top, bottom)
        else:
            merged.append(phrase)
    return merged
