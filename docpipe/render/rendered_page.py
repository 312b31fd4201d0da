"""What the renderer returns about a page. In: nothing of ours. Out: frozen dataclasses; arrays instead of objects per
character."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from docpipe.data import Widget

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

RenderEngine = Literal["pdfium", "poppler", "pillow"]  # the program that draws: the first two PDFs, the third images


@dataclass(frozen=True, slots=True)
class PageSize:
    """The upright page: points (1/72 inch) in a PDF, pixels in an image (`dpi` as the file says, 0 if it does not)."""

    width: float
    height: float
    dpi: float = 72.0


@dataclass(frozen=True, slots=True)
class PageObjects:
    """What a page is made of. `image_cover` is the part of the page under raster images (0-1), `image_dpi` the
    resolution of the images that carry it (0: none do). `texts` and `paths` count the painted text objects and vector
    shapes (the invisible words under a scan are not painted)."""

    image_cover: float
    image_dpi: float
    texts: int
    paths: int


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn page. `complete` is the part that could be decoded, 1 for an undamaged file; `frames`
    counts the pictures of an animation, of which the first is drawn."""

    image: Image
    engine: RenderEngine
    complete: float = 1.0
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Characters:
    """The characters of a page's text layer in content order, one entry per character of `text` (n of them).

    boxes      (n, 4) float32  left, top, right, bottom of the ink, fractions of the upright page (as drawn)
    loose      (n, 4) float32  the same with the font's full height and the advance width: even along a line
    size       (n,)   float32  font size in points, as printed
    angle      (n,)   float32  direction of reading as drawn, degrees clockwise: 0 runs to the right, 90 down
    invisible  (n,)   bool     not painted: text render mode 3 or 7, fully transparent, or off the page
    off_page   (n,)   bool     outside the page's visible part
    doubtful   (n,)   bool     painted, and perhaps not seen: under a shape, in an optional layer, white
    font       (n,)   int      which font of the page, from 0
    unmapped   (n,)   bool     the font does not say which character this is (`text` has a guess or U+FFFD)
    generated  (n,)   bool     blank or line break that PDFium put in between words; its box is empty
    """

    text: str
    boxes: NDArray[np.float32]
    loose: NDArray[np.float32]
    size: NDArray[np.float32]
    angle: NDArray[np.float32]
    invisible: NDArray[np.bool_]
    off_page: NDArray[np.bool_]
    doubtful: NDArray[np.bool_]
    font: NDArray[np.int32]
    unmapped: NDArray[np.bool_]
    generated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PageForm:
    """The fields of a PDF's form on a page, in fractions of the upright page as drawn. `is_xfa`: the form is one that
    only programs of Adobe show, and its fields are not among them."""

    widgets: tuple[Widget, ...] = ()
    is_xfa: bool = False


def fitted(width: float, height: float, max_side: int) -> tuple[int, int]:
    """Width and height in whole pixels of a page of this shape whose longer side has `max_side`. Both processes
    calculate it and must agree."""
    scale = max_side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
