"""Where a page has print, without a network.

In: a small drawing of the page. Out: the edges of strokes as a mask, and whether given boxes hold them.
Steps along the rows are what print has most of; they stand on shaded paper and on a dark ground as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from docpipe.data import Box

STEP = 24  # grey levels between neighbours: light grey print has 40 and more, the grain of JPEG below 10
RULE = 40  # pixels that an upright stroke may be long: 1 cm of A4 in 1,000 pixels; what is longer is a rule or a frame


def strokes(pixels: NDArray[Any]) -> NDArray[np.bool_]:
    """(height, width, RGB) -> (height, width - 1): steps from one pixel to the next in its row, without rules."""
    grey = pixels[:, :, 1].astype(np.int16)  # green is most of what the eye calls bright
    steps = np.abs(np.diff(grey, axis=1)) > STEP
    if len(steps) <= RULE:
        return steps
    sums = np.vstack([np.zeros((1, steps.shape[1]), np.int32), steps.cumsum(axis=0, dtype=np.int32)])
    unbroken = sums[RULE:] - sums[:-RULE] == RULE  # [row]: RULE steps from this row on
    rules = np.zeros((len(steps) + 1, steps.shape[1]), np.int32)
    rules[: len(unbroken)] += unbroken
    rules[RULE : RULE + len(unbroken)] -= unbroken
    return np.asarray(steps & (rules.cumsum(axis=0)[:-1] == 0))


def covered(found: NDArray[np.bool_], boxes: Sequence[Box], least: float, seen: float) -> bool:
    """Whether at least this part of the strokes lies in the boxes, and this part of the boxes has strokes in it.
    Boxes are fractions of the page; they are taken a pixel larger."""
    height, width = found.shape
    rest = found.copy()
    inked = 0
    for box in boxes:
        top, foot = max(0, int(box.top * height) - 1), int(box.bottom * height) + 2
        left, right = max(0, int(box.left * width) - 1), int(box.right * width) + 2
        inked += bool(found[top:foot, left:right].any())
        rest[top:foot, left:right] = False
    everything = int(found.sum())
    under = everything - int(rest.sum())
    return everything > 0 and under >= least * everything and inked >= seen * len(boxes)
