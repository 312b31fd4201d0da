"""The pictures of pages as models are given them: the same whether they are drawn now or were kept by another worker.

In: a PageImage of a whole page. Out: PageImages of a bounded size, or of a region of the page.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from docpipe.data import Box, Page, PageImage

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class ModelImage:
    """A page's picture in `sides`, the pixels of its longer side, the smallest first. Other sizes are made from the
    next larger one, as from pictures that are kept between two workers (docpipe/store/jobs/prepared_pages.py). Small
    ones are opened first, in both places: the renderer makes a smaller one out of a larger one that it has."""

    page_image: PageImage
    sides: tuple[int, ...]

    def open(self, *, max_side: int | None = None) -> Image:
        return reduced(self.page_image.open(max_side=source_side(self.sides, max_side)), max_side)

    def turned(self, degrees: int) -> PageImage:
        return replace(self, page_image=self.page_image.turned(degrees))


@dataclass(frozen=True, slots=True)
class CroppedImage:
    """A PageImage of the region `box` of a page, cut from its largest picture."""

    page_image: PageImage
    box: Box

    def open(self, *, max_side: int | None = None) -> Image:
        page = self.page_image.open()
        width, height = page.size
        corners = (self.box.left * width, self.box.top * height, self.box.right * width, self.box.bottom * height)
        left, top, right, bottom = (round(corner) for corner in corners)
        return reduced(page.crop((left, top, max(left + 1, right), max(top + 1, bottom))), max_side)

    def turned(self, degrees: int) -> PageImage:
        box = self.box
        for _ in range(degrees // 90 % 4):
            box = Box(1 - box.bottom, box.left, 1 - box.top, box.right)
        return CroppedImage(self.page_image.turned(degrees), box)


def for_models(pages: Iterable[Page], sides: tuple[int, ...]) -> list[Page]:
    """The pages with pictures of these sides; as they are where no sides are given."""
    return [
        replace(page, image=ModelImage(page.image, sides)) if page.image is not None and sides else page
        for page in pages
    ]


def source_side(sides: tuple[int, ...], max_side: int | None) -> int:
    """The side from which a picture of at most `max_side` pixels is made."""
    return next((side for side in sides if max_side is not None and side >= max_side), sides[-1])


def reduced(image: Image, max_side: int | None) -> Image:
    """At most so large; never enlarged."""
    if max_side is None or max(image.size) <= max_side:
        return image
    smaller = image.copy()
    smaller.thumbnail((max_side, max_side))
    return smaller
