"""Documents without their text layer: what a scan of them would be.

In: a document. Out: its pages as one TIFF, so that they are read by OCR. Used by training and by the benchmarks.
"""

from __future__ import annotations

from pathlib import Path

from docpipe.ingest import ingest
from docpipe.rasterise import PageRasteriser
from docpipe.render import Renderer

PICTURE_DPI = 200


def write_picture(source: Path, picture: Path, renderer: Renderer) -> None:
    """Raises InputError when the document cannot be opened."""
    document = ingest(source, renderer=renderer)
    pages = PageRasteriser(renderer, dpi=PICTURE_DPI).pages(document)
    images = [page.image.open() for page in pages if page.image is not None]
    images[0].save(picture, save_all=True, append_images=images[1:], dpi=(PICTURE_DPI, PICTURE_DPI))
