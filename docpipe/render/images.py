"""Images through Pillow. In: a path and its media type. Out: the sizes of its pages and upright RGB drawings.

Runs in the decoder process. The image stays open and decoded, so that a small and a large drawing decode once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import PIL.ImageFile
from PIL import Image, UnidentifiedImageError

from docpipe.errors import CorruptError, TooLargeError
from docpipe.render.colours import to_eight_bits, to_rgb
from docpipe.render.limits import Limits
from docpipe.render.pipe_messages import Bitmap, CharacterRows, FormRows
from docpipe.render.rendered_page import PageObjects, PageSize, fitted

FORMATS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/tiff": "TIFF",
    "image/webp": "WEBP",
    "image/heic": "HEIF",
}
ANIMATED = ("PNG", "WEBP")
MIN_DECODED = 0.75  # a receipt's total stands in its last quarter: with less than this the result would mislead
MAX_DECODED_OF_DAMAGED = 0.99  # a truncated progressive JPEG has all its rows, only blurred
ORIENTATION = 0x0112  # the EXIF tag
SUBFILE_TYPE = 254  # TIFF: bit 0 marks a thumbnail of another page, bit 2 a transparency mask
NO_PAGE_BITS = 0b101
ORIENTATION_TRANSPOSES = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIDEWAYS = (5, 6, 7, 8)  # orientations that swap width and height
MAX_PIXEL_ASPECT = 3.0  # of a fax: 204 dots an inch across and 98 down, or 391. Beyond it the figures are wrong
SQUARE_PIXELS = 1.05  # 204 x 196 is shown as it is
UNREADABLE_ENTRIES = (OSError, SyntaxError, ValueError, TypeError, KeyError, EOFError)  # what Pillow raises of them


class _ImagePage(NamedTuple):
    """Where a page is in the file, its upright size, and its EXIF orientation."""

    frame: int
    width: int
    height: int
    dpi: float
    orientation: int
    is_lost: bool = False  # its place in the file is known, and nothing else


class _DecodedFrame(NamedTuple):
    """The frame whose pixels the open image holds, and the part of it that could be decoded (0-1)."""

    frame: int
    complete: float


class ImageFile:
    def __init__(self, path: Path, media_type: str, limits: Limits) -> None:
        self._path, self._format, self._limits = path, FORMATS[media_type], limits
        Image.MAX_IMAGE_PIXELS = None  # checked here against our own limit, on the size in the header
        if self._format == "HEIF":
            from pi_heif import register_heif_opener  # heavy: libheif

            register_heif_opener()
        self._image = self._opened()
        self._decoded: _DecodedFrame | None = None
        self._pages = self._list_pages()

    def sizes(self) -> list[PageSize]:
        return [PageSize(page.width, page.height, page.dpi) for page in self._pages]

    def page_objects(self, number: int) -> PageObjects:
        """The image is the page."""
        return PageObjects(1.0, self._pages[number - 1].dpi, 0, 0)

    def draw(self, number: int, max_side: int) -> Bitmap:
        page = self._pages[number - 1]
        if page.is_lost:
            raise CorruptError("the image is cut off before this page")
        size = fitted(page.width, page.height, min(max_side, max(page.width, page.height)))
        complete = self._decode(page.frame)
        image = to_eight_bits(self._image)
        stored = (size[1], size[0]) if page.orientation in SIDEWAYS else size
        if image.size != stored:
            image = image.resize(stored, Image.Resampling.LANCZOS, reducing_gap=2.0)
        image = to_rgb(image)
        if page.orientation in ORIENTATION_TRANSPOSES:
            image = image.transpose(ORIENTATION_TRANSPOSES[page.orientation])
        frames = int(getattr(self._image, "n_frames", 1)) if self._format in ANIMATED else 1
        return Bitmap(*size, image.tobytes(), complete=complete, frames=frames)

    def characters(self, number: int) -> CharacterRows:  # noqa: ARG002 (images have no text layer)
        return CharacterRows()

    def form(self, number: int) -> FormRows:  # noqa: ARG002 (images have no form)
        return FormRows()

    def close(self) -> None:
        self._image.close()

    def _opened(self) -> Image.Image:
        try:
            image: Image.Image = Image.open(self._path, formats=[self._format])
        except UnidentifiedImageError as error:
            raise CorruptError(f"the {self._format} image is damaged and cannot be opened") from error
        self._check_pixels(image)
        return image

    def _check_pixels(self, image: Image.Image) -> None:
        width, height = image.size
        if width * height > self._limits.max_pixels:
            allowed = f"the {self._limits.max_pixels:,} pixels allowed"
            raise TooLargeError(f"the image has {width:,} x {height:,} pixels, more than {allowed}")

    def _list_pages(self) -> list[_ImagePage]:
        """All frames of a TIFF except thumbnails and masks, the first frame of anything else. A frame whose entries
        were cut off with the end of the file is a page that is lost."""
        count = self._count_frames() if self._format == "TIFF" else 1
        if count > self._limits.max_pages:
            raise TooLargeError(f"it has {count:,} pages, more than the {self._limits.max_pages:,} allowed")
        pages: list[_ImagePage] = []
        thumbnails_and_masks: list[_ImagePage] = []
        for frame in range(count):
            try:
                self._go_to(frame)
            except UNREADABLE_ENTRIES:
                if not pages:
                    raise
                pages.append(pages[-1]._replace(frame=frame, is_lost=True))
                self._open_again()
                continue
            width, height = _square_pixels(self._image) if self._format == "TIFF" else self._image.size
            orientation = _orientation(self._image) if self._format != "TIFF" else 1  # Pillow turns a TIFF itself
            if orientation in SIDEWAYS:
                width, height = height, width
            is_page = not _subfile_type(self._image) & NO_PAGE_BITS
            kind = pages if is_page else thumbnails_and_masks
            kind.append(_ImagePage(frame, width, height, _dpi(self._image), orientation))
        return pages or thumbnails_and_masks

    def _count_frames(self) -> int:
        """Where the entries of a page are cut off it is the last one that the file knows of."""
        try:
            return int(getattr(self._image, "n_frames", 1))
        except UNREADABLE_ENTRIES:
            self._open_again()
        for frame in range(1, self._limits.max_pages):
            try:
                self._image.seek(frame)
            except UNREADABLE_ENTRIES:
                self._open_again()
                return frame + 1
        return self._limits.max_pages

    def _open_again(self) -> None:
        self._image.close()
        self._image = self._opened()

    def _go_to(self, frame: int) -> None:
        if self._format == "TIFF":
            self._image.seek(frame)
            self._check_pixels(self._image)

    def _decode(self, frame: int) -> float:
        """Load the pixels of a frame; the part of it that could be decoded. Raises CorruptError below MIN_DECODED."""
        if self._decoded is not None and self._decoded.frame == frame:
            return self._decoded.complete
        self._decoded = None  # Pillow keeps the last page's pixels, or none at all, until the next page is loaded
        self._go_to(frame)
        try:
            self._image.load()
            complete = 1.0
        except (OSError, SyntaxError, ValueError) as error:
            complete = self._decode_damaged(frame, error)
        self._decoded = _DecodedFrame(frame, complete)
        return complete

    def _decode_damaged(self, frame: int, reason: Exception) -> float:
        self._open_again()
        self._go_to(frame)
        PIL.ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            self._image.load()
        except (OSError, SyntaxError, ValueError) as error:
            raise CorruptError(f"the image is damaged ({reason})") from error
        finally:
            PIL.ImageFile.LOAD_TRUNCATED_IMAGES = False
        complete = min(MAX_DECODED_OF_DAMAGED, _decoded_part(self._image))
        if complete < MIN_DECODED:
            raise CorruptError(f"only {complete:.0%} of the image can be decoded ({reason})")
        return complete


def _decoded_part(image: Image.Image) -> float:
    """Rows above the even area at the bottom: a decoder that stops early leaves the rest in one colour."""
    grey = to_eight_bits(image).convert("L")
    last = grey.getpixel((0, grey.height - 1))
    box = grey.point(lambda value: 0 if value == last else 255).getbbox()
    return 0.0 if box is None else box[3] / grey.height


def _orientation(image: Image.Image) -> int:
    try:
        value = Image.Image.getexif(image).get(ORIENTATION, 1)  # not PNG's own, which would decode all pixels
    except (SyntaxError, ValueError, TypeError, KeyError, OSError):
        return 1  # damaged EXIF says nothing about the picture itself, which is drawn as it is stored
    return value if value in ORIENTATION_TRANSPOSES else 1


def _subfile_type(image: Image.Image) -> int:
    kind = getattr(image, "tag_v2", {}).get(SUBFILE_TYPE, 0)
    return kind if isinstance(kind, int) else 0


def _square_pixels(image: Any) -> tuple[int, int]:
    """The size at which the page of a TIFF has its true shape: a fax has pixels that are taller than wide. Pixels are
    added, and none is lost."""
    width, height = image.size
    try:
        across, down = (float(dpi) for dpi in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return width, height
    if image.tag_v2.get(ORIENTATION) in SIDEWAYS:  # the size is the upright one, the resolution the stored one
        across, down = down, across
    if not SQUARE_PIXELS * min(across, down) <= max(across, down) <= MAX_PIXEL_ASPECT * min(across, down):
        return width, height
    return round(width * max(1.0, down / across)), round(height * max(1.0, across / down))


def _dpi(image: Image.Image) -> float:
    """Horizontal resolution as the file says, 0 when it says nothing usable (some say 0/0)."""
    try:
        dpi = float(image.info.get("dpi", (0.0,))[0])
    except (TypeError, ValueError, ZeroDivisionError, IndexError):
        return 0.0
    return dpi if 1.0 <= dpi <= 10_000.0 else 0.0
