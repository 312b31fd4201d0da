"""The order in which the words of a page are read.

In: runs of words (what OCR or the text layer knows to stand in one line). Out: words, line by line.

The rule: the page's slope is taken out; what overlaps by half of its height stands in one row; rows are read from top
to bottom, each from left to right and as one line, so that a table is read row by row and a label with its value.
Blocks of text side by side are read one after the other (columns.py). Text that runs up or down the margin comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from docpipe.data import Box, Word
from docpipe.read.columns import Phrase, Row, in_columns

SAME_ROW = 0.5  # of the lower one's height: neighbours in a row overlap by at least this much
COLLISION = 0.3  # of the narrower one's width: phrases above each other are not in one row, whatever their height
PHRASE_GAP = 1.2  # heights of the line: a wider gap begins a new phrase
OPEN_ROWS = 12  # rows above that a phrase may still belong to; rows are found from top to bottom
STANDING = 3.0  # usual heights: a run higher than this and than it is wide runs up or down the page


@dataclass(frozen=True, slots=True)
class Run:
    """Words that follow each other in one line. `box` has the full height of the line, also where
    the words' own boxes are tighter.
    """

    words: tuple[Word, ...]
    box: Box


def in_reading_order(runs: Sequence[Run], *, aspect: float, slope: float = 0.0) -> tuple[Word, ...]:
    """`aspect` is the page's width / height; `slope` how far a line falls per unit to the right."""
    phrases = [phrase for run in runs for phrase in _phrases(run, aspect, slope)]
    if not phrases:
        return ()
    height = sorted(phrase.bottom - phrase.top for phrase in phrases)[len(phrases) // 2]
    standing = [phrase for phrase in phrases if _stands(phrase, height)]
    rows = [_joined(row) for row in _rows([phrase for phrase in phrases if not _stands(phrase, height)])]
    lines = in_columns(rows, height) + [[phrase] for phrase in standing]
    return tuple(
        replace(word, line=number) for number, line in enumerate(lines) for phrase in line for word in phrase.words
    )


def _phrases(run: Run, aspect: float, slope: float) -> Iterable[Phrase]:
    """A run parted at its wide gaps, without slope, in units of the page's height."""
    fall = slope * (run.box.left + run.box.right) / 2 * aspect
    top, bottom = run.box.top - fall, run.box.bottom - fall
    groups: list[list[Word]] = []
    for word in run.words:
        if groups and (word.box.left - groups[-1][-1].box.right) * aspect <= PHRASE_GAP * (bottom - top):
            groups[-1].append(word)
        else:
            groups.append([word])
    for group in groups:
        left, right = min(word.box.left for word in group), max(word.box.right for word in group)
        yield Phrase(tuple(group), left * aspect, right * aspect, top, bottom)


def _stands(phrase: Phrase, height: float) -> bool:
    tall = phrase.bottom - phrase.top
    return tall > STANDING * height and tall > phrase.right - phrase.left


def _rows(phrases: list[Phrase]) -> list[Row]:
    """Rows from top to bottom, each from left to right."""
    rows: list[Row] = []
    for phrase in sorted(phrases, key=lambda item: item.top + item.bottom):
        fits = [_fit(row, phrase) for row in rows[-OPEN_ROWS:]]
        best = max(fits, default=0.0)
        if best >= SAME_ROW:
            rows[fits.index(best) - len(fits)].append(phrase)
        else:
            rows.append([phrase])
    for row in rows:
        row.sort(key=lambda item: item.left)
    return sorted(rows, key=lambda row: sum(item.top + item.bottom for item in row) / len(row))


def _fit(row: Row, phrase: Phrase) -> float:
    """How well a phrase stands in a row: the overlap with its nearest neighbour there, 0 if it would cover one."""
    nearest, distance = row[0], float("inf")
    for other in row:
        apart = max(other.left - phrase.right, phrase.left - other.right)
        if -apart > COLLISION * min(other.right - other.left, phrase.right - phrase.left):
            return 0.0
        if apart < distance:
            nearest, distance = other, apart
    shared = min(nearest.bottom, phrase.bottom) - max(nearest.top, phrase.top)
    return shared / max(1e-9, min(nearest.bottom - nearest.top, phrase.bottom - phrase.top))


def _joined(row: Row) -> Row:
    """Neighbours without a wide gap become one phrase: a text layer gives every word alone."""
    joined = row[:1]
    for phrase in row[1:]:
        last = joined[-1]
        top, bottom = min(last.top, phrase.top), max(last.bottom, phrase.bottom)
        if phrase.left - last.right <= PHRASE_GAP * min(last.bottom - last.top, phrase.bottom - phrase.top):
            joined[-1] = Phrase(last.words + phrase.words, last.left, max(last.right, phrase.right), top, bottom)
        else:
            joined.append(phrase)
    return joined
