"""Pages of drawn documents as pictures, and pictures as files that a mailbox brings.

In: a drawn PDF or pictures. Out: PIL images, image-only PDFs (with a password if asked), contact sheets.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import pypdfium2
from PIL import Image, ImageDraw
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docpipe.samples.canvas.canvas import SampleDocument

POINTS_PER_INCH = 72.0


def rasterise(sample: SampleDocument, dpi: float = 200.0) -> list[Image.Image]:
    """Every page as an RGB picture."""
    document = pypdfium2.PdfDocument(sample.pdf)
    try:
        return [page.render(scale=dpi / POINTS_PER_INCH).to_pil().convert("RGB") for page in document]
    finally:
        document.close()


def image_pdf(pictures: Sequence[Image.Image], dpi: float, password: str | None = None) -> bytes:
    """A PDF without a text layer, as scanners write it."""
    buffer = io.BytesIO()
    lock = StandardEncryption(password, ownerPassword="docpipe", strength=128) if password else None
    canvas = Canvas(buffer, invariant=1, encrypt=lock)
    for picture in pictures:
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=80)
        jpeg.seek(0)
        width, height = picture.width * POINTS_PER_INCH / dpi, picture.height * POINTS_PER_INCH / dpi
        canvas.setPageSize((width, height))
        canvas.drawImage(ImageReader(jpeg), 0, 0, width, height)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def draw_boxes(picture: Image.Image, sample: SampleDocument, page: int) -> Image.Image:
    """The page with a red frame around every value."""
    made = picture.copy()
    pen = ImageDraw.Draw(made)
    for placed in sample.printed_values:
        if placed.page == page:
            for box in placed.boxes:
                corners = (
                    box.left * made.width,
                    box.top * made.height,
                    box.right * made.width,
                    box.bottom * made.height,
                )
                pen.rectangle(corners, outline=(220, 30, 30), width=max(1, made.width // 600))
    return made


def contact_sheet(pictures: Sequence[Image.Image], columns: int, cell: tuple[int, int]) -> Image.Image:
    """Many pages on one picture."""
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell[0], rows * cell[1]), (120, 120, 120))
    for number, picture in enumerate(pictures):
        small = picture.copy()
        small.thumbnail((cell[0] - 8, cell[1] - 8))
        sheet.paste(small, (number % columns * cell[0] + 4, number // columns * cell[1] + 4))
    return sheet
