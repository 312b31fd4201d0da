"""Pages that lie askew: deskewed, the words of a line stand at one height, and lines keep their order."""

from __future__ import annotations

import numpy as np
import pytest

from docpipe.vlm.deskew_boxes import deskewed

ROWS, COLUMNS = 12, 5
LINES = np.repeat(np.arange(ROWS), COLUMNS)


def table(fall: float, bend: float = 0.0) -> np.ndarray:
    """Words of a table, each row falling by `fall` per unit to the right, and bent."""
    left = np.tile(np.linspace(0.1, 0.8, COLUMNS), ROWS)
    top = 0.1 + 0.02 * LINES + fall * left + bend * (left - 0.5) ** 2
    return np.stack([left, top, left + 0.1, top + 0.01], axis=1).astype(np.float32)


@pytest.mark.parametrize(("fall", "bend"), [(0.05, 0.0), (-0.08, 0.0), (0.03, 0.05)])
def test_words_of_a_line_come_to_one_height_and_lines_stay_as_far_apart(fall: float, bend: float) -> None:
    level = deskewed(table(fall, bend), LINES)
    tops = level[:, 1].reshape(ROWS, COLUMNS)
    assert np.ptp(tops, axis=1).max() < 1e-6
    assert np.diff(tops.mean(axis=1)) == pytest.approx(np.full(ROWS - 1, 0.02), abs=1e-5)
    assert level[:, 3] - level[:, 1] == pytest.approx(np.full(len(level), 0.01), abs=1e-6)
    assert (level[:, [0, 2]] == table(fall, bend)[:, [0, 2]]).all()


def test_a_word_alone_on_its_line_moves_with_the_page() -> None:
    """A caption at the left edge and a total at the right, whose lines have no other word."""
    edges = np.array([[0.0, 0.40, 0.02, 0.41], [0.98, 0.40 + 0.05 * 0.98, 1.0, 0.41 + 0.05 * 0.98]], np.float32)
    level = deskewed(np.concatenate([table(0.05), edges]), np.concatenate([LINES, [90, 91]]))
    assert level[-1, 1] == pytest.approx(level[-2, 1], abs=1e-3)


def test_a_level_page_stays_as_it_is() -> None:
    assert deskewed(table(0.0), LINES) == pytest.approx(table(0.0), abs=1e-6)
    assert deskewed(np.zeros((0, 4), np.float32), np.zeros(0, np.int64)).shape == (0, 4)


def test_short_lines_say_nothing_of_the_slope() -> None:
    """Superscripts and signs beside a word stand higher than it."""
    boxes = np.array([[0.1, 0.10, 0.12, 0.11], [0.12, 0.095, 0.13, 0.105], [0.8, 0.3, 0.9, 0.31]], np.float32)
    assert deskewed(boxes, np.array([0, 0, 1]))[2] == pytest.approx(boxes[2])
