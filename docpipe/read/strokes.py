"""Where a page has print, without a network.

In: a small drawing of the page. Out: the edges of strokes as a mask, and whether these lie in given boxes.
Print has most steps of brightness along the rows, on shaded paper and on a dark ground as well.
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


def stroke_mask(pixels: NDArray[Any]) -> NDArray[np.bool_]:
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


def strokes_match_boxes(
    mask: NDArray[np.bool_], boxes: Sequence[Box], min_covered: float, min_boxes_with_strokes: float
) -> bool:
    """Whether at least this part of the strokes lies in the boxes, and this part of the boxes has strokes in it.
    Boxes are fractions of the page; they are taken a pixel larger."""
    height, width = mask.shape
    uncovered = mask.copy()
    boxes_with_strokes = 0
    for box in boxes:
        top, bottom = max(0, int(box.top * height) - 1), int(box.bottom * height) + 2
        left, right = max(0, int(box.left * width) - 1), int(box.right * width) + 2
        boxes_with_strokes += bool(mask[top:bottom, left:right].any())
        uncovered[top:bottom, left:right] = False
    total = int(mask.sum())
    covered = total - int(uncovered.sum())
    return total > 0 and covered >= min_covered * total and boxes_with_strokes >= min_boxes_with_strokes * len(boxes)
