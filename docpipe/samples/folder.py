"""Folders of drawn documents with their truth: a dozen varied ones for the first run, or many of one type.

In: a folder and a seed. Out: `invoices/`, `receipts/`, `forms/` and `truth.jsonl`, or `docs/` and `labels.jsonl`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from docpipe.samples import draw
from docpipe.samples.degrade.page import capture_kind, degrade_page
from docpipe.samples.pictures import image_pdf, rasterise
from docpipe.samples.truth import SampleDocument, nested_values

SCAN_DPI = 150.0
RECEIPT_DPI = 200.0
PHOTO_DPI = 250.0
MAX_TRIES = 400  # seeds looked through for a document with the wanted trait; the rarest trait is one in fifty
MIN_FORM_VALUES = 13
PASSWORD = "sample"  # noqa: S105 of a sample document, printed in its truth

Trait = Callable[[SampleDocument], bool]


def write_folder(folder: Path, seed: int) -> list[Path]:
    """Writes all samples and gives their paths."""
    writer = _SampleWriter(folder)
    _write_invoices(writer, seed)
    _write_receipts(writer, seed)
    _write_forms(writer, seed)
    with (folder / "truth.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in writer.truth_lines)
    return writer.paths


def write_many(folder: Path, schema: str, count: int, seed: int, *, degraded: bool) -> None:
    """`docs/` with that many documents of one type, and `labels.jsonl`: for benchmarks and for fitting the confidence.
    Degraded documents are image-only PDFs, as from a scanner or a phone."""
    (folder / "docs").mkdir(parents=True, exist_ok=True)
    with (folder / "labels.jsonl").open("w", encoding="utf-8") as labels:
        for number in range(seed, seed + count):
            sample = draw(schema, number, fonts="standard")
            name = f"docs/{schema}-{number}.pdf"
            data = _degraded_pdf(sample, number, strength=0.7) if degraded else sample.pdf
            (folder / name).write_bytes(data)
            labels.write(json.dumps(truth_line(name, sample), ensure_ascii=False) + "\n")


def truth_line(name: str, sample: SampleDocument, **extra: Any) -> dict[str, Any]:
    """One line of truth: fields as printed, and normalised. Of several printings the first counts."""
    return {
        "file": name,
        "schema": sample.schema,
        "language": sample.language,
        "pages": sample.page_count,
        "adds_up": sample.adds_up,
        "fields": nested_values({value.path: value.text for value in reversed(sample.printed_values)}),
        "fields_norm": sample.truth,
        **extra,
    }


class _SampleWriter:
    """Writes files below a folder, and keeps what is true of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []
        self.truth_lines: list[dict[str, Any]] = []

    def write(self, name: str, sample: SampleDocument, data: bytes, **extra: Any) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.paths.append(path)
        self.truth_lines.append(truth_line(name, sample, **extra))


def _write_invoices(writer: _SampleWriter, seed: int) -> None:
    german = _find("invoice", seed, "de", lambda sample: sample.page_count == 1 and sample.adds_up)
    writer.write("invoices/rechnung.pdf", german, german.pdf)
    two_pages = _find("invoice", seed + 1000, "en", lambda sample: sample.page_count == 2 and sample.adds_up)
    writer.write("invoices/two-pages.pdf", two_pages, two_pages.pdf)
    wrong_total = _find("invoice", seed + 2000, "en", lambda sample: sample.page_count == 1 and not sample.adds_up)
    writer.write("invoices/wrong-total.pdf", wrong_total, wrong_total.pdf)
    french = _find("invoice", seed + 3000, "fr", lambda sample: sample.page_count == 1 and sample.adds_up)
    writer.write("invoices/facture-scan.pdf", french, _degraded_pdf(french, seed, strength=0.6))
    italian = _find("invoice", seed + 4000, "it", lambda sample: sample.page_count == 2 and sample.adds_up)
    writer.write("invoices/fattura.tiff", italian, _tiff(italian))
    dutch = _find("invoice", seed + 5000, "nl", lambda sample: sample.page_count == 1 and sample.adds_up)
    sideways = [picture.rotate(90, expand=True) for picture in rasterise(dutch, SCAN_DPI)]
    writer.write("invoices/factuur-sideways.pdf", dutch, image_pdf(sideways, SCAN_DPI))
    spanish = _find("invoice", seed + 6000, "es", lambda sample: sample.page_count == 1 and sample.adds_up)
    locked = image_pdf(rasterise(spanish, SCAN_DPI), SCAN_DPI, PASSWORD)
    writer.write("invoices/factura-locked.pdf", spanish, locked, password=PASSWORD)


def _write_receipts(writer: _SampleWriter, seed: int) -> None:
    english = _find("receipt", seed, "en", lambda sample: sample.adds_up and "merchant_name" in sample.truth)
    writer.write("receipts/receipt.png", english, _encoded(rasterise(english, RECEIPT_DPI)[0], "PNG"))
    german = _find("receipt", seed + 1000, "de", lambda sample: sample.adds_up)
    photo = degrade_page(rasterise(german, PHOTO_DPI)[0], _photo_seed(seed), strength=0.7)[0]
    writer.write("receipts/kassenbon-photo.jpg", german, _encoded(photo, "JPEG", quality=85))
    indonesian = _find("receipt", seed + 2000, "id", lambda sample: sample.adds_up)
    scan = degrade_page(rasterise(indonesian, RECEIPT_DPI)[0], seed + 3, strength=0.5)[0]
    writer.write("receipts/struk-scan.pdf", indonesian, image_pdf([scan], RECEIPT_DPI))


def _write_forms(writer: _SampleWriter, seed: int) -> None:
    form = _find("form", seed, "en", lambda sample: len(sample.printed_values) >= MIN_FORM_VALUES)
    writer.write("forms/form.pdf", form, form.pdf)
    scanned = _find("form", seed + 1000, "en", lambda sample: len(sample.printed_values) >= MIN_FORM_VALUES)
    scan = degrade_page(rasterise(scanned, SCAN_DPI)[0], seed + 5, strength=0.4)[0]
    writer.write("forms/form-scan.png", scanned, _encoded(scan, "PNG"))


def _find(schema: str, seed: int, language: str, has_trait: Trait) -> SampleDocument:
    """The document with that trait of the next seed that draws one."""
    for number in range(seed, seed + MAX_TRIES):
        sample = draw(schema, number, language=language, fonts="standard")
        if has_trait(sample):
            return sample
    raise ValueError(f"no {schema} with the wanted trait in {MAX_TRIES} seeds from {seed}")


def _photo_seed(seed: int) -> int:
    """The next seed for which `degrade_page` photographs instead of scanning."""
    return next(number for number in range(seed, seed + MAX_TRIES) if capture_kind(number) == "photo")


def _degraded_pdf(sample: SampleDocument, seed: int, *, strength: float) -> bytes:
    pages = [degrade_page(picture, seed, strength=strength)[0] for picture in rasterise(sample, SCAN_DPI)]
    return image_pdf(pages, SCAN_DPI)


def _tiff(sample: SampleDocument) -> bytes:
    first, *others = (picture.convert("L") for picture in rasterise(sample, SCAN_DPI))
    dpi = (SCAN_DPI, SCAN_DPI)
    return _encoded(first, "TIFF", save_all=True, append_images=others, compression="tiff_lzw", dpi=dpi)


def _encoded(picture: Image.Image, file_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()
