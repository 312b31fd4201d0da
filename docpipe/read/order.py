"""The order in which the words of a page are read.

In: runs of words (what OCR or the text layer knows to stand in one line). Out: words, line by line.

Rows: runs that overlap by half of their height stand in one row; the page's slope is taken out first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from docpipe.data import Box, Word

SAME_ROW = 0.5  # of the lower run's height: neighbours in a row overlap by at least this much
COLLISION = 0.3  # of the narrower run's width: runs above each other are not in one row, whatever their height


@dataclass(frozen=True, slots=True)
class Run:
    """Words that follow each other in one line. `box` has the full height of the line, also where
    the words' own boxes are tighter.
    """

    words: tuple[Word, ...]
    box: Box


@dataclass(slots=True)
class _Placed:
    """A run with the slope taken out, in units of the page's height."""

    run: Run
    left: float
    right: float
    top: float
    bottom: float

    @property
    def height(self) -> float:
        return self.bottom - self.top


def in_reading_order(runs: Sequence[Run], *, aspect: float, slope: float = 0.0) -> tuple[Word, ...]:
    """`aspect` is the page's width / height; `slope` how far a line falls per unit to the right."""
    lines = _rows([_placed(run, aspect, slope) for run in runs if run.words])
    return tuple(
        replace(word, line=number) for number, line in enumerate(lines) for placed in line for word in placed.run.words
    )


def _placed(run: Run, aspect: float, slope: float) -> _Placed:
    box = run.box
    fall = slope * (box.left + box.right) / 2 * aspect
    return _Placed(run, box.left * aspect, box.right * aspect, box.top - fall, box.bottom - fall)


def _rows(runs: list[_Placed]) -> list[list[_Placed]]:
    """Rows from top to bottom, each from left to right."""
    rows: list[list[_Placed]] = []
    for run in sorted(runs, key=lambda placed: placed.top + placed.bottom):
        best = max(rows[-8:], key=lambda row: _fit(row, run), default=None)
        if best is not None and _fit(best, run) >= SAME_ROW:
            best.append(run)
        else:
            rows.append([run])
    for row in rows:
        row.sort(key=lambda placed: placed.left)
    return sorted(rows, key=lambda row: sum(placed.top + placed.bottom for placed in row) / len(row))


def _fit(row: list[_Placed], run: _Placed) -> float:
    """How well a run stands in a row: the overlap with its nearest neighbour there, 0 if it would cover one."""
    for other in row:
        shared = min(other.right, run.right) - max(other.left, run.left)
        if shared > COLLISION * min(other.right - other.left, run.right - run.left):
            return 0.0
    nearest = min(row, key=lambda other: max(other.left - run.right, run.left - other.right))
    shared = min(nearest.bottom, run.bottom) - max(nearest.top, run.top)
    return shared / max(1e-9, min(nearest.height, run.height))
