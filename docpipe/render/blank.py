"""Is there anything on this page? In: its picture. Out: yes or no; a doubtful page is not blank."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 1_600  # pixels; larger drawings are reduced below it, which evens out the grain of a scanner
BORDER = 0.03  # of each side: shadows of the lid, punch holes and staples are no content
CONTRAST = 18  # grey levels against the surroundings: light grey print has 40 and more, paper and JPEG grain below 10
NEIGHBOURHOOD = 12  # pixels around each one that say what paper is here; shading over the page is wider
MIN_CLUSTER = 3  # ink pixels within 3 x 3; dust stands alone, strokes do not
MIN_INK = 5e-5  # part of the page: 60 pixels of 850 x 1,100, about one short word; a blank scan has below 1e-5


def is_blank(image: Image) -> bool:
    """True when fewer pixels than MIN_INK stand out from the paper around them."""
    return ink_share(image) < MIN_INK


def ink_share(image: Image) -> float:
    """Part of the pixels (0-1) that belong to strokes."""
    import numpy as np  # heavy: numpy
    from PIL import ImageChops, ImageFilter  # heavy: Pillow

    grey = image.convert("L")
    factor = math.ceil(max(grey.size) / MAX_SIDE)
    if factor > 1:
        grey = grey.reduce(factor)
    width, height = grey.size
    inside = (round(width * BORDER), round(height * BORDER), round(width * (1 - BORDER)), round(height * (1 - BORDER)))
    grey = grey.crop(inside)  # first, or the shadow at the border would darken the paper beside it
    paper = grey.filter(ImageFilter.BoxBlur(NEIGHBOURHOOD))
    contrast = np.asarray(ImageChops.difference(grey, paper))
    dark = np.pad(contrast > CONTRAST, 1).astype(np.uint8)
    rows = dark[:-2] + dark[1:-1] + dark[2:]
    cluster = rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]
    strokes = (dark[1:-1, 1:-1] > 0) & (cluster >= MIN_CLUSTER)
    return float(strokes.mean()) if strokes.size else 0.0
