"""Images of pages that are not rendered: white ones, and pictures in memory.

In: a size, a picture, a page. Out: what `Page.image` has to be.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from PIL import Image

from docpipe.data import Page


@dataclass(frozen=True)
class KeptImage:
    """A picture in memory."""

    image: Image.Image

    def open(self, *, max_side: int | None = None) -> Image.Image:
        image = self.image.copy()
        if max_side is not None and max(image.size) > max_side:
            image.thumbnail((max_side, max_side))
        return image

    def turned(self, degrees: int) -> KeptImage:
        return KeptImage(self.image.rotate(-degrees, expand=True))


@dataclass(frozen=True)
class BlankImage:
    """White, of this size in pixels."""

    width: int
    height: int

    def open(self, *, max_side: int | None = None) -> Image.Image:
        return KeptImage(Image.new("RGB", (self.width, self.height), "white")).open(max_side=max_side)

    def turned(self, degrees: int) -> BlankImage:
        return self


def with_blank_image(page: Page) -> Page:
    return replace(page, image=BlankImage(page.width, page.height))
