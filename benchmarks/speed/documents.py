"""The documents that are measured: drawn by docpipe itself, or a person's own.

In: a folder, or nothing. Out: scans (one picture a page), PDFs with a text layer, one long PDF.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from docpipe.data import Document
from docpipe.errors import InputError
from docpipe.ingest import find_files, ingest
from docpipe.render import PDF, Renderer, SourceFile

SCAN_DPI = 200  # what an office scanner is set to
POINTS_PER_INCH = 72
JPEG_QUALITY = 85
LINES_A_PAGE = 45


def drawn_pdfs(folder: Path, count: int) -> list[Path]:
    """Invoices and receipts in turn, the same for the same count on every machine."""
    from docpipe.samples import SCHEMAS, draw  # heavy: reportlab

    folder.mkdir(parents=True)
    paths = []
    for number in range(count):
        schema = SCHEMAS[number % len(SCHEMAS)]
        path = folder / f"{schema}-{number}.pdf"
        path.write_bytes(draw(schema, number, fonts="standard").pdf)
        paths.append(path)
    return paths


def scans(sources: Sequence[Path], folder: Path, max_pages: int) -> list[Path]:
    """The first `max_pages` pages as JPEG pictures, so that docpipe and plain OCR get the same bytes."""
    folder.mkdir(parents=True)
    with Renderer() as renderer:
        return list(islice(_pictures(sources, folder, renderer), max_pages))


def _pictures(sources: Sequence[Path], folder: Path, renderer: Renderer) -> Iterator[Path]:
    for source in find_files(sources):
        try:
            document = ingest(source, renderer=renderer)
            sizes = renderer.sizes(SourceFile.of(document))
        except InputError as error:
            print(f"left out: {source}: {error}")
            continue
        for number, size in enumerate(sizes, start=1):
            side = max(size.width, size.height)
            pixels = side / POINTS_PER_INCH * SCAN_DPI if document.media_type == PDF else side
            path = folder / f"{source.stem}-{document.id[:6]}-{number}.jpg"
            picture = renderer.draw(SourceFile.of(document), number, max_side=round(pixels)).image
            picture.save(path, quality=JPEG_QUALITY)
            yield path


def with_text_layer(sources: Sequence[Path]) -> list[Path]:
    """The PDFs among the sources of which each page has text."""
    paths = []
    with Renderer() as renderer:
        for source in find_files(sources):
            try:
                document = ingest(source, renderer=renderer)
                if document.media_type == PDF and _all_text(document, renderer):
                    paths.append(source)
            except InputError as error:
                print(f"left out: {source}: {error}")
    return paths


def _all_text(document: Document, renderer: Renderer) -> bool:
    numbers = range(1, document.page_count + 1)
    return all(renderer.characters(SourceFile.of(document), number).text.strip() for number in numbers)


def long_pdf(path: Path, pages: int) -> Path:
    """One statement of `pages` pages, each full of text."""
    from reportlab.lib.pagesizes import A4  # heavy: reportlab
    from reportlab.pdfgen.canvas import Canvas  # heavy: reportlab

    canvas = Canvas(str(path), pagesize=A4)
    for page in range(1, pages + 1):
        canvas.setFont("Helvetica", 9)
        canvas.drawString(50, 800, f"Harbour Supplies Ltd    Statement of account    page {page} of {pages}")
        for line in range(LINES_A_PAGE):
            number = page * LINES_A_PAGE + line
            amount = f"{number % 997}.{number % 100:02d}"
            text = f"{number:06d}   Invoice R-{number}   Delivery of paper, envelopes and toner   {amount}"
            canvas.drawString(50, 775 - 16 * line, text)
        canvas.showPage()
    canvas.save()
    return path
