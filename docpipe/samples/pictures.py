"""Pages of drawn documents as pictures, and pictures as files that a mailbox brings.

In: a drawn document or pictures. Out: PIL images, image-only PDFs (with a password if asked), contact sheets.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

import pypdfium2
from PIL import Image, ImageDraw
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas as PdfCanvas

from docpipe.samples.truth import SampleDocument

POINTS_PER_INCH = 72.0
CONTACT_SHEET_GREY = (120, 120, 120)
CONTACT_SHEET_GAP = 8  # pixels between pages
BOX_COLOUR = (220, 30, 30)


def rasterise(sample: SampleDocument, dpi: float = 200.0) -> list[Image.Image]:
    """Every page as an RGB picture."""
    pdf = pypdfium2.PdfDocument(sample.pdf)
    try:
        return [page.render(scale=dpi / POINTS_PER_INCH).to_pil().convert("RGB") for page in pdf]
    finally:
        pdf.close()


def image_pdf(pictures: Sequence[Image.Image], dpi: float, password: str | None = None) -> bytes:
    """A PDF without a text layer, as scanners write it."""
    buffer = io.BytesIO()
    encryption = StandardEncryption(password, ownerPassword="docpipe", strength=128) if password else None
    pdf = PdfCanvas(buffer, invariant=1, encrypt=encryption)
    for picture in pictures:
        jpeg = io.BytesIO()
        picture.save(jpeg, "JPEG", quality=80)
        jpeg.seek(0)
        width, height = picture.width * POINTS_PER_INCH / dpi, picture.height * POINTS_PER_INCH / dpi
        pdf.setPageSize((width, height))
        pdf.drawImage(ImageReader(jpeg), 0, 0, width, height)
        pdf.showPage()
    pdf.save()
    return buffer.getvalue()


def draw_boxes(picture: Image.Image, sample: SampleDocument, page: int) -> Image.Image:
    """The page with a red frame around every value."""
    framed = picture.copy()
    drawing = ImageDraw.Draw(framed)
    line_width = max(1, framed.width // 600)
    for value in sample.printed_values:
        if value.page == page:
            for box in value.boxes:
                corners = (
                    box.left * framed.width,
                    box.top * framed.height,
                    box.right * framed.width,
                    box.bottom * framed.height,
                )
                drawing.rectangle(corners, outline=BOX_COLOUR, width=line_width)
    return framed


def contact_sheet(pictures: Sequence[Image.Image], columns: int, cell_size: tuple[int, int]) -> Image.Image:
    """Many pages on one picture; width and height of a cell in pixels."""
    width, height = cell_size
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), CONTACT_SHEET_GREY)
    for number, picture in enumerate(pictures):
        thumbnail = picture.copy()
        thumbnail.thumbnail((width - CONTACT_SHEET_GAP, height - CONTACT_SHEET_GAP))
        left, top = number % columns * width, number // columns * height
        sheet.paste(thumbnail, (left + CONTACT_SHEET_GAP // 2, top + CONTACT_SHEET_GAP // 2))
    return sheet
